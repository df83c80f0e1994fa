"""Refunds that were asked for: kept before the provider is asked, answered afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from kpay.models import RefundRequest
from kpay.store.dialect import table_of

_requests = table_of(RefundRequest)


def unanswered(connection: Connection, order_id: int) -> Any:
    """Return the request of an order that has no answer yet, or None."""
    query = select(_requests).where(
        _requests.c.order_id == order_id, _requests.c.answered_at.is_(None)
    )
    return connection.execute(query.order_by(_requests.c.id)).first()


def add(connection: Connection, request: Mapping[str, Any]) -> int:
    """Keep a request; return its number."""
    made = connection.execute(insert(_requests).values(**request)).inserted_primary_key
    return int(made[0]) if made else 0


def found(connection: Connection, number: int) -> Any:
    """Return a request."""
    return connection.execute(select(_requests).where(_requests.c.id == number)).one()


def answer(
    connection: Connection,
    number: int,
    *,
    at: datetime,
    refund: str | None = None,
    refusal: str | None = None,
) -> bool:
    """Note the answer to a request; say whether it was news."""
    statement = (
        update(_requests)
        .where(_requests.c.id == number, _requests.c.answered_at.is_(None))
        .values(answered_at=at, refund_external_id=refund, refusal=refusal)
    )
    return bool(connection.execute(statement).rowcount)
