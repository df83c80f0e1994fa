"""Who is champion of a target and horizon: a newer model only when it is better on the same backtest.

Two models are compared on what each would have said at the test cutoff of the newer one. A champion
trained before that cutoff is asked itself. A champion trained later has seen the answers, so what
its recipe says, fitted on the windows before the cutoff, speaks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from kpay.errors import ModelUnusable
from kpay.ml import metrics
from kpay.ml.features import snapshot
from kpay.ml.frames import Floats
from kpay.ml.history import History
from kpay.ml.training import Backtest, Training
from kpay.services.model_life import Model, Row, load
from kpay.store import learning
from kpay.store.engine import Store

DIGITS: Final = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model becomes champion, against whom, and why; `gain` is in log loss, smaller by so much."""

    is_champion: bool
    against: str | None
    why: str
    gain: float | None = None
    se: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the "champion" of `kpay train --json`."""
        return {
            "is_champion": self.is_champion,
            "against": self.against,
            "why": self.why,
            "gain": None if self.gain is None else round(self.gain, DIGITS),
            "se": None if self.se is None else round(self.se, DIGITS),
        }


@dataclass(frozen=True, slots=True)
class Challenge:
    """A model that was just trained, with the backtest it can be held to."""

    row: Row
    found: Training
    everything: History


def judge(store: Store, folder: Path, challenge: Challenge) -> Verdict:
    """Say whether a new model takes the place of the champion of its target and horizon."""
    row = challenge.row
    with store.reading() as connection:
        champion = learning.champion(connection, row["target"], row["horizon_days"])
    if champion is None:
        return Verdict(True, None, "the first model of its target and horizon")
    against = champion["run"]
    if champion["as_of"] > row["as_of"]:
        why = f"the champion {against} knows more: it was trained as of {champion['as_of']}"
        return Verdict(False, against, why)
    try:
        standing = load(store, folder, champion)
        return _compare(challenge, champion, standing)
    except ModelUnusable as problem:
        return Verdict(True, against, f"the champion cannot be used any more: {problem.message}")


def _compare(challenge: Challenge, champion: Row, standing: Model) -> Verdict:
    row, against = challenge.row, champion["run"]
    cutoff = row["as_of"] - timedelta(days=row["horizon_days"])
    if champion["as_of"] <= cutoff:
        rival = _said_by(standing, challenge)
        return _verdict(challenge, against, rival, f"the champion {against}, asked itself,")
    if champion["rung"] == challenge.found.model.rung:
        return Verdict(True, against, f"the recipe of the champion {against}, on newer rows")
    rival = _said_by_recipe(champion, challenge)
    return _verdict(challenge, against, rival, f"the recipe of the champion {against}")


def _verdict(challenge: Challenge, against: str, rival: Floats | None, who: str) -> Verdict:
    tested, rung = challenge.found.tested, challenge.found.model.rung
    if rival is None or rung not in tested.promised:
        why = f"no past window can tell it from the champion {against}, which stays"
        return Verdict(False, against, why)
    gain, error = metrics.loss_advantage(tested.bought, tested.promised[rung], rival)
    measured = f"log loss on the same backtest {abs(gain):.4f} {{}} (standard error {error:.4f})"
    if gain > 0:
        return Verdict(True, against, f"better than {who} {measured.format('less')}", gain, error)
    return Verdict(False, against, f"{who} stays: {measured.format('more')}", gain, error)


def _said_by(standing: Model, challenge: Challenge) -> Floats | None:
    """Return what the champion itself says of the customers of the backtest."""
    tested, fitted = challenge.found.tested, standing.propensity
    horizon = standing.horizon_days
    then = snapshot(challenge.everything, -horizon, horizon, fitted.bg)
    return _in_order_of(tested, then.customer, fitted.probability(then))


def _in_order_of(tested: Backtest, customer: Any, said: Floats) -> Floats | None:
    """Return what was said of each customer of a backtest; None when one is missing."""
    place = np.searchsorted(customer, tested.now.customer)
    is_known = place < len(customer)
    if not len(place) or not is_known.all() or (customer[place] != tested.now.customer).any():
        return None
    return np.asarray(said[place])


def _said_by_recipe(champion: Row, challenge: Challenge) -> Floats | None:
    return challenge.found.tested.promised.get(champion["rung"])
