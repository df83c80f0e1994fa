"""The groups of customers by how lately, how often and for how much they buy, in people's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ON_TIME: Final = 1.5
SLIPPING: Final = 3.0
AWAY: Final = 6.0
"""In usual gaps since the last purchase; the usual gap is the customer's own as far as it is known."""
FREQUENT: Final = 3

RFM_GROUPS: Final[Mapping[str, str]] = {
    "champions": "bought 3 times or more, are not late, and spent more than three in four customers",
    "loyal": "bought 3 times or more and are not late",
    "promising": "bought twice and are not late",
    "new": "bought once, lately",
    "needs attention": "bought more than once and are late: 1.5 to 3 usual gaps",
    "at risk": "bought more than once and are very late: 3 to 6 usual gaps",
    "hibernating": "bought once, and 1.5 to 6 usual gaps ago",
    "lost": "bought nothing for more than 6 usual gaps",
}
"""Every customer is in exactly one: the first that holds. "Not late" is up to 1.5 usual gaps."""

NOT_YET: Final = "not yet a customer"
