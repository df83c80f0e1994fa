"""A double-entry journal: transactions whose postings add up to nothing in each currency."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

BANK: Final = "Assets:Bank"
TRANSFERS: Final = "Assets:Transfers"
STRIPE: Final = "Assets:Stripe"
IMPORTED: Final = "Assets:Imported"
HELD: Final = "Assets:Held"
UNSETTLED: Final = "Assets:Unsettled"
SALES: Final = "Income:Sales"
DISCOUNTS: Final = "Income:Discounts"
REFUNDS: Final = "Income:Refunds"
DISPUTES: Final = "Income:Disputes"
OTHER_INCOME: Final = "Income:Other"
TAX: Final = "Liabilities:Tax"
FEES: Final = "Expenses:Fees"
COSTS: Final = "Expenses:Costs"
CONVERSION: Final = "Equity:Conversion"
ADJUSTMENTS: Final = "Equity:Adjustments"
OWNER: Final = "Equity:Owner"

MEANINGS: Final = {
    BANK: "paid out to the bank",
    TRANSFERS: "moved to or from other accounts at the provider",
    STRIPE: "on the balance at Stripe",
    IMPORTED: "paid to a provider whose records were imported",
    HELD: "held back by the provider",
    UNSETTLED: "sold or given back, but no movement of a balance is known",
    CONVERSION: "one currency turned into another by the provider",
    ADJUSTMENTS: "corrections and loans of the provider",
    OWNER: "costs paid and other income kept outside these accounts",
}


class Posting(NamedTuple):
    """What one account gains (or, negative, loses), in minor units."""

    account: str
    minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """What happened on a day; `code` is the id that it has where it came from.

    `customer` is a number, or an address where that was asked for; empty where nobody is concerned.
    """

    day: date
    code: str
    what: str
    customer: str
    postings: tuple[Posting, ...]


@dataclass(frozen=True, slots=True)
class Half:
    """One side's news of a thing that happened: the sale, or the balance's movement for it.

    Halves with the same key and day are one transaction; their postings to one account add up.
    """

    key: tuple[str, str]
    day: date
    rank: int
    code: str
    what: str
    customer: str
    postings: Sequence[Posting]


def joined(halves: Iterable[Half]) -> tuple[Transaction, ...]:
    """Return one transaction for each key and day, in the order of days and codes.

    The half with the lowest rank names the transaction. One that moves nothing is left out.
    """
    found: dict[tuple[date, tuple[str, str]], list[Half]] = {}
    for half in halves:
        found.setdefault((half.day, half.key), []).append(half)
    made = (
        _transaction(sorted(found[key], key=lambda half: (half.rank, half.code, half.what)))
        for key in sorted(found)
    )
    return tuple(one for one in made if one.postings)


def _transaction(halves: Sequence[Half]) -> Transaction:
    first = halves[0]
    customer = next((half.customer for half in halves if half.customer), "")
    sums: dict[tuple[str, str], int] = {}
    for half in halves:
        for account, minor, currency in half.postings:
            key = (currency, account)
            sums[key] = sums.get(key, 0) + minor
    postings = tuple(
        Posting(account, minor, currency)
        for (currency, account), minor in sorted(sums.items())
        if minor
    )
    return Transaction(first.day, first.code, first.what, customer, postings)


def trial_balance(transactions: Iterable[Transaction]) -> dict[str, dict[str, int]]:
    """Return what each account gained in each currency; every currency adds up to nothing."""
    sums: dict[tuple[str, str], int] = {}
    for one in transactions:
        for account, minor, currency in one.postings:
            key = (currency, account)
            sums[key] = sums.get(key, 0) + minor
    found: dict[str, dict[str, int]] = {}
    for (currency, account), minor in sorted(sums.items()):
        found.setdefault(currency, {})[account] = minor
    return found


def account_part(text: str, *, otherwise: str = "Other") -> str:
    """Return a text as one part of an account's name: letters and digits, hyphens between them."""
    words = "-".join(re.findall(r"[^\W_]+", text))
    return f"{words[:1].upper()}{words[1:]}" if words else otherwise
