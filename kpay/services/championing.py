"""Who is champion of a target and horizon: a newer model only when it is better on the same backtest.

Two models are compared on what each would have said at the test cutoffs of the newer one. A champion
trained before such a cutoff is asked itself. A champion trained later has seen the answers, so what
its recipe says, fitted on the windows before the cutoff, speaks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from kpay.errors import ModelUnusable
from kpay.ml import backtest
from kpay.ml.backtest import Backtest, Window
from kpay.ml.fitting import Chosen
from kpay.ml.history import History
from kpay.ml.propensity import families_of
from kpay.ml.snapshots import Snapshots
from kpay.ml.training import Training
from kpay.services.model_life import Model, Row, load
from kpay.store import learning
from kpay.store.engine import Store

DIGITS: Final = 5
RIVAL: Final = "rival"


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
    settings: dict[str, Any]


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
        standing = load(store, folder, champion, challenge.everything)
        return _compare(challenge, champion, standing)
    except ModelUnusable as problem:
        return Verdict(True, against, f"the champion cannot be used any more: {problem.message}")


def _compare(challenge: Challenge, champion: Row, standing: Model) -> Verdict:
    """Ask the champion itself about the tests after its day, else its recipe about all tests."""
    against, recipe = champion["run"], champion["card"].get("recipe")
    is_same_recipe = recipe == challenge.found.recipe
    age_days = (champion["as_of"] - challenge.row["as_of"]).days
    unseen = [test for test in challenge.found.tested.windows if test.now.cutoff >= age_days]
    if unseen:
        itself = [_asked(standing, test, challenge.everything) for test in unseen]
        who = f"the champion {against}, asked itself,"
        verdict = _verdict(challenge, against, unseen, itself, who)
        return _refreshed(verdict) if is_same_recipe else verdict
    if is_same_recipe:
        return Verdict(True, against, f"the recipe of the champion {against}, on newer rows")
    tested = _tested_by(recipe, challenge) if recipe else challenge.found.tested
    rivals = [replace(test, promised=_only(test, champion["rung"])) for test in tested.windows]
    known = challenge.found.tested.windows
    return _verdict(challenge, against, known, rivals, f"the recipe of the champion {against}")


def _refreshed(verdict: Verdict) -> Verdict:
    """Let the champion's own recipe on newer rows take over where only noise speaks against it.

    The backtest cannot show what the newer rows are worth: there, both know the same.
    """
    gain, error = verdict.gain, verdict.se
    if verdict.is_champion or gain is None or error is None or gain < -error:
        return verdict
    why = (
        f"the recipe of the champion {verdict.against}, on newer rows; "
        f"on the same backtest the two are even (log loss {-gain:.4f} more, standard error {error:.4f})"
    )
    return replace(verdict, is_champion=True, why=why)


def _asked(standing: Model, test: Window, everything: History) -> Window:
    """Return what the champion itself says of the customers of a test."""
    then = standing.propensity.look(everything, test.now.cutoff)
    said = standing.propensity.probability(then)
    place = np.searchsorted(then.customer, test.now.customer)
    return replace(test, promised={RIVAL: said[place]})


def _tested_by(recipe: dict[str, Any], challenge: Challenge) -> Backtest:
    """Return the backtest of a recipe; the ladder has it already when only the rung is another."""
    if {**recipe, "rung": ""} == {**challenge.found.recipe, "rung": ""}:
        return challenge.found.tested
    model = challenge.found.model
    at = Snapshots(challenge.everything, model.horizon_days, model.target)
    chosen = Chosen(
        families_of(recipe["families"], model.target),
        families_of(recipe["linear_families"], model.target),
    )
    settings = challenge.settings | recipe.get("settings", {})
    return backtest.run(at, (recipe["rung"], "rule"), settings, chosen)


def _only(test: Window, rung: str) -> dict[str, Any]:
    return {RIVAL: test.promised[rung]} if rung in test.promised else {}


def _verdict(
    challenge: Challenge, against: str, ours: Sequence[Window], rivals: Sequence[Window], who: str
) -> Verdict:
    rung = challenge.found.model.rung
    by_day = {rival.now.cutoff: rival for rival in rivals if rival.promised}
    told = [our for our in ours if rung in our.promised and our.now.cutoff in by_day]
    if not sum(len(our.bought) for our in told):
        why = f"no past window can tell it from the champion {against}, which stays"
        return Verdict(False, against, why)
    same_days = [by_day[our.now.cutoff] for our in told]
    gain, error = backtest.gain_between(told, rung, same_days, RIVAL)
    measured = f"log loss on the same backtest {abs(gain):.4f} {{}} (standard error {error:.4f})"
    if gain > 0:
        return Verdict(True, against, f"better than {who} {measured.format('less')}", gain, error)
    return Verdict(False, against, f"{who} stays: {measured.format('more')}", gain, error)
