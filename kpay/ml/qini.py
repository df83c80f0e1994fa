"""How well a ranking finds the people whom a mail moves: Qini coefficient, uplift at the top, intervals.

Only groups can be judged, never one person: nobody is both mailed and left alone. People with one
score stand together, so the order in which rows come in changes nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final, Self

import numpy as np

from kpay.ml.frames import Flags, Floats, Ints

DRAWS: Final = 200
TOP: Final = 0.3
LAST: Final = 0.2
SAME: Final = 1e-12
"""Scores closer than this share of their size are one score: rounding makes no ranking."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Who was mailed and who responded, (n,) each; `person` tells who comes back in several sends."""

    treated: Flags
    responded: Flags
    person: Ints

    def effect(self, weight: Floats | None = None) -> float | None:
        """Return the share that responds when mailed less the share that responds anyway."""
        return _difference(self.treated, self.responded, weight)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows of a trial in the order of a score, the best first; `ends` are the last rows of each score."""

    order: Ints
    ends: Ints

    @classmethod
    def by(cls, score: Floats) -> Self:
        """Rank by a score, higher first."""
        order = np.argsort(-score, kind="stable")
        ranked = score[order]
        near = np.isclose(ranked[1:], ranked[:-1], rtol=SAME, atol=0.0)
        return cls(order, np.append(np.flatnonzero(~near), len(score) - 1))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with the interval in which 95 of 100 redrawn trials put it."""

    value: float
    low95: float
    high95: float


@dataclass(frozen=True, slots=True)
class Judged:
    """What a ranking is worth; `top_effect` is of the best three tenths, `last_effect` of the last fifth."""

    qini: Estimate
    effect: Estimate
    top_effect: Estimate
    last_effect: Estimate

    def to_json(self) -> dict[str, dict[str, float]]:
        """Return every figure with its interval, rounded to six digits."""
        return {
            name: {part: round(value, 6) for part, value in asdict(getattr(self, name)).items()}
            for name in ("qini", "effect", "top_effect", "last_effect")
        }


def curve(trial: Trial, ranking: Ranking, weight: Floats | None = None) -> tuple[Floats, Floats]:
    """Return people reached and the responses that mail adds among them, from (0, 0) on.

    Radcliffe, "Using control groups to target on predicted lift" (2007), as scikit-uplift computes it:
    responses of the mailed less those of the others, scaled to as many people as were mailed.
    """
    order, ends = ranking.order, ranking.ends
    weighted = np.ones(len(order)) if weight is None else weight[order]
    treated, responded = trial.treated[order], trial.responded[order]
    people, mailed, sales, alone = (
        np.cumsum(weighted * part)[ends]
        for part in (True, treated, treated & responded, ~treated & responded)
    )
    others = people - mailed
    scale = np.divide(mailed, others, out=np.zeros_like(mailed), where=others > 0)
    return np.append(0.0, people), np.append(0.0, sales - alone * scale)


def coefficient(trial: Trial, score: Floats) -> float:
    """Return the Qini coefficient: 0 is random, 1 the best order that hindsight knows, below 0 worse.

    The area between the curve and the straight line, over that of the perfect order (Radcliffe 2007;
    `qini_auc_score` of scikit-uplift). Raises ValueError where one arm is empty.
    """
    if trial.treated.all() or not trial.treated.any():
        raise ValueError("a Qini coefficient needs people of both arms")
    return _coefficient(trial, Ranking.by(score), _hindsight(trial))


def _hindsight(trial: Trial) -> Ranking:
    return Ranking.by(np.where(trial.responded, np.where(trial.treated, 1.0, -1.0), 0.0))


def _coefficient(
    trial: Trial, ranking: Ranking, perfect: Ranking, weight: Floats | None = None
) -> float:
    best = _area(*curve(trial, perfect, weight))
    return _area(*curve(trial, ranking, weight)) / best if best > 0 else 0.0


def _area(people: Floats, gained: Floats) -> float:
    """Return the area between a curve and the straight line to its end."""
    return float(np.trapezoid(gained, people) - people[-1] * gained[-1] / 2)


def uplift_at(trial: Trial, score: Floats, share: float = TOP) -> float | None:
    """Return the effect in the best `share` of people, whichever arm they are in; None without both.

    Rows of one score at the border all count as in.
    """
    inside, _ = _split(Ranking.by(score), share)
    return _difference(trial.treated[inside], trial.responded[inside], None)


def _split(ranking: Ranking, share: float) -> tuple[Ints, Ints]:
    border = ranking.ends[np.searchsorted(ranking.ends, share * len(ranking.order) - 1)]
    return ranking.order[: border + 1], ranking.order[border + 1 :]


def _difference(treated: Flags, responded: Flags, weight: Floats | None) -> float | None:
    weighted = np.ones(len(treated)) if weight is None else weight
    arm = treated.astype(np.int64)
    people = np.bincount(arm, weighted, minlength=2)
    if not people.all():
        return None
    rate = np.bincount(arm, weighted * responded, minlength=2) / people
    return float(rate[1] - rate[0])


def judge(trial: Trial, score: Floats, *, seed: int = 0, draws: int = DRAWS) -> Judged:
    """Return what a ranking found, with intervals from redrawing whole people.

    The score must come from people other than those it ranks (`uplift.cross_fitted`).
    """
    ranking, perfect = Ranking.by(score), _hindsight(trial)
    inside, _ = _split(ranking, TOP)
    _, last = _split(ranking, 1 - LAST)
    luck = np.random.default_rng(seed)
    _, person = np.unique(trial.person, return_inverse=True)
    size = int(person.max()) + 1

    def figures(weight: Floats | None) -> list[float]:
        found = [_coefficient(trial, ranking, perfect, weight)]
        for rows in (slice(None), inside, last):
            of_rows = None if weight is None else weight[rows]
            effect = _difference(trial.treated[rows], trial.responded[rows], of_rows)
            found.append(np.nan if effect is None else effect)
        return found

    redrawn = [
        figures(np.bincount(luck.integers(0, size, size), minlength=size)[person].astype(float))
        for _ in range(draws)
    ]
    low, high = np.nanquantile(redrawn, (0.025, 0.975), axis=0)
    return Judged(
        *(
            Estimate(value, float(below), float(above))
            for value, below, above in zip(figures(None), low, high, strict=True)
        )
    )
