"""Invoices of memberships, and what links an invoice to its payment since 2025-03-31."""

from __future__ import annotations

from dataclasses import dataclass

from kpay.sandbox.catalogue import Offer
from kpay.sandbox.happenings import Amounts
from kpay.sandbox.people import Buyer
from kpay.sandbox.provider.account import Account
from kpay.sandbox.provider.payments import Payment
from kpay.sandbox.provider.shelves import Json


@dataclass(frozen=True, slots=True)
class Period:
    """What one invoice asks for: a period of a membership, and why."""

    subscription_id: str
    item_id: str
    customer_id: str
    buyer: Buyer
    offer: Offer
    amounts: Amounts
    start_s: int
    end_s: int
    reason: str


class InvoiceWriter:
    """Writes invoices open, settles them when they are paid, writes them off when they never are."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def write(self, period: Period) -> str:
        """Write an invoice, open unless it comes to nothing; return its id."""
        invoices = self._account["invoices"]
        invoice_id, number = invoices.next_id(), len(invoices) + 1
        invoices.add(_invoice_facts(period, self._lines(period, invoice_id), number), invoice_id)
        self._account.emit("invoice.finalized", "invoices", invoice_id, period.start_s)
        return invoice_id

    def settle(self, invoice_id: str, amount_minor: int, at: int) -> None:
        """Mark an invoice as paid."""
        invoices = self._account["invoices"]
        finalized_at = invoices.field(invoice_id, "created")
        invoices.change(
            invoice_id,
            status="paid",
            amount_paid=amount_minor,
            amount_remaining=0,
            attempt_count=1 if at == finalized_at else 2,
            next_payment_attempt=None,
            status_transitions=_transitions(finalized_at, at),
        )

    def write_off(self, invoice_id: str, at: int) -> None:
        """Mark an invoice that will never be paid."""
        invoices = self._account["invoices"]
        finalized_at = invoices.field(invoice_id, "created")
        transitions = _transitions(finalized_at, None) | {"marked_uncollectible_at": at}
        before = invoices.change(invoice_id, status="uncollectible", status_transitions=transitions)
        self._account.emit("invoice.marked_uncollectible", "invoices", invoice_id, at, before)

    def link(self, invoice_id: str, intent_id: str, payment: Payment) -> str:
        """Tie an invoice to the intent that pays it or failed to; return the link's id."""
        paid_at = payment.at if payment.is_paid else None
        facts: Json = {
            "amount_paid": payment.amount_minor if payment.is_paid else None,
            "amount_requested": payment.amount_minor,
            "created": payment.at,
            "currency": payment.currency,
            "invoice": invoice_id,
            "payment": {"type": "payment_intent", "payment_intent": intent_id},
            "status": "paid" if payment.is_paid else "open",
            "status_transitions": {"canceled_at": None, "paid_at": paid_at},
        }
        payment_id: str = self._account["invoice_payments"].add(facts)["id"]
        if payment.is_paid:
            self._account.emit("invoice_payment.paid", "invoice_payments", payment_id, payment.at)
        return payment_id

    def settle_link(self, payment_id: str, amount_minor: int, at: int) -> None:
        """Mark an invoice's payment as made after all."""
        self._account["invoice_payments"].change(
            payment_id,
            status="paid",
            amount_paid=amount_minor,
            status_transitions={"canceled_at": None, "paid_at": at},
        )
        self._account.emit("invoice_payment.paid", "invoice_payments", payment_id, at)

    def _lines(self, period: Period, invoice_id: str) -> Json:
        line = _line(period, invoice_id)
        line["id"] = self._account.id_for("il", invoice_id)
        name = self._account["products"].field(period.offer.product_id, "name")
        line["description"] = f"1 × {name}"
        url = f"/v1/invoices/{invoice_id}/lines"
        return {"object": "list", "data": [line], "has_more": False, "total_count": 1, "url": url}


def _invoice_facts(period: Period, lines: Json, number: int) -> Json:
    amounts, at = period.amounts, period.start_s
    is_free = amounts.total_minor == 0
    return {
        "amount_due": amounts.total_minor,
        "amount_remaining": amounts.total_minor,
        "billing_reason": period.reason,
        "created": at,
        "currency": period.offer.currency,
        "customer": period.customer_id,
        "customer_email": period.buyer.email,
        "customer_name": period.buyer.name,
        "effective_at": at,
        "lines": lines,
        "number": f"KPAY-{number:06d}",
        "parent": {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {"metadata": {}, "subscription": period.subscription_id},
        },
        "period_end": at,
        "period_start": at,
        "status": "paid" if is_free else "open",
        "status_transitions": _transitions(at, at if is_free else None),
        "subtotal": amounts.subtotal_minor,
        "subtotal_excluding_tax": amounts.subtotal_minor - amounts.tax_minor,
        "total": amounts.total_minor,
        "total_discount_amounts": _discounts(amounts),
        "total_excluding_tax": amounts.total_minor - amounts.tax_minor,
        "total_taxes": _taxes(amounts),
    }


def _line(period: Period, invoice_id: str) -> Json:
    amounts, offer = period.amounts, period.offer
    return {
        "id": None,
        "object": "line_item",
        "amount": amounts.subtotal_minor,
        "currency": offer.currency,
        "description": None,
        "discount_amounts": _discounts(amounts),
        "discountable": True,
        "discounts": [],
        "invoice": invoice_id,
        "livemode": False,
        "metadata": {},
        "parent": {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": period.subscription_id,
                "subscription_item": period.item_id,
            },
        },
        "period": {"start": period.start_s, "end": period.end_s},
        "pricing": {
            "type": "price_details",
            "price_details": {"price": offer.price_id, "product": offer.product_id},
            "unit_amount_decimal": str(amounts.subtotal_minor),
        },
        "quantity": 1,
        "taxes": _taxes(amounts),
    }


def _transitions(finalized_at: int, paid_at: int | None) -> Json:
    return {
        "finalized_at": finalized_at,
        "marked_uncollectible_at": None,
        "paid_at": paid_at,
        "voided_at": None,
    }


def _discounts(amounts: Amounts) -> list[Json]:
    if not amounts.discount_minor:
        return []
    return [{"amount": amounts.discount_minor, "discount": None}]


def _taxes(amounts: Amounts) -> list[Json]:
    if not amounts.tax_minor:
        return []
    return [
        {
            "amount": amounts.tax_minor,
            "tax_behavior": "inclusive",
            "taxability_reason": "standard_rated",
            "taxable_amount": amounts.total_minor - amounts.tax_minor,
            "type": "tax_rate_details",
        }
    ]
