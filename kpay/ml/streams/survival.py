"""How likely a subscription pays once more: counts of renewals paid and missed, with a prior.

Beta-Binomial by the length of the interval and by the stage: the end of a trial, the first renewal,
and later ones. A creator has few events, so each cell begins with the usual experience of others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml.arrays import Flags, Floats, Ints
from kpay.ml.streams.members import FAILED_AFTER_DAYS, NEVER, Members

LONGEST_DAYS: Final = (45.0, 200.0)  # of a month and a quarter; a year is longer
TRIAL, FIRST, LATER = range(3)
KINDS: Final = ("month", "quarter", "year")
STAGES: Final = ("end of a trial", "first renewal", "later renewals")
PRIOR: Final = np.array(  # renewals paid and missed, worth of the usual experience
    [
        [[6.0, 4.0], [8.0, 2.0], [9.3, 0.7]],
        [[6.0, 4.0], [7.0, 3.0], [8.5, 1.5]],
        [[6.0, 4.0], [3.0, 2.0], [3.5, 1.5]],
    ]
)
EARLY_PRIOR: Final = (2.0, 2.0)  # leavers who showed it before the period ended, and who did not
RECOVERED_PRIOR: Final = (5.0, 5.0)  # of bills in arrears
SETTLED_DAYS: Final = 3  # after which a payment that was due is in, or late
NEXT_DAY: Final = 1


@dataclass(frozen=True, slots=True)
class Experience:
    """Renewals paid and missed, shape (kinds, stages, 2), and the share of leavers seen early."""

    counts: Floats
    early_share: float

    @property
    def usual(self) -> Floats:
        """The expected chance to pay, shape (kinds, stages, 1)."""
        worth = self.counts + PRIOR
        return np.asarray((worth[..., 0] / worth.sum(axis=-1))[..., None])

    def drawn(self, draws: int, generator: np.random.Generator) -> Floats:
        """Return chances that agree with what was seen, shape (kinds, stages, draws)."""
        worth = self.counts + PRIOR
        shape = (*worth.shape[:2], draws)
        return np.asarray(generator.beta(worth[..., :1], worth[..., 1:], shape))


def kinds(members: Members) -> Ints:
    """Return 0 for intervals of a month or less, 1 for a quarter, 2 for a year."""
    return np.asarray(np.digitize(members.length, LONGEST_DAYS, right=True))


def renewals_passed(members: Members, day: int) -> Ints:
    """Return how many renewals each had paid when a day began; -1 is a trial that has not."""
    gone = members.ended - np.where(members.has_failed, FAILED_AFTER_DAYS, NEXT_DAY)
    until = np.minimum(day - SETTLED_DAYS, gone)
    passed = np.floor((until - members.pays_from) / members.length)
    return np.maximum(passed, np.where(members.had_trial, -1, 0)).astype(np.int64)


def experience(members: Members, day: int) -> Experience:
    """Count what every subscription has done by a day; those that go on count what they passed.

    Who left before a due day counts when that day has come, as who stays does: counted at once, early
    leavers of a year would stand beside nobody.
    """
    known = members.known_at(day)
    passed, kind = renewals_passed(known, day), kinds(known)
    due = known.pays_from + (passed + 1) * known.length
    has_left = (known.ended < NEVER) & (due + SETTLED_DAYS <= day)
    counts = np.zeros(PRIOR.shape)
    stage_left = np.clip(passed + 1, TRIAL, LATER)
    _count(counts, kind, stage_left, 1, has_left)
    _count(counts, kind, np.full_like(kind, TRIAL), 0, known.had_trial & (passed >= 0))
    _count(counts, kind, np.full_like(kind, FIRST), 0, passed >= 1)
    later = np.maximum(passed - 1, 0).astype(float)
    np.add.at(counts[..., 0], (kind, np.full_like(kind, LATER)), later)
    shown = np.minimum(known.noticed, known.ended)
    return Experience(counts, _early_share(shown < due - 2, has_left & ~known.has_failed))


def _count(counts: Floats, kind: Ints, stage: Ints, outcome: int, which: Flags) -> None:
    np.add.at(counts[..., outcome], (kind[which], stage[which]), 1.0)


def _early_share(is_early: Flags, has_left: Flags) -> float:
    """Return which share of the leavers said so, or went, before the period that was their last ended."""
    yes, no = EARLY_PRIOR
    return float((yes + (is_early & has_left).sum()) / (yes + no + has_left.sum()))


def still_paying(chance: Floats, shown_share: Floats) -> Floats:
    """Return the chance to pay of those who have said nothing so far.

    `shown_share` is which share of the leavers would have shown it by now (Bayes' rule).
    """
    silent = (1 - chance) * (1 - shown_share)
    return np.asarray(chance / np.maximum(chance + silent, 1e-12))
