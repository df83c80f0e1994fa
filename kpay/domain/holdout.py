"""How many people to hold back, and whom: what a list can show, and a draw that nobody can steer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from math import sqrt
from typing import Final

from kpay.domain.experiment import USUAL_LEVEL, critical_value

SHARES: Final = (0.05, 0.10, 0.20, 0.30)
FALLBACK_SHARE: Final = 0.20
BUYERS_NEEDED: Final = 5
LIFT_TO_SHOW: Final = 0.3
SENDS_IN_HALF_A_YEAR: Final = 26
POWER_QUANTILE: Final = 0.8416  # of the normal distribution, for a power of 80 %


def default_share(people: int, base_share: float) -> float:
    """Return the smallest usual share that can measure something, else a fifth.

    `base_share` is the share of people who buy in the measured days without a mail. A share is
    enough when the holdout expects five buyers and half a year of weekly sends reaches the people
    that a lift of 30 % needs.
    """
    for share in SHARES:
        reach = people * SENDS_IN_HALF_A_YEAR
        expects = share * people * base_share
        if expects >= BUYERS_NEEDED and reach >= people_needed(share, base_share):
            return share
    return FALLBACK_SHARE


def people_needed(share: float, base_share: float, lift: float = LIFT_TO_SHOW) -> float:
    """Return how many people show a relative lift with 80 % power at 5 % (two-sided)."""
    mailed_share = min(1.0, base_share * (1 + lift))
    noise = base_share * (1 - base_share) / share + mailed_share * (1 - mailed_share) / (1 - share)
    z = critical_value(USUAL_LEVEL) + POWER_QUANTILE
    return z * z * noise / (mailed_share - base_share) ** 2


def smallest_effect(treated: int, held_out: int, base_share: float) -> float | None:
    """Return the difference of shares that one send shows with 80 % power.

    None where an arm is empty or nobody buys anyway: then nothing is known of the noise.
    """
    if not treated or not held_out or not base_share:
        return None
    noise = base_share * (1 - base_share) * (1 / treated + 1 / held_out)
    return (critical_value(USUAL_LEVEL) + POWER_QUANTILE) * sqrt(noise)


def draw(emails: Sequence[str], share: float, salt: str) -> frozenset[str]:
    """Return whom to hold out: the first of an order that a salted hash gives.

    The count is exact, the same people come again for the same salt, and another salt is another
    draw, so that being held out is shared by everyone in time.
    """
    count = round(share * len(emails))
    if share > 0 and len(emails) > 1:
        count = min(max(count, 1), len(emails) - 1)
    return frozenset(sorted(emails, key=lambda email: _lot(salt, email))[:count])


def _lot(salt: str, email: str) -> bytes:
    return hashlib.sha256(f"{salt}\0{email}".encode()).digest()
