"""Turns what happens in the world into the provider's objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from kpay.sandbox.happenings import (
    Amounts,
    CustomerErased,
    DisputeClosed,
    Disputed,
    Happening,
    MembershipBilled,
    MembershipEnded,
    MembershipRecovered,
    MembershipStarted,
    NoticeGiven,
    Refunded,
    Sale,
)
from kpay.sandbox.people import Buyer
from kpay.sandbox.provider.account import Account, SoldLine
from kpay.sandbox.provider.balance import Balance
from kpay.sandbox.provider.billing import Biller
from kpay.sandbox.provider.payments import Cashier, Payment, address
from kpay.sandbox.provider.shelves import Json

COUPON_NAME: Final = "Twenty percent off"
COUPON_CODE: Final = "TWENTY"


class Bookkeeper:
    """Writes every happening once, in the order of time."""

    def __init__(
        self,
        account: Account,
        balance: Balance,
        cashier: Cashier,
        coupon_percent: int,
        reference_of: Callable[[Sale | MembershipStarted], str | None],
    ) -> None:
        self._account = account
        self._balance = balance
        self._cashier = cashier
        self._coupon_percent = coupon_percent
        self._reference_of = reference_of
        self._coupon_id: str | None = None
        self._promotion_id: str | None = None
        self._orders: dict[str, str] = {}
        self._disputes: dict[str, str] = {}
        self._biller = Biller(account, cashier, self._orders)

    def write_day(self, midnight_s: int, happenings: Iterable[Happening]) -> None:
        """Open the day at the provider and write down all that happened in it."""
        self._balance.open_day(midnight_s)
        for happening in happenings:
            self._write(happening)

    def _write(self, happening: Happening) -> None:
        match happening:
            case Sale():
                self._sell(happening)
            case MembershipStarted():
                self._enrol(happening)
            case MembershipBilled():
                self._biller.bill(happening)
            case MembershipRecovered():
                self._biller.recover(happening)
            case NoticeGiven():
                self._biller.give_notice(happening)
            case MembershipEnded():
                self._biller.end(happening)
            case Refunded():
                self._refund(happening)
            case Disputed():
                self._dispute(happening)
            case DisputeClosed():
                self._close_dispute(happening)
            case CustomerErased():
                self._cashier.erase(happening.person, happening.at)

    # ------------------------------------------------------------------ checkouts

    def _sell(self, sale: Sale) -> None:
        customer_id = None if sale.buyer.is_guest else self._cashier.customer(sale.buyer, sale.at)
        wanted = self._account["payment_links"].field(sale.offer.link_id, "payment_intent_data")
        payment = Payment(
            at=sale.at,
            buyer=sale.buyer,
            customer_id=customer_id,
            amount_minor=sale.amounts.total_minor,
            currency=sale.offer.currency,
            description=self._account["products"].field(sale.offer.product_id, "name"),
            failures=sale.failures,
            is_paid=sale.is_paid,
            metadata=(wanted or {}).get("metadata", {}),
        )
        intent_id, charge_id = self._cashier.pay(payment)
        if sale.is_paid:
            self._orders[sale.order] = charge_id
        self._session(sale, customer=customer_id, payment_intent=intent_id)

    def _enrol(self, started: MembershipStarted) -> None:
        wanted = self._account["payment_links"].field(started.offer.link_id, "subscription_data")
        customer_id, subscription_id, invoice_id = self._biller.start(
            started, (wanted or {}).get("metadata", {})
        )
        self._session(
            started, customer=customer_id, subscription=subscription_id, invoice=invoice_id,
            mode="subscription",
        )  # fmt: skip

    def _session(self, checkout: Sale | MembershipStarted, **links: str | None) -> None:
        """Write the checkout session of a sale or of a membership's beginning."""
        sessions, offer = self._account["checkout.sessions"], checkout.offer
        is_paid = not isinstance(checkout, Sale) or checkout.is_paid
        amounts = checkout.amounts
        if isinstance(checkout, MembershipStarted) and checkout.trial_end is not None:
            amounts = Amounts(0)
        facts: Json = {
            "amount_subtotal": amounts.subtotal_minor,
            "amount_total": amounts.total_minor,
            "automatic_tax": _automatic_tax(amounts),
            "client_reference_id": self._reference_of(checkout),
            "created": checkout.at,
            "currency": offer.currency,
            "customer_details": _details(checkout.buyer),
            "discounts": self._discounts(amounts, checkout.at),
            "expires_at": checkout.at + 86_400,
            "metadata": self._account["payment_links"].field(offer.link_id, "metadata"),
            "payment_link": offer.link_id,
            "payment_status": _payment_status(amounts, is_paid),
            "status": "complete" if is_paid else "expired",
            "total_details": {
                "amount_discount": amounts.discount_minor,
                "amount_shipping": 0,
                "amount_tax": amounts.tax_minor,
            },
            **links,
        }
        session_id: str = sessions.add(facts)["id"]
        self._account.sold[session_id] = self._sold_line(checkout, amounts)
        kind = "checkout.session.completed" if is_paid else "checkout.session.expired"
        self._account.emit(kind, "checkout.sessions", session_id, checkout.at)

    def _sold_line(self, checkout: Sale | MembershipStarted, amounts: Amounts) -> SoldLine:
        return SoldLine(
            checkout.offer.price_id,
            self._account["products"].field(checkout.offer.product_id, "name"),
            amounts.subtotal_minor,
            amounts.discount_minor,
            amounts.tax_minor,
            checkout.offer.currency,
        )

    def _discounts(self, amounts: Amounts, at: int) -> list[Json]:
        if not amounts.discount_minor:
            return []
        coupon_id, promotion_id = self._coupon(at)
        used = self._account["coupons"].field(coupon_id, "times_redeemed") + 1
        self._account["coupons"].change(coupon_id, times_redeemed=used)
        self._account["promotion_codes"].change(promotion_id, times_redeemed=used)
        return [{"coupon": coupon_id, "promotion_code": promotion_id}]

    def _coupon(self, at: int) -> tuple[str, str]:
        """Return the coupon and its code; both are made when the first buyer uses them."""
        if self._coupon_id is None or self._promotion_id is None:
            self._coupon_id = self._account["coupons"].add(
                {"created": at, "name": COUPON_NAME, "percent_off": self._coupon_percent}
            )["id"]
            self._account.emit("coupon.created", "coupons", str(self._coupon_id), at)
            self._promotion_id = self._account["promotion_codes"].add(
                {
                    "code": COUPON_CODE,
                    "created": at,
                    "promotion": {"type": "coupon", "coupon": self._coupon_id},
                }
            )["id"]
            self._account.emit(
                "promotion_code.created", "promotion_codes", str(self._promotion_id), at
            )
        return str(self._coupon_id), str(self._promotion_id)

    # ------------------------------------------------------------------ trouble

    def _refund(self, refunded: Refunded) -> None:
        """Refund what the creator has not refunded already."""
        charge_id = self._orders[refunded.order]
        amount_minor = min(refunded.amount_minor, self._cashier.refundable_minor(charge_id))
        if amount_minor > 0:
            self._cashier.refund(
                charge_id, amount_minor, reason=refunded.reason, at=refunded.at, metadata={}
            )

    def _dispute(self, disputed: Disputed) -> None:
        charge_id = self._orders[disputed.order]
        if self._cashier.refundable_minor(charge_id) > 0:
            self._disputes[disputed.order] = self._cashier.dispute(
                charge_id, reason=disputed.reason, at=disputed.at
            )

    def _close_dispute(self, closed: DisputeClosed) -> None:
        dispute_id = self._disputes.get(closed.order)
        if dispute_id is not None:
            self._cashier.close_dispute(dispute_id, is_won=closed.is_won, at=closed.at)


def _automatic_tax(amounts: Amounts) -> Json:
    is_taxed = amounts.tax_minor > 0
    return {"enabled": is_taxed, "liability": None, "status": "complete" if is_taxed else None}


def _payment_status(amounts: Amounts, is_paid: bool) -> str:
    if not is_paid:
        return "unpaid"
    return "paid" if amounts.total_minor else "no_payment_required"


@lru_cache(maxsize=20_000)
def _details(buyer: Buyer) -> Json:
    """Return who bought, as sessions show it; one object serves all sessions of a buyer."""
    return {
        "address": address(buyer.country),
        "email": buyer.email,
        "name": buyer.name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }
