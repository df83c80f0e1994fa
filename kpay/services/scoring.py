"""Scoring every customer with the newest model that does not know too much."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from kpay.domain.document import Column, Document, Table
from kpay.domain.money import Money
from kpay.domain.target_words import who_does
from kpay.ml import scoring
from kpay.ml.frames import Frame
from kpay.ports import TextEncoder
from kpay.services import groups, histories
from kpay.services.model_life import load, parsed_target, pick
from kpay.services.vantage import vantage
from kpay.store import learning
from kpay.store.engine import Store
from kpay.store.learning import PURCHASE

SHOWN_ROWS = 20
PROPENSITY_DIGITS = 6
COLUMNS = (
    Column("email"),
    Column("customer", "count"),
    Column("propensity", "number"),
    Column("expected_value_minor", "count"),
    Column("currency"),
    Column("decile", "count"),
    Column("as_of", "day"),
    Column("run"),
)


@dataclass(frozen=True, slots=True)
class Scored:
    """One customer's score."""

    email: str
    customer: int
    propensity: float
    expected_value_minor: int
    currency: str
    decile: int


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of everybody known at the end of a day, the likeliest buyers first."""

    run: str
    as_of: date
    horizon_days: int
    rows: tuple[Scored, ...]
    written: int
    target: str

    def to_document(self, *, whole: bool) -> Document:
        """Return the scores; `whole` is for programs, people see the first twenty."""
        return Document(
            schema="kpay.score/1",
            title=self._title(),
            subtitle=f"as of {self.as_of}, model {self.run}",
            blocks=(self._table() if whole else self._first_rows(),),
            payload={
                "run": self.run,
                "target": self.target,
                "as_of": self.as_of.isoformat(),
                "horizon_days": self.horizon_days,
                "written": self.written,
                "rows": [
                    {
                        "email": row.email,
                        "customer": row.customer,
                        "propensity": row.propensity,
                        "expected_value_minor": row.expected_value_minor,
                        "currency": row.currency,
                        "decile": row.decile,
                    }
                    for row in self.rows
                ],
            },
            next_steps=("kpay score --csv --out scores.csv", "kpay recommend"),
        )

    def _title(self) -> str:
        done = f"Scored {len(self.rows):,} customers" if self.written else "Nothing to do"
        return f"{done}: {who_does(self.target, self.horizon_days)}"

    def _table(self) -> Table:
        return Table(
            COLUMNS,
            tuple(
                (
                    row.email,
                    row.customer,
                    row.propensity,
                    row.expected_value_minor,
                    row.currency,
                    row.decile,
                    self.as_of,
                    self.run,
                )
                for row in self.rows
            ),
        )

    def _first_rows(self) -> Table:
        shown = self.rows[:SHOWN_ROWS]
        rest = len(self.rows) - len(shown)
        return Table(
            (
                Column("email"),
                Column("propensity", "share"),
                Column("expected", "money"),
                Column("decile", "count"),
            ),
            tuple(
                (
                    row.email,
                    row.propensity,
                    Money(row.expected_value_minor, row.currency),
                    row.decile,
                )
                for row in shown
            ),
            note=f"and {rest:,} more; kpay score --csv lists them all" if rest else "",
        )


def score(
    store: Store,
    folder: Path,
    *,
    as_of: str | None,
    now: datetime,
    timezone: str,
    target: str = PURCHASE,
    encoder: TextEncoder | None = None,
) -> Scores:
    """Score everybody known at the end of a day and keep the scores; the same scores write nothing.

    With the scores of a purchase the groups that customers are in are told anew.
    Raises Refused when every model knows what came after that day, ModelUnusable for one that must not
    score here.
    """
    named = parsed_target(target).name
    with store.reading() as connection:
        seen_from = vantage(connection, as_of, now, timezone)
        row = pick(connection, seen_from, is_asked=as_of is not None, target=named)
        everything = histories.read(connection, seen_from.moment, encoder)
        emails = learning.emails(connection)
    model = load(store, folder, row, everything)
    rows = _rows(scoring.score(everything, model.propensity, model.amounts), emails)
    with store.writing() as connection:
        written = learning.keep_scores(
            connection, [_stored(scored, model.run, seen_from.day) for scored in rows]
        )
    if named == PURCHASE:
        groups.keep(store, groups.tell_apart(everything, seen_from.day))
    return Scores(model.run, seen_from.day, model.horizon_days, rows, written, named)


def _rows(found: Frame, emails: dict[int, str]) -> tuple[Scored, ...]:
    return tuple(
        Scored(
            email=emails.get(int(customer), ""),
            customer=int(customer),
            propensity=round(float(chance), PROPENSITY_DIGITS),
            expected_value_minor=int(value),
            currency=str(currency),
            decile=int(decile),
        )
        for customer, chance, value, currency, decile in found.itertuples(index=False)
    )


def _stored(scored: Scored, run: str, as_of: date) -> dict[str, Any]:
    return {
        "run": run,
        "as_of": as_of,
        "customer_id": scored.customer,
        "propensity": scored.propensity,
        "expected_value_minor": scored.expected_value_minor,
        "currency": scored.currency,
        "decile": scored.decile,
    }
