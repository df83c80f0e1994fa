"""Scores that were kept, to be held against what came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, select

from kpay.models.learning import ModelRun, Score
from kpay.store.dialect import table_of

RUNS = table_of(ModelRun)
SCORES = table_of(Score)


class Scoring(NamedTuple):
    """One time at which people were scored by one model."""

    run: str
    as_of: date


def scorings_due(
    connection: Connection, target: str, horizon_days: int, last_as_of: date, most: int
) -> list[Scoring]:
    """Return the newest scorings of a target and horizon as of a day or earlier, the newest first."""
    query = (
        select(SCORES.c.run, SCORES.c.as_of)
        .join(RUNS, RUNS.c.run == SCORES.c.run)
        .where(
            RUNS.c.target == target,
            RUNS.c.horizon_days == horizon_days,
            SCORES.c.as_of <= last_as_of,
        )
        .group_by(SCORES.c.run, SCORES.c.as_of)
        .order_by(SCORES.c.as_of.desc(), SCORES.c.run)
        .limit(most)
    )
    return [Scoring(*row) for row in connection.execute(query)]


def promised(connection: Connection, scoring: Scoring) -> Sequence[tuple[int, float]]:
    """Return customer and probability of everybody in a scoring, in the order of customers."""
    query = (
        select(SCORES.c.customer_id, SCORES.c.propensity)
        .where(SCORES.c.run == scoring.run, SCORES.c.as_of == scoring.as_of)
        .order_by(SCORES.c.customer_id)
    )
    return [(row.customer_id, row.propensity) for row in connection.execute(query)]
