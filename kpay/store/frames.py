"""Rows of the store as DataFrames with declared columns: what the models read.

Instants are fetched as their text and parsed at once: one by one that takes longer than the query.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Executable, Text, func, literal, select, type_coerce, union_all

from kpay.domain.enums import OrderStatus
from kpay.models.catalog import Content
from kpay.models.sales import Entitlement, LineItem, Order
from kpay.store import evidence
from kpay.store.dialect import plain_rows, table_of

ORDERS = table_of(Order)
LINES = table_of(LineItem)
CONTENT = table_of(Content)
ENTITLEMENTS = table_of(Entitlement)

ORDER_LINES: Final = {
    "customer": "int64",
    "at": "datetime64[us, UTC]",
    "amount_minor": "int64",
    "currency": "str",
    "content": "str",
    "order": "int64",
}
MOMENT: Final = "datetime64[us, UTC"
LENGTH_OF_MOMENT: Final = len("2026-01-01T00:00:00")  # the Z after it is what numpy cannot read
HOLDINGS: Final = {"customer": "int64", "content": "str", "at": "datetime64[us, UTC]"}
MARKS: Final = {
    "customer": "int64",
    "at": "datetime64[us, UTC]",
    "kind": "str",
    "content": "str",
    "value": "float64",
}
WORDS: Final = {
    "customer": "int64",
    "at": "datetime64[us, UTC]",
    "content": "str",
    "stars": "float64",
    "text": "str",
}
SUBSCRIPTIONS: Final = {
    "customer": "int64",
    "content": "str",
    "started_at": "datetime64[us, UTC]",
    "trial_end_at": "datetime64[us, UTC]",
    "notice_at": "datetime64[us, UTC]",
    "ended_at": "datetime64[us, UTC]",
    "interval": "str",
    "interval_count": "int64",
    "amount_minor": "int64",
    "currency": "str",
}
PIECES: Final = {
    "content": "str",
    "text": "str",
    "kind": "str",
    "tags": "object",
    "amount_minor": "int64",
    "currency": "str",
    "published_at": "datetime64[us, UTC]",
    "archived_at": "datetime64[us, UTC]",
}
EDITS: Final = {"content": "str", "at": "datetime64[us, UTC]", "text": "str"}
POSSESSIONS: Final = {
    "customer": "int64",
    "content": "str",
    "first_at": "datetime64[us, UTC]",
    "last_at": "datetime64[us, UTC]",
}
PLACED: Final = {
    "customer": "int64",
    "at": "datetime64[us, UTC]",
    "amount_minor": "int64",
    "currency": "str",
    "content": "str",
    "order": "int64",
    "tax_minor": "int64",
    "country": "str",
}


def order_lines(connection: Connection, until: datetime) -> pd.DataFrame:
    """Return the lines of all paid orders before a moment, columns as in ORDER_LINES, oldest first.

    What was paid for an order stands on its first line and 0 on the others, so that discounts are
    counted once. `content` is the slug, else the product's name in the file it came from, else "".
    """
    query = (
        select(
            ORDERS.c.customer_id,
            type_coerce(ORDERS.c.ordered_at, Text),
            ORDERS.c.total_minor,
            ORDERS.c.currency,
            func.coalesce(CONTENT.c.slug, LINES.c.product, ""),
            ORDERS.c.id,
        )
        .select_from(ORDERS.outerjoin(LINES, LINES.c.order_id == ORDERS.c.id))
        .outerjoin(CONTENT, CONTENT.c.id == LINES.c.content_id)
        .where(
            ORDERS.c.status == OrderStatus.PAID.value,
            ORDERS.c.customer_id.is_not(None),
            ORDERS.c.ordered_at < until,
        )
        .order_by(ORDERS.c.ordered_at, ORDERS.c.id, LINES.c.position)
    )
    lines = _frame(connection, query, ORDER_LINES)
    lines.loc[lines.duplicated("order"), "amount_minor"] = 0
    return lines


def orders_placed(connection: Connection, until: datetime) -> pd.DataFrame:
    """Return the paid orders before a moment, a row each, columns as in PLACED, oldest first.

    `customer` is 0 for a guest whom nobody knows; `content` is "" throughout: what was bought is not
    looked at, which saves reading the lines.
    """
    query = (
        select(
            func.coalesce(ORDERS.c.customer_id, 0),
            type_coerce(ORDERS.c.ordered_at, Text),
            ORDERS.c.total_minor,
            ORDERS.c.currency,
            literal(""),
            ORDERS.c.id,
            ORDERS.c.tax_minor,
            func.coalesce(ORDERS.c.country, ""),
        )
        .where(ORDERS.c.status == OrderStatus.PAID.value, ORDERS.c.ordered_at < until)
        .order_by(ORDERS.c.id)
    )
    placed = _frame(connection, query, PLACED)
    return placed.sort_values(["at", "order"], ignore_index=True)


def holdings(connection: Connection, until: datetime) -> pd.DataFrame:
    """Return who has had which content, columns as in HOLDINGS: bought by a paid order, or granted.

    Content given back or expired is in it too: what somebody has had is not offered again.
    """
    both = _acquired(connection, until)
    return both.sort_values(["customer", "content", "at"]).drop_duplicates(["customer", "content"])


def possessions(connection: Connection, until: datetime) -> pd.DataFrame:
    """Return holdings with when each was first and last acquired, columns as in POSSESSIONS."""
    acquired = _acquired(connection, until).groupby(["customer", "content"])["at"]
    spans = acquired.agg(first_at="min", last_at="max").reset_index()
    return spans.astype(POSSESSIONS)


def _acquired(connection: Connection, until: datetime) -> pd.DataFrame:
    """Return every purchase and grant of content, columns as in HOLDINGS."""
    granted = (
        select(
            ENTITLEMENTS.c.customer_id,
            CONTENT.c.slug,
            type_coerce(ENTITLEMENTS.c.granted_at, Text),
        )
        .join(CONTENT, CONTENT.c.id == ENTITLEMENTS.c.content_id)
        .where(ENTITLEMENTS.c.granted_at < until)
    )
    bought = order_lines(connection, until)[["customer", "content", "at"]]
    return pd.concat([bought[bought["content"] != ""], _frame(connection, granted, HOLDINGS)])


def marks(connection: Connection, until: datetime) -> pd.DataFrame:
    """Return what customers did and what was done to them before a moment, columns as in MARKS.

    Mails of campaigns and sequences that were sent, refunds (their value is the share given back),
    events, joining and leaving the mailing list; ordered by customer and moment.
    """
    mails = _frame(connection, evidence.mails(until), {**MARKS, "campaign": "Int64"})
    abouts = evidence.abouts(connection)
    mails["content"] = [abouts.get(campaign, "") for campaign in mails.pop("campaign")]
    events = _frame(connection, evidence.events(until), MARKS)
    events["kind"] = events["kind"].map(evidence.KINDS_OF_EVENT)
    others = union_all(evidence.refunds(until), *evidence.comings_and_goings(until))
    every = pd.concat([mails, events, _frame(connection, others, MARKS)]).astype(MARKS)
    return every.sort_values(["customer", "at", "kind", "content"]).reset_index(drop=True)


def words(connection: Connection, until: datetime) -> pd.DataFrame:
    """Return the ratings and texts that customers left before a moment, columns as in WORDS."""
    return _frame(connection, evidence.words(until), WORDS)


def wishes(connection: Connection, until: datetime) -> pd.DataFrame:
    """Return the topics that customers asked for when they joined the list, columns as in WORDS."""
    return _framed(evidence.wishes(connection, until), WORDS)


def subscriptions(connection: Connection, until: datetime) -> pd.DataFrame:
    """Return the subscriptions that began before a moment, columns as in SUBSCRIPTIONS.

    NaT stands for a trial, a notice or an end that there has not been.
    """
    return _frame(connection, evidence.subscriptions(until), SUBSCRIPTIONS)


def pieces(connection: Connection, until: datetime) -> pd.DataFrame:
    """Return content published before a moment with its first text, columns as in PIECES."""
    return _framed(evidence.pieces(connection, until), PIECES)


def edits(connection: Connection, until: datetime) -> pd.DataFrame:
    """Return the texts that content was published anew with before a moment, columns as in EDITS."""
    return _framed(evidence.edits(connection, until), EDITS)


def _frame(connection: Connection, query: Executable, columns: dict[str, str]) -> pd.DataFrame:
    return _framed(plain_rows(connection, query), columns)


def _framed(rows: Iterable[Sequence[Any]], columns: dict[str, str]) -> pd.DataFrame:
    """Make a frame column by column: row by row takes as long as the query again."""
    cells = list(zip(*rows, strict=True)) or [() for _ in columns]
    return pd.DataFrame(
        {
            name: _moments(values) if kind.startswith(MOMENT) else pd.Series(values, dtype=kind)
            for (name, kind), values in zip(columns.items(), cells, strict=True)
        }
    ).astype(columns)


def _moments(texts: Sequence[str | None]) -> pd.Series[Any]:
    """Read instants as the store writes them; NaT for None."""
    known = ["NaT" if text is None else text for text in texts] if None in texts else texts
    without_zone = np.array(known, dtype=f"U{LENGTH_OF_MOMENT}").astype("datetime64[s]")
    return pd.Series(without_zone).dt.tz_localize("UTC")
