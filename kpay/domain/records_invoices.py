"""Bills as the provider keeps them: invoices, their lines, and what ties them to payments."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from kpay.domain.checkout import RawObject
from kpay.domain.records_base import (
    content_of,
    created,
    customer_of,
    id_of,
    listed,
    moment,
    part,
    total,
)
from kpay.domain.records_catalog import PriceRecord, read_price


class DiscountRecord(NamedTuple):
    """What takes something off a bill; `duration` is its coupon's, where the coupon comes with it."""

    id: str
    coupon: str | None
    duration: str | None
    has_end: bool


def _read_discounts(raw: RawObject) -> tuple[DiscountRecord, ...]:
    """Read the discounts that are told whole; their coupon moved below `source` in 2025-09-30."""
    found = []
    for one in [*listed(raw.get("discounts")), raw.get("discount")]:
        if isinstance(one, dict) and one.get("id"):
            coupon = one.get("coupon") or part(one, "source", "coupon")
            duration = coupon.get("duration") if isinstance(coupon, dict) else None
            found.append(DiscountRecord(one["id"], id_of(coupon), duration, bool(one.get("end"))))
    return tuple(found)


class InvoiceLineRecord(NamedTuple):
    """A position of a bill; `net_minor` is after discounts and without tax.

    `discounts` are (the discount's id, what it takes off).
    """

    price: str | None
    product: str | None
    name: str
    quantity: int
    gross_minor: int
    net_minor: int
    is_proration: bool
    starts_at: datetime | None
    content: str | None
    inline_price: PriceRecord | None
    discounts: tuple[tuple[str | None, int], ...] = ()


def _read_invoice_line(line: RawObject) -> InvoiceLineRecord:
    """Read a line; `price`, `proration` and `tax_amounts` moved with API 2025-03-31."""
    inline = line.get("price") or line.get("plan")
    taxes = line.get("taxes") or line.get("tax_amounts") or ()
    added = total(tax for tax in taxes if not _is_inside(tax))
    inside = total(tax for tax in taxes if _is_inside(tax))
    discount = total(line.get("discount_amounts") or ())
    details = part(line, "parent", "subscription_item_details") or {}
    proration = details.get("proration", part(line, "parent", "invoice_item_details", "proration"))
    quantity = line.get("quantity")
    return InvoiceLineRecord(
        price=id_of(part(line, "pricing", "price_details", "price")) or id_of(inline),
        product=id_of(part(line, "pricing", "price_details", "product"))
        or id_of(part(line, "price", "product")),
        name=line.get("description") or "",
        quantity=1 if quantity is None else quantity,
        gross_minor=line["amount"] + added,
        net_minor=line["amount"] - discount - inside,
        is_proration=bool(line.get("proration") if proration is None else proration),
        starts_at=moment(part(line, "period", "start")),
        content=content_of(line.get("metadata")),
        inline_price=read_price(inline) if isinstance(inline, dict) else None,
        discounts=tuple(
            (id_of(one.get("discount")), one["amount"])
            for one in line.get("discount_amounts") or ()
        ),
    )


def _is_inside(tax: RawObject) -> bool:
    return bool(tax.get("tax_behavior") == "inclusive" or tax.get("inclusive"))


class InvoiceRecord(NamedTuple):
    """A bill of a subscription, or one sent by hand."""

    id: str
    customer: str | None
    subscription: str | None
    content: str | None
    status: str
    billing_reason: str | None
    currency: str
    subtotal_minor: int
    total_minor: int
    discount_minor: int
    tax_minor: int
    paid_minor: int
    attempts: int
    email: str | None
    name: str
    country: str | None
    lines: tuple[InvoiceLineRecord, ...]
    created_at: datetime
    paid_at: datetime | None
    period_start_at: datetime | None
    period_end_at: datetime | None
    discounts: tuple[DiscountRecord, ...] = ()

    @property
    def belongs_to(self) -> str | None:
        """The subscription."""
        return self.subscription


def read_invoice(raw: RawObject) -> InvoiceRecord:
    """Read an invoice; subscription, taxes and payment moved with API 2025-03-31."""
    origin = part(raw, "parent", "subscription_details") or {}
    taxes = raw.get("total_taxes") or raw.get("total_tax_amounts") or ()
    return InvoiceRecord(
        id=raw["id"],
        customer=customer_of(raw),
        subscription=id_of(origin.get("subscription")) or id_of(raw.get("subscription")),
        content=content_of(
            origin.get("metadata"),
            part(raw, "subscription_details", "metadata"),
            raw.get("metadata"),
        ),
        status=raw.get("status") or "draft",
        billing_reason=raw.get("billing_reason"),
        currency=raw["currency"],
        subtotal_minor=raw.get("subtotal") or 0,
        total_minor=raw.get("total") or 0,
        discount_minor=total(raw.get("total_discount_amounts") or ()),
        tax_minor=total(taxes) if taxes else raw.get("tax") or 0,
        paid_minor=raw.get("amount_paid") or 0,
        attempts=raw.get("attempt_count") or 0,
        email=raw.get("customer_email"),
        name=raw.get("customer_name") or "",
        country=part(raw, "customer_address", "country"),
        lines=tuple(_read_invoice_line(line) for line in listed(raw.get("lines"))),
        created_at=created(raw),
        paid_at=moment(part(raw, "status_transitions", "paid_at")),
        period_start_at=moment(raw.get("period_start")),
        period_end_at=moment(raw.get("period_end")),
        discounts=_read_discounts(raw),
    )


class InvoicePaymentRecord(NamedTuple):
    """What ties an invoice to the payment that settled it, since API 2025-03-31."""

    id: str
    invoice: str | None
    payment_intent: str | None
    charge: str | None
    amount_minor: int
    currency: str | None
    status: str
    created_at: datetime

    @property
    def belongs_to(self) -> str | None:
        """The payment, or the charge where there is no payment."""
        return self.payment_intent or self.charge


def read_invoice_payment(raw: RawObject) -> InvoicePaymentRecord:
    """Read an invoice payment."""
    return InvoicePaymentRecord(
        id=raw["id"],
        invoice=id_of(raw.get("invoice")),
        payment_intent=id_of(part(raw, "payment", "payment_intent")),
        charge=id_of(part(raw, "payment", "charge")),
        amount_minor=raw.get("amount_paid") or 0,
        currency=raw.get("currency"),
        status=raw.get("status") or "paid",
        created_at=created(raw),
    )
