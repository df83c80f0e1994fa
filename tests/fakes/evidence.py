"""Frames of the store made from a few plain rows, for the tests of what models may know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from kpay.ml.gathering import Frames
from kpay.store import frames

START = datetime(2025, 1, 1, tzinfo=UTC)
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Evidence:
    """Rows in the order of the store's columns; every moment is a number of days after START."""

    orders: Sequence[Row] = ()  # customer, day, minor units, currency, slug
    marks: Sequence[Row] = ()  # customer, day, kind, slug, value
    words: Sequence[Row] = ()  # customer, day, slug, stars, text
    wishes: Sequence[Row] = ()
    subscriptions: Sequence[Row] = ()  # customer, slug, start, trial end, notice, end
    pieces: Sequence[Row] = ()  # slug, text, kind, tags, minor units, currency, published, archived
    edits: Sequence[Row] = field(default=())  # slug, day, text

    def frames(self) -> Frames:
        """Return the frames that a store with these rows would give."""
        numbered = [(*row, at) for at, row in enumerate(self.orders)]
        monthly = [(*row, "month", 1, 900, "usd") for row in self.subscriptions]
        return Frames(
            orders=_frame(numbered, frames.ORDER_LINES),
            marks=_frame(self.marks, frames.MARKS),
            words=_frame(self.words, frames.WORDS),
            wishes=_frame(self.wishes, frames.WORDS),
            subscriptions=_frame(monthly, frames.SUBSCRIPTIONS),
            pieces=_frame(self.pieces, frames.PIECES),
            edits=_frame(self.edits, frames.EDITS),
        )


def _frame(rows: Sequence[Row], columns: dict[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame.from_records(list(rows), columns=list(columns))
    for name, kind in columns.items():
        if kind.startswith("datetime64"):
            days = pd.to_timedelta(frame[name].astype("float64"), unit="D")
            frame[name] = pd.Timestamp(START) + days.dt.round("s")
    return frame.astype(columns)
