"""From provider records to a sale: what was paid, by whom, for which content. Pure rules.

The content of a sale is looked for where it was frozen first: on the checkout, then on its payment
link, then on the product of the price; metadata are copied at the sale and do not move afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from kpay.domain.enums import OrderKind
from kpay.domain.known_catalogue import Catalogue
from kpay.domain.records_invoices import InvoiceLineRecord, InvoiceRecord
from kpay.domain.records_sales import ChargeRecord, LineRecord, SessionRecord

KINDS = {
    "subscription_create": OrderKind.SUBSCRIPTION_START,
    "subscription_cycle": OrderKind.RENEWAL,
    "subscription_threshold": OrderKind.RENEWAL,
    "subscription_update": OrderKind.SUBSCRIPTION_UPDATE,
    "subscription": OrderKind.RENEWAL,  # of before May 2018
    "quote_accept": OrderKind.SUBSCRIPTION_START,
    "automatic_pending_invoice_item_invoice": OrderKind.SUBSCRIPTION_UPDATE,
}


@dataclass(frozen=True, slots=True)
class SaleLine:
    """One position of a sale; `content` is a slug, `gross_minor` before discounts."""

    content: str | None
    product_name: str
    price: str | None
    name: str
    quantity: int
    gross_minor: int


@dataclass(frozen=True, slots=True)
class Sale:
    """A completed purchase: total = gross - discount, the tax is inside the total.

    It is known by its charge, or by its checkout where nothing had to be paid.
    """

    external_id: str
    charge: str | None
    payment_intent: str | None
    ordered_at: datetime
    currency: str
    kind: OrderKind
    total_minor: int
    discount_minor: int
    tax_minor: int
    email: str | None
    name: str
    country: str | None
    customer: str | None
    session: str | None
    invoice: str | None
    subscription: str | None
    reference: str | None
    tracking: dict[str, Any]
    lines: tuple[SaleLine, ...]

    @property
    def gross_minor(self) -> int:
        """What was asked before the discount."""
        return self.total_minor + self.discount_minor


def sale_of(
    charge: ChargeRecord,
    session: SessionRecord | None,
    invoice: InvoiceRecord | None,
    catalogue: Catalogue,
    *,
    payment_content: str | None = None,
) -> Sale:
    """Return the sale that a succeeded charge is, with what its checkout and invoice tell about it."""
    discount, tax = _discount_and_tax(charge, session, invoice)
    lines = _lines(charge, session, invoice, catalogue, payment_content)
    return Sale(
        external_id=charge.id,
        charge=charge.id,
        payment_intent=charge.payment_intent,
        ordered_at=charge.created_at,
        currency=charge.currency,
        kind=_kind(session, invoice),
        total_minor=charge.amount_minor,
        discount_minor=discount,
        tax_minor=tax,
        email=_first(session, "email") or charge.email or _first(invoice, "email"),
        name=_first(session, "name") or charge.name or _first(invoice, "name") or "",
        country=_first(session, "country") or charge.country or _first(invoice, "country"),
        customer=charge.customer or _first(session, "customer") or _first(invoice, "customer"),
        session=session.id if session else None,
        invoice=invoice.id if invoice else charge.invoice,
        subscription=_first(invoice, "subscription") or _first(session, "subscription"),
        reference=session.reference if session else None,
        tracking=session.tracking if session else {},
        lines=_adding_up(lines, charge.amount_minor + discount),
    )


def free_sale_of(session: SessionRecord, catalogue: Catalogue) -> Sale:
    """Return the sale that a checkout is which cost nothing: a coupon of the whole price, a gift."""
    frozen = session.content or catalogue.link_contents.get(session.payment_link or "")
    lines = _checkout_lines(session.lines, frozen, catalogue)
    return Sale(
        external_id=session.id,
        charge=None,
        payment_intent=None,
        ordered_at=session.created_at,
        currency=session.currency or "usd",
        kind=OrderKind.ONE_TIME,
        total_minor=session.total_minor,
        discount_minor=session.discount_minor,
        tax_minor=session.tax_minor,
        email=session.email,
        name=session.name,
        country=session.country,
        customer=session.customer,
        session=session.id,
        invoice=session.invoice,
        subscription=None,
        reference=session.reference,
        tracking=session.tracking,
        lines=lines or (SaleLine(frozen, "", None, "", 1, session.discount_minor),),
    )


def _first(record: SessionRecord | InvoiceRecord | None, name: str) -> Any:
    return getattr(record, name) if record else None


def _kind(session: SessionRecord | None, invoice: InvoiceRecord | None) -> OrderKind:
    if invoice:
        kind = KINDS.get(invoice.billing_reason or "", OrderKind.ONE_TIME)
        return kind if invoice.subscription else OrderKind.ONE_TIME
    if session and session.subscription:
        return OrderKind.SUBSCRIPTION_START
    return OrderKind.ONE_TIME


def _discount_and_tax(
    charge: ChargeRecord, session: SessionRecord | None, invoice: InvoiceRecord | None
) -> tuple[int, int]:
    """Return what was taken off and what is tax; a charge of a part carries its part of both.

    So does one in another currency than its bill, where the provider changed the money.
    """
    bill = session if session and session.total_minor else invoice
    if bill is None or bill.total_minor <= 0:
        return 0, 0
    paid, asked = charge.amount_minor, bill.total_minor
    return max(bill.discount_minor, 0) * paid // asked, max(bill.tax_minor, 0) * paid // asked


def _lines(
    charge: ChargeRecord,
    session: SessionRecord | None,
    invoice: InvoiceRecord | None,
    catalogue: Catalogue,
    payment_content: str | None,
) -> tuple[SaleLine, ...]:
    link = catalogue.link_contents.get(session.payment_link or "") if session else None
    frozen = _first(session, "content") or link or charge.content or payment_content
    if session and session.lines:
        return _checkout_lines(session.lines, frozen, catalogue)
    if invoice and invoice.lines:
        return tuple(_invoice_line(line, invoice, catalogue) for line in invoice.lines)
    return (SaleLine(frozen, "", None, charge.description, 1, charge.amount_minor),)


def _adding_up(lines: tuple[SaleLine, ...], gross_minor: int) -> tuple[SaleLine, ...]:
    """Scale lines to what was paid where a charge was only a part of its bill; no cent is lost."""
    billed = sum(line.gross_minor for line in lines)
    if billed == gross_minor or billed <= 0:
        return lines
    scaled, passed, given = [], 0, 0
    for line in lines:
        passed += line.gross_minor
        share = passed * gross_minor // billed - given
        given += share
        scaled.append(replace(line, gross_minor=share))
    return tuple(scaled)


def _checkout_lines(
    lines: tuple[LineRecord, ...], frozen: str | None, catalogue: Catalogue
) -> tuple[SaleLine, ...]:
    """Read the lines of a checkout; what it froze names the content only where it sold one thing."""
    sold = []
    for line in lines:
        behind = catalogue.content_sold(line.price, line.product)
        content = (frozen or behind) if len(lines) == 1 else (behind or frozen)
        name = catalogue.name_sold(line.price, line.product) or line.name
        sold.append(SaleLine(content, name, line.price, line.name, line.quantity, line.gross_minor))
    return tuple(sold)


def _invoice_line(
    line: InvoiceLineRecord, invoice: InvoiceRecord, catalogue: Catalogue
) -> SaleLine:
    """Read a line of an invoice: the price counts, for the metadata are those of the first day."""
    return SaleLine(
        content=catalogue.content_sold(line.price, line.product)
        or (None if line.price else line.content)
        or invoice.content,
        product_name=catalogue.name_sold(line.price, line.product) or line.name,
        price=line.price,
        name=line.name,
        quantity=line.quantity,
        gross_minor=line.gross_minor,
    )
