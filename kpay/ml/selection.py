"""Which families of features earn their place: greedy, on customers left out, confirmed on past days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from kpay.ml import backtest, boosting, fitting, metrics, panel
from kpay.ml.backtest import Backtest
from kpay.ml.families import Family
from kpay.ml.fitting import Chosen
from kpay.ml.frames import Floats, Ints
from kpay.ml.panel import Panel
from kpay.ml.propensity import Rung
from kpay.ml.snapshots import Snapshots

LEAST_GAIN: Final = 1e-4  # of log loss: less is nothing
TRIAL_ROUNDS: Final = 80
MOST_KEPT: Final = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a family of features: the log loss it saved, with its standard error."""

    name: str
    is_kept: bool
    gain: float
    se: float
    why: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The families to use, what was said of each, and the LightGBM fits that it took."""

    chosen: Chosen
    verdicts: tuple[Verdict, ...]
    fits: tuple[int, ...]


@dataclass(slots=True)
class _Trial:
    """A family tried on top of what is used already: the log odds out of fold of each learner."""

    family: Family
    linear: Floats
    trees: Floats | None
    is_linear: bool
    gain: float
    se: float

    @property
    def is_better(self) -> bool:
        """Whether it saves log loss by more than its standard error."""
        return self.gain > max(self.se, LEAST_GAIN)


@dataclass(slots=True)
class _Ground:
    """The panel on which families are tried, and what is used so far."""

    at: Snapshots
    rows: Panel
    fold: Ints
    settings: dict[str, Any] | None
    linear: Floats
    trees: Floats | None
    chosen: Chosen = field(default_factory=Chosen)
    fits: list[int] = field(default_factory=list)

    def said(self, linear: Floats, trees: Floats | None) -> Floats:
        return linear if trees is None else (linear + 2 * trees) / 3

    def gain(self, linear: Floats, trees: Floats | None) -> tuple[float, float]:
        bought = self.rows.labels
        now, then = self.said(linear, trees), self.said(self.linear, self.trees)
        saved = metrics.losses_of_log_odds(bought, then) - metrics.losses_of_log_odds(bought, now)
        return metrics.paired_gain(saved, self.rows.groups)

    def attempt(self, family: Family) -> _Trial:
        names = fitting.linear_columns(self.at.target, (*self.chosen.linear, family))
        linear = fitting.fit_linear(self.rows, self.fold, names, self.at.target).out_of_fold
        gain, error = self.gain(linear, self.trees)
        is_linear = gain > max(error, LEAST_GAIN)
        linear = linear if is_linear else self.linear
        trees = self._with_trees(family)
        gain, error = self.gain(linear, trees)
        return _Trial(family, linear, trees, is_linear, gain, error)

    def _with_trees(self, family: Family) -> Floats | None:
        """Let a few trees on the family's columns go on from what the trees said without it."""
        if self.trees is None or self.settings is None:
            return None
        names = (*family.columns, "log_recency", self.at.target.prior_column)
        found = boosting.cross_validate(
            self.rows.matrix(names),
            self.rows.labels,
            self.fold,
            self.settings,
            start=self.trees,
            most_rounds=TRIAL_ROUNDS,
        )
        self.fits.extend(found.fits)
        return found.out_of_fold

    def keep(self, trial: _Trial) -> None:
        self.linear, self.trees = trial.linear, trial.trees
        linear = (*self.chosen.linear, trial.family) if trial.is_linear else self.chosen.linear
        self.chosen = Chosen((*self.chosen.families, trial.family), linear)


def choose(at: Snapshots, settings: dict[str, Any] | None) -> Selection:
    """Choose among the families of which anything is known, on the panel of the latest backtest."""
    known = tuple(family for family in at.families() if family.is_known(at.everything))
    rows = at.panel(-2 * at.horizon_days, known) if known else None
    if rows is None:
        return none_of(at)
    ground = _ground(at, rows, settings)
    verdicts = list(_greedy(ground, list(known)))
    return Selection(ground.chosen, tuple(verdicts), tuple(ground.fits))


def none_of(at: Snapshots) -> Selection:
    """Return the selection where there is too little to try a family on."""
    why = "too few customers or past windows to try it on"
    known = [family for family in at.families() if family.is_known(at.everything)]
    verdicts = [Verdict(family.name, False, 0.0, 0.0, why) for family in known]
    return Selection(Chosen(), tuple(verdicts), ())


def _ground(at: Snapshots, rows: Panel, settings: dict[str, Any] | None) -> _Ground:
    fold = panel.folds(rows.groups)
    linear = fitting.fit_linear(rows, fold, fitting.linear_columns(at.target, ()), at.target)
    ground = _Ground(at, rows, fold, settings, linear.out_of_fold, None)
    if settings is not None:
        in_families = {name for family in at.families() for name in family.columns}
        names = tuple(name for name in rows.snapshots[0].names if name not in in_families)
        found = boosting.cross_validate(rows.matrix(names), rows.labels, fold, settings)
        ground.trees = found.out_of_fold
        ground.fits.extend(found.fits)
    return ground


def _greedy(ground: _Ground, left: list[Family]) -> Iterator[Verdict]:
    """Keep the family that saves most, look at the others again on top of it, and so on."""
    trials = [ground.attempt(family) for family in left]
    refused = "no gain beyond its standard error"
    while any(trial.is_better for trial in trials) and len(ground.chosen.families) < MOST_KEPT:
        best = max(trials, key=lambda trial: trial.gain if trial.is_better else 0.0)
        ground.keep(best)
        yield Verdict(best.family.name, True, best.gain, best.se, "saves log loss")
        again = [trial.family for trial in trials if trial is not best and trial.gain > 0]
        for trial in trials:
            if trial.gain <= 0:
                yield Verdict(trial.family.name, False, trial.gain, trial.se, refused)
        trials = [ground.attempt(family) for family in again]
    for trial in trials:
        yield Verdict(trial.family.name, False, trial.gain, trial.se, refused)


def confirm(
    found: Selection, plain: Backtest, richer: Backtest, rung: Rung
) -> tuple[Selection, Backtest]:
    """Return the selection and the backtest to go on with: without families that past days refute."""
    gain, error = backtest.gain_between(richer.windows, rung, plain.windows, rung)
    if gain > 0:
        return found, richer
    why = f"saved log loss on the panel, but not in the backtest ({gain:+.4f}, se {error:.4f})"
    verdicts = tuple(
        replace(verdict, is_kept=False, why=why) if verdict.is_kept else verdict
        for verdict in found.verdicts
    )
    return Selection(Chosen(), verdicts, found.fits), plain
