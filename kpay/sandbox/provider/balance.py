"""The provider's cash: balance transactions that add up, fees, settlement and weekly payouts."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from kpay.domain.money import exponent
from kpay.sandbox.clock import DAY_S, instant
from kpay.sandbox.provider.account import Account
from kpay.sandbox.provider.shelves import Json

FEE_PER_MILLE: Final = 29
FEE_FIXED_CENTS: Final = 30
DISPUTE_FEE_CENTS: Final = 1500
SETTLES_AFTER_DAYS: Final = 2
ARRIVES_AFTER_DAYS: Final = 2


@dataclass(slots=True)
class CurrencyLedger:
    """The provider's own sums in one currency, in minor units; `net` is before payouts."""

    gross_minor: int = 0
    refunds_minor: int = 0
    disputes_minor: int = 0
    fees_minor: int = 0
    net_minor: int = 0
    payouts_minor: int = 0
    charges: int = 0


@dataclass(slots=True)
class Ledger:
    """What the account amounts to: sums for each currency and objects for each resource."""

    currencies: dict[str, CurrencyLedger] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def charge_fee(amount_minor: int, currency: str) -> int:
    """Return 2.9 % rounded half up, plus thirty hundredths of a unit."""
    return (amount_minor * FEE_PER_MILLE + 500) // 1000 + _cents(FEE_FIXED_CENTS, currency)


def dispute_fee(currency: str) -> int:
    """Return what the bank asks for handling a dispute: fifteen units."""
    return _cents(DISPUTE_FEE_CENTS, currency)


def _cents(cents: int, currency: str) -> int:
    unit_minor: int = 10 ** exponent(currency)
    return cents * unit_minor // 100


class Balance:
    """Writes balance transactions and moves them from pending to available to paid out."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._pending: deque[tuple[int, str]] = deque()
        self._unpaid: list[str] = []
        self._in_transit: deque[tuple[int, str]] = deque()

    def record(
        self,
        kind: str,
        *,
        category: str,
        amount_minor: int,
        currency: str,
        source: str,
        at: int,
        fee_minor: int = 0,
        description: str | None = None,
    ) -> str:
        """Write one movement of money and return its id; net is amount less fee."""
        available_on = (at // DAY_S + SETTLES_AFTER_DAYS) * DAY_S
        facts: Json = {
            "amount": amount_minor,
            "available_on": available_on,
            "created": at,
            "currency": currency,
            "description": description,
            "fee": fee_minor,
            "fee_details": _fee_details(fee_minor, currency),
            "net": amount_minor - fee_minor,
            "reporting_category": category,
            "source": source,
            "type": kind,
        }
        transaction_id: str = self._account["balance_transactions"].add(facts)["id"]
        self._pending.append((available_on, transaction_id))
        return transaction_id

    def open_day(self, midnight_s: int) -> None:
        """Settle what is due, let payouts arrive, and on Mondays send new ones."""
        while self._pending and self._pending[0][0] <= midnight_s:
            _, transaction_id = self._pending.popleft()
            self._account["balance_transactions"].change(transaction_id, status="available")
            self._unpaid.append(transaction_id)
        while self._in_transit and self._in_transit[0][0] <= midnight_s:
            _, payout_id = self._in_transit.popleft()
            self._account["payouts"].change(payout_id, status="paid")
            self._account.emit("payout.paid", "payouts", payout_id, midnight_s)
        if instant(midnight_s).weekday() == 0:
            self._pay_out(midnight_s)

    def _pay_out(self, at: int) -> None:
        """Pay out each currency whose settled sum is positive; a debt waits for better days."""
        transactions = self._account["balance_transactions"]
        sums: Counter[str] = Counter()
        for transaction_id in self._unpaid:
            sums[transactions.field(transaction_id, "currency")] += transactions.field(
                transaction_id, "net"
            )
        paying = sorted(currency for currency, net in sums.items() if net > 0)
        for currency in paying:
            self._send(currency, sums[currency], at)
        self._unpaid = [
            transaction_id
            for transaction_id in self._unpaid
            if transactions.field(transaction_id, "currency") not in paying
        ]

    def _send(self, currency: str, amount_minor: int, at: int) -> None:
        payouts, transactions = self._account["payouts"], self._account["balance_transactions"]
        arrives_at = at + ARRIVES_AFTER_DAYS * DAY_S
        payout_id: str = payouts.add(
            {
                "amount": amount_minor,
                "arrival_date": arrives_at,
                "created": at,
                "currency": currency,
            }
        )["id"]
        movement = transactions.add(
            {
                "amount": -amount_minor,
                "available_on": arrives_at,
                "created": at,
                "currency": currency,
                "description": "STRIPE PAYOUT",
                "net": -amount_minor,
                "reporting_category": "payout",
                "source": payout_id,
                "status": "available",
                "type": "payout",
            }
        )
        payouts.change(payout_id, balance_transaction=movement["id"])
        self._in_transit.append((arrives_at, payout_id))
        self._account.payout_of[movement["id"]] = payout_id
        for transaction_id in self._unpaid:
            if transactions.field(transaction_id, "currency") == currency:
                self._account.payout_of[transaction_id] = payout_id
        self._account.emit("payout.created", "payouts", payout_id, at)


def _fee_details(fee_minor: int, currency: str) -> list[Json]:
    if not fee_minor:
        return []
    return [
        {
            "amount": fee_minor,
            "application": None,
            "currency": currency,
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]


def read_ledger(account: Account) -> Ledger:
    """Add up all balance transactions and count all objects, from the objects alone."""
    ledger = Ledger(counts={resource: len(shelf) for resource, shelf in account.shelves.items()})
    transactions = account["balance_transactions"]
    for transaction_id in transactions.ids():
        currency = transactions.field(transaction_id, "currency")
        sums = ledger.currencies.setdefault(currency, CurrencyLedger())
        _add(
            sums,
            transactions.field(transaction_id, "type"),
            transactions.field(transaction_id, "amount"),
            transactions.field(transaction_id, "fee"),
        )
    return ledger


def _add(sums: CurrencyLedger, kind: str, amount_minor: int, fee_minor: int) -> None:
    if kind == "payout":
        sums.payouts_minor -= amount_minor
        return
    sums.fees_minor += fee_minor
    sums.net_minor += amount_minor - fee_minor
    if kind == "charge":
        sums.gross_minor += amount_minor
        sums.charges += 1
    elif kind == "refund":
        sums.refunds_minor -= amount_minor
    else:
        sums.disputes_minor -= amount_minor


def balance_object(account: Account) -> Json:
    """Return the balance as `/v1/balance` shows it."""
    transactions = account["balance_transactions"]
    sums = {"available": Counter[str](), "pending": Counter[str]()}
    for transaction_id in transactions.ids():
        status = transactions.field(transaction_id, "status")
        currency = transactions.field(transaction_id, "currency")
        sums[status][currency] += transactions.field(transaction_id, "net")
    currencies = sorted(sums["available"].keys() | sums["pending"].keys())
    return {
        "object": "balance",
        "livemode": False,
        **{
            status: [
                {
                    "amount": total[currency],
                    "currency": currency,
                    "source_types": {"card": total[currency]},
                }
                for currency in currencies
            ]
            for status, total in sums.items()
        },
    }
