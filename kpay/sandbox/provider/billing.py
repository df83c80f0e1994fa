"""Memberships at the provider: subscription, invoices, and what links an invoice to its payment."""

from __future__ import annotations

from dataclasses import dataclass

from kpay.sandbox.catalogue import Offer
from kpay.sandbox.happenings import (
    Amounts,
    MembershipBilled,
    MembershipEnded,
    MembershipRecovered,
    MembershipStarted,
    NoticeGiven,
)
from kpay.sandbox.people import Buyer
from kpay.sandbox.provider.account import Account
from kpay.sandbox.provider.payments import Cashier, Payment
from kpay.sandbox.provider.shelves import Json


@dataclass(slots=True)
class Contract:
    """What the provider keeps in mind about one membership."""

    subscription_id: str
    item_id: str
    customer_id: str
    buyer: Buyer
    first: Amounts
    open_invoice_id: str | None = None
    open_intent_id: str | None = None
    open_payment_id: str | None = None


class Biller:
    """Writes subscriptions and invoices; `orders` maps an order to its succeeded charge."""

    def __init__(self, account: Account, cashier: Cashier, orders: dict[str, str]) -> None:
        self._account = account
        self._cashier = cashier
        self._orders = orders
        self._contracts: dict[str, Contract] = {}
        self._numbers = 0

    # ------------------------------------------------------------------ beginning

    def start(self, started: MembershipStarted, metadata: Json) -> tuple[str, str, str]:
        """Open a subscription with its first invoice; return (customer, subscription, invoice)."""
        customer_id = self._cashier.customer(started.buyer, started.at)
        subscription_id = self._account["subscriptions"].next_id()
        contract = Contract(
            subscription_id,
            self._account.id_for("si", started.membership),
            customer_id,
            started.buyer,
            started.amounts,
        )
        self._contracts[started.membership] = contract
        facts = self._subscription_facts(started, contract, metadata)
        self._account["subscriptions"].add(facts, subscription_id)
        invoice_id = self._first_invoice(started, contract)
        self._account["subscriptions"].change(subscription_id, latest_invoice=invoice_id)
        self._account.emit(
            "customer.subscription.created", "subscriptions", subscription_id, started.at
        )
        return customer_id, subscription_id, invoice_id

    def _subscription_facts(
        self, started: MembershipStarted, contract: Contract, metadata: Json
    ) -> Json:
        is_trial = started.trial_end is not None
        return {
            "billing_cycle_anchor": started.trial_end if is_trial else started.at,
            "created": started.at,
            "currency": started.offer.currency,
            "customer": contract.customer_id,
            "items": self._items(contract, started.offer, started.at, started.period_end),
            "metadata": metadata,
            "start_date": started.at,
            "status": "trialing" if is_trial else "active",
            "trial_end": started.trial_end,
            "trial_start": started.at if is_trial else None,
        }

    def _items(self, contract: Contract, offer: Offer, start_s: int, end_s: int) -> Json:
        item: Json = {
            "id": contract.item_id,
            "object": "subscription_item",
            "billing_thresholds": None,
            "created": start_s,
            "current_period_end": end_s,
            "current_period_start": start_s,
            "discounts": [],
            "metadata": {},
            "price": self._account["prices"].whole(offer.price_id),
            "quantity": 1,
            "subscription": contract.subscription_id,
            "tax_rates": [],
        }
        url = f"/v1/subscription_items?subscription={contract.subscription_id}"
        return {"object": "list", "data": [item], "has_more": False, "total_count": 1, "url": url}

    def _first_invoice(self, started: MembershipStarted, contract: Contract) -> str:
        amounts = Amounts(0) if started.trial_end is not None else started.amounts
        period = (started.at, started.period_end)
        invoice_id = self._invoice(
            contract, started.offer, amounts, period, reason="subscription_create"
        )
        if amounts.total_minor:
            self._collect(contract, invoice_id, started.order, started.offer, amounts, started.at)
        self._account.emit("invoice.paid", "invoices", invoice_id, started.at)
        return invoice_id

    # ------------------------------------------------------------------ going on

    def bill(self, billed: MembershipBilled) -> None:
        """Write the invoice of the next period, with its charge paid or declined."""
        contract = self._contracts[billed.membership]
        amounts = self._renewal_amounts(contract, billed.offer)
        period = (billed.at, billed.period_end)
        invoice_id = self._invoice(
            contract, billed.offer, amounts, period, reason="subscription_cycle"
        )
        status = "active" if billed.is_paid else "past_due"
        self._change_subscription(
            contract, billed.at, latest_invoice=invoice_id, status=status,
            items=self._items(contract, billed.offer, *period),
        )  # fmt: skip
        if billed.is_paid:
            self._collect(contract, invoice_id, billed.order, billed.offer, amounts, billed.at)
            self._account.emit("invoice.paid", "invoices", invoice_id, billed.at)
        else:
            self._fail(contract, invoice_id, billed.offer, billed.at)

    def recover(self, recovered: MembershipRecovered) -> None:
        """Charge an open invoice at a later attempt."""
        contract = self._contracts[recovered.membership]
        invoice_id, intent_id = contract.open_invoice_id, contract.open_intent_id
        payment_id = contract.open_payment_id
        if invoice_id is None or intent_id is None or payment_id is None:
            raise ValueError(f"{recovered.membership} has no open invoice")
        payment = self._payment(
            contract, recovered.offer, recovered.offer.amount_minor, recovered.at
        )
        self._orders[recovered.order] = self._cashier.succeed(payment, intent_id)
        self._settle_invoice(invoice_id, payment.amount_minor, recovered.at)
        self._account["invoice_payments"].change(
            payment_id,
            status="paid",
            amount_paid=payment.amount_minor,
            status_transitions={"canceled_at": None, "paid_at": recovered.at},
        )
        self._account.emit("invoice.paid", "invoices", invoice_id, recovered.at)
        contract.open_invoice_id = contract.open_intent_id = contract.open_payment_id = None
        self._change_subscription(contract, recovered.at, status="active")

    def give_notice(self, notice: NoticeGiven) -> None:
        """Mark a subscription to end with its period."""
        contract = self._contracts[notice.membership]
        items = self._account["subscriptions"].field(contract.subscription_id, "items")
        self._change_subscription(
            contract, notice.at, cancel_at_period_end=True, canceled_at=notice.at,
            cancel_at=items["data"][0]["current_period_end"],
            cancellation_details=_details("cancellation_requested"),
        )  # fmt: skip

    def end(self, ended: MembershipEnded) -> None:
        """Cancel a subscription; an invoice that never got paid is written off."""
        contract = self._contracts.pop(ended.membership)
        subscriptions = self._account["subscriptions"]
        reason = "payment_failed" if ended.payment_failed else "cancellation_requested"
        asked_at = subscriptions.field(contract.subscription_id, "canceled_at") or ended.at
        subscriptions.change(
            contract.subscription_id, status="canceled", ended_at=ended.at,
            canceled_at=asked_at, cancellation_details=_details(reason),
        )  # fmt: skip
        if contract.open_invoice_id is not None:
            before = self._account["invoices"].change(
                contract.open_invoice_id, status="uncollectible", next_payment_attempt=None
            )
            self._account.emit(
                "invoice.marked_uncollectible",
                "invoices",
                contract.open_invoice_id,
                ended.at,
                before,
            )
        self._account.emit(
            "customer.subscription.deleted", "subscriptions", contract.subscription_id, ended.at
        )

    # ------------------------------------------------------------------ parts

    def _renewal_amounts(self, contract: Contract, offer: Offer) -> Amounts:
        """Return a renewal's amounts: full price, with the same share of tax inside."""
        first = contract.first
        tax_minor = 0
        if first.total_minor:
            tax_minor = offer.amount_minor * first.tax_minor // first.total_minor
        return Amounts(offer.amount_minor, 0, tax_minor)

    def _change_subscription(self, contract: Contract, at: int, **changes: object) -> None:
        before = self._account["subscriptions"].change(contract.subscription_id, **changes)
        self._account.emit(
            "customer.subscription.updated", "subscriptions", contract.subscription_id, at, before
        )

    def _payment(self, contract: Contract, offer: Offer, amount_minor: int, at: int) -> Payment:
        return Payment(
            at=at,
            buyer=contract.buyer,
            customer_id=contract.customer_id,
            amount_minor=amount_minor,
            currency=offer.currency,
            description="Subscription update",
            failures=0,
            is_paid=True,
        )

    def _collect(
        self,
        contract: Contract,
        invoice_id: str,
        order: str,
        offer: Offer,
        amounts: Amounts,
        at: int,
    ) -> None:
        payment = self._payment(contract, offer, amounts.total_minor, at)
        intent_id, charge_id = self._cashier.pay(payment)
        self._orders[order] = charge_id
        self._settle_invoice(invoice_id, amounts.total_minor, at)
        self._link_payment(invoice_id, intent_id, payment, paid_at=at)

    def _fail(self, contract: Contract, invoice_id: str, offer: Offer, at: int) -> None:
        payment = self._payment(contract, offer, offer.amount_minor, at)
        payment.is_paid = False
        intent_id, _ = self._cashier.pay(payment)
        contract.open_invoice_id, contract.open_intent_id = invoice_id, intent_id
        contract.open_payment_id = self._link_payment(invoice_id, intent_id, payment, paid_at=None)
        self._account.emit("invoice.payment_failed", "invoices", invoice_id, at)

    def _link_payment(
        self, invoice_id: str, intent_id: str, payment: Payment, *, paid_at: int | None
    ) -> str:
        facts: Json = {
            "amount_paid": None if paid_at is None else payment.amount_minor,
            "amount_requested": payment.amount_minor,
            "created": payment.at,
            "currency": payment.currency,
            "invoice": invoice_id,
            "payment": {"type": "payment_intent", "payment_intent": intent_id},
            "status": "open" if paid_at is None else "paid",
            "status_transitions": {"canceled_at": None, "paid_at": paid_at},
        }
        payment_id: str = self._account["invoice_payments"].add(facts)["id"]
        return payment_id

    def _settle_invoice(self, invoice_id: str, amount_minor: int, at: int) -> None:
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

    def _invoice(
        self,
        contract: Contract,
        offer: Offer,
        amounts: Amounts,
        period: tuple[int, int],
        *,
        reason: str,
    ) -> str:
        """Write an invoice, open unless it comes to nothing; return its id."""
        invoices = self._account["invoices"]
        invoice_id, at = invoices.next_id(), period[0]
        self._numbers += 1
        is_free = amounts.total_minor == 0
        facts: Json = {
            "amount_due": amounts.total_minor,
            "amount_remaining": amounts.total_minor,
            "billing_reason": reason,
            "created": at,
            "currency": offer.currency,
            "customer": contract.customer_id,
            "customer_email": contract.buyer.email,
            "customer_name": contract.buyer.name,
            "effective_at": at,
            "lines": self._lines(contract, offer, amounts, period, invoice_id),
            "number": f"KPAY-{self._numbers:06d}",
            "parent": _parent(contract.subscription_id),
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
        invoices.add(facts, invoice_id)
        self._account.emit("invoice.finalized", "invoices", invoice_id, at)
        return invoice_id

    def _lines(
        self,
        contract: Contract,
        offer: Offer,
        amounts: Amounts,
        period: tuple[int, int],
        invoice_id: str,
    ) -> Json:
        name = self._account["products"].field(offer.product_id, "name")
        line = {
            "id": self._account.id_for("il", invoice_id),
            "object": "line_item",
            "amount": amounts.subtotal_minor,
            "currency": offer.currency,
            "description": f"1 × {name}",
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
                    "subscription": contract.subscription_id,
                    "subscription_item": contract.item_id,
                },
            },
            "period": {"start": period[0], "end": period[1]},
            "pricing": {
                "type": "price_details",
                "price_details": {"price": offer.price_id, "product": offer.product_id},
                "unit_amount_decimal": str(amounts.subtotal_minor),
            },
            "quantity": 1,
            "taxes": _taxes(amounts),
        }
        url = f"/v1/invoices/{invoice_id}/lines"
        return {"object": "list", "data": [line], "has_more": False, "total_count": 1, "url": url}


def _parent(subscription_id: str) -> Json:
    return {
        "type": "subscription_details",
        "quote_details": None,
        "subscription_details": {"metadata": {}, "subscription": subscription_id},
    }


def _details(reason: str) -> Json:
    return {"comment": None, "feedback": None, "reason": reason}


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
