"""The same customers seen at many past cutoffs, each with its own label window.

A training window ends on or before the day the model is asked about (embargo = horizon), and folds
keep all rows of one customer together: somebody seen twelve times is still one customer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from kpay.ml.features import Snapshot
from kpay.ml.frames import Floats, Ints, Purchases
from kpay.ml.history import History
from kpay.ml.targets import PURCHASE, Target

SHORTEST_STEP_DAYS: Final = 14
MOST_CUTOFFS: Final = 13
LEAST_HISTORY_DAYS: Final = 30  # before the earliest cutoff
FEWEST_CUSTOMERS: Final = 20  # at the earliest cutoff
MOST_ROWS: Final = 60_000
FOLDS: Final = 3


@dataclass(frozen=True, slots=True)
class Panel:
    """Snapshots with what each customer did in the horizon after it; row i is one customer once."""

    snapshots: tuple[Snapshot, ...]
    bought: Floats
    customer: Ints
    keep: Ints  # rows used, all of them unless the panel was cut to whole customers

    def matrix(self, names: tuple[str, ...]) -> Floats:
        """Return the named columns of all used rows, (n, k)."""
        return np.vstack([part.matrix(names) for part in self.snapshots])[self.keep]

    def windows(self) -> list[dict[str, Any]]:
        """Return the base rate of every label window."""
        sizes = np.cumsum([len(part.customer) for part in self.snapshots])[:-1]
        return [
            {
                "cutoff_day": part.cutoff,
                "customers": len(bought),
                "buyers": int(bought.sum()),
                "base_rate": round(float(bought.mean()), 4),
            }
            for part, bought in zip(self.snapshots, np.split(self.bought, sizes), strict=True)
        ]

    @property
    def labels(self) -> Floats:
        """1.0 where it happened within the horizon, for every used row."""
        return self.bought[self.keep]

    @property
    def groups(self) -> Ints:
        """The customer of every used row."""
        return self.customer[self.keep]

    @property
    def positives(self) -> int:
        """To how many customers it happened in at least one window."""
        return len(np.unique(self.groups[self.labels > 0]))

    @property
    def negatives(self) -> int:
        """To how many customers it did not happen in at least one window."""
        return len(np.unique(self.groups[self.labels == 0]))

    def by_window(self, values: Floats) -> list[Floats]:
        """Return values of all used rows, window by window."""
        sizes = np.cumsum([len(part.customer) for part in self.snapshots])
        ends = np.searchsorted(self.keep, sizes)
        return list(np.split(values, ends[:-1]))


def cutoffs(everything: Purchases, horizon_days: int, last: int) -> list[int]:
    """Return up to 13 cutoffs, the latest at `last`, on a grid that the horizon is a multiple of.

    With a long history the grid is twice as wide, so that the panel reaches further back.
    """
    parts = max(1, round(horizon_days / SHORTEST_STEP_DAYS))
    step = horizon_days // parts if horizon_days >= SHORTEST_STEP_DAYS else SHORTEST_STEP_DAYS
    earliest = everything.first_day + LEAST_HISTORY_DAYS
    if last - earliest > 2 * MOST_CUTOFFS * step:
        step *= 2
    grid = [last - step * index for index in range(MOST_CUTOFFS)]
    return [cutoff for cutoff in grid if cutoff >= earliest]


def build(
    everything: History,
    horizon_days: int,
    seen: Sequence[Snapshot],
    target: Target = PURCHASE,
) -> Panel | None:
    """Return the panel of the given snapshots, or None when none has enough customers."""
    parts = [part for part in seen if len(part.customer) >= FEWEST_CUSTOMERS]
    if not parts:
        return None
    customer = np.concatenate([part.customer for part in parts])
    happened = np.concatenate(
        [target.labels(everything, part.customer, part.cutoff, horizon_days) for part in parts]
    )
    return Panel(tuple(parts), happened, customer, _whole_customers(customer))


def _whole_customers(customer: Ints) -> Ints:
    """Return the rows to use: all, or those of a fixed random share of the customers."""
    if len(customer) <= MOST_ROWS:
        return np.arange(len(customer))
    rank = np.random.default_rng(0).permutation(int(customer.max()) + 1)
    share = MOST_ROWS / len(customer)
    return np.flatnonzero(rank[customer] < share * len(rank))


def most_rows(customers: int) -> int:
    """Return the most rows that a panel of so many customers can have."""
    return min(MOST_ROWS, customers * MOST_CUTOFFS)


def folds(groups: Ints, seed: int = 0) -> Ints:
    """Return the fold of each row, 0 to 2; all rows of one customer share it."""
    chosen = np.random.default_rng(seed).integers(0, FOLDS, int(groups.max()) + 1)
    return np.asarray(chosen[groups])
