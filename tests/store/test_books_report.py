"""The books balance, tie to revenue and to payouts, and can be read back from their texts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.document import Document
from kpay.domain.enums import OutputFormat
from kpay.domain.period import month
from kpay.domain.reports.scope import Scope
from kpay.errors import UsageProblem
from kpay.models.signals import Cost, Income
from kpay.presentation.output import as_text
from kpay.services.reporting import books as section
from kpay.services.reporting import revenue
from tests.fakes.books import Books, at, open_books
from tests.fakes.ledger_reader import Journal


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with open_books(tmp_path) as opened:
        yield opened


def scope(asked: str | None = None, *, as_of: str = "2026-06-01", emails: bool = False) -> Scope:
    period = month(asked, "UTC") if asked else None
    return Scope(period, at(as_of), "UTC", "usd", shows_emails=emails)


def document(books: Books, asked: str | None = None, **options: Any) -> Document:
    with books.store.reading() as connection:
        return section.document(connection, scope(asked, **options))


def balance(made: Document, currency: str = "usd") -> dict[str, int]:
    found = made.payload["trial_balance"].get(currency, {})
    return {name: one["amount_minor"] for name, one in found.items()}


def trade(books: Books) -> None:
    mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
    first = books.order("2026-04-03", 11900, customer=mia, tax=1900, fee=375, country="DE")
    books.order("2026-04-04", 5000, customer=ned, discount=1000, fee=146, kind="renewal")
    books.order("2026-04-05", 2500, customer=ned)
    books.refund("2026-04-20", 5950, order=first, is_booked=True)
    lost = books.dispute("2026-04-22", 4000)
    books.booked("2026-04-22", "adjustment", -4000, 1500, source=lost)
    books.dispute("2026-04-23", 300)
    books.booked("2026-04-25", "stripe_fee", -200)
    books.booked("2026-04-26", "reserve_transaction", -700)
    books.booked("2026-04-28", "payout", -3000, 25)
    books.booked("2026-04-29", "payout_failure", 3000)
    books.booked("2026-04-30", "payout", -2000)
    books.put(
        Cost, day=date(2026, 4, 9), kind="ads", campaign="spring", amount_minor=2000, currency="usd"
    )
    books.put(Income, day=date(2026, 4, 9), kind="consulting", amount_minor=9000, currency="usd")


def test_every_account_has_what_the_revenue_report_tells(books: Books) -> None:
    trade(books)
    found = balance(document(books))
    with books.store.reading() as connection:
        own = revenue.document(connection, scope()).payload
    sums, bank = own["currencies"]["usd"], own["bank"]["usd"]
    assert found == {
        "Assets:Bank": 2000,
        "Assets:Stripe": bank["net_minor"] - bank["paid_out_minor"],
        "Assets:Unsettled": 2500 - 300,
        "Equity:Adjustments": 700,
        "Equity:Owner": 9000 - 2000,
        "Expenses:Costs:Ads": 2000,
        "Expenses:Fees": sums["fees_minor"],
        "Income:Discounts": sums["discounts_minor"],
        "Income:Disputes": sums["disputes_minor"],
        "Income:Other:Consulting": -9000,
        "Income:Refunds": 5000,
        "Income:Sales:One-time": -(10000 + 2500),
        "Income:Sales:Subscriptions": -5000,
        "Liabilities:Tax:DE": -sums["tax_minor"],
    }
    assert found["Assets:Bank"] == sums["payouts_minor"]
    assert sum(found.values()) == 0


def test_a_sale_and_its_movement_are_one_transaction(books: Books) -> None:
    books.order("2026-04-03", 11900, tax=1900, fee=375, country="DE")
    (one,) = document(books).payload["transactions"]
    assert one["description"] == "Sale"
    assert [(part["account"], part["amount_minor"]) for part in one["postings"]] == [
        ("Assets:Stripe", 11525),
        ("Expenses:Fees", 375),
        ("Income:Sales:One-time", -10000),
        ("Liabilities:Tax:DE", -1900),
    ]


def test_what_settles_a_day_later_waits_unsettled(books: Books) -> None:
    books.order("2026-04-30", 1000, source="stripe")
    charge = document(books).payload["transactions"][0]["id"]
    books.booked("2026-05-01", "charge", 1000, 59, source=charge)
    assert balance(document(books, "2026-04"))["Assets:Unsettled"] == 1000
    assert balance(document(books, "2026-05"))["Assets:Unsettled"] == -1000
    assert balance(document(books))["Assets:Unsettled"] == 0


def test_another_currency_goes_through_the_conversion_in_both(books: Books) -> None:
    order = books.order("2026-04-03", 1000, currency="eur", source="stripe")
    charge = document(books).payload["transactions"][0]["id"]
    books.booked("2026-04-03", "charge", 660, 40, source=charge, rate="1.1")
    books.booked("2026-04-04", "charge", 440, 22, source=charge, rate="1.1")
    books.refund("2026-04-09", 500, order=order, currency="eur")
    (refund,) = [
        one["id"] for one in document(books).payload["transactions"] if one["id"].startswith("re_")
    ]
    books.booked("2026-04-09", "refund", -560, source=refund, rate="1.12")
    made = document(books)
    assert balance(made, "eur") == {
        "Equity:Conversion": 500, "Income:Refunds": 500, "Income:Sales:One-time": -1000,
    }  # fmt: skip
    assert balance(made) == {
        "Assets:Stripe": 1100 - 62 - 560, "Equity:Conversion": -540, "Expenses:Fees": 62,
    }  # fmt: skip


def test_a_refund_that_failed_is_posted_back_on_its_day(books: Books) -> None:
    order = books.order("2026-04-03", 1190, tax=190, fee=65, country="DE")
    books.refund("2026-04-20", 1190, order=order, is_booked=True, status="failed")
    refund = document(books).payload["transactions"][-1]["id"]
    books.booked("2026-05-02", "refund_failure", 1190, source=refund)
    assert balance(document(books, "2026-04"))["Income:Refunds"] == 1000
    assert balance(document(books, "2026-05")) == {
        "Assets:Stripe": 1190, "Income:Refunds": -1000, "Liabilities:Tax:DE": -190,
    }  # fmt: skip


def test_the_ledger_text_reads_back_to_the_same_balances(books: Books) -> None:
    trade(books)
    made = document(books)
    journal = Journal(as_text(made, OutputFormat.LEDGER))
    assert journal.unbalanced() == []
    assert {key[0]: int(value * 100) for key, value in journal.balances().items()} == balance(made)
    assert len(journal.transactions) == made.metrics["transactions"].value


def test_csv_has_one_line_a_posting_and_adds_up(books: Books) -> None:
    trade(books)
    made = document(books)
    lines = list(csv.DictReader(io.StringIO(as_text(made, OutputFormat.CSV))))
    assert len(lines) == made.metrics["postings"].value
    by_transaction: dict[str, float] = {}
    for line in lines:
        number = line["transaction"]
        by_transaction[number] = by_transaction.get(number, 0) + round(float(line["amount"]) * 100)
    assert set(by_transaction.values()) == {0}
    assert {line["currency"] for line in lines} == {"USD"}


def test_texts_from_files_cannot_break_out_of_a_line(books: Books) -> None:
    kind = '=cmd|"x"\n2026-01-01 * (evil)\n    Assets:Bank  1.00 USD;,'
    books.put(Cost, day=date(2026, 4, 9), kind=kind, campaign="", amount_minor=2000, currency="usd")
    made = document(books)
    journal = Journal(as_text(made, OutputFormat.LEDGER))
    assert len(journal.transactions) == 1
    assert {account.split(":")[0] for account in journal.accounts} == {"Expenses", "Equity"}
    assert as_text(made, OutputFormat.CSV).count("\ncost") == 0
    for line in csv.reader(io.StringIO(as_text(made, OutputFormat.CSV))):
        assert not any(cell.startswith(("=", "@", "+")) for cell in line)


def test_customers_are_numbers_unless_addresses_are_asked_for(books: Books) -> None:
    trade(books)
    for fmt in (OutputFormat.LEDGER, OutputFormat.CSV, OutputFormat.JSON):
        assert "@example.com" not in as_text(document(books), fmt)
        assert "mia@example.com" in as_text(document(books, emails=True), fmt)


def test_the_same_day_makes_the_same_books_whatever_comes_later(books: Books) -> None:
    trade(books)
    books.order("2026-04-30", 1000, currency="eur", source="stripe")
    before = as_text(document(books, as_of="2026-05-01"), OutputFormat.LEDGER)
    charge = document(books, as_of="2026-05-01").payload["transactions"][-2]["id"]
    assert charge.startswith("ch_")
    books.booked("2026-05-02", "charge", 1100, 62, source=charge, rate="1.1")
    books.order("2026-05-05", 1000, fee=59)
    books.booked("2026-05-06", "payout", -500)
    assert as_text(document(books, as_of="2026-05-01"), OutputFormat.LEDGER) == before


def test_only_the_books_are_written_as_a_ledger(books: Books) -> None:
    with books.store.reading() as connection:
        other = revenue.document(connection, scope())
    with pytest.raises(UsageProblem, match="only the books") as refused:
        as_text(other, OutputFormat.LEDGER)
    assert refused.value.hint == "kpay report books --format ledger"


def test_empty_books_lead_on(books: Books) -> None:
    made = document(books)
    assert made.payload["transactions"] == []
    assert made.next_steps
    assert Journal(as_text(made, OutputFormat.LEDGER)).transactions == []


def test_an_id_from_a_file_stays_in_its_brackets(books: Books) -> None:
    books.order("2026-04-03", 1000)
    with books.store.writing() as connection:
        connection.exec_driver_sql("UPDATE orders SET external_id = ?", ("=a) b\n(c;",))
    journal = Journal(as_text(document(books), OutputFormat.LEDGER))
    assert [code for _, code, *_ in journal.transactions] == ["_a_b_c_"]
    (line, *_) = csv.DictReader(io.StringIO(as_text(document(books), OutputFormat.CSV)))
    assert line["id"] == "'=a) b\n(c;"
