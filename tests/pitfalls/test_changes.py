"""Pitfalls 9, 13, 14 and 27: what changes after it was read, late rows, and sales during a sync."""

from __future__ import annotations

from tests.fakes.desk import Desk, sell_daily
from tests.fakes.stripe_shop import DAY, START, Sale

KEPT_MONEY = "SELECT status FROM balance_transaction ORDER BY created_at, external_id"


def test_pitfall_09_pending_money_is_read_again_once_it_is_available(desk: Desk) -> None:
    sales = sell_daily(desk, 10)
    desk.sync(10)
    for sale in sales[:9]:
        desk.shop.provider.change(sale.movement, START, None, status="available")

    desk.sync(11)

    assert desk.rows(KEPT_MONEY) == [("available",)] * 9 + [("pending",)]
    assert desk.differences() == []


def test_pitfall_13_the_second_of_the_watermark_and_late_rows_are_read(desk: Desk) -> None:
    shop = desk.shop
    guide = shop.offer("guide", 2900)
    for name in ("a", "b"):
        shop.sell(guide, START + DAY, email=f"{name}@example.com")
    desk.sync(1)

    shop.sell(guide, START + DAY, email="c@example.com")
    shop.sell(guide, START + DAY - 1800, email="late@example.com")
    desk.sync(1.1)

    assert desk.rows("SELECT email FROM orders ORDER BY 1") == [
        (f"{name}@example.com",) for name in ("a", "b", "c", "late")
    ]
    assert desk.differences() == []


def test_pitfall_14_a_refund_of_an_old_charge_is_seen_by_its_event(desk: Desk) -> None:
    sales = sell_daily(desk, 60)
    desk.sync(60)

    desk.shop.refund(sales[0], 2900, START + 61 * DAY)
    report = desk.sync(62)

    assert desk.rows("SELECT sum(amount_minor), count(order_id) FROM refund") == [(2900, 1)]
    assert desk.differences() == []
    assert not report.is_full


def test_pitfall_14_after_31_days_everything_is_read_again_and_said_aloud(desk: Desk) -> None:
    sales = sell_daily(desk, 3)
    desk.sync(3)
    provider = desk.shop.provider
    provider.change(sales[0].charge, START + 4 * DAY, None, description="unheard of")
    customer = desk.shop.customer("gone@example.com", START)
    desk.sync(3.1, is_full=True)
    provider.deleted.add(customer["id"])
    provider.change(sales[0].charge, START + 4 * DAY, None, description="again")

    report = desk.sync(3.1 + 31, last_day=3.1)

    assert report.is_full
    assert any("30 days" in note for note in report.notes)
    assert desk.differences() == []


def test_pitfall_27_what_is_sold_while_lists_are_read_is_there_after_the_next_sync(
    desk: Desk,
) -> None:
    sell_daily(desk, 250)
    guide = desk.shop.offer("guide", 500)
    sold: list[Sale] = []

    def sell(path: str) -> None:
        if "/v1/charges?" in path and len(desk.server.asked("/v1/charges?")) == 2 and not sold:
            sold.append(desk.shop.sell(guide, START + 249 * DAY, email="during@example.com"))

    desk.server.before = sell
    desk.sync(250)
    assert sold
    desk.sync(250.01)

    assert desk.differences() == []
    assert desk.rows("SELECT count(*), count(session_id) FROM orders") == [(251, 251)]
    assert desk.rows("SELECT count(*) FROM entitlement") == [(251,)]
