"""The rungs of the ladder and the fitted model: who will buy within the horizon.

rule      shrunken purchase rate, halved for every three horizons of silence
bgnbd     BG/NBD, fitted without labels, for any horizon
logistic  log recency, repeats, mean value and tenure with the BG/NBD's log odds
blend     mean log odds of that logistic and a restrained LightGBM
boosting  LightGBM alone
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Self, get_args

import numpy as np

from kpay.ml import boosting, calibration, logistic, panel
from kpay.ml.bgnbd import BgNbd, Histories
from kpay.ml.boosting import Boosting
from kpay.ml.calibration import UNCHANGED, Platt
from kpay.ml.features import RFM, RFM_AND_BG, Snapshot
from kpay.ml.frames import Floats, Ints
from kpay.ml.logistic import Logistic, logit, sigmoid
from kpay.ml.panel import Panel

Rung = Literal["rule", "bgnbd", "logistic", "blend", "boosting"]
RUNGS: Final[tuple[Rung, ...]] = get_args(Rung)
FORMAT: Final = 1
LOGISTIC_STRENGTH: Final = 0.05
RULE_WEIGHT_WEEKS: Final = 16.0  # of everybody's rate in a single customer's rate
RULE_HALVING_HORIZONS: Final = 3.0  # of silence


@dataclass(frozen=True, slots=True)
class Propensity:
    """A fitted rung; what the rung does not use is None."""

    rung: Rung
    horizon_days: int
    bg: BgNbd
    platt: Platt = UNCHANGED
    linear: Logistic | None = None
    trees: Boosting | None = None

    def log_odds(self, now: Snapshot) -> Floats:
        """Return calibrated log odds of a purchase for every customer of a snapshot."""
        return self.platt.log_odds(self._raw_log_odds(now))

    def probability(self, now: Snapshot) -> Floats:
        """Return the probability of a purchase within the horizon."""
        return sigmoid(self.log_odds(now))

    def _raw_log_odds(self, now: Snapshot) -> Floats:
        if self.rung == "rule":
            return logit(rule_probability(now, self.horizon_days))
        members = [*self._linear_log_odds(now), *self._tree_log_odds(now)]
        return np.mean(members, axis=0) if members else now.columns["bg_logit"]

    def _linear_log_odds(self, now: Snapshot) -> list[Floats]:
        return [self.linear.log_odds(now.matrix(RFM_AND_BG))] if self.linear else []

    def _tree_log_odds(self, now: Snapshot) -> list[Floats]:
        return [self.trees.log_odds(now.matrix(self.trees.names))] if self.trees else []

    def contributions(self, now: Snapshot) -> dict[str, Floats]:
        """Return what each column adds to every customer's calibrated log odds, without the base."""
        parts: dict[str, Floats] = {}
        members = (self.linear is not None) + (self.trees is not None)
        share = self.platt.slope / max(1, members)
        if self.linear:
            found = self.linear.contributions(now.matrix(RFM_AND_BG))
            parts |= {name: share * found[:, i] for i, name in enumerate(RFM_AND_BG)}
        if self.trees:
            found = self.trees.contributions(now.matrix(self.trees.names))
            for i, name in enumerate(self.trees.names):
                parts[name] = parts.get(name, 0.0) + share * found[:, i]
        return parts

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; a model is loaded without running code from its file."""
        return {
            "format": FORMAT,
            "rung": self.rung,
            "horizon_days": self.horizon_days,
            "bg": self.bg.to_dict(),
            "platt": self.platt.to_dict(),
            "linear": self.linear.to_dict() if self.linear else None,
            "trees": self.trees.to_dict() if self.trees else None,
        }

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote; raise ValueError for another format."""
        if saved.get("format") != FORMAT or saved.get("rung") not in RUNGS:
            raise ValueError("the model was written in a form that this version does not know")
        return cls(
            rung=saved["rung"],
            horizon_days=int(saved["horizon_days"]),
            bg=BgNbd.from_dict(saved["bg"]),
            platt=Platt.from_dict(saved["platt"]),
            linear=Logistic.from_dict(saved["linear"]) if saved["linear"] else None,
            trees=Boosting.from_dict(saved["trees"]) if saved["trees"] else None,
        )


def rule_probability(now: Snapshot, horizon_days: int) -> Floats:
    """Return a probability from counting alone, for a business too small for any model."""
    return rule_chance(now.seen, pooled_rate(now.seen), horizon_days)


def pooled_rate(seen: Histories) -> float:
    """Return everybody's purchases a week, a little shrunken for the first customers."""
    return float((seen.repeats.sum() + 0.5) / (seen.observed.sum() + RULE_WEIGHT_WEEKS))


def rule_chance(seen: Histories, pooled: float, horizon_days: int) -> Floats:
    """Return the rule's probability for single histories.

    A customer's own weekly rate is pulled towards everybody's with the weight of 16 weeks, and the
    chance is halved for every three horizons that have passed since the last purchase.
    """
    rate = (seen.repeats + RULE_WEIGHT_WEEKS * pooled) / (seen.observed + RULE_WEIGHT_WEEKS)
    returning = -np.expm1(-rate * horizon_days / 7)
    silence = (seen.observed - seen.last) * 7 / horizon_days
    return np.asarray(returning * 0.5 ** (silence / RULE_HALVING_HORIZONS))


@dataclass(frozen=True, slots=True)
class Learned:
    """Everything fitted on one panel: the rungs' parts, their out-of-fold scores, the baselines."""

    linear: Logistic
    linear_platt: Platt
    trees: Boosting | None
    trees_platt: Platt
    blend_platt: Platt
    recency: Logistic
    rfm: Logistic
    rounds: int

    def rung(self, rung: Rung, horizon_days: int, bg: BgNbd) -> Propensity:
        """Return the fitted rung of that name."""
        blank = Propensity(rung, horizon_days, bg)
        if rung == "logistic":
            return replace(blank, platt=self.linear_platt, linear=self.linear)
        if rung == "blend":
            return replace(blank, platt=self.blend_platt, linear=self.linear, trees=self.trees)
        if rung == "boosting":
            return replace(blank, platt=self.trees_platt, trees=self.trees)
        return blank


def learn(rows: Panel, settings: dict[str, Any] | None) -> Learned:
    """Fit all parts on a panel; without LightGBM `settings` the trees are left out.

    The calibration of each rung comes from its log odds on customers it was not fitted on.
    """
    bought = rows.labels
    fold = panel.folds(rows.groups)
    columns = rows.matrix(RFM_AND_BG)
    linear = logistic.fit(columns, bought, strength=LOGISTIC_STRENGTH)
    linear_out = _linear_out_of_fold(columns, bought, fold)
    trees, trees_out, rounds = _learn_trees(rows, fold, settings)
    return Learned(
        linear=linear,
        linear_platt=calibration.fit(linear_out, bought),
        trees=trees,
        trees_platt=calibration.fit(trees_out, bought) if trees else UNCHANGED,
        blend_platt=calibration.fit((linear_out + trees_out) / 2, bought) if trees else UNCHANGED,
        recency=logistic.fit(rows.matrix(("log_recency",)), bought),
        rfm=logistic.fit(rows.matrix(RFM), bought),
        rounds=rounds,
    )


def _learn_trees(
    rows: Panel, fold: Ints, settings: dict[str, Any] | None
) -> tuple[Boosting | None, Floats, int]:
    if settings is None:
        return None, np.zeros(len(rows.labels)), 0
    names = rows.snapshots[0].names
    columns = rows.matrix(names)
    rounds, out_of_fold = boosting.cross_validate(columns, rows.labels, fold, settings)
    return boosting.fit(columns, rows.labels, names, rounds, settings), out_of_fold, rounds


def _linear_out_of_fold(columns: Floats, bought: Floats, fold: Ints) -> Floats:
    out_of_fold = np.zeros(len(bought))
    for part in np.unique(fold):
        model = logistic.fit(
            columns[fold != part], bought[fold != part], strength=LOGISTIC_STRENGTH
        )
        out_of_fold[fold == part] = model.log_odds(columns[fold == part])
    return out_of_fold
