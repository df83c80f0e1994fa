"""Whatever happens in a business: its books balance, and are revenue and the bank told another way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from kpay.domain.document import Document
from kpay.domain.money import exponent
from kpay.domain.period import instant_text, month
from kpay.domain.reports.scope import Scope
from kpay.models.books import ExchangeRate
from kpay.services.reporting import books as section
from kpay.services.reporting import revenue
from tests.fakes.books import Books, at
from tests.fakes.ledger_reader import Journal
from tests.fakes.stores import new_store

FIRST = at("2026-04-20")
AS_OF = at("2026-07-01")


class Sold(NamedTuple):
    """A sale and what became of it."""

    day: int
    currency: str
    gross: int
    discount_percent: int
    tax_percent: int
    settled: str  # "": not on the balance; else the currency that it was settled in
    settled_later: int
    is_renewal: bool
    country: str | None
    refunds: list[tuple[int, int, bool, bool]]  # percent, days later, booked, failed after a day
    dispute: str


solds = st.builds(
    Sold,
    day=st.integers(0, 30),
    currency=st.sampled_from(["usd", "eur", "jpy", "bhd"]),
    gross=st.integers(0, 90_000),
    discount_percent=st.sampled_from([0, 0, 15, 100]),
    tax_percent=st.sampled_from([0, 7, 19, 25]),
    settled=st.sampled_from(["", "usd", "usd", "eur"]),
    settled_later=st.integers(0, 2),
    is_renewal=st.booleans(),
    country=st.sampled_from([None, "DE", "fr", ";x|"]),
    refunds=st.lists(
        st.tuples(st.integers(1, 50), st.integers(0, 20), st.booleans(), st.booleans()), max_size=2
    ),
    dispute=st.sampled_from(["", "", "lost", "won", "warning_closed"]),
)
payouts = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from(["usd", "eur"]),
        st.sampled_from(
            ["payout", "payout_failure", "transfer", "stripe_fee", "adjustment", "topup"]
        ),
        st.integers(-9000, 9000),
        st.integers(0, 50),
    ),
    max_size=4,
)


def day(number: int) -> str:
    return instant_text(FIRST + timedelta(days=number, hours=number % 24))


def live(books: Books, sold: Sold) -> None:
    """Write a sale, its movement, its refunds and its dispute."""
    total = sold.gross - sold.gross * sold.discount_percent // 100
    order = books.order(
        day(sold.day), sold.gross, currency=sold.currency, discount=sold.gross - total,
        tax=total * sold.tax_percent // (100 + sold.tax_percent), source="stripe",
        kind="renewal" if sold.is_renewal else "one_time", country=sold.country,
    )  # fmt: skip
    with books.store.reading() as connection:
        query = "SELECT charge_id FROM orders WHERE id = ?"
        charge = connection.exec_driver_sql(query, (order,)).scalar_one()
    if sold.settled and total:
        amount = total if sold.settled == sold.currency else total * 11 // 10
        when = day(sold.day + sold.settled_later)
        books.booked(when, "charge", amount, amount // 30, source=charge, currency=sold.settled)
    for percent, later, is_booked, failed in sold.refunds:
        refund = f"re_{books.count + 1}"
        amount, given = total * percent // 100, sold.day + later
        status = "failed" if failed and is_booked else "succeeded"
        books.refund(day(given), amount, order=order, status=status, currency=sold.currency)
        if is_booked and amount:
            code = sold.settled or sold.currency
            books.booked(day(given), "refund", -amount, source=refund, currency=code)
            if failed:
                books.booked(day(given + 1), "refund_failure", amount, source=refund, currency=code)
    if sold.dispute:
        dispute = books.dispute(
            day(sold.day + 3), max(1, total), status=sold.dispute, currency=sold.currency
        )
        if sold.dispute == "won":
            code = sold.settled or sold.currency
            books.booked(
                day(sold.day + 3), "adjustment", -total, 1500, source=dispute, currency=code
            )
            books.booked(day(sold.day + 9), "adjustment", total, source=dispute, currency=code)


def reports(books: Books, asked: str | None) -> tuple[Document, Mapping[str, Any]]:
    scope = Scope(month(asked, "UTC") if asked else None, AS_OF, "UTC", "usd")
    with books.store.reading() as connection:
        made = section.document(connection, scope)
        return made, revenue.document(connection, scope).payload


def rates_of_one(books: Books) -> None:
    """Let a minor unit of each currency be worth a cent, so that sums of all can be compared."""
    for code, worth in (("eur", "1"), ("jpy", "0.01"), ("bhd", "10")):
        books.put(ExchangeRate, first_day=date(2026, 1, 1), currency=code, base="usd", rate=worth)


def check_base(told: Mapping[str, Any]) -> None:
    """Hold the sums in the base against those of the currencies."""
    total, own = told["in_base"]["total"], Counter[str]()
    for sums in told["currencies"].values():
        own.update(sums)
    assert told["in_base"]["apart"] == []
    assert total["gross_sales_minor"] == own["sales_minor"]
    assert total["subscription_sales_minor"] == own["subscription_sales_minor"]
    assert total["net_revenue_minor"] == own["net_minor"]
    assert total["tax_collected_minor"] == own["tax_minor"]
    assert total["fees_minor"] == own["fees_minor"]
    assert total["disputes_minor"] == own["disputes_minor"]


def parts(made: Document, code: str) -> Counter[str]:
    """Add up the balances of one currency by what they are compared with."""
    found: Counter[str] = Counter()
    for name, one in made.payload["trial_balance"].get(code, {}).items():
        key = ":".join(name.split(":")[:2])
        found["Assets:Bank" if key in ("Assets:Transfers",) else key] += one["amount_minor"]
    return found


def check(made: Document, told: Mapping[str, Any]) -> None:
    for code in {*told["currencies"], *made.payload["trial_balance"]}:
        mine, own = parts(made, code), Counter(told["currencies"].get(code, {}))
        assert sum(mine.values()) == 0
        assert -mine["Income:Sales"] - mine["Income:Discounts"] == own["sales_minor"]
        assert mine["Income:Discounts"] == own["discounts_minor"]
        assert -mine["Liabilities:Tax"] == own["tax_minor"]
        refunds_without_tax = own["sales_minor"] - own["net_minor"] - own["disputes_minor"]
        assert mine["Income:Refunds"] == refunds_without_tax - own["fees_minor"]
        assert mine["Expenses:Fees"] == own["fees_minor"]
        assert mine["Income:Disputes"] == own["disputes_minor"]
        assert mine["Assets:Bank"] == own["payouts_minor"]
        bank = Counter(told["bank"].get(code, {}))
        assert mine["Assets:Stripe"] == bank["net_minor"] - bank["paid_out_minor"]


@settings(max_examples=15, deadline=None)
@given(st.lists(solds, min_size=1, max_size=5), payouts)
def test_books_balance_and_tie_to_revenue_and_to_the_bank(
    story: list[Sold], moved: list[tuple[int, str, str, int, int]]
) -> None:
    with TemporaryDirectory() as folder:
        store = new_store(Path(folder))
        books = Books(store)
        rates_of_one(books)
        for sold in story:
            live(books, sold)
        for number, code, kind, amount, fee in moved:
            books.booked(day(number), kind, amount, fee, currency=code)
        whole, told = reports(books, None)
        check(whole, told)
        check_base(told)
        added: Counter[tuple[str, str]] = Counter()
        for asked in ("2026-04", "2026-05", "2026-06"):
            made, month_told = reports(books, asked)
            check(made, month_told)
            for code, names in made.payload["trial_balance"].items():
                for name, one in names.items():
                    added[code, name] += one["amount_minor"]
        store.close()
    balances = {
        (code, name): one["amount_minor"]
        for code, names in whole.payload["trial_balance"].items()
        for name, one in names.items()
    }
    assert {key: minor for key, minor in added.items() if minor} == {
        key: minor for key, minor in balances.items() if minor
    }
    journal = Journal(whole.texts["ledger"])
    assert journal.unbalanced() == []
    read = {
        (code.lower(), name): int(amount.scaleb(exponent(code.lower())))
        for (name, code), amount in journal.balances().items()
    }
    assert read == {key: minor for key, minor in balances.items() if minor}
