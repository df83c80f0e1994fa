"""One payment at the provider: intent, charges, fee, refund, dispute, and the customer behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache

from kpay.sandbox.clock import DAY_S
from kpay.sandbox.people import Buyer
from kpay.sandbox.provider.account import Account
from kpay.sandbox.provider.balance import Balance, charge_fee, dispute_fee
from kpay.sandbox.provider.shelves import Json

_DECLINED: Json = {
    "network_status": "declined_by_network",
    "reason": "generic_decline",
    "risk_level": "normal",
    "seller_message": "The bank did not return any further details with this decline.",
    "type": "issuer_declined",
}
_DECLINE_MESSAGE = "Your card was declined."


@dataclass(slots=True)
class Payment:
    """What one payment is about; `failures` are declined attempts before the last."""

    at: int
    buyer: Buyer
    customer_id: str | None
    amount_minor: int
    currency: str
    description: str
    failures: int
    is_paid: bool
    metadata: Json = field(default_factory=dict)


class Cashier:
    """Makes and unmakes payments, each with its balance transaction and its events."""

    def __init__(self, account: Account, balance: Balance) -> None:
        self._account = account
        self._balance = balance
        self._customers: dict[int, str] = {}

    # ------------------------------------------------------------------ customers

    def customer(self, buyer: Buyer, at: int) -> str:
        """Return the customer object of a person, made at their first purchase."""
        known = self._customers.get(buyer.person)
        if known is not None:
            return known
        facts: Json = {
            "address": address(buyer.country),
            "created": at,
            "email": buyer.email,
            "name": buyer.name,
        }
        customer_id: str = self._account["customers"].add(facts)["id"]
        self._customers[buyer.person] = customer_id
        self._account.emit("customer.created", "customers", customer_id, at)
        return customer_id

    def erase(self, person: int, at: int) -> None:
        """Delete a person's customer object; a later purchase makes a new one."""
        customer_id = self._customers.pop(person, None)
        if customer_id is not None:
            self.delete_customer(customer_id, at)

    def delete_customer(self, customer_id: str, at: int) -> Json:
        """Leave only the stub of a customer and return it."""
        self._account.emit("customer.deleted", "customers", customer_id, at)
        stub = {"id": customer_id, "object": "customer", "deleted": True}
        self._account["customers"].replace(customer_id, stub)
        self._customers = {p: c for p, c in self._customers.items() if c != customer_id}
        return stub

    # ------------------------------------------------------------------ payments

    def pay(self, payment: Payment) -> tuple[str, str]:
        """Make an intent and its charges; return (intent id, id of the last charge)."""
        intents = self._account["payment_intents"]
        intent_id: str = intents.add(
            {
                "amount": payment.amount_minor,
                "created": payment.at,
                "currency": payment.currency,
                "customer": payment.customer_id,
                "description": payment.description,
                "metadata": payment.metadata,
                "status": "requires_payment_method",
            }
        )["id"]
        midnight_s = payment.at // DAY_S * DAY_S
        declined = payment.failures + (0 if payment.is_paid else 1)
        charge_id = ""
        for left in range(payment.failures, payment.failures - declined, -1):
            charge_id = self.decline(payment, intent_id, max(midnight_s, payment.at - 40 * left))
        if payment.is_paid:
            charge_id = self.succeed(payment, intent_id)
        return intent_id, charge_id

    def succeed(self, payment: Payment, intent_id: str) -> str:
        """Charge a payment for good and return the charge's id."""
        charges = self._account["charges"]
        charge_id = charges.next_id()
        transaction_id = self._balance.record(
            "charge",
            category="charge",
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            source=charge_id,
            at=payment.at,
            fee_minor=charge_fee(payment.amount_minor, payment.currency),
            description=payment.description,
        )
        facts = _charge_facts(payment, intent_id, payment.at)
        facts |= {"amount_captured": payment.amount_minor, "balance_transaction": transaction_id}
        charges.add(facts, charge_id)
        self._account["payment_intents"].change(
            intent_id,
            status="succeeded",
            latest_charge=charge_id,
            amount_received=payment.amount_minor,
            last_payment_error=None,
        )
        self._account.emit("charge.succeeded", "charges", charge_id, payment.at)
        self._account.emit("payment_intent.succeeded", "payment_intents", intent_id, payment.at)
        return charge_id

    def decline(self, payment: Payment, intent_id: str, at: int) -> str:
        """Record one declined attempt of a payment and return the failed charge's id."""
        facts = _charge_facts(payment, intent_id, at) | {
            "captured": False,
            "failure_code": "card_declined",
            "failure_message": _DECLINE_MESSAGE,
            "outcome": _DECLINED,
            "paid": False,
            "status": "failed",
        }
        charge_id: str = self._account["charges"].add(facts)["id"]
        error = {
            "type": "card_error",
            "code": "card_declined",
            "message": _DECLINE_MESSAGE,
            "charge": charge_id,
        }
        self._account["payment_intents"].change(
            intent_id, latest_charge=charge_id, last_payment_error=error
        )
        self._account.emit("charge.failed", "charges", charge_id, at)
        self._account.emit("payment_intent.payment_failed", "payment_intents", intent_id, at)
        return charge_id

    # ------------------------------------------------------------------ trouble

    def refundable_minor(self, charge_id: str) -> int:
        """Return what can still be given back of a charge; nothing when it failed."""
        charges = self._account["charges"]
        if charges.field(charge_id, "status") != "succeeded" or charges.field(
            charge_id, "disputed"
        ):
            return 0
        left: int = charges.field(charge_id, "amount") - charges.field(charge_id, "amount_refunded")
        return left

    def refund(
        self, charge_id: str, amount_minor: int, *, reason: str | None, at: int, metadata: Json
    ) -> str:
        """Give back part or all of a charge; the provider keeps its fee. Returns the refund's id."""
        charges, refunds = self._account["charges"], self._account["refunds"]
        currency = charges.field(charge_id, "currency")
        refund_id = refunds.next_id()
        transaction_id = self._balance.record(
            "refund",
            category="refund",
            amount_minor=-amount_minor,
            currency=currency,
            source=refund_id,
            at=at,
            description="REFUND FOR CHARGE",
        )
        facts: Json = {
            "amount": amount_minor,
            "balance_transaction": transaction_id,
            "charge": charge_id,
            "created": at,
            "currency": currency,
            "metadata": metadata,
            "payment_intent": charges.field(charge_id, "payment_intent"),
            "reason": reason,
        }
        refunds.add(facts, refund_id)
        refunded = charges.field(charge_id, "amount_refunded") + amount_minor
        is_whole = refunded == charges.field(charge_id, "amount")
        before = charges.change(charge_id, amount_refunded=refunded, refunded=is_whole)
        self._account.emit("refund.created", "refunds", refund_id, at)
        self._account.emit("charge.refunded", "charges", charge_id, at, before)
        return refund_id

    def dispute(self, charge_id: str, *, reason: str, at: int) -> str:
        """Take what is left of a charge back for now, with the bank's fee; return the dispute's id."""
        charges, disputes = self._account["charges"], self._account["disputes"]
        currency, amount_minor = (
            charges.field(charge_id, "currency"),
            self.refundable_minor(charge_id),
        )
        dispute_id = disputes.next_id()
        transaction_id = self._balance.record(
            "adjustment",
            category="dispute",
            amount_minor=-amount_minor,
            currency=currency,
            source=dispute_id,
            at=at,
            fee_minor=dispute_fee(currency),
            description=f"Chargeback withdrawal for {charge_id}",
        )
        facts: Json = {
            "amount": amount_minor,
            "balance_transactions": [self._account["balance_transactions"].whole(transaction_id)],
            "charge": charge_id,
            "created": at,
            "currency": currency,
            "payment_intent": charges.field(charge_id, "payment_intent"),
            "reason": reason,
        }
        disputes.add(facts, dispute_id)
        charges.change(charge_id, disputed=True)
        self._account.emit("charge.dispute.created", "disputes", dispute_id, at)
        return dispute_id

    def close_dispute(self, dispute_id: str, *, is_won: bool, at: int) -> None:
        """Decide a dispute; a won one brings the amount back, not the fee."""
        disputes = self._account["disputes"]
        movements = disputes.field(dispute_id, "balance_transactions")
        if is_won:
            transaction_id = self._balance.record(
                "adjustment",
                category="dispute_reversal",
                amount_minor=disputes.field(dispute_id, "amount"),
                currency=disputes.field(dispute_id, "currency"),
                source=dispute_id,
                at=at,
                description="Chargeback reversal",
            )
            whole = self._account["balance_transactions"].whole(transaction_id)
            movements = [*movements, whole]
        before = disputes.change(
            dispute_id, status="won" if is_won else "lost", balance_transactions=movements
        )
        changed = {"status": before["status"]}
        self._account.emit("charge.dispute.closed", "disputes", dispute_id, at, changed)


def _charge_facts(payment: Payment, intent_id: str, at: int) -> Json:
    return {
        "amount": payment.amount_minor,
        "billing_details": billing_details(payment.buyer),
        "created": at,
        "currency": payment.currency,
        "customer": payment.customer_id,
        "description": payment.description,
        "metadata": payment.metadata,
        "payment_intent": intent_id,
    }


@lru_cache(maxsize=20_000)
def billing_details(buyer: Buyer) -> Json:
    """Return who pays, as charges show it; one object serves all charges of a buyer."""
    return {
        "address": address(buyer.country),
        "email": buyer.email,
        "name": buyer.name,
        "phone": None,
        "tax_id": None,
    }


@cache
def address(country: str) -> Json:
    """Return all that a checkout for downloads asks of an address: the country."""
    return {"country": country} | dict.fromkeys(("city", "line1", "line2", "postal_code", "state"))
