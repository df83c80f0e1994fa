"""Which groups customers are in: one row a customer, as of the last day they were told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, func, select

from kpay.models.learning import CustomerGroup
from kpay.store.dialect import among, table_of, upsert_rows

GROUP = table_of(CustomerGroup)


def keep(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Keep these groups and no others; return how many customers' rows were written or removed."""
    gone = GROUP.c.customer_id.not_in(select(GROUP.c.customer_id).where(_is_one_of(rows)))
    removed = connection.execute(delete(GROUP).where(gone)).rowcount
    return removed + upsert_rows(connection, CustomerGroup, rows, key=["customer_id"])


def _is_one_of(rows: Sequence[Mapping[str, Any]]) -> Any:
    return among(GROUP.c.customer_id, [row["customer_id"] for row in rows])


def kept_as_of(connection: Connection) -> date | None:
    """Return the day of the kept groups, or None before there are any."""
    found: date | None = connection.execute(select(func.max(GROUP.c.as_of))).scalar()
    return found


def behaviours(connection: Connection) -> list[str]:
    """Return the names of the ways of buying that customers were told apart by."""
    query = select(GROUP.c.behaviour).distinct().where(GROUP.c.behaviour != "")
    return list(connection.execute(query.order_by(GROUP.c.behaviour)).scalars())
