"""What campaigns were worth, from a real store: net of what did not stay, against people held out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from kpay.domain import attention_cost
from kpay.domain.experiment import Interval
from kpay.domain.period import month
from kpay.domain.reports.campaigns import CampaignsReport
from kpay.domain.reports.scope import Scope
from kpay.ml import attention as learned
from kpay.models import Cost, MailNotice, Order
from kpay.services.reporting import campaigns as service
from kpay.store.dialect import table_of
from tests.fakes.books import Books, open_books
from tests.fakes.daily_sales import add_sales
from tests.fakes.sends import add_clicks, add_send

NOW = datetime(2026, 10, 1, 9, tzinfo=UTC)
SENT = datetime(2026, 8, 3, 8, tzinfo=UTC)
PEOPLE = [f"reader{number}@example.com" for number in range(400)]
MAILED, HELD_OUT = PEOPLE[:300], PEOPLE[300:]


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    with open_books(folder):
        return folder / "kpay.db"


@pytest.fixture
def books(tmp_path: Path, empty_store: Path) -> Iterator[Books]:
    shutil.copy(empty_store, tmp_path / "kpay.db")
    with open_books(tmp_path) as opened:
        yield opened


def scope(period: Any = None, as_of: datetime = NOW) -> Scope:
    return Scope(period, as_of, "UTC", "usd")


def report(books: Books, asked: Scope | None = None) -> CampaignsReport:
    with books.store.reading() as connection:
        return service.campaigns_report(connection, asked or scope())


def payload(books: Books, asked: Scope | None = None) -> Any:
    return report(books, asked).to_document().payload


def sell(books: Books, email: str, day: str, amount: int, **more: Any) -> int:
    order = books.order(day, amount, **more)
    orders = table_of(Order)
    with books.store.writing() as connection:
        connection.execute(update(orders).where(orders.c.id == order).values(email=email))
    return order


def spend(books: Books, campaign: str, amount: int, currency: str = "usd", day: int = 2) -> None:
    books.put(
        Cost,
        day=date(2026, 8, day),
        kind="ads",
        campaign=campaign,
        amount_minor=amount,
        currency=currency,
    )


def a_good_campaign(books: Books, name: str = "summer") -> None:
    """30 of 300 mailed buy for 100.00, 1 of 100 held out does."""
    add_send(books.store, name, SENT, mailed=MAILED, held_out=HELD_OUT)
    buyers = (*MAILED[:30], HELD_OUT[0])
    add_sales(books.store, [SENT + timedelta(days=2)] * len(buyers), 100_00, emails=buyers)


def test_incremental_net_is_what_the_mailed_left_beyond_the_held_out(books: Books) -> None:
    a_good_campaign(books)
    (found,) = payload(books)["campaigns"]
    assert (found["sent"], found["held_out"]) == (300, 100)
    # (10 % - 1 %) x 300 people x about 100.00
    assert found["incremental_net_minor"] == pytest.approx(270_000, rel=0.02)
    low, high = found["incremental_net_low95_minor"], found["incremental_net_high95_minor"]
    assert 0 < low < found["incremental_net_minor"] < high
    assert "The mail sold" in found["verdict"]


def test_refunds_tax_and_fees_are_not_earned(books: Books) -> None:
    a_good_campaign(books)
    before = report(books).rows[0].earned.net.treated.total_minor
    for email in MAILED[:2]:
        order = sell(books, email, "2026-08-06", 60_00, tax=10_00, fee=2_00)
        books.refund("2026-08-20", 30_00, order=order)
    after = report(books).rows[0].earned.net.treated.total_minor
    # each leaves 60 less 30 given back, 5 of tax that stays with the state, and a fee of 2
    assert after - before == 2 * 23_00


def test_a_fee_in_another_currency_is_the_same_share_of_the_order(books: Books) -> None:
    add_send(books.store, "summer", SENT, mailed=MAILED, held_out=HELD_OUT)
    order = sell(books, MAILED[0], "2026-08-05", 100_00, source="stripe")
    orders = table_of(Order)
    with books.store.reading() as connection:
        charge = (
            connection.execute(orders.select().where(orders.c.id == order))
            .mappings()
            .one()["charge_id"]
        )
    books.booked("2026-08-05", "charge", 90_00, 9_00, source=charge, currency="eur", rate="0.9")
    treated = report(books).rows[0].earned.net.treated
    assert treated.total_minor == 90_00


def test_roi_is_of_the_net_less_the_cost_and_blank_without_one(books: Books) -> None:
    a_good_campaign(books)
    document = report(books).to_document()
    (found,) = document.payload["campaigns"]
    assert found["roi"] is None
    assert found["cost_minor"] == 0
    assert document.next_steps == ("kpay import costs FILE",)
    spend(books, "summer", 900_00)
    (found,) = payload(books)["campaigns"]
    net = found["incremental_net_minor"]
    assert found["roi"] == pytest.approx((net - 90_000) / 90_000, abs=1e-4)
    assert found["roi_low95"] < found["roi"] < found["roi_high95"]
    assert "It earned more than the $900.00 that it cost" in found["verdict"]


def test_a_cost_in_another_currency_makes_no_ratio(books: Books) -> None:
    a_good_campaign(books)
    spend(books, "summer", 100_00)
    spend(books, "summer", 500_00, currency="eur")
    shown = payload(books)
    assert shown["campaigns"][0]["roi"] is None
    assert shown["campaigns"][0]["costs"] == [
        {"currency": "eur", "amount_minor": 500_00},
        {"currency": "usd", "amount_minor": 100_00},
    ]


def test_who_left_because_of_the_mail_is_counted_against_the_held_out(books: Books) -> None:
    a_good_campaign(books)
    add_clicks(
        books.store, [*MAILED[100:112], HELD_OUT[5]], SENT + timedelta(days=1), "unsubscribe"
    )
    add_clicks(books.store, MAILED[112:114], SENT + timedelta(days=1), "complaint")
    add_clicks(books.store, MAILED[120:140], SENT + timedelta(days=40), "unsubscribe")
    books.put(
        MailNotice,
        fingerprint="n1",
        kind="complaint",
        email=MAILED[112],
        noticed_at=SENT + timedelta(days=2),
        words="",
    )
    (found,) = payload(books)["campaigns"]
    assert (found["unsubscribes"]["treated"], found["unsubscribes"]["held_out"]) == (14, 1)
    assert found["unsubscribes"]["caused"] == pytest.approx(14 - 3, abs=1e-6)
    assert found["complaints"]["treated"] == 2
    each = found["incremental_net_minor"] / 300
    to_come = payload(books)["mails_to_come"]
    assert found["attention_cost_minor"] == pytest.approx(11 * each * to_come, rel=0.01)


def test_without_people_held_out_nothing_is_claimed(books: Books) -> None:
    add_send(books.store, "summer", SENT, mailed=PEOPLE)
    sell(books, PEOPLE[0], "2026-08-05", 100_00)
    spend(books, "summer", 10_00)
    shown = payload(books)
    (found,) = shown["campaigns"]
    assert found["incremental_net_minor"] is None
    assert found["roi"] is None
    assert found["unsubscribes"]["caused"] is None
    assert found["attention_cost_minor"] is None
    assert shown["left_out"] == [{"campaign": "summer", "why": "nobody was held out"}]


def test_while_the_window_runs_there_is_no_figure_of_money(books: Books) -> None:
    a_good_campaign(books)
    early = payload(books, scope(as_of=SENT + timedelta(days=5)))["campaigns"][0]
    assert early["incremental_net_minor"] is None
    assert early["window"]["is_over"] is False
    assert early["verdict"].startswith("Too early")


def test_finished_campaigns_are_pooled(books: Books) -> None:
    a_good_campaign(books)
    add_send(books.store, "later", SENT + timedelta(days=20), mailed=MAILED, held_out=HELD_OUT)
    spend(books, "summer", 900_00)
    spend(books, "elsewhere", 5_00)
    shown = payload(books)
    assert shown["pooled"]["campaigns"] == ["summer", "later"]
    assert shown["pooled"]["sent"] == 600
    assert shown["pooled"]["cost_minor"] == 900_00
    assert shown["pooled"]["verdict"].startswith("Too early: the first verdict is given on 5")
    assert shown["costs_without_campaign"] == [{"currency": "usd", "amount_minor": 5_00}]
    chosen = payload(books, scope(month("2026-08", "UTC")))
    assert "days picked afterwards" in chosen["pooled"]["verdict"]


def test_what_comes_later_changes_no_report_of_an_earlier_day(books: Books) -> None:
    a_good_campaign(books)
    then = scope(as_of=SENT + timedelta(days=20))
    before = report(books, then).to_document()
    order = sell(books, MAILED[50], "2026-08-24T08:00", 100_00)
    books.refund("2026-08-25", 50_00, order=order)
    spend(books, "summer", 7_00, day=25)
    add_clicks(books.store, MAILED[60:70], SENT + timedelta(days=25), "unsubscribe")
    add_send(books.store, "later", SENT + timedelta(days=21), mailed=MAILED)
    assert report(books, then).to_document() == before


def test_the_costs_behind_the_figure_add_up_to_it(books: Books) -> None:
    a_good_campaign(books)
    spend(books, "summer", 900_00)
    spend(books, "summer", 100_00, day=4)
    spend(books, "elsewhere", 5_00)
    with books.store.reading() as connection:
        opened = service.explain(connection, scope(), "campaign_cost")
        shown = service.document(connection, scope()).metrics["campaign_cost"]
        assert service.explain(connection, scope(), "roi") is None
    assert opened is not None
    assert sum(row.amount for row in opened.rows) == opened.value == shown.value == 1000_00


def test_an_empty_business_has_a_report_too(books: Books) -> None:
    document = report(books).to_document()
    assert document.payload["campaigns"] == []
    assert document.payload["pooled"]["incremental_net_minor"] is None


def test_a_reader_lost_is_worth_the_mails_to_come() -> None:
    assert attention_cost.mails_to_come(14.0, 0.0) == pytest.approx(
        sum(0.985 ** (2 * number) for number in range(1, 27))
    )
    assert attention_cost.mails_to_come(7.0, 0.01) > attention_cost.mails_to_come(14.0, 0.01)
    found = attention_cost.attention_cost(
        Interval(10.0, -2.0, 20.0), Interval(50.0, 10.0, 90.0), 16.0
    )
    assert found == Interval(8000.0, 0.0, 28800.0)
    assert attention_cost.attention_cost(None, Interval(1.0, 0.0, 2.0), 16.0) is None


def test_before_and_after_a_mail_the_same_assumptions_hold() -> None:
    assert attention_cost.WEEKLY_STAY == learned.WEEKLY_STAY
    assert attention_cost.HORIZON_DAYS == learned.HORIZON_DAYS
