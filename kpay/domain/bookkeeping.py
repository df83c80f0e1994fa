"""How what moved money is posted: from sales, refunds, disputes and movements to a journal.

    sale        Assets:Unsettled to Income:Sales, Income:Discounts and Liabilities:Tax
    movement    Assets:Stripe and Expenses:Fees to Assets:Unsettled, so that it is empty when all is settled
    refund      Income:Refunds and Liabilities:Tax to Assets:Unsettled
    dispute     Income:Disputes to Assets:Stripe
    payout      Assets:Bank to Assets:Stripe

What is settled in another currency than it was sold in goes through Equity:Conversion in both, so that
each currency balances by itself. A sale and its movement of the same day are one transaction.
"""

from __future__ import annotations

from datetime import date
from functools import cache

from kpay.domain import journal as books
from kpay.domain.entries import Entry, GivenBackEntry, Movement, Sale, UnbookedDispute
from kpay.domain.journal import Half, Posting, account_part
from kpay.domain.outlays import Outlay
from kpay.domain.revenue import FEE_KINDS, PAYOUT_KINDS
from kpay.domain.settlement import GIVEN_BACK_KINDS, TAKEN_KINDS

ELSEWHERE = ""  # the account of what was imported


def half_of(one: Entry, day: date, customer: str) -> Half | None:
    """Return what an entry posts; None for an attempt to pay that failed."""
    if isinstance(one, Sale):
        key, rank, what = (one.account, one.provider), 0, _sale_words(one)
        postings = _sale(one)
    elif isinstance(one, GivenBackEntry):
        key, rank, what = (one.account, one.provider), 0, one.what.capitalize()
        postings = _given_back(one)
    elif isinstance(one, UnbookedDispute):
        key, rank, what = (one.account, one.provider), 0, "Dispute"
        postings = _against(books.DISPUTES, books.UNSETTLED, one.amount_minor, one.currency)
    elif isinstance(one, Movement):
        key, rank, what = (one.account, one.source or one.provider), 1, _movement_words(one)
        postings = _movement(one)
    else:
        return None
    return Half(key, day, rank, key[1], what, customer, [each for each in postings if each.minor])


def half_of_outlay(one: Outlay, number: int) -> Half:
    """Return what a cost or an income from elsewhere posts; `number` tells those of a day apart."""
    kind = account_part(one.kind)
    if one.is_income:
        account, minor, what = f"{books.OTHER_INCOME}:{kind}", -one.amount_minor, "Other income"
    else:
        account, minor, what = f"{books.COSTS}:{kind}", one.amount_minor, "Cost"
    words = f"{what}: {one.kind}" + (f", {one.campaign}" if one.campaign else "")
    postings = _against(account, books.OWNER, minor, one.currency)
    code = f"{'income' if one.is_income else 'cost'}-{one.day:%Y%m%d}-{number}"
    return Half(("~", f"{number:09}"), one.day, 0, code, words, "", postings)


def _sale_words(one: Sale) -> str:
    return "Subscription payment" if one.is_subscription else "Sale"


def _movement_words(one: Movement) -> str:
    return "Dispute" if one.of_dispute else one.kind.replace("_", " ").capitalize()


def _against(account: str, other: str, minor: int, currency: str) -> list[Posting]:
    return [Posting(account, minor, currency), Posting(other, -minor, currency)]


def _counter(currency: str, other: str | None) -> str:
    return books.UNSETTLED if other in (None, currency) else books.CONVERSION


@cache
def _tax_account(country: str | None) -> str:
    return f"{books.TAX}:{account_part((country or '').upper(), otherwise='Unknown')}"


def _sale(one: Sale) -> list[Posting]:
    kind = "Subscriptions" if one.is_subscription else "One-time"
    return [
        Posting(_counter(one.currency, one.settled_in), one.total_minor, one.currency),
        Posting(f"{books.SALES}:{kind}", one.tax_minor - one.gross_minor, one.currency),
        Posting(books.DISCOUNTS, one.discount_minor, one.currency),
        Posting(_tax_account(one.country), -one.tax_minor, one.currency),
    ]


def _given_back(one: GivenBackEntry) -> list[Posting]:
    tax_minor, amount_minor = one.sign * one.tax_minor, one.sign * one.amount_minor
    return [
        Posting(books.REFUNDS, amount_minor - tax_minor, one.currency),
        Posting(_tax_account(one.country), tax_minor, one.currency),
        Posting(_counter(one.currency, one.settled_in), -amount_minor, one.currency),
    ]


def _movement(one: Movement) -> list[Posting]:
    balance = books.IMPORTED if one.account == ELSEWHERE else books.STRIPE
    return [
        Posting(balance, one.net_minor, one.currency),
        Posting(books.FEES, one.fee_minor, one.currency),
        Posting(_cause(one), -one.amount_minor, one.currency),
    ]


def _cause(one: Movement) -> str:
    """Return the account that a movement's amount came from."""
    if one.kind in FEE_KINDS:
        return books.FEES
    if one.kind in PAYOUT_KINDS:
        return _way_out(one.kind)
    if one.of_dispute:
        return books.DISPUTES
    if one.kind in TAKEN_KINDS or one.kind in GIVEN_BACK_KINDS:
        return _counter(one.currency, one.sold_in)
    return books.ADJUSTMENTS


def _way_out(kind: str) -> str:
    if kind.startswith("payout_minimum"):
        return books.HELD
    return books.TRANSFERS if kind.startswith("transfer") else books.BANK
