"""Fitting the parts of every rung on one panel, with what they say of customers left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from kpay.ml import boosting, calibration, logistic, metrics, panel
from kpay.ml.boosting import Boosting
from kpay.ml.calibration import UNCHANGED, Platt
from kpay.ml.families import Family
from kpay.ml.features import RFM, Snapshot
from kpay.ml.frames import Floats, Ints
from kpay.ml.logistic import Logistic
from kpay.ml.panel import Panel
from kpay.ml.propensity import MIXED, OWN_COLUMNS, Propensity, Rung, gentle
from kpay.ml.targets import Target

STRENGTHS: Final = (0.02, 0.2)  # of the logistic; the second only where the folds prove it


@dataclass(frozen=True, slots=True)
class Chosen:
    """The families of features that a model may look at; `linear` are those of the logistic."""

    families: tuple[Family, ...] = ()
    linear: tuple[Family, ...] = ()


NOTHING_MORE: Final = Chosen()


@dataclass(frozen=True, slots=True)
class Linear:
    """A fitted logistic that corrects the prior, and its log odds out of fold."""

    model: Logistic
    names: tuple[str, ...]
    out_of_fold: Floats


@dataclass(frozen=True, slots=True)
class Trees:
    """Fitted trees, and their log odds out of fold."""

    model: Boosting
    out_of_fold: Floats
    rounds: int
    fits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Learned:
    """Everything fitted on one panel: the rungs' parts, their calibration, the baselines.

    `towards_prior` is how far the level of a snapshot is moved towards its prior's.
    """

    horizon_days: int
    target: Target
    families: tuple[str, ...]
    linear: Linear
    trees: Trees | None
    platts: dict[Rung, Platt]
    towards_prior: float
    recency: Logistic
    rfm: Logistic

    @property
    def rounds(self) -> int:
        """How many trees there are."""
        return self.trees.rounds if self.trees else 0

    @property
    def fits(self) -> tuple[int, ...]:
        """The rounds of every LightGBM model that was fitted."""
        return self.trees.fits if self.trees else ()

    def rung(self, rung: Rung, now: Snapshot) -> Propensity:
        """Return the fitted rung of that name, its level set for a snapshot."""
        of_linear, of_trees = MIXED.get(rung, (0.0, 0.0))
        raw = Propensity(
            rung,
            self.horizon_days,
            now.bg,
            target=self.target,
            prior=now.prior,
            families=self.families if rung in MIXED else (),
            platt=self.platts.get(rung, UNCHANGED),
            linear=self.linear.model if of_linear else None,
            linear_names=self.linear.names if of_linear else (),
            trees=self.trees.model if self.trees and of_trees else None,
        )
        return self._levelled(raw, now) if rung in self.platts else raw

    def _levelled(self, raw: Propensity, now: Snapshot) -> Propensity:
        if not len(now.customer):
            return raw
        prior = logistic.sigmoid(now.columns[self.target.prior_column])
        gap = calibration.distance(raw.log_odds(now), float(prior.mean()))
        return replace(raw, platt=raw.platt.raised(self.towards_prior * gap))


def learn(
    rows: Panel,
    settings: dict[str, Any] | None,
    horizon_days: int,
    target: Target,
    chosen: Chosen = NOTHING_MORE,
) -> Learned:
    """Fit all parts on a panel; without LightGBM `settings` the trees are left out.

    The calibration of each rung comes from its log odds on customers it was not fitted on.
    """
    fold = panel.folds(rows.groups)
    linear = fit_linear(rows, fold, linear_columns(target, chosen.linear), target)
    trees = fit_trees(rows, fold, settings) if settings is not None else None
    said = {rung: _mixed(rung, linear, trees) for rung in MIXED if trees or MIXED[rung][1] == 0}
    platts = {rung: calibration.fit(raw, rows.labels) for rung, raw in said.items()}
    best: Rung = "blend" if trees is not None else "logistic"
    prior = rows.matrix((target.prior_column,))[:, 0]
    return Learned(
        horizon_days=horizon_days,
        target=target,
        families=tuple(family.name for family in chosen.families),
        linear=linear,
        trees=trees,
        platts=platts,
        towards_prior=_towards_prior(rows, prior, platts[best].log_odds(said[best])),
        recency=logistic.fit(rows.matrix(("log_recency",)), rows.labels),
        rfm=logistic.fit(rows.matrix(RFM), rows.labels),
    )


def _mixed(rung: Rung, linear: Linear, trees: Trees | None) -> Floats:
    of_linear, of_trees = MIXED[rung]
    raw = of_linear * linear.out_of_fold
    return raw + of_trees * trees.out_of_fold if trees else raw


def linear_columns(target: Target, families: Sequence[Family]) -> tuple[str, ...]:
    """Return the columns of the logistic: its own, the prior's, and those of families."""
    prior = () if target.prior_column in OWN_COLUMNS else (target.prior_column,)
    return (*OWN_COLUMNS, *prior, *(name for family in families for name in family.columns))


def fit_linear(rows: Panel, fold: Ints, names: tuple[str, ...], target: Target) -> Linear:
    """Fit the logistic, its ridge pulling towards the prior as it is.

    The ridge is strong unless a weaker one says more of customers left out, by more than the standard
    error: where the prior knows nothing, much has to be learned.
    """
    strong, weak = (_fit_linear(rows, fold, names, target, strength) for strength in STRENGTHS)
    saved = _losses(rows, strong) - _losses(rows, weak)
    gain, error = metrics.paired_gain(saved, rows.groups)
    return weak if gain > error else strong


def _losses(rows: Panel, linear: Linear) -> Floats:
    return metrics.losses_of_log_odds(rows.labels, linear.out_of_fold)


def _fit_linear(
    rows: Panel, fold: Ints, names: tuple[str, ...], target: Target, strength: float
) -> Linear:
    columns = np.vstack([gentle(part, names) for part in rows.snapshots])[rows.keep]
    slopes = np.array([float(name == target.prior_column) for name in names])

    def fitted(keep: Ints | slice) -> Logistic:
        return logistic.fit(columns[keep], rows.labels[keep], strength=strength, slopes=slopes)

    return Linear(fitted(slice(None)), names, _out_of_fold(columns, fold, fitted))


def _out_of_fold(columns: Floats, fold: Ints, fitted: Callable[[Ints], Logistic]) -> Floats:
    out_of_fold = np.zeros(len(columns))
    for part in np.unique(fold):
        held_out = fold == part
        out_of_fold[held_out] = fitted(np.flatnonzero(~held_out)).log_odds(columns[held_out])
    return out_of_fold


def fit_trees(rows: Panel, fold: Ints, settings: dict[str, Any]) -> Trees:
    """Fit trees on all columns of a panel."""
    names = rows.snapshots[0].names
    columns = rows.matrix(names)
    found = boosting.cross_validate(columns, rows.labels, fold, settings)
    model = boosting.refit(found, names, settings)
    return Trees(model, found.out_of_fold, found.rounds, (*found.fits, found.rounds))


def _towards_prior(rows: Panel, prior: Floats, said: Floats) -> float:
    """Return how far to trust the prior's level, from how it did on the panel's windows."""
    misses, residues = [], []
    windows = zip(
        rows.by_window(rows.labels), rows.by_window(prior), rows.by_window(said), strict=True
    )
    for happened, believed, found in windows:
        if len(happened) and 0 < happened.mean() < 1:
            misses.append(calibration.distance(believed, float(happened.mean())))
            residues.append(calibration.distance(found, float(happened.mean())))
    if not misses:
        return 0.0
    return calibration.weight_of_prior(np.array(misses), np.array(residues))
