"""A lived world written into a real store, so that the whole way from rows to a forecast is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import insert

from kpay.ml.streams.ledger import Ledger
from kpay.ml.streams.members import NEVER
from kpay.models.billing import Subscription
from kpay.models.sales import Order, Refund
from kpay.services.forecasting.answering import Questions, forecast_and_answer
from kpay.services.forecasting.result import Forecast
from kpay.services.forecasting.revenue import Wish
from kpay.services.forecasting.series import Asked
from kpay.store.dialect import table_of
from kpay.store.engine import Store
from tests.fakes.stores import new_store


def forecast_from_store(ledger: Ledger, folder: Path, days_ahead: int) -> Forecast:
    """Write a ledger's rows, later ones too, and forecast from its day as `kpay forecast` does."""
    store = new_store(folder)
    try:
        _write(store, ledger)
        last = ledger.first_day + timedelta(days=ledger.days - 1)
        wish = Wish(last.isoformat(), None, "usd", datetime(2027, 1, 1, tzinfo=UTC), "UTC")
        asked = Asked(days_ahead, None, (80, 95))
        return forecast_and_answer(store, asked, wish, Questions())
    finally:
        store.close()


def _write(store: Store, ledger: Ledger) -> None:
    first = datetime.combine(ledger.first_day, datetime.min.time(), UTC) + timedelta(hours=12)
    orders = [
        _order(first, int(day), round(float(values[day])), kind)
        for kind, values in (("one_time", ledger.single), ("renewal", ledger.subscribed))
        for day in np.flatnonzero(values)
    ]
    with store.writing() as connection:
        connection.execute(insert(table_of(Order)), orders)
        numbers = {
            row.external_id: row.id
            for row in connection.execute(
                table_of(Order)
                .select()
                .with_only_columns(table_of(Order).c.id, table_of(Order).c.external_id)
            )
        }
        refunds = [
            {
                "source": "import", "account": "", "livemode": False, "external_id": f"re-{at}",
                "order_id": numbers.get(f"one_time-{sold}") or numbers.get(f"renewal-{sold}"),
                "amount_minor": round(amount), "currency": "usd", "status": "succeeded",
                "refunded_at": first + timedelta(days=given),
            }
            for at, (sold, given, amount) in enumerate(
                zip(
                    ledger.refunds.sold.tolist(), ledger.refunds.given_back.tolist(),
                    ledger.refunds.amount.tolist(), strict=True,
                )
            )
        ]  # fmt: skip
        if refunds:
            connection.execute(insert(table_of(Refund)), refunds)
        members = [_member(first, ledger, at) for at in range(len(ledger.members.began))]
        if members:
            connection.execute(insert(table_of(Subscription)), members)


def _order(first: datetime, day: int, amount: int, kind: str) -> dict[str, object]:
    return {
        "source": "import", "account": "", "livemode": False, "external_id": f"{kind}-{day}",
        "ordered_at": first + timedelta(days=day), "currency": "usd", "gross_minor": amount,
        "discount_minor": 0, "tax_minor": 0, "total_minor": amount, "status": "paid",
        "kind": kind, "tracking": {},
    }  # fmt: skip


def _member(first: datetime, ledger: Ledger, at: int) -> dict[str, object]:
    members = ledger.members

    def moment(day: int) -> datetime | None:
        return None if day >= NEVER else first + timedelta(days=day)

    began, pays_from = int(members.began[at]), int(members.pays_from[at])
    return {
        "account": "acct_bench", "livemode": False, "external_id": f"sub-{at}", "status": "active",
        "amount_minor": int(members.amount[at]), "currency": "usd",
        "interval": "month" if members.months[at] == 1 else "year", "interval_count": 1,
        "quantity": 1, "started_at": moment(began), "is_ending": False,
        "trial_end_at": moment(pays_from) if pays_from > began else None,
        "canceled_at": moment(int(members.noticed[at])), "ended_at": moment(int(members.ended[at])),
    }  # fmt: skip
