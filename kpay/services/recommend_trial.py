"""`kpay recommend --evaluate`: what the recommendations would have been worth on the shop's own past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import isfinite
from typing import Any

from kpay.domain.document import Column, Document, Table
from kpay.ml.recommend_backtest import FEWEST_TESTED, Backtest, backtest
from kpay.services.recommend_input import read_shelf
from kpay.services.vantage import vantage
from kpay.store.engine import Store


@dataclass(frozen=True, slots=True)
class Trial:
    """The backtest as of a day."""

    day: date
    found: Backtest

    def to_document(self) -> Document:
        """Return the table of all ways to recommend, with what it means."""
        return Document(
            schema="kpay.recommend.evaluate/1",
            title=self._verdict(),
            subtitle=self._how(),
            blocks=(self._table(),) if self.found.qualities else (),
            payload=self._payload(),
            next_steps=("kpay recommend",),
        )

    def _verdict(self) -> str:
        found = self.found
        if found.people < FEWEST_TESTED:
            bought = "person" if found.people == 1 else "people"
            return (
                f"No signal yet: {found.people} {bought} bought something new in the time tested, "
                f"{FEWEST_TESTED} are needed; what sells best is recommended"
            )
        gain = f"NDCG@10 {found.gain:+.3f} (standard error {found.gain_se:.3f}) beside popularity"
        if found.is_proven:
            return f"The recommendations beat popularity: {gain}"
        return f"No signal yet: {gain}; what sells best is recommended"

    def _how(self) -> str:
        if not self.found.cutoff_days:
            return f"as of {self.day}"
        days = ", ".join(day.isoformat() for day in self._cutoffs())
        return (
            f"as of {self.day}; cut on {days}, what {self.found.people:,} people bought new in the "
            f"{self.found.horizon_days} days after"
        )

    def _cutoffs(self) -> list[date]:
        end = self.day + timedelta(days=1)
        return [end - timedelta(days=days) for days in self.found.cutoff_days]

    def _table(self) -> Table:
        return Table(
            (
                Column("way to recommend"),
                Column("NDCG@10", "number"),
                Column("recall@10", "number"),
                Column("coverage", "number"),
            ),
            tuple(
                (one.name, round(one.ndcg, 4), round(one.recall, 4), round(one.coverage, 3))
                for one in self.found.qualities
            ),
        )

    def _payload(self) -> dict[str, Any]:
        found = self.found
        return {
            "as_of": self.day.isoformat(),
            "horizon_days": found.horizon_days,
            "cutoffs": [day.isoformat() for day in self._cutoffs()],
            "people": found.people,
            "is_proven": found.is_proven,
            "gain": round(found.gain, 6),
            "gain_se": round(found.gain_se, 6) if isfinite(found.gain_se) else None,
            "weights": {
                "ease": found.mix.ease,
                "rising": found.mix.rising,
                "popularity": found.mix.popularity,
                "kindred": found.mix.kindred,
            },
            "rows": [
                {
                    "name": one.name,
                    "ndcg": round(one.ndcg, 6),
                    "recall": round(one.recall, 6),
                    "coverage": round(one.coverage, 6),
                }
                for one in found.qualities
            ],
        }


def evaluate(store: Store, *, now: datetime, timezone: str) -> Trial:
    """Try the recommendations on the past; raises Refused without any sale."""
    with store.reading() as connection:
        seen_from = vantage(connection, None, now, timezone)
        known = read_shelf(connection, seen_from.moment, now)
    return Trial(seen_from.day, backtest(known.catalogue, known.owned, known.looks))
