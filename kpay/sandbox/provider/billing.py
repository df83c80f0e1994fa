"""Memberships at the provider: the life of a subscription and the invoices it brings."""

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
from kpay.sandbox.provider.invoices import InvoiceWriter, Period
from kpay.sandbox.provider.payments import Cashier, Payment
from kpay.sandbox.provider.shelves import Json


@dataclass(frozen=True, slots=True)
class Arrears:
    """An invoice whose charge was declined and may yet go through."""

    invoice_id: str
    intent_id: str
    payment_id: str


@dataclass(slots=True)
class Contract:
    """What the provider keeps in mind about one membership."""

    subscription_id: str
    item_id: str
    customer_id: str
    buyer: Buyer
    first: Amounts
    arrears: Arrears | None = None


class Biller:
    """Writes subscriptions and invoices; `orders` maps an order to its succeeded charge."""

    def __init__(self, account: Account, cashier: Cashier, orders: dict[str, str]) -> None:
        self._account = account
        self._cashier = cashier
        self._orders = orders
        self._invoices = InvoiceWriter(account)
        self._contracts: dict[str, Contract] = {}

    def start(self, started: MembershipStarted, metadata: Json) -> tuple[str, str, str]:
        """Open a subscription with its first invoice; return (customer, subscription, invoice)."""
        customer_id = self._cashier.customer(started.buyer, started.at)
        subscription_id = self._account["subscriptions"].next_id()
        item_id = self._account.id_for("si", started.membership)
        contract = Contract(subscription_id, item_id, customer_id, started.buyer, started.amounts)
        self._contracts[started.membership] = contract
        facts = self._subscription_facts(started, contract, metadata)
        self._account["subscriptions"].add(facts, subscription_id)
        invoice_id = self._first_invoice(started, contract)
        self._account["subscriptions"].change(subscription_id, latest_invoice=invoice_id)
        self._account.emit(
            "customer.subscription.created", "subscriptions", subscription_id, started.at
        )
        return customer_id, subscription_id, invoice_id

    def bill(self, billed: MembershipBilled) -> None:
        """Write the invoice of the next period, with its charge paid or declined."""
        contract = self._contracts[billed.membership]
        period = self._period(contract, billed)
        invoice_id = self._invoices.write(period)
        self._change(
            contract,
            billed.at,
            latest_invoice=invoice_id,
            status="active" if billed.is_paid else "past_due",
            items=self._items(contract, billed.offer, billed.at, billed.period_end),
        )
        if billed.is_paid:
            self._collect(period, invoice_id, billed.order)
        else:
            self._fail(contract, period, invoice_id)

    def recover(self, recovered: MembershipRecovered) -> None:
        """Charge an invoice in arrears at a later attempt."""
        contract = self._contracts[recovered.membership]
        arrears = contract.arrears
        if arrears is None:
            raise ValueError(f"{recovered.membership} has no invoice in arrears")
        amount_minor = recovered.offer.amount_minor
        payment = _payment(
            contract.buyer, contract.customer_id, recovered.offer, amount_minor, at=recovered.at
        )
        self._orders[recovered.order] = self._cashier.succeed(payment, arrears.intent_id)
        self._invoices.settle(arrears.invoice_id, amount_minor, recovered.at)
        self._invoices.settle_link(arrears.payment_id, amount_minor, recovered.at)
        self._account.emit("invoice.paid", "invoices", arrears.invoice_id, recovered.at)
        contract.arrears = None
        self._change(contract, recovered.at, status="active")

    def give_notice(self, notice: NoticeGiven) -> None:
        """Mark a subscription to end with its period."""
        contract = self._contracts[notice.membership]
        items = self._account["subscriptions"].field(contract.subscription_id, "items")
        self._change(
            contract,
            notice.at,
            cancel_at_period_end=True,
            canceled_at=notice.at,
            cancel_at=items["data"][0]["current_period_end"],
            cancellation_details=_details("cancellation_requested"),
        )

    def end(self, ended: MembershipEnded) -> None:
        """Cancel a subscription; an invoice that never got paid is written off."""
        contract = self._contracts.pop(ended.membership)
        subscriptions = self._account["subscriptions"]
        asked_at = subscriptions.field(contract.subscription_id, "canceled_at") or ended.at
        reason = "payment_failed" if ended.payment_failed else "cancellation_requested"
        subscriptions.change(
            contract.subscription_id,
            status="canceled",
            ended_at=ended.at,
            canceled_at=asked_at,
            cancellation_details=_details(reason),
        )
        if contract.arrears is not None:
            self._invoices.write_off(contract.arrears.invoice_id, ended.at)
        self._account.emit(
            "customer.subscription.deleted", "subscriptions", contract.subscription_id, ended.at
        )

    # ------------------------------------------------------------------ parts

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
        begun_at = self._contract_start(contract, start_s)
        item: Json = {
            "id": contract.item_id,
            "object": "subscription_item",
            "billing_thresholds": None,
            "created": begun_at,
            "current_period_end": end_s,
            "current_period_start": start_s,
            "discounts": [],
            "metadata": {},
            "price": self._account["prices"].view(offer.price_id),
            "quantity": 1,
            "subscription": contract.subscription_id,
            "tax_rates": [],
        }
        url = f"/v1/subscription_items?subscription={contract.subscription_id}"
        return {"object": "list", "data": [item], "has_more": False, "total_count": 1, "url": url}

    def _contract_start(self, contract: Contract, otherwise_s: int) -> int:
        """Return when a subscription was made, or the given time when it is being made now."""
        subscriptions = self._account["subscriptions"]
        if contract.subscription_id not in subscriptions:
            return otherwise_s
        made_at: int = subscriptions.field(contract.subscription_id, "created")
        return made_at

    def _first_invoice(self, started: MembershipStarted, contract: Contract) -> str:
        amounts = Amounts(0) if started.trial_end is not None else started.amounts
        period = Period(
            contract.subscription_id,
            contract.item_id,
            contract.customer_id,
            contract.buyer,
            started.offer,
            amounts,
            started.at,
            started.period_end,
            "subscription_create",
        )
        invoice_id = self._invoices.write(period)
        if amounts.total_minor:
            self._collect(period, invoice_id, started.order)
        return invoice_id

    def _period(self, contract: Contract, billed: MembershipBilled) -> Period:
        return Period(
            contract.subscription_id,
            contract.item_id,
            contract.customer_id,
            contract.buyer,
            billed.offer,
            _renewal_amounts(contract.first, billed.offer),
            billed.at,
            billed.period_end,
            "subscription_cycle",
        )

    def _change(self, contract: Contract, at: int, **changes: object) -> None:
        before = self._account["subscriptions"].change(contract.subscription_id, **changes)
        self._account.emit(
            "customer.subscription.updated", "subscriptions", contract.subscription_id, at, before
        )

    def _collect(self, period: Period, invoice_id: str, order: str) -> None:
        payment = _period_payment(period)
        intent_id, self._orders[order] = self._cashier.pay(payment)
        self._invoices.settle(invoice_id, payment.amount_minor, payment.at)
        self._invoices.link(invoice_id, intent_id, payment)
        self._account.emit("invoice.paid", "invoices", invoice_id, payment.at)

    def _fail(self, contract: Contract, period: Period, invoice_id: str) -> None:
        payment = _period_payment(period)
        payment.is_paid = False
        intent_id, _ = self._cashier.pay(payment)
        payment_id = self._invoices.link(invoice_id, intent_id, payment)
        contract.arrears = Arrears(invoice_id, intent_id, payment_id)
        self._account.emit("invoice.payment_failed", "invoices", invoice_id, payment.at)


def _period_payment(period: Period) -> Payment:
    payment = _payment(
        period.buyer,
        period.customer_id,
        period.offer,
        period.amounts.total_minor,
        at=period.start_s,
    )
    if period.reason == "subscription_create":
        payment.description = "Subscription creation"
    return payment


def _payment(
    buyer: Buyer, customer_id: str, offer: Offer, amount_minor: int, *, at: int
) -> Payment:
    return Payment(
        at=at,
        buyer=buyer,
        customer_id=customer_id,
        amount_minor=amount_minor,
        currency=offer.currency,
        description="Subscription update",
        failures=0,
        is_paid=True,
    )


def _renewal_amounts(first: Amounts, offer: Offer) -> Amounts:
    """Return a renewal's amounts: the full price, with the first checkout's share of tax inside."""
    if not first.total_minor:
        return Amounts(offer.amount_minor)
    tax_minor = offer.amount_minor * first.tax_minor // first.total_minor
    return Amounts(offer.amount_minor, 0, tax_minor)


def _details(reason: str) -> Json:
    return {"comment": None, "feedback": None, "reason": reason}
