"""Objects as Stripe sends them (API 2026-10-28), made by what happens in a small shop."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from tests.fakes.provider import FakeProvider

START = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
DAY = 86_400
Raw = dict[str, Any]


@dataclass
class Sale:
    """The objects of one sale."""

    session: Raw | None
    intent: Raw
    charge: Raw
    movement: Raw
    customer: Raw | None = None
    invoice: Raw | None = None
    subscription: Raw | None = None


@dataclass
class Shop:
    """Sells content through a FakeProvider; ids count up, times are given in Unix seconds."""

    provider: FakeProvider = field(default_factory=FakeProvider)
    _numbers: Any = field(default_factory=lambda: count(1))

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):05}"

    def _add(self, kind: str, prefix: str, at: int, tells: str | None = None, **fields: Any) -> Raw:
        raw = {"id": self._id(prefix), "object": kind, "created": at, "livemode": False, **fields}
        return self.provider.add(raw, tells=tells)

    def offer(
        self, slug: str, amount: int, currency: str = "usd", *, interval: str | None = None
    ) -> tuple[Raw, Raw, Raw]:
        """Put content on sale; return product, price and payment link."""
        metadata = {"kpay_content": slug}
        product = self._add(
            "product", "prod", START, name=slug.title(), active=True, metadata=metadata
        )
        price = self._add(
            "price",
            "price",
            START,
            product=product["id"],
            unit_amount=amount,
            currency=currency,
            active=True,
            metadata={},
            recurring={"interval": interval, "interval_count": 1} if interval else None,
        )
        item = {"id": self._id("li"), "object": "item", "price": price, "quantity": 1}
        link = self._add(
            "payment_link",
            "plink",
            START,
            active=True,
            metadata=metadata,
            url=f"https://buy.example/{slug}",
            line_items={"object": "list", "data": [item], "has_more": False},
        )
        return product, price, link

    def customer(self, email: str | None, at: int, name: str = "Ana Lee") -> Raw:
        """Make a customer object."""
        return self._add(
            "customer", "cus", at, email=email, name=name, address={"country": "DE"}, metadata={}
        )

    def sell(
        self,
        offer: tuple[Raw, Raw, Raw],
        at: int,
        email: str = "ana@example.com",
        *,
        customer: Raw | None = None,
        discount: int = 0,
        tax: int = 0,
        status: str = "succeeded",
        metadata: Raw | None = None,
        method: str = "card",
    ) -> Sale:
        """Sell a piece once; without a customer object the buyer is a guest."""
        _, price, link = offer
        amount = price["unit_amount"] - discount
        currency = price["currency"]
        paid = self._pay(amount, currency, at, email, customer, status, method=method)
        intent, charge, movement = paid
        item = {
            "id": self._id("li"),
            "object": "item",
            "amount_subtotal": price["unit_amount"],
            "amount_discount": discount,
            "amount_tax": tax,
            "amount_total": amount,
            "currency": currency,
            "description": "A piece",
            "price": price,
            "quantity": 1,
        }
        session = self._session(
            at,
            email,
            customer,
            payment_link=link["id"],
            payment_intent=intent["id"],
            mode="payment",
            amount_subtotal=price["unit_amount"],
            amount_total=amount,
            total_details={"amount_discount": discount, "amount_tax": tax, "amount_shipping": 0},
            metadata=link["metadata"] if metadata is None else metadata,
            line_items={"object": "list", "data": [item], "has_more": False},
        )
        return Sale(session, intent, charge, movement, customer)

    def _session(self, at: int, email: str, customer: Raw | None, **fields: Any) -> Raw:
        details = {"email": email, "name": "Ana Lee", "address": {"country": "DE"}}
        return self._add(
            "checkout.session",
            "cs",
            at,
            customer=customer["id"] if customer else None,
            customer_details=details,
            client_reference_id=None,
            **{"invoice": None, "subscription": None, **fields},
        )

    def _pay(
        self,
        amount: int,
        currency: str,
        at: int,
        email: str,
        customer: Raw | None,
        status: str,
        *,
        method: str = "card",
    ) -> tuple[Raw, Raw, Raw]:
        who = customer["id"] if customer else None
        intent = self._add(
            "payment_intent",
            "pi",
            at,
            amount=amount,
            currency=currency,
            customer=who,
            metadata={},
            status="succeeded" if status == "succeeded" else "requires_payment_method",
        )
        charge = self._add(
            "charge",
            "ch",
            at,
            amount=amount,
            amount_captured=amount if status == "succeeded" else 0,
            amount_refunded=0,
            currency=currency,
            customer=who,
            payment_intent=intent["id"],
            status=status,
            captured=status == "succeeded",
            refunded=False,
            receipt_email=None,
            billing_details={"email": email, "name": "Ana Lee", "address": {"country": "DE"}},
            metadata={},
            payment_method_details={"type": method, method: {}},
            balance_transaction=None,
        )
        if status != "succeeded":
            return intent, charge, {}
        movement = self.move(charge["id"], amount, at, currency)
        charge["balance_transaction"] = movement["id"]
        return intent, charge, movement

    def move(
        self, source: str, amount: int, at: int, currency: str = "usd", kind: str = "charge"
    ) -> Raw:
        """Move the balance; a charge costs 2.9 % and 30."""
        fee = round(amount * 0.029) + 30 if kind == "charge" else 0
        return self._add(
            "balance_transaction",
            "txn",
            at,
            type=kind,
            amount=amount,
            fee=fee,
            net=amount - fee,
            currency=currency,
            source=source,
            status="pending",
            available_on=at + 2 * DAY,
            exchange_rate=None,
        )

    def refund(self, sale: Sale, amount: int, at: int, status: str = "succeeded") -> Raw:
        """Give money back; the charge tells of it."""
        charge = sale.charge
        raw = self._add(
            "refund",
            "re",
            at,
            amount=amount,
            currency=charge["currency"],
            charge=charge["id"],
            status=status,
            reason="requested_by_customer",
        )
        back = self.provider.objects["charge"][charge["id"]]["amount_refunded"] + amount
        self.move(raw["id"], -amount, at, charge["currency"], kind="refund")
        is_whole = back == charge["amount"]
        self.provider.change(charge, at, "charge.refunded", amount_refunded=back, refunded=is_whole)
        return raw

    def dispute(self, sale: Sale, at: int, status: str = "needs_response") -> Raw:
        """Have the bank take a sale back."""
        charge = sale.charge
        return self._add(
            "dispute",
            "dp",
            at,
            tells="charge.dispute.created",
            amount=charge["amount"],
            currency=charge["currency"],
            charge=charge["id"],
            status=status,
            reason="fraudulent",
        )

    def subscribe(
        self,
        offer: tuple[Raw, Raw, Raw],
        at: int,
        customer: Raw,
        *,
        trial_days: int = 0,
    ) -> Sale:
        """Begin a subscription by checkout; a trial has no charge yet."""
        _, price, link = offer
        subscription = self._add(
            "subscription",
            "sub",
            at,
            customer=customer["id"],
            status="trialing" if trial_days else "active",
            currency=price["currency"],
            start_date=at,
            trial_end=at + trial_days * DAY if trial_days else None,
            cancel_at_period_end=False,
            canceled_at=None,
            ended_at=None,
            metadata=link["metadata"],
            items={
                "object": "list",
                "has_more": False,
                "data": [
                    {
                        "id": self._id("si"),
                        "price": price,
                        "quantity": 1,
                        "current_period_start": at,
                        "current_period_end": at + 30 * DAY,
                    }
                ],
            },
        )
        amount = 0 if trial_days else price["unit_amount"]
        sale = self.bill(subscription, price, at, customer, "subscription_create", amount)
        sale.session = self._session(
            at,
            customer["email"],
            customer,
            payment_link=link["id"],
            payment_intent=None,
            mode="subscription",
            invoice=sale.invoice["id"] if sale.invoice else None,
            subscription=subscription["id"],
            amount_subtotal=amount,
            amount_total=amount,
            total_details={"amount_discount": 0, "amount_tax": 0},
            metadata=link["metadata"],
            line_items={"object": "list", "data": [], "has_more": False},
        )
        return sale

    def bill(
        self, subscription: Raw, price: Raw, at: int, customer: Raw, reason: str, amount: int
    ) -> Sale:
        """Bill a period; what costs something is paid at once."""
        line = {
            "id": self._id("il"),
            "amount": amount,
            "currency": price["currency"],
            "description": "A period",
            "quantity": 1,
            "period": {"start": at, "end": at + 30 * DAY},
            "pricing": {"price_details": {"price": price["id"], "product": price["product"]}},
            "parent": {"subscription_item_details": {"proration": False}},
            "discount_amounts": [],
            "taxes": [],
        }
        invoice = self._add(
            "invoice",
            "in",
            at,
            customer=customer["id"],
            customer_email=customer["email"],
            status="paid",
            billing_reason=reason,
            currency=price["currency"],
            subtotal=amount,
            total=amount,
            amount_paid=amount,
            attempt_count=1,
            parent={"subscription_details": {"subscription": subscription["id"], "metadata": {}}},
            total_taxes=[],
            total_discount_amounts=[],
            lines={"object": "list", "data": [line], "has_more": False},
            status_transitions={"paid_at": at},
            period_start=at,
            period_end=at,
        )
        if not amount:
            return Sale(None, {}, {}, {}, customer, invoice, subscription)
        paid = self._pay(amount, price["currency"], at, customer["email"], customer, "succeeded")
        intent, charge, movement = paid
        self._add(
            "invoice_payment",
            "inpay",
            at,
            invoice=invoice["id"],
            status="paid",
            payment={"type": "payment_intent", "payment_intent": intent["id"]},
        )
        return Sale(None, intent, charge, movement, customer, invoice, subscription)
