"""The rungs of the ladder and the fitted model: to whom it will happen within the horizon.

rule      for a purchase a shrunken rate, halved for every three horizons of silence; for another
          target its prior: the survival of renewals, or the rate of the past
bgnbd     BG/NBD, fitted without labels, for any horizon; for a purchase only
logistic  a few columns that correct the prior (for a purchase BG/NBD), pulled back to it by a ridge
blend     a third that logistic, two thirds boosting, in log odds
boosting  restrained LightGBM, the prior among its columns
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, get_args

import numpy as np

from kpay.ml.bgnbd import BgNbd, Histories
from kpay.ml.boosting import Boosting
from kpay.ml.calibration import UNCHANGED, Platt
from kpay.ml.families import Family
from kpay.ml.features import FADING, RFM_AND_BG, Snapshot
from kpay.ml.frames import Floats
from kpay.ml.history import History
from kpay.ml.logistic import Logistic, logit, sigmoid
from kpay.ml.snapshots import families_for, see
from kpay.ml.targets import PURCHASE, Prior, Target, parse

Rung = Literal["rule", "bgnbd", "logistic", "blend", "boosting"]
RUNGS: Final[tuple[Rung, ...]] = get_args(Rung)
FORMAT: Final = 2
MIXED: Final[dict[Rung, tuple[float, float]]] = {  # weights of the logistic and of the trees
    "logistic": (1.0, 0.0),
    "blend": (1 / 3, 2 / 3),
    "boosting": (0.0, 1.0),
}
OWN_COLUMNS: Final = (*RFM_AND_BG, *FADING)
RULE_WEIGHT_WEEKS: Final = 16.0  # of everybody's rate in a single customer's rate
RULE_HALVING_HORIZONS: Final = 3.0  # of silence


@dataclass(frozen=True, slots=True)
class Propensity:
    """A fitted rung; what the rung does not use is None."""

    rung: Rung
    horizon_days: int
    bg: BgNbd
    target: Target = PURCHASE
    prior: Prior | None = None
    families: tuple[str, ...] = ()
    platt: Platt = UNCHANGED
    linear: Logistic | None = None
    linear_names: tuple[str, ...] = ()
    trees: Boosting | None = None

    def look(self, everything: History, cutoff: int = 0) -> Snapshot:
        """Return what this model sees of a history: whom it is about, with the columns it reads."""
        return see(
            everything,
            cutoff,
            self.horizon_days,
            target=self.target,
            bg=self.bg,
            prior=self.prior,
            families=families_of(self.families, self.target),
        )

    def log_odds(self, now: Snapshot) -> Floats:
        """Return calibrated log odds of the event for every customer of a snapshot."""
        return self.platt.log_odds(self._raw_log_odds(now))

    def probability(self, now: Snapshot) -> Floats:
        """Return the probability of the event within the horizon."""
        return sigmoid(self.log_odds(now))

    def _raw_log_odds(self, now: Snapshot) -> Floats:
        if self.rung not in MIXED:
            if self.rung == "rule" and self.target == PURCHASE:
                return logit(rule_probability(now, self.horizon_days))
            return now.columns[self.target.prior_column]
        raw = np.zeros(len(now.customer))
        of_linear, of_trees = MIXED[self.rung]
        if self.linear:
            raw += of_linear * self.linear.log_odds(gentle(now, self.linear_names))
        if self.trees:
            raw += of_trees * self.trees.log_odds(now.matrix(self.trees.names))
        return raw

    def contributions(self, now: Snapshot) -> dict[str, Floats]:
        """Return what each column adds to every customer's calibrated log odds, without the base."""
        parts: dict[str, Floats] = {}
        of_linear, of_trees = MIXED.get(self.rung, (0.0, 0.0))
        if self.linear:
            found = self.linear.contributions(gentle(now, self.linear_names))
            for i, name in enumerate(self.linear_names):
                parts[name] = self.platt.slope * of_linear * found[:, i]
        if self.trees:
            found = self.trees.contributions(now.matrix(self.trees.names))
            for i, name in enumerate(self.trees.names):
                parts[name] = parts.get(name, 0.0) + self.platt.slope * of_trees * found[:, i]
        return parts

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; a model is loaded without running code from its file."""
        return {
            "format": FORMAT,
            "rung": self.rung,
            "horizon_days": self.horizon_days,
            "bg": self.bg.to_dict(),
            "target": self.target.name,
            "prior": self.prior.to_dict() if self.prior else None,
            "families": list(self.families),
            "platt": self.platt.to_dict(),
            "linear": self.linear.to_dict() if self.linear else None,
            "linear_names": list(self.linear_names),
            "trees": self.trees.to_dict() if self.trees else None,
        }

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote; raise ValueError for another format."""
        if saved.get("format") != FORMAT or saved.get("rung") not in RUNGS:
            raise ValueError("the model was written in a form that this version does not know")
        target = parse(saved["target"])
        return cls(
            rung=saved["rung"],
            horizon_days=int(saved["horizon_days"]),
            bg=BgNbd.from_dict(saved["bg"]),
            target=target,
            prior=Prior.from_dict(saved["prior"]) if saved["prior"] else None,
            families=tuple(family.name for family in families_of(saved["families"], target)),
            platt=Platt.from_dict(saved["platt"]),
            linear=Logistic.from_dict(saved["linear"]) if saved["linear"] else None,
            linear_names=tuple(saved["linear_names"]),
            trees=Boosting.from_dict(saved["trees"]) if saved["trees"] else None,
        )


def families_of(names: Iterable[str], target: Target) -> tuple[Family, ...]:
    """Return the families of these names; raise ValueError for one that this version does not know."""
    by_name = {family.name: family for family in families_for(target)}
    wanted = list(names)
    if unknown := [name for name in wanted if name not in by_name]:
        raise ValueError(f"the family of features {unknown[0]!r} is not known to this version")
    return tuple(by_name[name] for name in wanted)


def gentle(now: Snapshot, names: tuple[str, ...]) -> Floats:
    """Return columns for a linear model: those of families as signed logs, so that no count runs away."""
    found = now.matrix(names)
    wild = np.array([name not in OWN_COLUMNS and not name.endswith("_logit") for name in names])
    found[:, wild] = np.sign(found[:, wild]) * np.log1p(np.abs(found[:, wild]))
    return found


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
