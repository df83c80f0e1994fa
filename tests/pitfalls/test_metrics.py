"""Bugs that people reported of dashboards, each on rows in a real store, by the report people read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.document import Document
from kpay.domain.reports.scope import Scope
from kpay.services.reporting import mrr, revenue
from tests.fakes.books import Books, at, open_books
from tests.fakes.desk import Desk
from tests.fakes.stripe_shop import DAY, START

Months = list[dict[str, Any]]


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with open_books(tmp_path) as opened:
        yield opened


def made(books: Books, as_of: str = "2026-05-01", **scope: Any) -> Document:
    with books.store.reading() as connection:
        return mrr.document(connection, Scope(None, at(as_of), **{**IN_UTC, **scope}))


IN_UTC: dict[str, Any] = {"timezone": "UTC", "base_currency": "usd"}


def months(books: Books, as_of: str = "2026-05-01", **scope: Any) -> Months:
    found: Months = made(books, as_of, **scope).payload["months"]
    return found


def told(listed: Months, name: str) -> list[Any]:
    return [month[name] for month in listed]


def test_a_yearly_price_counts_by_the_month_not_whole(books: Books) -> None:
    books.subscription(books.customer("mia@example.com"), "2026-01-05", 12000, interval="year")
    assert told(months(books), "mrr_end_minor") == [1000, 1000, 1000, 1000]


def test_a_quarterly_price_is_divided_by_three(books: Books) -> None:
    mia = books.customer("mia@example.com")
    books.subscription(mia, "2026-01-05", 2700, interval_count=3)
    assert told(months(books), "mrr_end_minor") == [900] * 4


def test_a_failed_renewal_is_in_no_revenue_and_leaves_mrr_after_its_grace(books: Books) -> None:
    mia = books.customer("mia@example.com")
    name = books.subscription(mia, "2026-01-05", 1000, status="past_due")
    books.bill(name, "2026-01-05", paid="2026-01-05", status="paid")
    books.bill(name, "2026-02-05", paid=None, status="open")
    books.order("2026-01-05", 1000, customer=mia)
    books.order("2026-02-05", 1000, customer=mia, status="failed")
    assert told(months(books), "mrr_end_minor") == [1000, 0, 0, 0]
    with books.store.reading() as connection:
        taken = revenue.document(connection, Scope(None, at("2026-05-01"), **IN_UTC))
    assert taken.payload["currencies"]["usd"]["net_minor"] == 1000


def test_a_cancellation_is_taken_off_once_when_it_is_asked_and_when_it_ends(books: Books) -> None:
    mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
    books.subscription(mia, "2026-01-05", 1000)
    books.subscription(
        ned, "2026-01-05", 700, status="canceled", canceled="2026-02-10", ended="2026-03-05"
    )
    listed = months(books)
    assert told(listed, "churn_minor") == [0, 0, 700, 0]
    assert told(listed, "mrr_end_minor") == [1700, 1700, 1000, 1000]


def test_who_cancels_at_the_periods_end_pays_until_then_and_is_listed_apart(books: Books) -> None:
    mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
    books.subscription(mia, "2026-01-05", 1000)
    books.subscription(ned, "2026-01-05", 700, canceled="2026-02-10")
    february = months(books, "2026-03-01")[1]
    assert february["mrr_end_minor"] == 1700
    assert (february["cancelling_minor"], february["cancelling_subscribers"]) == (700, 1)
    assert february["committed_mrr_minor"] == 1000
    assert months(books, "2026-02-01")[0]["committed_mrr_minor"] == 1700


def test_a_month_for_nothing_by_way_of_a_trial_is_no_churn(books: Books) -> None:
    mia = books.customer("mia@example.com")
    name = books.subscription(
        mia,
        "2026-01-05",
        1000,
        status="trialing",
        trial_end="2026-04-05",
        phases=(("2026-01-05", 1000), ("2026-03-05", 0), ("2026-04-05", 1000)),
    )
    books.bill(name, "2026-01-05", paid="2026-01-05", status="paid")
    books.bill(name, "2026-02-05", paid="2026-02-05", status="paid")
    listed = months(books)
    assert told(listed, "mrr_end_minor") == [1000] * 4
    assert sum(told(listed, "churn_minor")) == 0


def test_a_first_trial_still_costs_nothing(books: Books) -> None:
    mia = books.customer("mia@example.com")
    name = books.subscription(
        mia,
        "2026-01-20",
        1000,
        trial_end="2026-02-03",
        phases=(("2026-01-20", 0), ("2026-02-03", 1000)),
    )
    books.bill(name, "2026-02-03", paid="2026-02-03", status="paid")
    assert told(months(books, "2026-03-01"), "mrr_end_minor") == [1000]


def test_a_coupon_that_has_ended_takes_nothing_off_any_more(books: Books) -> None:
    mia = books.customer("mia@example.com")
    phases = (("2026-01-05", 500, 500), ("2026-03-05", 1000))
    books.subscription(mia, "2026-01-05", 1000, phases=phases)
    listed = months(books)
    assert told(listed, "mrr_end_minor") == [500, 500, 1000, 1000]
    assert listed[2]["expansion_minor"] == 500
    assert told(months(books, policy="stripe"), "mrr_end_minor") == [1000] * 4


@pytest.mark.parametrize(("duration", "by_stripe"), [("once", 900), ("forever", 600)])
def test_a_coupon_that_does_not_last_is_told_from_one_that_does(
    desk: Desk, duration: str, by_stripe: int
) -> None:
    shop = desk.shop
    ana = shop.customer("ana@example.com", START)
    member = shop.subscribe(shop.offer("club", 900, interval="month"), START, ana)
    coupon = {"id": "third_off", "object": "coupon", "created": START, "duration": duration}
    shop.provider.add({**coupon, "livemode": False, "percent_off": 33.33, "valid": True})
    bill = member.invoice
    assert bill
    [line] = bill["lines"]["data"]
    taken = [{"amount": 300, "discount": "di_1"}]
    lines = {"object": "list", "data": [{**line, "discount_amounts": taken}], "has_more": False}
    told_whole = [
        {"id": "di_1", "object": "discount", "end": None, "source": {"coupon": "third_off"}}
    ]
    shop.provider.change(bill, START, None, lines=lines, discounts=told_whole)
    desk.sync(2)
    assert told(desk.answer("report", "mrr", day=2)["months"], "mrr_end_minor") == [600]
    by = desk.answer("report", "mrr", "--policy", "stripe", day=2)
    assert told(by["months"], "mrr_end_minor") == [by_stripe]


def test_a_coupon_larger_than_the_price_makes_it_nothing_never_less(books: Books) -> None:
    mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
    books.subscription(mia, "2026-01-05", 1000, phases=(("2026-01-05", -500, 1500),))
    books.subscription(ned, "2026-01-05", 300)
    assert told(months(books), "mrr_end_minor") == [300] * 4
    assert told(months(books, policy="stripe"), "mrr_end_minor") == [1300] * 4


def test_the_fixed_part_of_the_fee_is_in_the_fees(desk: Desk) -> None:
    desk.shop.sell(desk.shop.offer("guide", 2900), START)
    desk.sync(2)
    usd = desk.answer("report", "revenue", day=3)["currencies"]["usd"]
    assert usd["fees_minor"] == 84 + 30


def test_a_move_to_another_plan_is_no_churn_though_one_ends_and_another_begins(
    books: Books,
) -> None:
    mia = books.customer("mia@example.com")
    books.subscription(mia, "2026-01-05", 1000, status="canceled", ended="2026-02-10T10:00")
    books.subscription(mia, "2026-02-10T10:07", 3000)
    february = months(books)[1]
    assert (february["churn_minor"], february["new_minor"]) == (0, 0)
    assert (february["expansion_minor"], february["reactivation_minor"]) == (2000, 0)
    assert (february["logo_churn_share"], february["subscribers_churned"]) == (0.0, 0)


def test_a_cancelled_line_of_a_bill_counts_no_longer(desk: Desk) -> None:
    shop = desk.shop
    ana = shop.customer("ana@example.com", START)
    club, audio = (shop.offer(name, 900, interval="month") for name in ("club", "audio"))
    member = shop.subscribe(club, START, ana)
    assert member.subscription
    first = member.invoice
    assert first
    [line] = first["lines"]["data"]
    second = {**line, "id": "il_second"}
    second["pricing"] = {"price_details": {"price": audio[1]["id"], "product": audio[0]["id"]}}
    both = {"object": "list", "data": [line, second], "has_more": False}
    shop.provider.change(first, START, None, lines=both, subtotal=1800, total=1800)
    shop.bill(member.subscription, club[1], START + 30 * DAY, ana, "subscription_cycle", 900)
    desk.sync(31)
    listed = desk.answer("report", "mrr", day=31)["months"]
    assert told(listed, "mrr_end_minor") == [1800, 900]
    assert listed[1]["contraction_minor"] == 900


def test_a_subscription_that_was_deleted_is_churn_and_keeps_its_past(books: Books) -> None:
    mia = books.customer("mia@example.com")
    name = books.subscription(mia, "2026-01-05", 1000, status="canceled")
    for day in ("2026-01-05", "2026-02-05"):
        books.bill(name, day, paid=day, status="paid")
    listed = months(books)
    assert told(listed, "mrr_end_minor") == [1000, 1000, 0, 0]
    assert told(listed, "churn_voluntary_minor") == [0, 0, 1000, 0]


@pytest.mark.parametrize("status", ["paused", "incomplete_expired"])
def test_what_a_subscription_is_today_does_not_change_its_past(books: Books, status: str) -> None:
    mia = books.customer("mia@example.com")
    name = books.subscription(mia, "2026-01-05", 1000, status=status)
    for day in ("2026-01-05", "2026-02-05", "2026-03-05"):
        books.bill(name, day, paid=day, status="paid")
    assert told(months(books), "mrr_end_minor") == [1000, 1000, 1000, 0]


def test_a_subscription_whose_first_bill_was_never_paid_never_counts(books: Books) -> None:
    mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
    books.subscription(mia, "2026-01-05", 1000)
    name = books.subscription(ned, "2026-01-05", 700, status="incomplete_expired")
    books.bill(name, "2026-01-05", paid=None, status="void")
    assert told(months(books), "mrr_end_minor") == [1000] * 4


def test_the_noise_of_exchange_rates_is_no_expansion(books: Books) -> None:
    ned = books.customer("ned@example.com")
    books.subscription(ned, "2026-01-05", 1000, currency="eur")
    for day, rate in (("2026-01-06", "1.1"), ("2026-02-02", "1.3"), ("2026-03-02", "1.2")):
        books.order(day, 1000, currency="eur", source="stripe")
        books.booked(day, "charge", 1100, source=f"ch_{books.count - 1}", rate=rate)
    listed = months(books)
    assert told(listed, "fx_minor") == [0, 200, -100, 0]
    assert sum(told(listed, "expansion_minor")) + sum(told(listed, "contraction_minor")) == 0
    assert sum(told(listed, "churn_minor")) == 0


def test_months_are_the_creators_not_those_of_utc(books: Books) -> None:
    mia = books.customer("mia@example.com")
    books.subscription(mia, "2026-02-01T02:30", 1000)
    assert told(months(books, "2026-03-01"), "month") == ["2026-02"]
    abroad = months(books, "2026-03-01T05:00", timezone="America/New_York")
    assert told(abroad, "month") == ["2026-01", "2026-02"]
    assert told(abroad, "new_minor") == [1000, 0]


def test_churn_is_never_above_all_there_was(books: Books) -> None:
    mia = books.customer("mia@example.com")
    books.subscription(mia, "2026-01-05", 1000, status="canceled", ended="2026-02-20")
    for number in range(4):
        other = books.customer(f"{number}@example.com")
        books.subscription(other, "2026-02-03", 5000, status="canceled", ended="2026-02-20")
    february = months(books)[1]
    assert february["churn_minor"] == 21000
    assert (february["gross_churn_share"], february["logo_churn_share"]) == (1.0, 1.0)
    assert february["gross_churn_chartmogul_share"] == 21.0


def test_what_is_past_due_counts_for_its_grace_and_is_shown_apart(books: Books) -> None:
    mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
    books.subscription(mia, "2026-01-05", 1000)
    name = books.subscription(ned, "2026-01-10", 700, status="past_due")
    books.bill(name, "2026-01-10", paid="2026-01-10", status="paid")
    books.bill(name, "2026-02-20", paid=None, status="open")
    february, march = months(books, "2026-04-01")[1:]
    assert (february["mrr_end_minor"], february["mrr_excluding_past_due_minor"]) == (1700, 1000)
    assert february["past_due_minor"] == 700
    assert (march["mrr_end_minor"], march["past_due_minor"]) == (1000, 0)
    assert march["churn_involuntary_minor"] == 700


def test_tax_and_what_is_metered_are_no_recurring_revenue(desk: Desk) -> None:
    shop = desk.shop
    ana = shop.customer("ana@example.com", START)
    club, used = (shop.offer(name, 1190, interval="month") for name in ("club", "usage"))
    member = shop.subscribe(club, START, ana)
    metered = shop.subscribe(used, START, shop.customer("bo@example.com", START))
    assert member.invoice
    assert metered.subscription
    assert metered.invoice
    [line] = member.invoice["lines"]["data"]
    taxed = {**line, "taxes": [{"amount": 190, "tax_behavior": "inclusive"}]}
    lines = {"object": "list", "data": [taxed], "has_more": False}
    shop.provider.change(member.invoice, START, None, lines=lines)
    [item] = metered.subscription["items"]["data"]
    by_use = {**item["price"], "recurring": {"interval": "month", "usage_type": "metered"}}
    items = {"object": "list", "data": [{**item, "price": by_use}], "has_more": False}
    shop.provider.change(metered.subscription, START, None, items=items)
    shop.provider.change(used[1], START, None, recurring=by_use["recurring"])
    desk.sync(2)
    assert desk.answer("report", "mrr", day=2)["months"][0]["mrr_end_minor"] == 1000


def test_two_currencies_are_never_added(books: Books) -> None:
    mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
    books.subscription(mia, "2026-01-05", 1000)
    books.subscription(ned, "2026-01-05", 700, currency="eur")
    payload = made(books).payload
    assert told(payload["months"], "mrr_end_minor") == [1000] * 4
    assert told(payload["apart"]["eur"], "mrr_end_minor") == [700] * 4


def test_two_subscriptions_of_one_person_are_one_subscriber(books: Books) -> None:
    mia = books.customer("mia@example.com")
    books.subscription(mia, "2026-01-05", 1000)
    books.subscription(mia, "2026-01-20", 500, status="canceled", ended="2026-02-20")
    february = months(books)[1]
    assert (february["subscribers_end"], february["subscribers_churned"]) == (1, 0)
    assert (february["contraction_minor"], february["churn_minor"]) == (500, 0)


def test_a_month_that_runs_is_marked_and_feeds_no_alarm(books: Books) -> None:
    mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
    books.subscription(mia, "2026-01-05", 1000)
    books.subscription(ned, "2026-01-05", 1000, status="canceled", ended="2026-03-02")
    document = made(books, "2026-03-10")
    assert told(document.payload["months"], "is_partial") == [False, False, True]
    assert document.payload["months"][2]["gross_churn_share"] == 0.5
    assert document.metrics["gross_churn_share"].value == 0.0
    assert made(books, "2026-04-01").metrics["gross_churn_share"].value == 0.5
