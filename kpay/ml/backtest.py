"""Standing at past days: what every rung would have promised there, and what came.

The latest test stands one horizon before the as-of day. Older ones, half a horizon apart, are added
where there is enough to learn from before them: one window's weather decides little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from kpay.ml import fitting, metrics
from kpay.ml.features import RFM, Snapshot
from kpay.ml.fitting import NOTHING_MORE, Chosen, Learned
from kpay.ml.frames import Floats
from kpay.ml.logistic import sigmoid
from kpay.ml.metrics import Metrics
from kpay.ml.propensity import Propensity, Rung
from kpay.ml.snapshots import Snapshots
from kpay.ml.targets import PURCHASE, Target

MOST_TESTS: Final = 3
FEWEST_TESTED: Final = 50


@dataclass(frozen=True, slots=True)
class Window:
    """One past day: whom was asked about, to whom it happened, and what was promised, by name."""

    now: Snapshot
    bought: Floats
    promised: dict[str, Floats]


@dataclass(frozen=True, slots=True)
class Backtest:
    """What every rung and baseline promised at the latest test cutoff, and what came.

    `earlier` are tests before it; comparisons use them all. `known` are the customers of that day where
    only a share of them was asked about.
    """

    now: Snapshot
    bought: Floats
    promised: dict[str, Floats]
    measured: dict[str, Metrics]
    target: Target = PURCHASE
    earlier: tuple[Window, ...] = ()
    fits: tuple[int, ...] = ()
    known: int | None = None

    @property
    def windows(self) -> tuple[Window, ...]:
        """All tests, the latest first."""
        return (Window(self.now, self.bought, self.promised), *self.earlier)

    @property
    def size(self) -> int:
        """How many customers there were at the latest test."""
        return len(self.now.customer) if self.known is None else self.known

    def loss_gain(self, ours: str, theirs: str) -> tuple[float, float]:
        """Return by how much our log loss is smaller over all tests, and its standard error.

        Somebody tested three times is one customer.
        """
        return gain_between(self.windows, ours, self.windows, theirs)

    def auc_gain(self, ours: str, theirs: str) -> tuple[float, float]:
        """Return by how much our AUC is larger, a mean over the tests, and its standard error.

        The tests overlap: the error is that of a single one.
        """
        found = [
            metrics.auc_advantage(test.bought, test.promised[ours], test.promised[theirs])
            for test in self.windows
            if {ours, theirs} <= set(test.promised)
        ]
        gains, errors = np.array(found).T if found else (np.zeros(1), np.zeros(1))
        return float(gains.mean()), float(np.sqrt(np.mean(errors**2)))

    def rolling(self) -> list[dict[str, Any]]:
        """Return each test's day, customers, buyers and the log loss of every promise."""
        return [
            {
                "cutoff_day": test.now.cutoff,
                "customers": len(test.bought),
                "buyers": int(test.bought.sum()),
                "log_loss": {
                    name: round(metrics.log_loss(test.bought, said), 6)
                    for name, said in sorted(test.promised.items())
                },
            }
            for test in self.windows
            if len(test.bought)
        ]


def gain_between(
    our_tests: Sequence[Window], ours: str, their_tests: Sequence[Window], theirs: str
) -> tuple[float, float]:
    """Return by how much our log loss is smaller on the same tests, and its standard error."""
    gains, owners = [np.zeros(0)], [np.zeros(0, dtype=np.int64)]
    for our, their in zip(our_tests, their_tests, strict=True):
        if ours in our.promised and theirs in their.promised:
            lost = metrics.losses(their.bought, their.promised[theirs])
            gains.append(lost - metrics.losses(our.bought, our.promised[ours]))
            owners.append(our.now.customer)
    return metrics.paired_gain(np.concatenate(gains), np.concatenate(owners))


def run(
    at: Snapshots,
    rungs: Sequence[Rung],
    settings: dict[str, Any] | None,
    chosen: Chosen = NOTHING_MORE,
) -> Backtest:
    """Fit every rung and baseline on windows that ended by each test cutoff, and measure them."""
    latest, *others = (
        [_test(at, day, rungs, settings, chosen) for day in _days(at)]
        if len(rungs) > 1
        else [_test(at, -at.horizon_days, rungs, settings, chosen)]
    )
    window, _ = latest
    measured = {
        name: metrics.measure(window.bought, chance) for name, chance in window.promised.items()
    }
    earlier = tuple(test for test, found in others if found is not None and _can_tell(test))
    fits = [rounds for _, found in (latest, *others) if found for rounds in found.fits]
    return Backtest(
        window.now,
        window.bought,
        window.promised,
        measured,
        at.target,
        earlier,
        tuple(fits),
        at.count(-at.horizon_days) if at.target == PURCHASE else None,
    )


def _days(at: Snapshots) -> list[int]:
    """Return the test days: one horizon ago, and up to two more on the panel's grid before."""
    grid = [day for day in at.cutoffs(-at.horizon_days) if day <= -at.horizon_days]
    apart = at.horizon_days / 2
    wanted = [-at.horizon_days - round(apart * index) for index in range(1, MOST_TESTS)]
    near = [min(grid, key=lambda day: (abs(day - goal), day)) for goal in wanted] if grid else []
    earlier = [day for day in near if -at.horizon_days - day >= apart / 2]
    return [-at.horizon_days, *sorted(set(earlier), reverse=True)]


def _can_tell(test: Window) -> bool:
    return len(test.bought) >= FEWEST_TESTED and 0 < test.bought.mean() < 1


def _test(
    at: Snapshots,
    day: int,
    rungs: Sequence[Rung],
    settings: dict[str, Any] | None,
    chosen: Chosen,
) -> tuple[Window, Learned | None]:
    now = at(day, chosen.families)
    happened = at.target.labels(at.everything, now.customer, day, at.horizon_days)
    rows = at.panel(day - at.horizon_days, chosen.families)
    learned = (
        fitting.learn(rows, settings, at.horizon_days, at.target, chosen)
        if rows is not None
        else None
    )
    return Window(now, happened, _promises(at, now, rungs, learned)), learned


def _promises(
    at: Snapshots, now: Snapshot, rungs: Sequence[Rung], learned: Learned | None
) -> dict[str, Floats]:
    if len(now.customer) == 0:
        return {}
    promised = {}
    if at.target == PURCHASE:
        promised["bgnbd"] = sigmoid(now.columns["bg_logit"])
    for rung in rungs:
        promised[rung] = fitted(at, now, rung, learned).probability(now)
    if learned:
        promised["recency"] = learned.recency.probability(now.matrix(("log_recency",)))
        promised["rfm_logistic"] = learned.rfm.probability(now.matrix(RFM))
    return promised


def fitted(at: Snapshots, now: Snapshot, rung: Rung, learned: Learned | None) -> Propensity:
    """Return a rung for a snapshot; the lowest ones need nothing learned from labels."""
    if learned:
        return learned.rung(rung, now)
    return Propensity(rung, at.horizon_days, now.bg, target=at.target, prior=now.prior)
