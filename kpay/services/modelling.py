"""Looking at trained models: which there are, what one is worth, why somebody got their score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kpay.domain.address import normal_email
from kpay.domain.document import Column, Document, Table, Text
from kpay.errors import NotFound, Refused
from kpay.ml import explaining
from kpay.ml.explaining import Explanation
from kpay.services import histories
from kpay.services.model_life import load, no_model_yet, pick
from kpay.services.model_shelf import summary
from kpay.services.training_report import measures_table
from kpay.services.vantage import vantage
from kpay.store import learning
from kpay.store.engine import Store

SHOWN_REASONS = 10


def show_model(store: Store, run: str | None) -> Document:
    """Show one run's card, the newest one's when none is named; a beginning of its id will do."""
    with store.reading() as connection:
        row = _chosen(learning.runs_starting(connection, run or ""), run)
    card = row["card"]
    return Document(
        schema="kpay.model.show/1",
        title=f"Model {row['run']} ({row['rung']}), who buys within {row['horizon_days']} days",
        subtitle=f"as of {row['as_of']}; {card['why']}",
        blocks=(
            measures_table(row["rung"], card),
            *_calibration(card),
            *_windows(card),
            *_gain(card),
        ),
        payload={**summary(row), "checksum": row["checksum"], "card": card},
        next_steps=("kpay score", "kpay model explain EMAIL"),
    )


def _chosen(rows: list[dict[str, Any]], run: str | None) -> dict[str, Any]:
    if not rows:
        raise NotFound("model", run, "kpay model list") if run else no_model_yet()
    if run is None:
        return max(rows, key=lambda row: (row["as_of"], row["id"]))
    if len(rows) > 1 and run not in [row["run"] for row in rows]:
        raise Refused(f"{len(rows)} models begin with {run!r}", "kpay model list")
    return next((row for row in rows if row["run"] == run), rows[0])


def _calibration(card: dict[str, Any]) -> tuple[Table, ...]:
    if not card["calibration"]:
        return ()
    rows = tuple(
        (int(row["customers"]), row["expected"], int(row["actual"]))
        for row in reversed(card["calibration"])
    )
    columns = (
        Column("customers", "count"),
        Column("expected buyers", "number"),
        Column("came", "count"),
    )
    return (Table(columns, rows, title="Promised and kept, the likeliest tenth first"),)


def _windows(card: dict[str, Any]) -> tuple[Table, ...]:
    if not card["windows"]:
        return ()
    columns = (
        Column("days ago", "count"),
        Column("customers", "count"),
        Column("bought", "count"),
        Column("share", "share"),
    )
    rows = tuple(
        (-row["cutoff_day"], row["customers"], row["buyers"], row["base_rate"])
        for row in card["windows"]
    )
    return (Table(columns, rows, title="Windows it learned from"),)


def _gain(card: dict[str, Any]) -> tuple[Table, ...]:
    if not card["gain"]:
        return ()
    ranked = sorted(card["gain"].items(), key=lambda item: -item[1])[:SHOWN_REASONS]
    columns = (Column("column"), Column("share of gain", "share"))
    return (Table(columns, tuple(ranked), title="What its trees look at"),)


@dataclass(frozen=True, slots=True)
class Explained:
    """Why one customer got their probability."""

    email: str
    run: str
    as_of: str
    horizon_days: int
    propensity: float
    explanation: Explanation

    def to_document(self) -> Document:
        """Return the columns that moved this customer most."""
        parts = self.explanation.parts
        rows = tuple((part.column, part.value, part.adds) for part in parts[:SHOWN_REASONS])
        columns = (Column("column"), Column("value", "number"), Column("adds", "number"))
        nothing = Text("The model looks at the purchase history as a whole, not at single columns.")
        return Document(
            schema="kpay.model.explain/1",
            title=f"{self.email}: {self.propensity:.1%} to buy within {self.horizon_days} days",
            subtitle=f"as of {self.as_of}, model {self.run}; `adds` is in log odds",
            blocks=(Table(columns, rows),) if rows else (nothing,),
            payload={
                "email": self.email,
                "run": self.run,
                "as_of": self.as_of,
                "horizon_days": self.horizon_days,
                "propensity": self.propensity,
                "base_log_odds": round(self.explanation.base_log_odds, 6),
                "reasons": [
                    {"column": part.column, "value": part.value, "adds": round(part.adds, 6)}
                    for part in parts
                ],
            },
            next_steps=(f"kpay recommend {self.email}",),
        )


def explain(store: Store, folder: Path, email: str, *, now: datetime, timezone: str) -> Explained:
    """Explain the score of one customer by the newest model; NotFound for a stranger."""
    address = normal_email(email)
    with store.reading() as connection:
        seen_from = vantage(connection, None, now, timezone)
        row = pick(connection, seen_from, is_asked=False)
        customer = learning.customer_of(connection, address)
        known = histories.read(connection, seen_from.moment)
    model = load(store, folder, row)
    try:
        reasons = explaining.explain(known, model.propensity, -1 if customer is None else customer)
    except KeyError:
        raise NotFound("customer with an order", email, "kpay score") from None
    log_odds = reasons.base_log_odds + sum(part.adds for part in reasons.parts)
    chance = round(1 / (1 + math.exp(-log_odds)), 6)
    return Explained(
        address, model.run, seen_from.day.isoformat(), model.horizon_days, chance, reasons
    )
