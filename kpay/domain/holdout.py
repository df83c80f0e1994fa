"""How many people to hold back, and whom: what a list can show, and a draw that nobody can steer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import Final

from kpay.domain.experiment import USUAL_LEVEL, critical_value

SHARES: Final = (0.05, 0.10, 0.20, 0.30)
FALLBACK_SHARE: Final = 0.20
BUYERS_NEEDED: Final = 5
LIFT_TO_SHOW: Final = 0.3
SENDS_IN_HALF_A_YEAR: Final = 26
MOST_LIFT: Final = 9.0
POWER_QUANTILE: Final = 0.8416  # of the normal distribution, for a power of 80 %


@dataclass(frozen=True, slots=True)
class HoldoutChoice:
    """How many to hold back, and why in plain words."""

    share: float
    why: str


def choose(people: int, base_share: float | None, sends: float | None = None) -> HoldoutChoice:
    """Return the smallest usual share that can measure something, else a fifth, and why.

    `base_share` is the share of people who buy in the measured days without a mail, `sends` the
    creator's own pace (how many half a year brings); without one a mail a week is assumed. A share is
    enough when the holdout expects five buyers and half a year reaches the people that a lift of
    30 % needs.
    """
    pace = SENDS_IN_HALF_A_YEAR if sends is None else max(1, round(sends))
    if not base_share or not people:
        why = "nobody is known to have bought yet, so what this list can show is not known either"
        return HoldoutChoice(FALLBACK_SHARE, f"{_percent(FALLBACK_SHARE)} are held out: {why}.")
    counted = "a mail a week" if sends is None else f"{pace} {'send' if pace == 1 else 'sends'}"
    typical = f"{_percent(LIFT_TO_SHOW)} more buyers"
    found = _enough(people, base_share, pace)
    if found is not None:
        buyers = f"{found * people * base_share:.0f} buyers are expected among them"
        why = f"{buyers}, and half a year ({counted}) can show {typical}"
        return HoldoutChoice(found, f"{_percent(found)} are held out: {why}.")
    lift = smallest_lift(FALLBACK_SHARE, base_share, people * pace)
    can = f"{_percent(lift)} more or better" if lift else "not even ten times as many"
    why = (
        f"no share holds out five buyers and can show {typical} within half a year ({counted}); "
        f"with this one it can show {can}"
    )
    return HoldoutChoice(FALLBACK_SHARE, f"{_percent(FALLBACK_SHARE)} are held out: {why}.")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _enough(people: int, base_share: float, sends: float) -> float | None:
    for share in SHARES:
        expects = share * people * base_share
        if expects >= BUYERS_NEEDED and people * sends >= people_needed(share, base_share):
            return share
    return None


def smallest_lift(share: float, base_share: float, reach: float) -> float | None:
    """Return the least relative lift that so many people show with 80 % power; None above tenfold."""
    low, high = 0.001, min(MOST_LIFT, 1 / base_share - 1)
    if people_needed(share, base_share, high) > reach:
        return None
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (
            (low, middle) if people_needed(share, base_share, middle) <= reach else (middle, high)
        )
    return high


def people_needed(share: float, base_share: float, lift: float = LIFT_TO_SHOW) -> float:
    """Return how many people show a relative lift with 80 % power at 5 % (two-sided).

    Without end where everyone buys anyway.
    """
    mailed_share = min(1.0, base_share * (1 + lift))
    if mailed_share <= base_share:
        return inf
    noise = base_share * (1 - base_share) / share + mailed_share * (1 - mailed_share) / (1 - share)
    z = critical_value(USUAL_LEVEL) + POWER_QUANTILE
    return z * z * noise / (mailed_share - base_share) ** 2


def smallest_effect(
    treated: int, held_out: int, base_share: float, level: float = USUAL_LEVEL
) -> float | None:
    """Return the difference of shares that so many people show with 80 % power.

    None where an arm is empty or nobody buys anyway: then nothing is known of the noise.
    """
    if not treated or not held_out or not base_share:
        return None
    noise = base_share * (1 - base_share) * (1 / treated + 1 / held_out)
    return (critical_value(level) + POWER_QUANTILE) * sqrt(noise)


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
