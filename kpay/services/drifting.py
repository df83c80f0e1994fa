"""Whether a model is still true: customers of today against those it learned from, promised against come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import sqrt
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from kpay.domain.by_chance import stability_index
from kpay.domain.family_words import title_of
from kpay.errors import ModelUnusable
from kpay.ml import drift, explaining, targets
from kpay.ml.history import History
from kpay.ports import TextEncoder
from kpay.services import histories
from kpay.services.model_life import Row, load
from kpay.services.vantage import Vantage
from kpay.store import past_scores
from kpay.store.engine import Store
from kpay.store.past_scores import Scoring

MOST_SCORINGS: Final = 12
NEW_WINDOW_DAYS: Final = 14
WEIGHTY_SHARE: Final = 0.05  # of all that moves the scores
USUAL_ERRORS: Final = 2.0  # standard errors that chance alone explains
WORTH_SAYING: Final = 0.1  # of what was promised


@dataclass(frozen=True, slots=True)
class Kept:
    """What one scoring promised and what came; `error` is the standard error of chance alone."""

    run: str
    as_of: date
    customers: int
    promised: float
    came: int
    error: float

    @property
    def is_off(self) -> bool:
        """Whether more or less came than chance explains, by more than a tenth."""
        gap = abs(self.came - self.promised)
        return gap > max(USUAL_ERRORS * self.error, WORTH_SAYING * self.promised)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "run": self.run,
            "as_of": self.as_of.isoformat(),
            "customers": self.customers,
            "promised": round(self.promised, 2),
            "came": self.came,
            "error": round(self.error, 2),
            "is_off": self.is_off,
        }


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the customers of a day are from those a model learned from; `psi` is by column.

    `age_days` is how long ago it was trained: for a new window to learn from, two weeks must pass.
    """

    day: date
    age_days: int
    psi: dict[str, float]
    score_psi: float | None
    weighty: frozenset[str]
    kept: tuple[Kept, ...]
    chance_psi: float = 0.0  # what samples of the same customers would rarely exceed
    why_not: str = ""

    @property
    def advice(self) -> list[str]:
        """Return the reasons to train anew, none when all is well."""
        if self.age_days < NEW_WINDOW_DAYS:
            return []
        alarming = max(drift.ALARMING_PSI, self.chance_psi)
        moved = [
            title_of(name)
            for name, psi in self.psi.items()
            if psi >= alarming and name in self.weighty
        ]
        reasons = []
        if self.score_psi is not None and self.score_psi >= alarming:
            reasons.append(f"the scores of today's customers have moved (PSI {self.score_psi:.2f})")
        if moved:
            reasons.append(f"what weighs in its scores has moved: {', '.join(moved).lower()}")
        if self.kept and self.kept[0].is_off:
            last = self.kept[0]
            reasons.append(f"of {last.promised:.0f} promised as of {last.as_of}, {last.came} came")
        return reasons

    @property
    def is_calm(self) -> bool:
        """Whether it was looked at and nothing speaks for training anew."""
        known = self.score_psi is not None and self.age_days >= NEW_WINDOW_DAYS
        return known and not self.advice

    @property
    def verdict(self) -> str:
        """What all this comes to, in a sentence."""
        if self.advice:
            return f"Time to train anew: {'; '.join(self.advice)}."
        if self.why_not:
            return self.why_not
        if self.age_days < NEW_WINDOW_DAYS:
            return "It is too young to be trained anew: no new window has ended to learn from."
        return "Nothing says that it should be trained anew."

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "as_of": self.day.isoformat(),
            "verdict": self.verdict,
            "is_calm": self.is_calm,
            "chance_psi": round(self.chance_psi, 4),
            "age_days": self.age_days,
            "score_psi": self.score_psi,
            "psi": self.psi,
            "notable_psi": drift.NOTABLE_PSI,
            "alarming_psi": drift.ALARMING_PSI,
            "kept": [one.to_json() for one in self.kept],
            "advice": self.advice,
            "why_not": self.why_not,
        }


def look(
    store: Store, folder: Path, row: Row, seen_from: Vantage, encoder: TextEncoder | None = None
) -> Drift:
    """Hold a model against the customers of a day and against what came of past scores.

    A model that cannot be read, or whose card knows no reference, is held against what came only.
    """
    with store.reading() as connection:
        everything = histories.read(connection, seen_from.moment, encoder)
        kept = _kept(connection, row, everything, seen_from.day)
    reference = row["card"].get("reference") or {}
    blank = Drift(
        day=seen_from.day,
        age_days=(seen_from.day - row["as_of"]).days,
        psi={},
        score_psi=None,
        weighty=_weighty(row["card"].get("importance", [])),
        kept=kept,
    )
    if not reference:
        return replace(blank, why_not="Its backtest had no customers to compare with.")
    try:
        model = load(store, folder, row, everything).propensity
    except ModelUnusable as problem:
        return replace(blank, why_not=f"{problem.message[:1].upper()}{problem.message[1:]}.")
    now = explaining.today(everything, model)
    then = reference.get("customers", len(now.customer))
    return replace(
        blank,
        psi=drift.psis(reference["columns"], now.columns),
        score_psi=round(drift.psi(reference["score"], model.probability(now)), 4),
        chance_psi=stability_index(then, len(now.customer)),
    )


def _weighty(importance: list[dict[str, Any]]) -> frozenset[str]:
    total = sum(each["mean_adds"] for each in importance)
    return frozenset(
        each["column"] for each in importance if each["mean_adds"] >= WEIGHTY_SHARE * total
    )


def _kept(connection: Connection, row: Row, known: History, day: date) -> tuple[Kept, ...]:
    last = day - timedelta(days=row["horizon_days"])
    scorings = past_scores.scorings_due(
        connection, row["target"], row["horizon_days"], last, MOST_SCORINGS
    )
    return tuple(_kept_promise(connection, one, known, row, day) for one in scorings)


def _kept_promise(
    connection: Connection, scoring: Scoring, known: History, row: Row, day: date
) -> Kept:
    """Count who did what was promised of them; those whose purchases are gone since count as not."""
    rows = past_scores.promised(connection, scoring)
    customers = np.array([customer for customer, _ in rows], dtype=np.int64)
    chance = np.array([probability for _, probability in rows])
    places = np.flatnonzero(np.isin(known.purchases.customer_ids, customers))
    cutoff = (scoring.as_of - day).days
    came = targets.parse(row["target"]).labels(known, places, cutoff, row["horizon_days"])
    error = sqrt(float((chance * (1 - chance)).sum()))
    return Kept(scoring.run, scoring.as_of, len(rows), float(chance.sum()), int(came.sum()), error)
