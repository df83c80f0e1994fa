"""What is known of one person when an audience is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HIGH_DECILES: Final = 2
LOW_DECILES: Final = 6
BANDS: Final = ("high", "middle", "low", "unknown")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the list or among the customers; None stands for what is not known.

    `owned` are the slugs they may read today, `bought` those they ever paid for, `ending` the
    memberships that they have ended and that still run. Both amounts are in
    `currency`. Days are whole days that have passed since; the scores are the newest there are.
    `rfm` and `behaviour` are the groups they were in when groups were last told apart.
    """

    email: str
    name: str = ""
    customer_id: int | None = None
    is_listed: bool = True
    has_consent: bool = True
    is_suppressed: bool = False
    has_bought: bool = False
    tags: frozenset[str] = frozenset()
    owned: frozenset[str] = frozenset()
    bought: frozenset[str] = frozenset()
    ending: frozenset[str] = frozenset()
    propensity: float | None = None
    expected_value_minor: int | None = None
    decile: int | None = None
    currency: str | None = None
    orders: int = 0
    spent_minor: int = 0
    last_order_days: int | None = None
    last_mail_days: int | None = None
    mails: int = 0
    joined_days: int | None = None
    country: str | None = None
    timezone: str | None = None
    consent_source: str | None = None
    rfm: str | None = None
    behaviour: str | None = None

    @property
    def band(self) -> str:
        """Which propensity they are in: the best fifth is high, the next two are middle.

        "unknown" for whoever was never scored.
        """
        if self.decile is None:
            return "unknown"
        if self.decile <= HIGH_DECILES:
            return "high"
        return "middle" if self.decile <= LOW_DECILES else "low"
