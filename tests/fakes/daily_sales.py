"""Many single sales at once, put into a store in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import chain, repeat
from typing import Any

from sqlalchemy import insert, select

from kpay.models import LineItem, Order
from kpay.store.dialect import table_of
from kpay.store.engine import Store


def add_sales(
    store: Store,
    moments: Iterable[datetime],
    amount: int,
    *,
    emails: Iterable[str | None] = (),
    content_id: int | None = None,
    **columns: Any,
) -> None:
    """Add a paid order of `amount` at each moment, to the emails in turn; with a line of a piece."""
    usual = {
        "source": "import",
        "account": "",
        "livemode": False,
        "currency": "usd",
        "gross_minor": amount,
        "discount_minor": 0,
        "tax_minor": 0,
        "total_minor": amount,
        "status": "paid",
        "kind": "one_time",
        "tracking": {},
    }
    orders, lines = table_of(Order), table_of(LineItem)
    mark = f"{content_id}-{amount}-{columns}"
    buyers = chain(emails, repeat(None))
    rows = [
        {
            **usual,
            "external_id": f"{mark}-{number}-{at}",
            "ordered_at": at,
            "email": email,
            **columns,
        }
        for number, (at, email) in enumerate(zip(moments, buyers, strict=False))
    ]
    with store.writing() as connection:
        connection.execute(insert(orders), rows)
        if content_id is not None:
            made = select(orders.c.id).where(orders.c.external_id.startswith(mark))
            line = {"position": 0, "content_id": content_id, "quantity": 1, "amount_minor": amount}
            sold = [{**line, "order_id": order} for order in connection.scalars(made)]
            connection.execute(insert(lines), sold)
