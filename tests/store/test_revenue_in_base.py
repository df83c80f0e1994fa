"""Revenue of several currencies told in one, and each of its figures opened to the cent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.period import month
from kpay.domain.reports.scope import Scope
from kpay.models.books import ExchangeRate
from kpay.models.payments import Charge
from kpay.services.reporting import revenue
from kpay.services.reporting.revenue_behind import OPENED
from tests.fakes.books import ACCOUNT, Books, at, open_books


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with open_books(tmp_path) as opened:
        yield opened


def scope(asked: str | None = None, *, timezone: str = "UTC", as_of: str = "2026-07-01") -> Scope:
    return Scope(month(asked, timezone) if asked else None, at(as_of), timezone, "usd")


def told(books: Books, asked: str | None = None, **options: str) -> dict[str, Any]:
    with books.store.reading() as connection:
        payload = revenue.document(connection, scope(asked, **options)).payload
    return dict(payload)


def rate(books: Books, first_day: str, currency: str, worth: str) -> None:
    books.put(
        ExchangeRate,
        first_day=date.fromisoformat(first_day),
        currency=currency,
        base="usd",
        rate=worth,
    )


def failed_charge(books: Books, when: str, currency: str = "usd") -> None:
    books.put(
        Charge, account=ACCOUNT, livemode=False, external_id=f"ch_failed_{books.count}",
        amount_minor=1000, captured_minor=0, refunded_minor=0, currency=currency, status="failed",
        is_sale=False, created_at=at(when),
    )  # fmt: skip


def small_business(books: Books) -> None:
    """Two months, euros at 1.2 and 1.5 dollars, yen at 0.01, and pounds of which no rate is known."""
    for day, worth in (("2026-04-01", "1.2"), ("2026-05-01", "1.5")):
        rate(books, day, "eur", worth)
    rate(books, "2026-04-01", "jpy", "0.01")
    mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
    books.order("2026-04-03", 5000, customer=mia, fee=175)
    euros = books.order("2026-04-04", 1190, customer=ned, currency="eur", tax=190, fee=65)
    books.order("2026-04-30T23:30", 2001, customer=ned, currency="eur", kind="renewal")
    books.order("2026-05-02", 1250, customer=mia, currency="jpy", fee=50)
    books.order("2026-05-03", 900, customer=mia, currency="gbp")
    books.refund("2026-05-10", 595, order=euros, currency="eur", is_booked=True)
    books.order("2026-05-11", 700, status="failed")
    failed_charge(books, "2026-05-12")


def test_each_payment_is_converted_at_the_rate_of_its_day(books: Books) -> None:
    small_business(books)
    found = told(books)["in_base"]
    april, may, june = found["months"]
    assert april == {
        "month": "2026-04",
        "is_partial": True,
        "gross_sales_minor": 5000 + 1200 + 2401,
        "one_time_sales_minor": 6200,
        "subscription_sales_minor": 2401,
        "refunds_minor": 0,
        "disputes_minor": 0,
        "fees_minor": 175 + 78,
        "net_revenue_minor": 8601 - 253,
        "tax_collected_minor": 228,
        "failed_payments": 0,
        "paying_customers": 2,
    }
    assert (may["gross_sales_minor"], may["refunds_minor"]) == (1250, 750)
    assert (may["fees_minor"], may["tax_collected_minor"]) == (50, -143)
    assert (may["failed_payments"], may["paying_customers"]) == (2, 1)
    assert found["total"]["net_revenue_minor"] == 8348 + (1250 - 750 - 50)
    assert found["total"]["paying_customers"] == 2
    assert june["gross_sales_minor"] == 0
    assert (may["is_partial"], june["is_partial"]) == (False, False)


def test_the_rates_that_were_used_are_told_and_what_has_none_stands_apart(books: Books) -> None:
    small_business(books)
    found = told(books)["in_base"]
    assert found["converted"] == {
        "eur": {"lowest": "1.2", "highest": "1.5"},
        "jpy": {"lowest": "0.01", "highest": "0.01"},
    }
    assert found["apart"] == ["gbp"]
    with books.store.reading() as connection:
        document = revenue.document(connection, scope())
    notes = " ".join(table.note for table in document.tables)
    assert "1 EUR = 1.2 to 1.5 USD" in notes
    assert "GBP stands apart" in notes
    assert document.next_steps == ("kpay import fx FILE",)


def test_a_payment_at_midnight_is_of_the_creators_month_and_rate(books: Books) -> None:
    rate(books, "2026-04-01", "eur", "1.2")
    rate(books, "2026-05-01", "eur", "1.5")
    books.order("2026-05-01T03:00", 1000, currency="eur")
    here = told(books, "2026-04", timezone="America/New_York")["in_base"]["total"]
    assert here["gross_sales_minor"] == 1200
    assert told(books, "2026-05")["in_base"]["total"]["gross_sales_minor"] == 1500


def test_converted_at_one_the_base_sums_are_those_of_the_currency(books: Books) -> None:
    rate(books, "2026-01-01", "eur", "1")
    order = books.order("2026-04-03", 1190, currency="eur", tax=190, fee=65)
    books.order("2026-04-05", 3000, currency="eur", kind="renewal", discount=500, fee=90)
    books.refund("2026-04-09", 1190, order=order, currency="eur", is_booked=True)
    books.booked("2026-04-30", "stripe_fee", -200, currency="eur")
    books.booked("2026-04-30", "payout", -1000, 25, currency="eur")
    own, base = told(books)["currencies"]["eur"], told(books)["in_base"]["total"]
    assert base["net_revenue_minor"] == own["net_minor"]
    assert base["gross_sales_minor"] == own["sales_minor"]
    assert base["subscription_sales_minor"] == own["subscription_sales_minor"] == 2500
    assert (base["fees_minor"], own["payouts_minor"]) == (own["fees_minor"], 1000)


def test_the_last_rate_of_a_day_holds_for_all_of_it(books: Books) -> None:
    for hour, worth in (("09", "1.1"), ("17", "1.3")):
        order = books.order(f"2026-04-03T{hour}:00", 1000, currency="eur", source="stripe")
        charge = f"ch_{order_number(books, order)}"
        books.booked(f"2026-04-03T{hour}:00", "charge", 1100, source=charge, rate=worth)
    assert told(books)["in_base"]["total"]["gross_sales_minor"] == 2600


def order_number(books: Books, order: int) -> str:
    with books.store.reading() as connection:
        found = connection.exec_driver_sql(
            "SELECT charge_id FROM orders WHERE id = ?", (order,)
        ).scalar_one()
    return str(found).removeprefix("ch_")


def test_a_refund_that_fails_later_changes_nothing_that_was_reported(books: Books) -> None:
    order = books.order("2026-04-03", 1190, tax=190)
    books.refund("2026-04-20", 1190, order=order, is_booked=True)
    before = told(books, "2026-04")["currencies"]["usd"]
    with books.store.writing() as connection:
        connection.exec_driver_sql("UPDATE refund SET status = 'failed'")
        (refund,) = connection.exec_driver_sql("SELECT external_id FROM refund").one()
    books.booked("2026-05-02", "refund_failure", 1190, source=refund)
    assert told(books, "2026-04")["currencies"]["usd"] == before
    may = told(books, "2026-05")["currencies"]["usd"]
    assert (may["refunds_minor"], may["tax_minor"], may["net_minor"]) == (-1190, 190, 1000)


@pytest.mark.parametrize("asked", [None, "2026-04", "2026-05"])
def test_the_rows_behind_a_figure_add_up_to_it(books: Books, asked: str | None) -> None:
    small_business(books)
    lost = books.dispute("2026-05-20", 400)
    books.booked("2026-05-20", "adjustment", -400, 1500, source=lost)
    books.dispute("2026-05-21", 300)
    books.booked("2026-05-31", "payout", -2000)
    with books.store.reading() as connection:
        figures = revenue.document(connection, scope(asked)).metrics
        opened = {name: revenue.explain(connection, scope(asked), name) for name in OPENED}
    for name, found in opened.items():
        assert found is not None
        assert sum(row.amount for row in found.rows) == found.value == figures[name].value, name
        assert all(row.provider for row in found.rows)
    assert sum(bool(figures[name].value) for name in OPENED) > len(OPENED) / 2
    assert set(figures) == OPENED


def test_people_behind_a_figure_are_masked_unless_addresses_are_asked_for(books: Books) -> None:
    small_business(books)
    with books.store.reading() as connection:
        masked = revenue.explain(connection, scope("2026-04"), "gross")
        assert masked is not None
        asked = Scope(scope("2026-04").period, at("2026-07-01"), "UTC", "usd", shows_emails=True)
        named = revenue.explain(connection, asked, "gross")
    assert named is not None
    assert [row.customer for row in named.rows] == ["mia@example.com"]
    assert [row.customer for row in masked.rows] == ["m***@e***.com"]


def test_an_unknown_metric_is_not_opened(books: Books) -> None:
    with books.store.reading() as connection:
        assert revenue.explain(connection, scope(), "mrr") is None


def test_who_got_something_free_is_a_customer_but_did_not_pay(books: Books) -> None:
    mia = books.customer("mia@example.com")
    books.order("2026-04-03", 2900, customer=mia, discount=2900)
    found = told(books, "2026-04")
    assert found["currencies"]["usd"]["customers"] == 1
    assert found["in_base"]["total"]["paying_customers"] == 0
    assert found["in_base"]["months"][0]["paying_customers"] == 0


def test_a_dispute_abroad_that_the_balance_knows_counts_once(books: Books) -> None:
    rate(books, "2026-01-01", "eur", "1")
    lost = books.dispute("2026-04-20", 400, currency="eur")
    books.booked("2026-04-20", "adjustment", -400, 1500, source=lost, currency="eur")
    total = told(books, "2026-04")["in_base"]["total"]
    assert (total["disputes_minor"], total["fees_minor"]) == (400, 1500)


def test_who_buys_in_two_months_is_one_customer_of_both(books: Books) -> None:
    mia = books.customer("mia@example.com")
    for day in ("2026-04-03", "2026-05-03"):
        books.order(day, 2900, customer=mia)
    found = told(books)
    assert found["currencies"]["usd"]["customers"] == 1
    assert found["in_base"]["total"]["paying_customers"] == 1
