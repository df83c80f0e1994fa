"""From frames of the store to the history that the models read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from kpay.ml.frames import Frame, Ints, days_from, purchases
from kpay.ml.history import OPEN, Edit, History, Marks, Pieces, Spans, Words

DAYS_OF: Final = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}


@dataclass(frozen=True, slots=True)
class Frames:
    """What is read from the store; columns as `kpay.store.frames` declares them, moments in UTC."""

    orders: Frame
    marks: Frame
    words: Frame
    wishes: Frame
    subscriptions: Frame
    pieces: Frame
    edits: Frame


def gather(read: Frames, as_of: datetime) -> History:
    """Return the history of everybody who bought before `as_of`.

    What is known of people who never bought is left out. Pieces are the content of the shelf and every
    other product that was sold; one that was sold before it was published here was there already.
    """
    orders = read.orders[read.orders["at"] < as_of]
    known = purchases(orders, as_of)
    places = _Places(known.customer_ids, known.currencies, as_of)
    shelf = _shelf(read, orders, places)
    piece = {slug: place for place, slug in enumerate(shelf.slug)}
    sold = orders[orders["content"] != ""].assign(value=1.0)
    kinds = read.marks.groupby("kind", sort=True)
    marks = {str(kind): places.marks(rows, piece) for kind, rows in kinds}
    rated = read.words[read.words["stars"].notna()]
    if len(rated):
        marks["review"] = places.marks(rated.rename(columns={"stars": "value"}), piece)
    return History(
        purchases=known,
        bought=places.marks(sold, piece),
        marks={kind: found for kind, found in marks.items() if len(found)},
        words=places.words(read.words[read.words["text"] != ""], piece),
        wishes=places.words(read.wishes, piece),
        spans=places.spans(read.subscriptions, piece),
        pieces=shelf,
    )


@dataclass(frozen=True, slots=True)
class _Places:
    """Where customers and currencies stand, and from which moment days count."""

    customer_ids: Ints
    currencies: tuple[str, ...]
    as_of: datetime

    def rows(self, frame: Frame, *columns: str) -> Frame:
        """Return the rows of known customers with their `customer` place and `day`, in order."""
        place = np.searchsorted(self.customer_ids, frame["customer"].to_numpy(np.int64))
        inside = np.minimum(place, max(len(self.customer_ids) - 1, 0))
        if not len(self.customer_ids):
            return frame.assign(day=0).iloc[:0]
        is_known = self.customer_ids[inside] == frame["customer"].to_numpy(np.int64)
        at = columns[0] if columns else "at"
        day = self.days(frame[at])
        kept = frame.assign(customer=inside, day=day)[is_known & (day < 0)]
        return kept.sort_values(["customer", "day"], kind="stable")

    def days(self, at: pd.Series[Any]) -> Ints:
        """Return the day of each moment, OPEN where there is none or it is still to come."""
        day = np.full(len(at), OPEN, dtype=np.int64)
        is_there = at.notna().to_numpy(bool)
        day[is_there] = days_from(at[is_there], self.as_of)
        return np.where(day < 0, day, OPEN)

    def currency(self, codes: pd.Series[Any]) -> Ints:
        """Return the place of each currency, -1 for one that nobody has paid in."""
        return _placed(codes, {code: place for place, code in enumerate(self.currencies)})

    def marks(self, frame: Frame, piece: Mapping[str, int]) -> Marks:
        """Return rows with `value` as marks."""
        rows = self.rows(frame)
        return Marks(
            rows["customer"].to_numpy(np.int64),
            rows["day"].to_numpy(np.int64),
            _placed(rows["content"], piece),
            rows["value"].to_numpy(float),
        )

    def words(self, frame: Frame, piece: Mapping[str, int]) -> Words:
        """Return rows with `stars` and `text` as words."""
        rows = self.rows(frame)
        return Words(
            rows["customer"].to_numpy(np.int64),
            rows["day"].to_numpy(np.int64),
            _placed(rows["content"], piece),
            rows["stars"].to_numpy(float),
            tuple(rows["text"]),
        )

    def spans(self, frame: Frame, piece: Mapping[str, int]) -> Spans:
        """Return subscriptions as spans."""
        rows = self.rows(frame, "started_at")
        start = rows["day"].to_numpy(np.int64)
        has_trial = rows["trial_end_at"].notna().to_numpy(bool)
        # A trial's end is settled when it begins, so it is known although it may lie ahead.
        trial_end = start.copy()
        trial_end[has_trial] = days_from(rows["trial_end_at"][has_trial], self.as_of)
        periods = rows["interval_count"].to_numpy(float)
        return Spans(
            customer=rows["customer"].to_numpy(np.int64),
            content=_placed(rows["content"], piece),
            start=start,
            trial_end=np.maximum(trial_end, start),
            notice=self.days(rows["notice_at"]),
            end=self.days(rows["ended_at"]),
            interval_days=rows["interval"].map(DAYS_OF).to_numpy(float) * periods,
            amount_minor=rows["amount_minor"].to_numpy(np.int64),
            currency=self.currency(rows["currency"]),
        )


def _placed(names: pd.Series[Any], place: Mapping[str, int]) -> Ints:
    codes, uniques = pd.factorize(names)
    placed = np.array([place.get(str(name), -1) for name in uniques], dtype=np.int64)
    return placed[codes] if len(codes) else np.zeros(0, dtype=np.int64)


def _shelf(read: Frames, orders: Frame, places: _Places) -> Pieces:
    """Return the pieces in the order in which they came, so that a new one moves no other."""
    sold = orders[orders["content"] != ""].groupby("content")["at"]
    days = {
        "sold": pd.Series(places.days(sold.min()), index=sold.min().index),
        "published": pd.Series(
            places.days(read.pieces["published_at"]), index=read.pieces["content"]
        ),
    }
    first = pd.DataFrame(days).min(axis=1).rename_axis("content").rename("first_day")
    rows = first.reset_index().merge(read.pieces, on="content", how="left")
    rows = rows[rows["first_day"] < 0].sort_values(["first_day", "content"])
    slugs = tuple(rows["content"])
    is_shown = rows["kind"].notna()
    return Pieces(
        slug=slugs,
        text=tuple(rows["text"].where(is_shown, rows["content"])),
        kind=tuple(rows["kind"].fillna("")),
        tags=tuple(tuple(tags) if isinstance(tags, tuple) else () for tags in rows["tags"]),
        price_minor=rows["amount_minor"].fillna(0).to_numpy(np.int64),
        currency=places.currency(rows["currency"].fillna("")),
        first_day=rows["first_day"].to_numpy(np.int64),
        last_day=places.days(rows["archived_at"]),
        edits=_edits(read.edits, {slug: at for at, slug in enumerate(slugs)}, places),
    )


def _edits(frame: Frame, piece: Mapping[str, int], places: _Places) -> tuple[Edit, ...]:
    days = places.days(frame["at"])
    found = zip(frame["content"], days, frame["text"], strict=True)
    return tuple(
        Edit(int(day), piece[slug], text) for slug, day, text in found if slug in piece and day < 0
    )
