"""Subscriptions and their items, as the provider keeps them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from kpay.domain.checkout import RawObject
from kpay.domain.records_base import (
    content_of,
    created,
    customer_of,
    listed,
    moment,
    part,
)
from kpay.domain.records_catalog import read_price


class ItemRecord(NamedTuple):
    """One price of a subscription; `amount_minor` is for all of its quantity."""

    id: str
    price: str | None
    quantity: int
    amount_minor: int
    currency: str


class SubscriptionRecord(NamedTuple):
    """A recurring purchase; `amount_minor` is what one interval costs, all its items together."""

    id: str
    customer: str | None
    status: str
    content: str | None
    price: str | None
    product: str | None
    amount_minor: int
    currency: str
    interval: str
    interval_count: int
    quantity: int
    started_at: datetime
    trial_end_at: datetime | None
    period_start_at: datetime | None
    period_end_at: datetime | None
    is_ending: bool
    canceled_at: datetime | None
    ended_at: datetime | None
    cancel_reason: str | None
    pause_behavior: str | None
    resumes_at: datetime | None
    items: tuple[ItemRecord, ...]
    created_at: datetime
    belongs_to: None = None


def read_subscription(raw: RawObject) -> SubscriptionRecord:
    """Read a subscription; its period stands on the items since API 2025-03-31."""
    items = listed(raw.get("items"))
    item = items[0] if items else {}
    price = read_price(item.get("price") or item.get("plan") or raw.get("plan") or {"id": ""})
    currency = raw.get("currency") or price.currency
    parts = tuple(_read_item(each, currency) for each in items)
    single = 0 if items else (price.amount_minor or 0) * _quantity(raw)
    return SubscriptionRecord(
        id=raw["id"],
        customer=customer_of(raw),
        status=raw["status"],
        content=content_of(raw.get("metadata")),
        price=price.id or None,
        product=price.product or None,
        amount_minor=sum(one.amount_minor for one in parts) or single,
        currency=currency,
        interval=price.interval or "month",
        interval_count=price.interval_count,
        quantity=_quantity(item),
        started_at=moment(raw.get("start_date")) or created(raw),
        trial_end_at=moment(raw.get("trial_end")),
        period_start_at=moment(min(_told(items, "current_period_start", raw), default=None)),
        period_end_at=moment(max(_told(items, "current_period_end", raw), default=None)),
        is_ending=bool(raw.get("cancel_at_period_end") or raw.get("cancel_at")),
        canceled_at=moment(raw.get("canceled_at")),
        ended_at=moment(raw.get("ended_at")),
        cancel_reason=part(raw, "cancellation_details", "reason"),
        pause_behavior=part(raw, "pause_collection", "behavior"),
        resumes_at=moment(part(raw, "pause_collection", "resumes_at")),
        items=parts,
        created_at=created(raw),
    )


def _told(items: list[RawObject], name: str, raw: RawObject) -> list[int]:
    """Return the moments that the items tell, or the subscription itself."""
    told = [item.get(name) for item in (*items, raw)]
    return [moment for moment in told if moment]


def _read_item(item: RawObject, currency: str) -> ItemRecord:
    """Read an item; a `plan` stood in the place of its price."""
    raw = item.get("price") or item.get("plan") or {"id": ""}
    return ItemRecord(
        id=item.get("id") or "",
        price=raw["id"] or None,
        quantity=_quantity(item),
        amount_minor=_recurring_minor(raw, currency) * _quantity(item),
        currency=currency,
    )


def _recurring_minor(raw: RawObject, currency: str) -> int:
    """Return what a price costs each interval; what is metered is known only when it was used."""
    usage = part(raw, "recurring", "usage_type") or raw.get("usage_type")
    if usage == "metered":
        return 0
    if raw.get("currency", currency) != currency:
        return part(raw, "currency_options", currency, "unit_amount") or 0
    return read_price(raw).amount_minor or 0


def _quantity(item: RawObject) -> int:
    quantity = item.get("quantity")
    return 1 if quantity is None else int(quantity)
