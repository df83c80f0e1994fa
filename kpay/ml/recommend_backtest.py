"""How good the recommendations would have been, and which mix of the parts suits this shop.

At each cutoff the model knows only what came before it and ranks, for everybody who bought something
new within the horizon, all that was there to be had. The mix tried at a cutoff was chosen at the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np

from kpay.ml.frames import Floats, Ints
from kpay.ml.recommend import POPULARITY_ONLY, Mix, usual_mix
from kpay.ml.recommend_shelf import Catalogue, Owned
from kpay.ml.recommend_windows import POPULARITIES, RIVALS, Ranked, Window, horizon, ranked, windows

FEWEST_TESTED: Final = 20  # people who bought something new; fewer prove nothing
PROOF_SE: Final = 3.0  # standard errors by which another mix must beat the usual: dozens are tried
MODEL: Final = "kpay"
MIXES: Final = tuple(
    Mix(ease, rising, popularity, kindred)
    for (ease, kindred), rising, popularity in product(
        ((1.0, 0.0), (1.0, 0.2), (1.0, 0.5), (1.0, 1.0), (0.5, 1.0), (0.2, 1.0)),
        (0.0, 0.1, 0.2),
        (0.0, 0.1, 0.2, 0.5, 1.0, 2.0),
    )
)


@dataclass(frozen=True, slots=True)
class Quality:
    """How good one way to recommend was: means over the tested people of all cutoffs."""

    name: str
    ndcg: float
    recall: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Backtest:
    """What the cutoffs showed; `gain` is NDCG@10 above the stronger popularity, with its error."""

    horizon_days: int
    cutoff_days: tuple[int, ...] = ()
    people: int = 0
    qualities: tuple[Quality, ...] = ()
    gain: float = 0.0
    gain_se: float = 0.0
    mix: Mix = POPULARITY_ONLY

    @property
    def is_proven(self) -> bool:
        """Whether the model beats popularity by more than its standard error."""
        return self.people >= FEWEST_TESTED and self.gain > self.gain_se


def backtest(catalogue: Catalogue, owned: Owned, looks: Owned | None = None) -> Backtest:
    """Try the model and its rivals on the shop's own past and choose today's mix.

    The mix is popularity alone where the model proves nothing. A cutoff weighs by how much of today's
    purchases it knew: what a shop knew in its first months says little about today.
    """
    horizon_days = horizon(owned)
    cuts = list(windows(catalogue, owned, horizon_days, looks))
    if not cuts:
        return Backtest(horizon_days)
    gains = [tried(window) for window in cuts]
    usual = usual_mix(catalogue)
    mixes = [chosen(usual, gains[:at] + gains[at + 1 :]) for at in range(len(cuts))]
    return judged(cuts, mixes, chosen(usual, gains), horizon_days)


def judged(cuts: Sequence[Window], mixes: Sequence[Mix], today: Mix, horizon_days: int) -> Backtest:
    """Measure each window's mix beside the rivals."""
    found = {name: _ranked(cuts, [window.rival[name] for window in cuts]) for name in RIVALS}
    mixed = [window.parts.mixed(mix) for window, mix in zip(cuts, mixes, strict=True)]
    found[MODEL] = _ranked(cuts, mixed)
    customer = np.concatenate([window.customer for window in cuts])
    weight = np.repeat(
        [window.known_share for window in cuts], [len(window.customer) for window in cuts]
    )
    qualities = tuple(_quality(name, ranks, cuts, weight) for name, ranks in found.items())
    stronger = max(
        (quality for quality in qualities if quality.name in POPULARITIES),
        key=lambda quality: quality.ndcg,
    )
    above = _ndcg(found[MODEL]) - _ndcg(found[stronger.name])
    gain, error = _mean_and_error(above, weight, customer)
    outcome = Backtest(
        horizon_days,
        tuple(window.cutoff_days for window in cuts),
        len(np.unique(customer)),
        qualities,
        gain,
        error,
        today,
    )
    return outcome if outcome.is_proven else replace(outcome, mix=POPULARITY_ONLY)


def tried(window: Window) -> Floats:
    """Return the NDCG@10 of every mix, (mixes, people)."""
    return np.array([ranked(window.parts.mixed(mix), window).ndcg for mix in MIXES])


def chosen(usual: Mix, gains: Sequence[Floats]) -> Mix:
    """Return the usual mix, or one that was better by more than three standard errors at the cutoffs.

    The error is that of the cutoffs' means or that of the people, whichever is larger: a mix that
    suited one season only is not taken.
    """
    if not gains:
        return usual
    above = [each - each[MIXES.index(usual)] for each in gains]
    every = np.concatenate(above, axis=1)
    cuts = np.array([each.mean(axis=1) for each in above])
    error = every.std(axis=1) / np.sqrt(every.shape[1])
    if len(gains) > 1:
        error = np.maximum(error, cuts.std(axis=0, ddof=1) / np.sqrt(len(gains)))
    sure = every.mean(axis=1) - PROOF_SE * error
    best = int(np.argmax(sure))
    return MIXES[best] if sure[best] > 0 else usual


def _ranked(cuts: Sequence[Window], scores: Sequence[Floats]) -> list[Ranked]:
    return [ranked(score, window) for score, window in zip(scores, cuts, strict=True)]


def _ndcg(ranks: Sequence[Ranked]) -> Floats:
    return np.concatenate([one.ndcg for one in ranks])


def _quality(name: str, ranks: Sequence[Ranked], cuts: Sequence[Window], weight: Floats) -> Quality:
    """Average over people; the coverage over cutoffs, of what could be shown there."""
    shares = [
        len(one.shown) / max(1, int(window.parts.allowed.any(axis=0).sum()))
        for one, window in zip(ranks, cuts, strict=True)
    ]
    recall = np.concatenate([one.recall for one in ranks])
    return Quality(
        name,
        float(np.average(_ndcg(ranks), weights=weight)),
        float(np.average(recall, weights=weight)),
        min(1.0, float(np.mean(shares))),
    )


def _mean_and_error(differences: Floats, weight: Floats, customer: Ints) -> tuple[float, float]:
    """Return the weighted mean and its standard error, all of one person's taken together."""
    mean = float(np.average(differences, weights=weight))
    people, place = np.unique(customer, return_inverse=True)
    if len(people) < 2:
        return mean, float("inf")
    strays = np.bincount(place, weight * (differences - mean))
    error = np.sqrt((strays**2).sum() * len(people) / (len(people) - 1)) / weight.sum()
    return mean, float(error)
