"""A shop's books, written straight into a real store: the rows that sync and import would leave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlmodel import SQLModel

from kpay.models.billing import BalanceTransaction, Invoice, Subscription, SubscriptionPhase
from kpay.models.people import Customer, Subscriber
from kpay.models.sales import Dispute, LineItem, Order, Refund
from kpay.store.dialect import table_of
from kpay.store.engine import Store, create_file
from kpay.store.upgrade import upgrade

ACCOUNT = "acct_1"
MADE_AT = datetime(2020, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    """A moment: "2026-01-31", or "2026-01-31T23:30"."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@contextmanager
def open_books(folder: Path) -> Iterator[Books]:
    """Books in a fresh store, or in the store of a business's folder."""
    path = folder / "kpay.db"
    create_file(path)
    upgrade(path, folder / "backups")
    store = Store(path)
    yield Books(store)
    store.close()


class Books:
    """Writes one thing that happened at a time."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.count = 0

    def put(self, model: type[SQLModel], **values: Any) -> int:
        """Insert a row and return its id."""
        self.count += 1
        with self.store.writing() as connection:
            made = connection.execute(insert(table_of(model)).values(**values))
        key = made.inserted_primary_key
        return key[0] if key and isinstance(key[0], int) else 0

    def customer(self, email: str) -> int:
        return self.put(Customer, email=email, name="", tags=[], created_at=MADE_AT)

    def subscriber(self, email: str, joined: str, *, left: str | None = None) -> int:
        return self.put(
            Subscriber,
            email=email,
            name="",
            status="unsubscribed" if left else "subscribed",
            consent_source="form",
            consented_at=at(joined),
            unsubscribed_at=at(left) if left else None,
            tags=[],
            created_at=at(joined),
        )

    def order(
        self,
        when: str,
        gross: int,
        *,
        customer: int | None = None,
        currency: str = "usd",
        discount: int = 0,
        tax: int = 0,
        source: str = "import",
        fee: int | None = None,
        status: str = "paid",
        kind: str = "one_time",
        country: str | None = None,
        products: tuple[str, ...] = ("course",),
    ) -> int:
        """A sale; with a `fee` it came through Stripe and stands on the balance too."""
        number = self.count + 1
        is_stripe = source == "stripe" or fee is not None
        charge = f"ch_{number}" if is_stripe else None
        order = self.put(
            Order,
            source="stripe" if is_stripe else source,
            account=ACCOUNT if is_stripe else "",
            livemode=False,
            external_id=charge or f"order-{number}",
            customer_id=customer,
            ordered_at=at(when),
            currency=currency,
            gross_minor=gross,
            discount_minor=discount,
            tax_minor=tax,
            total_minor=gross - discount,
            status=status,
            kind=kind,
            country=country,
            charge_id=charge,
            tracking={},
        )
        for position, product in enumerate(products):
            self.put(
                LineItem,
                order_id=order,
                position=position,
                product=product,
                name=product.title(),
                quantity=1,
                amount_minor=gross // len(products),
            )
        if fee is not None:
            self.booked(when, "charge", gross - discount, fee, source=charge, currency=currency)
        return order

    def booked(
        self,
        when: str,
        kind: str,
        amount: int,
        fee: int = 0,
        *,
        source: str | None = None,
        currency: str = "usd",
        rate: str | None = None,
    ) -> int:
        return self.put(
            BalanceTransaction,
            account=ACCOUNT,
            livemode=False,
            external_id=f"txn_{self.count + 1}",
            kind=kind,
            amount_minor=amount,
            fee_minor=fee,
            net_minor=amount - fee,
            currency=currency,
            source_external_id=source,
            status="available",
            exchange_rate=rate,
            created_at=at(when),
        )

    def refund(
        self,
        when: str,
        amount: int,
        *,
        order: int | None = None,
        status: str = "succeeded",
        currency: str = "usd",
        is_booked: bool = False,
    ) -> None:
        refund = f"re_{self.count + 1}"
        self.put(
            Refund,
            source="stripe",
            account=ACCOUNT,
            livemode=False,
            external_id=refund,
            order_id=order,
            amount_minor=amount,
            currency=currency,
            status=status,
            refunded_at=at(when),
        )
        if is_booked:
            self.booked(when, "refund", -amount, source=refund, currency=currency)

    def dispute(
        self, when: str, amount: int, *, status: str = "lost", currency: str = "usd"
    ) -> str:
        dispute = f"du_{self.count + 1}"
        self.put(
            Dispute,
            account=ACCOUNT,
            livemode=False,
            external_id=dispute,
            amount_minor=amount,
            currency=currency,
            status=status,
            opened_at=at(when),
        )
        return dispute

    def subscription(
        self,
        customer: int,
        start: str,
        amount: int,
        *,
        currency: str = "usd",
        interval: str = "month",
        status: str = "active",
        interval_count: int = 1,
        trial_end: str | None = None,
        canceled: str | None = None,
        ended: str | None = None,
        reason: str | None = None,
        phases: tuple[tuple[str, int] | tuple[str, int, int], ...] = (),
    ) -> str:
        """Begin a subscription; a phase is since when, how much, and what of it a coupon takes that ends."""
        name = f"sub_{self.count + 1}"
        self.put(
            Subscription,
            account=ACCOUNT,
            livemode=False,
            external_id=name,
            customer_id=customer,
            status=status,
            amount_minor=amount,
            currency=currency,
            interval=interval,
            interval_count=interval_count,
            quantity=1,
            started_at=at(start),
            trial_end_at=at(trial_end) if trial_end else None,
            is_ending=bool(canceled) and not ended,
            canceled_at=at(canceled) if canceled else None,
            ended_at=at(ended) if ended else None,
            cancel_reason=reason,
        )
        for since, price, *ending in phases:
            self.put(
                SubscriptionPhase,
                account=ACCOUNT,
                livemode=False,
                subscription_external_id=name,
                invoice_external_id=f"in_{self.count + 1}",
                starts_at=at(since),
                amount_minor=price,
                interval=interval,
                interval_count=interval_count,
                ending_discount_minor=sum(ending),
            )
        return name

    def bill(self, subscription: str, when: str, *, paid: str | None, status: str) -> None:
        self.put(
            Invoice,
            account=ACCOUNT,
            livemode=False,
            external_id=f"in_{self.count + 1}",
            subscription_external_id=subscription,
            status=status,
            currency="usd",
            subtotal_minor=1000,
            total_minor=1000,
            created_at=at(when),
            paid_at=at(paid) if paid else None,
        )
