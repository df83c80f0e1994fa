"""Pitfalls 15, 16 and 26: what has to be read again, how often, and whom to believe then."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.desk import Desk, sell_daily
from tests.fakes.stripe_shop import DAY, START

HOUR = 3600


def test_pitfall_15_a_charge_without_its_movement_is_read_again_until_it_has_one(
    desk: Desk,
) -> None:
    shop = desk.shop
    early, *_, last = sell_daily(desk, 6)
    for sale in (early, last):
        shop.provider.change(sale.charge, START, None, balance_transaction=None)
        shop.provider.deleted.add(sale.movement["id"])
    desk.sync(6)
    assert desk.net() == {"usd": 4 * (2900 - 114)}

    for sale in (early, last):
        shop.provider.deleted.discard(sale.movement["id"])
        known = sale.movement["id"]
        shop.provider.change(sale.charge, START, None, balance_transaction=known)
        shop.provider.change(sale.movement, START, None, created=START + 6 * DAY)
    desk.sync(7)

    assert desk.net() == {"usd": 6 * (2900 - 114)}
    assert desk.differences() == []
    assert desk.rows(
        "SELECT count(*) FROM charge WHERE balance_transaction_external_id IS NULL"
    ) == [(0,)]


def test_pitfall_16_a_second_sync_changes_no_byte_and_asks_little(desk: Desk) -> None:
    shop = desk.shop
    sales = sell_daily(desk, 40)
    shop.refund(sales[3], 1000, START + 39 * DAY)
    shop.dispute(sales[4], START + 39 * DAY)
    shop.subscribe(
        shop.offer("club", 900, interval="month"), START + 39 * DAY, shop.customer("m@e.com", START)
    )
    desk.answer("sync", day=40)
    before = desk.digest()

    answer = desk.answer("sync", day=40.01)

    assert desk.digest() == before
    assert {one["created"] + one["updated"] for one in answer["resources"].values()} == {0}
    assert answer["requests"] - sum(answer["rereads"].values()) < 20


def test_pitfall_16_a_third_whole_reading_changes_no_byte_either(desk: Desk) -> None:
    sell_daily(desk, 5)
    desk.sync(5)
    before = desk.digest()

    report = desk.sync(5, is_full=True)

    assert report.changed == 0
    assert desk.digest() == before


def tell_late(desk: Desk, raw: Any, at: float, name: str, **stale: Any) -> None:
    """Make an event that carries a stale copy, whenever it says it happened."""
    desk.shop.provider.add(
        {
            "id": name,
            "object": "event",
            "type": "charge.updated",
            "created": int(at),
            "data": {"object": {**raw, **stale}},
        }
    )


@pytest.mark.parametrize("order", [("newer", "older"), ("older", "newer")])
def test_pitfall_26_events_in_any_order_leave_what_the_api_shows(
    desk: Desk, order: tuple[str, str]
) -> None:
    sale = sell_daily(desk, 20)[0]
    desk.sync(20)
    desk.shop.provider.change(sale.charge, START, None, description="as it is now")
    moments = {"newer": START + 20 * DAY + HOUR, "older": START + 20 * DAY + HOUR - 600}

    for count, name in enumerate(order, start=1):
        tell_late(desk, sale.charge, moments[name], f"evt_{name}", description="stale")
        desk.sync(20.1 + count / 100)

    assert desk.differences() == []
    assert desk.rows("SELECT description FROM charge WHERE description != ''") == [
        ("as it is now",)
    ]


def test_pitfall_26_an_event_that_comes_late_inside_the_look_back_is_acted_on(desk: Desk) -> None:
    first, second, *_ = sell_daily(desk, 20)
    provider = desk.shop.provider
    provider.change(first.charge, START + 20 * DAY, "charge.updated", description="one")
    desk.sync(20)
    provider.change(first.charge, START + 20 * DAY + HOUR, "charge.updated", description="more")
    desk.sync(20.1)
    provider.change(second.charge, START, None, description="two")
    tell_late(desk, second.charge, START + 20 * DAY + HOUR / 2, "evt_late", description="stale")

    desk.sync(20.11)

    assert desk.differences() == []


def test_pitfall_26_the_same_event_twice_is_read_once(desk: Desk) -> None:
    sale = sell_daily(desk, 20)[0]
    desk.sync(20)
    desk.shop.provider.change(sale.charge, START + 20 * DAY, "charge.updated", description="new")
    desk.sync(20.01)
    once, before = len(desk.server.asked(sale.charge["id"])), desk.digest()

    desk.sync(20.02)

    assert once == 1
    assert len(desk.server.asked(f"/v1/charges/{sale.charge['id']}")) == 1
    assert desk.digest() == before
    assert desk.differences() == []
