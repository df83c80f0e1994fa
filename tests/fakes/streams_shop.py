"""A shop of single sales and memberships, written into a real store day by day, and its ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
from sqlalchemy import insert

from kpay.ml.streams.launches import Occasion
from kpay.ml.streams.ledger import Ledger
from kpay.ml.streams.members import NEVER, Members
from kpay.ml.streams.returns import Refunds
from kpay.models.billing import Invoice, Subscription
from kpay.models.catalog import Content
from kpay.models.sales import Order, Refund
from kpay.store.dialect import table_of
from kpay.store.engine import Store

FIRST = date(2026, 1, 5)  # a Monday
ACCOUNT = "acct_streams"
WEEK = np.array([1.0, 0.8, 0.8, 0.9, 1.2, 1.8, 1.5])


def moment(day: int, hour: int = 12) -> datetime:
    """Return a moment of a day of the shop; day 0 is FIRST."""
    return datetime(FIRST.year, FIRST.month, FIRST.day, hour, tzinfo=UTC) + timedelta(days=day)


def put_orders(
    store: Store, amounts: list[tuple[int, int]], *, currency: str = "usd", kind: str = "one_time",
    name: str = "o",
) -> None:  # fmt: skip
    """Write paid orders: (day, amount)."""
    rows = [
        {
            "source": "import", "account": "", "livemode": False, "currency": currency,
            "external_id": f"{name}-{kind}-{currency}-{number}", "ordered_at": moment(day),
            "gross_minor": amount, "discount_minor": 0, "tax_minor": 0, "total_minor": amount,
            "status": "paid", "kind": kind, "tracking": {},
        }
        for number, (day, amount) in enumerate(amounts)
    ]  # fmt: skip
    with store.writing() as connection:
        connection.execute(insert(table_of(Order)), rows)


def put_refund(store: Store, day: int, amount: int, *, sale: int = 1) -> None:
    """Write a refund of an order by its row."""
    with store.writing() as connection:
        connection.execute(
            insert(table_of(Refund)).values(
                source="import", account="", livemode=False, external_id=f"re-{day}-{amount}",
                order_id=sale, amount_minor=amount, currency="usd", status="succeeded",
                refunded_at=moment(day),
            )
        )  # fmt: skip


def put_member(
    store: Store, name: str, start: int, *, amount: int = 1000, interval: str = "month",
    trial_days: int = 0, asked_to_leave: int | None = None, ended: int | None = None,
    billed: int | None = None, bill_status: str = "paid", status: str = "active",
) -> None:  # fmt: skip
    """Write a subscription, and its newest bill where there is one."""
    with store.writing() as connection:
        connection.execute(
            insert(table_of(Subscription)).values(
                account=ACCOUNT, livemode=False, external_id=name, status=status,
                amount_minor=amount, currency="usd", interval=interval, interval_count=1,
                quantity=1, started_at=moment(start), is_ending=asked_to_leave is not None,
                trial_end_at=moment(start + trial_days) if trial_days else None,
                canceled_at=None if asked_to_leave is None else moment(asked_to_leave),
                ended_at=None if ended is None else moment(ended),
            )
        )  # fmt: skip
        if billed is not None:
            connection.execute(
                insert(table_of(Invoice)).values(
                    account=ACCOUNT, livemode=False, external_id=f"in-{name}-{billed}",
                    subscription_external_id=name, status=bill_status, currency="usd",
                    billing_reason="subscription_cycle", subtotal_minor=amount,
                    total_minor=amount, created_at=moment(billed),
                    paid_at=moment(billed) if bill_status == "paid" else None,
                )
            )  # fmt: skip


def put_piece(store: Store, slug: str, known_since: int, published: int, status: str) -> None:
    """Write a paid piece of content that comes out on a day."""
    with store.writing() as connection:
        connection.execute(
            insert(table_of(Content)).values(
                slug=slug, kind="ebook", title=slug, summary="", language="en", tags=[],
                includes=[], pricing="fixed", amount_minor=1900, currency="usd", trial_days=0,
                status=status, version=1, digest=slug, file=f"content/{slug}.md", attachments=[],
                published_at=moment(published, 0), created_at=moment(known_since),
            )
        )  # fmt: skip


def single_sales(days: int, seed: int = 1, a_day: float = 4.0) -> list[tuple[int, int]]:
    """Draw orders of 1,900 on a weekday pattern."""
    luck = np.random.default_rng(seed)
    counts = luck.poisson(a_day * np.resize(WEEK, days))
    return [(day, 1900) for day, count in enumerate(counts.tolist()) for _ in range(count)]


def members(
    began: list[int], *, ended: dict[int, int] | None = None, noticed: dict[int, int] | None = None,
    months: int = 1, amount: float = 1000.0, trial_days: int = 0,
) -> Members:  # fmt: skip
    """Return subscriptions by the days on which they began; others by their place in that list."""
    count = len(began)
    starts = np.array(began, dtype=np.int64)
    ends, asked = (np.full(count, NEVER) for _ in range(2))
    for place, day in (ended or {}).items():
        ends[place] = day
    for place, day in (noticed or {}).items():
        asked[place] = day
    return Members(
        starts, starts + trial_days, starts + trial_days, np.full(count, months),
        np.zeros(count, dtype=np.int64), np.full(count, amount), np.zeros(count),
        np.full(count, NEVER), asked, ends, np.zeros(count, dtype=bool),
        np.zeros(count, dtype=bool),
    )  # fmt: skip


def ledger(
    single: np.ndarray, *, subscribed: np.ndarray | None = None, who: Members | None = None,
    occasions: tuple[Occasion, ...] = (), refunds: Refunds | None = None,
) -> Ledger:  # fmt: skip
    """Return a ledger of given days."""
    nothing = np.zeros(0, dtype=np.int64)
    return Ledger(
        FIRST,
        single.astype(float),
        np.zeros(len(single)) if subscribed is None else subscribed.astype(float),
        refunds or Refunds(nothing, nothing, np.zeros(0)),
        members([]) if who is None else who,
        occasions,
    )
