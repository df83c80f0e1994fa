"""Subscriptions as arrays, and when each of them pays: calendar months, weeks or days from a due day."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Final

import numpy as np

from kpay.ml.arrays import Flags, Floats, Ints

NEVER: Final = 10**7
DAYS_A_MONTH: Final = 365.25 / 12
FAILED_AFTER_DAYS: Final = 15  # a charge is tried again for about two weeks before it is given up


@dataclass(frozen=True, slots=True)
class Members:
    """One entry a subscription; days are numbered from the ledger's first day, NEVER for none.

    `pays_from` is the first payment's day: the end of the trial, else the start. `due` is one day
    on which it falls due; the others lie whole intervals of `months` and `days` away. A renewal
    takes `amount`, and `raised` more from `raised_from` on, where a discount ends.
    """

    began: Ints
    pays_from: Ints
    due: Ints
    months: Ints
    days: Ints
    amount: Floats
    raised: Floats
    raised_from: Ints
    noticed: Ints
    ended: Ints
    has_failed: Flags
    is_in_arrears: Flags

    @property
    def length(self) -> Floats:
        """The usual number of days between two payments."""
        return np.asarray(self.months * DAYS_A_MONTH + self.days)

    @property
    def had_trial(self) -> Flags:
        """Which of them began with a trial."""
        return np.asarray(self.pays_from > self.began)

    def only(self, chosen: Flags | Ints) -> Members:
        """Return some of them."""
        return Members(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def known_at(self, day: int) -> Members:
        """Return what was known when a day began: later notices and ends have not come yet.

        Bills in arrears are those of the last day; of an earlier one they are not known.
        """
        seen = self.only(self.began < day)
        return Members(
            **{
                **{field.name: getattr(seen, field.name) for field in fields(seen)},
                "noticed": np.where(seen.noticed < day, seen.noticed, NEVER),
                "ended": np.where(seen.ended < day, seen.ended, NEVER),
            }
        )


def without_arrears(members: Members) -> Members:
    """Return the subscriptions as if no bill were open: of a past day it is not known."""
    return replace(members, is_in_arrears=np.zeros(len(members.began), dtype=bool))


def later(first_day: date, days: Ints, months: Ints, by_days: Ints, times: Ints) -> Ints:
    """Return days moved by whole intervals; a month that is too short gives its last day."""
    origin = np.datetime64(first_day, "D")
    moment = origin + days.astype("timedelta64[D]")
    month = moment.astype("datetime64[M]")
    day_of_month = (moment - month.astype("datetime64[D]")).astype(np.int64)
    aimed = month + (months * times).astype("timedelta64[M]")
    begins = aimed.astype("datetime64[D]")
    longest = ((aimed + 1).astype("datetime64[D]") - begins).astype(np.int64) - 1
    landed = begins + np.minimum(day_of_month, longest).astype("timedelta64[D]")
    return np.asarray((landed - origin).astype(np.int64) + by_days * times)


def next_due(members: Members, first_day: date, day: int) -> Ints:
    """Return the first day from `day` on at which each falls due; a trial ends before all others."""
    times = np.ceil((day - members.due) / members.length).astype(np.int64) - 1
    found = later(first_day, members.due, members.months, members.days, times)
    for _ in range(3):
        is_past = found < day
        times = times + is_past
        found = later(first_day, members.due, members.months, members.days, times)
    return np.where(members.had_trial & (members.pays_from >= day), members.pays_from, found)
