"""Sales as the provider keeps them: payments and checkouts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from kpay.domain.checkout import RawObject
from kpay.domain.records_base import (
    content_of,
    created,
    customer_of,
    id_of,
    listed,
    part,
    total,
)


class ChargeRecord(NamedTuple):
    """One attempt to take money; `is_sale` when it succeeded and was captured.

    `amount_minor` is what was taken, `asked_minor` what was asked: a capture may take less.
    """

    id: str
    payment_intent: str | None
    invoice: str | None
    customer: str | None
    balance_transaction: str | None
    asked_minor: int
    amount_minor: int
    refunded_minor: int
    currency: str
    status: str
    is_sale: bool
    failure_code: str | None
    payment_method: str | None
    email: str | None
    name: str
    country: str | None
    content: str | None
    description: str
    created_at: datetime

    @property
    def belongs_to(self) -> str | None:
        """The payment that this is an attempt of."""
        return self.payment_intent


def read_charge(raw: RawObject) -> ChargeRecord:
    """Read a charge; `invoice` stood on it until API 2025-03-31.

    Every way to pay tells of the buyer under its own name: a wallet's address stands there alone.
    """
    billing = raw.get("billing_details") or {}
    method = part(raw, "payment_method_details", "type")
    details = part(raw, "payment_method_details", method or "") or {}
    captured = raw.get("captured", True) or bool(raw.get("amount_captured"))
    amount = raw.get("amount_captured") if captured else None
    return ChargeRecord(
        id=raw["id"],
        payment_intent=id_of(raw.get("payment_intent")),
        invoice=id_of(raw.get("invoice")),
        customer=customer_of(raw),
        balance_transaction=id_of(raw.get("balance_transaction")),
        asked_minor=raw["amount"],
        amount_minor=raw["amount"] if amount is None else amount,
        refunded_minor=raw.get("amount_refunded") or 0,
        currency=raw["currency"],
        status=raw.get("status") or "succeeded",
        is_sale=raw.get("status") == "succeeded" and bool(captured),
        failure_code=raw.get("failure_code"),
        payment_method=method or part(raw, "source", "object"),
        email=raw.get("receipt_email") or billing.get("email") or details.get("payer_email"),
        name=billing.get("name") or details.get("payer_name") or "",
        country=part(billing, "address", "country") or details.get("country"),
        content=content_of(raw.get("metadata")),
        description=raw.get("description") or "",
        created_at=created(raw),
    )


class PaymentRecord(NamedTuple):
    """A payment intent: what ties a charge to its checkout."""

    id: str
    customer: str | None
    amount_minor: int
    currency: str
    status: str
    content: str | None
    created_at: datetime
    belongs_to: None = None


def read_payment(raw: RawObject) -> PaymentRecord:
    """Read a payment intent."""
    return PaymentRecord(
        id=raw["id"],
        customer=customer_of(raw),
        amount_minor=raw["amount"],
        currency=raw["currency"],
        status=raw.get("status") or "succeeded",
        content=content_of(raw.get("metadata")),
        created_at=created(raw),
    )


class LineRecord(NamedTuple):
    """One position; `gross_minor` is before its discount and with its tax."""

    price: str | None
    product: str | None
    name: str
    quantity: int
    gross_minor: int


class SessionRecord(NamedTuple):
    """A checkout: what the buyer chose, who the buyer is, what was taken off and added."""

    id: str
    mode: str
    status: str | None
    payment_status: str | None
    payment_intent: str | None
    invoice: str | None
    subscription: str | None
    customer: str | None
    payment_link: str | None
    currency: str | None
    email: str | None
    name: str
    country: str | None
    total_minor: int
    discount_minor: int
    tax_minor: int
    content: str | None
    reference: str | None
    tracking: dict[str, Any]
    lines: tuple[LineRecord, ...]
    created_at: datetime

    @property
    def belongs_to(self) -> str | None:
        """What the checkout led to: a payment, else an invoice, else a subscription."""
        return self.payment_intent or self.invoice or self.subscription


def read_session(raw: RawObject) -> SessionRecord:
    """Read a checkout session."""
    buyer = raw.get("customer_details") or {}
    metadata = raw.get("metadata") or {}
    return SessionRecord(
        id=raw["id"],
        mode=raw.get("mode") or "payment",
        status=raw.get("status"),
        payment_status=raw.get("payment_status"),
        payment_intent=id_of(raw.get("payment_intent")),
        invoice=id_of(raw.get("invoice")),
        subscription=id_of(raw.get("subscription")),
        customer=customer_of(raw),
        payment_link=id_of(raw.get("payment_link")),
        currency=raw.get("currency"),
        email=buyer.get("email") or raw.get("customer_email"),
        name=buyer.get("name") or "",
        country=part(buyer, "address", "country"),
        total_minor=raw.get("amount_total") or 0,
        discount_minor=part(raw, "total_details", "amount_discount") or 0,
        tax_minor=part(raw, "total_details", "amount_tax") or 0,
        content=content_of(metadata),
        reference=raw.get("client_reference_id") or None,
        tracking=_tracking(metadata) or _tracking(_query(raw.get("success_url"))),
        lines=tuple(_read_line(item) for item in listed(raw.get("line_items"))),
        created_at=created(raw),
    )


def _tracking(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name.startswith("utm_")}


def _query(address: str | None) -> dict[str, str]:
    """Return what the address says to which a buyer returns; a payment link passes its tags there."""
    return dict(parse_qsl(urlsplit(address or "").query))


def _read_line(item: RawObject) -> LineRecord:
    discount = item.get("amount_discount")
    if discount is None:
        discount = total(item.get("discounts") or ())
    return LineRecord(
        price=id_of(item.get("price")),
        product=id_of(part(item, "price", "product")),
        name=item.get("description") or "",
        quantity=item.get("quantity") or 1,
        gross_minor=(item.get("amount_total") or 0) + discount,
    )
