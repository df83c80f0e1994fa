"""Which span a moment lies in: the words of SQL that reports of months and days share.

`edges` are the moments between neighbouring spans: n + 1 of them for n spans, numbered from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, and_, case, literal
from sqlalchemy.sql.operators import custom_op

WIDE = timedelta(days=300)

Edges = Sequence[datetime]


def within(moment: ColumnElement[Any], edges: Edges) -> ColumnElement[bool]:
    """Say whether a moment lies in any of the spans.

    Most of a table is read faster in the order in which it is stored than row by row along the index
    of its moments. SQLite keeps no histogram and takes any range for a narrow one, so that a wide one
    is asked of no index.
    """
    if edges[-1] - edges[0] > WIDE:
        moment = unindexed(moment)
    return and_(moment >= edges[0], moment < edges[-1])


def unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column as a value that SQLite looks up in no index."""
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


def span_of(moment: ColumnElement[Any], edges: Edges) -> ColumnElement[int]:
    """Number the span of a moment that lies within the edges.

    The edges are halved time and again: six comparisons find one of forty months, not twenty.
    """
    return _halved(moment, edges, 0, len(edges) - 2).label("span")


def _halved(moment: ColumnElement[Any], edges: Edges, first: int, last: int) -> ColumnElement[int]:
    if first == last:
        return literal(first)
    middle = (first + last) // 2
    return case(
        (moment < edges[middle + 1], _halved(moment, edges, first, middle)),
        else_=_halved(moment, edges, middle + 1, last),
    )
