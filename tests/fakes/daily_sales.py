"""Many single sales at once, put into a store in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from kpay.models import Order
from kpay.store.dialect import table_of
from kpay.store.engine import Store


def add_sales(store: Store, moments: Iterable[datetime], amount: int, **columns: Any) -> None:
    """Add a paid order of `amount` at each moment."""
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
    rows = [
        {**usual, "external_id": f"daily-{number}-{at:%Y%m%d}", "ordered_at": at, **columns}
        for number, at in enumerate(moments)
    ]
    with store.writing() as connection:
        connection.execute(insert(table_of(Order)), rows)
