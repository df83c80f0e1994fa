"""What is known of the readers of a mailing list just before a mail goes out, buyers or not.

Whoever never bought has the buyers' mean in the columns about purchases, and 0 in `has_bought`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from kpay.ml.features import RFM_AND_BG, snapshot
from kpay.ml.frames import Floats, Ints
from kpay.ml.history import History

COLUMNS: Final = (
    "has_bought",
    *RFM_AND_BG,
    "log_joined",
    "log_mails",
    "log_rest",
    "log_clicks",
    "log_prompted",
)
MAILS_DAYS: Final = 90
CLICKS_DAYS: Final = 365
PROMPTED_DAYS: Final = 3.0
"""A purchase so soon after a mail counts as prompted by it; some of them would have come anyway."""
LONGEST_REST_DAYS: Final = 365.0
SPAN: Final = 10.0**6  # days; more than any history has


@dataclass(frozen=True, slots=True)
class Moments:
    """When things happened to people, in days from the as-of instant; sorted by person and time."""

    person: Ints
    at: Floats

    @classmethod
    def of(cls, person: Sequence[int], at: Sequence[float]) -> Self:
        """Sort them."""
        who, when = np.array(person, dtype=np.int64), np.array(at, dtype=float)
        order = np.lexsort((when, who))
        return cls(who[order], when[order])

    def count(self, person: Ints, since: float, until: float) -> Ints:
        """Return how often it happened to each in [since, until)."""
        return self._place(person, until) - self._place(person, since)

    def last(self, person: Ints, until: float | Floats) -> Floats:
        """Return when it happened last before `until`, NaN where it never did."""
        place = self._place(person, until) - 1
        found = np.full(len(person), np.nan)
        known = place >= 0
        known[known] = self.person[place[known]] == person[known]
        found[known] = self.at[place[known]]
        return found

    def _place(self, person: Ints, at: float | Floats) -> Ints:
        return np.searchsorted(self.person * SPAN + self.at, person * SPAN + at)


@dataclass(frozen=True, slots=True)
class Readers:
    """Everybody who was ever on the list: their customer, -1 for none, and when they joined, or NaN.

    `prompted` are the ends of the days on which they bought soon after a mail.
    """

    customer: Ints  # index into Purchases.customer_ids
    joined: Floats
    mails: Moments
    clicks: Moments
    prompted: Moments

    @classmethod
    def of(
        cls, history: History, customer: Ints, joined: Floats, mails: Moments, clicks: Moments
    ) -> Self:
        """Gather them; which purchases a mail prompted follows from the rest."""
        return cls(customer, joined, mails, clicks, _prompted(history, customer, mails))


def _prompted(history: History, customer: Ints, mails: Moments) -> Moments:
    """Return when days ended on which somebody bought who had been mailed within PROMPTED_DAYS."""
    known = history.purchases
    person_of = np.full(len(known.customer_ids), -1)
    buyers = np.flatnonzero(customer >= 0)
    person_of[customer[buyers]] = buyers
    person = person_of[known.customer[known.opens_day]]
    over = np.asarray(known.day[known.opens_day] + 1, dtype=np.float64)
    waited = over - mails.last(person, over)
    soon = (person >= 0) & (np.nan_to_num(waited, nan=np.inf) <= PROMPTED_DAYS)
    return Moments.of(person[soon].tolist(), over[soon].tolist())


def columns(
    readers: Readers, history: History, person: Ints, at: float, horizon_days: int
) -> Floats:
    """Return COLUMNS of some readers as known at `at` (days from the as-of instant), (n, k)."""
    joined = np.nan_to_num(at - readers.joined[person], nan=0.0)
    rest = np.nan_to_num(at - readers.mails.last(person, at), nan=LONGEST_REST_DAYS)
    counted = {
        "log_joined": joined,
        "log_mails": readers.mails.count(person, at - MAILS_DAYS, at),
        "log_rest": np.minimum(rest, LONGEST_REST_DAYS),
        "log_clicks": readers.clicks.count(person, at - CLICKS_DAYS, at),
        "log_prompted": readers.prompted.count(person, -SPAN / 4, np.floor(at) + 0.5),
    }
    bought = _of_buyers(history, readers.customer[person], at, horizon_days)
    return np.column_stack(
        [bought, *(np.log1p(np.maximum(column, 0)) for column in counted.values())]
    )


def _of_buyers(history: History, customer: Ints, at: float, horizon_days: int) -> Floats:
    """Return has_bought and RFM_AND_BG; a day counts when it is over."""
    found = np.zeros((len(customer), 1 + len(RFM_AND_BG)))
    cutoff = int(np.floor(at))
    if history.purchases.first_day >= cutoff:
        return found
    then = snapshot(history, cutoff, horizon_days)
    place = np.searchsorted(then.customer, customer)
    is_buyer = np.isin(customer, then.customer)
    found[:, 0] = is_buyer
    if is_buyer.any():
        told = then.matrix(RFM_AND_BG)[place[is_buyer]]
        found[:, 1:] = told.mean(axis=0)
        found[is_buyer, 1:] = told
    return found
