"""Pitfalls 6 to 8: changes in the middle of a month, trials, and subscriptions that lists hide."""

from __future__ import annotations

from typing import Any

from tests.fakes.desk import Desk
from tests.fakes.stripe_shop import DAY, START, Sale


def mrr_now(desk: Desk, day: int) -> int:
    months = desk.answer("report", "mrr", day=day)["months"]
    found: int = months[-1]["mrr_end_minor"] if months else 0
    return found


def upgrade(desk: Desk, member: Sale, dearer: tuple[Any, Any, Any], at: int) -> None:
    """Change the price in the middle of a month: a credit for the rest of one, a bill for the other."""
    assert member.subscription
    assert member.customer
    bill = desk.shop.bill(
        member.subscription, dearer[1], at, member.customer, "subscription_update", 2000
    )
    assert bill.invoice
    [line] = bill.invoice["lines"]["data"]
    prorated = {"subscription_item_details": {"proration": True}}
    club = member.subscription["items"]["data"][0]["price"]
    old = {"price_details": {"price": club["id"], "product": club["product"]}}
    lines = [
        {**line, "id": "il_back", "amount": -1000, "parent": prorated, "pricing": old},
        {**line, "id": "il_new", "amount": 3000, "parent": prorated},
    ]
    desk.shop.provider.change(
        bill.invoice, at, None, lines={"object": "list", "data": lines, "has_more": False}
    )


def test_pitfall_06_both_sides_of_a_proration_are_kept_with_their_signs(desk: Desk) -> None:
    shop = desk.shop
    ana = shop.customer("ana@example.com", START)
    member = shop.subscribe(shop.offer("club", 2000, interval="month"), START, ana)
    upgrade(desk, member, shop.offer("audio", 6000, interval="month"), START + 15 * DAY)

    desk.sync(16)

    assert desk.rows(
        "SELECT l.amount_minor FROM line_item l JOIN orders o ON o.id = l.order_id "
        "WHERE o.kind = 'subscription_update' ORDER BY l.position"
    ) == [(-1000,), (3000,)]
    assert desk.rows("SELECT total_minor FROM orders WHERE kind = 'subscription_update'") == [
        (2000,)
    ]
    assert mrr_now(desk, 16) == 6000


def test_pitfall_07_a_trial_costs_nothing_and_is_no_recurring_revenue(desk: Desk) -> None:
    shop = desk.shop
    club = shop.offer("club", 900, interval="month")
    for n in range(3):
        guest = shop.customer(f"{n}@example.com", START)
        shop.subscribe(club, START, guest, trial_days=14 if n else 0)

    desk.sync(5)

    assert desk.rows("SELECT status, count(*) FROM subscription GROUP BY 1") == [
        ("active", 1),
        ("trialing", 2),
    ]
    assert desk.rows("SELECT total_minor, count(*) FROM invoice GROUP BY 1") == [(0, 2), (900, 1)]
    assert desk.rows("SELECT count(*) FROM orders") == [(1,)]
    assert desk.rows("SELECT count(*) FROM entitlement WHERE ended_at IS NULL") == [(3,)]
    assert mrr_now(desk, 5) == 900


def test_pitfall_08_canceled_subscriptions_are_read_though_lists_hide_them(desk: Desk) -> None:
    shop = desk.shop
    club = shop.offer("club", 900, interval="month")
    ends = {"status": "canceled", "canceled_at": START + 9 * DAY, "ended_at": START + 9 * DAY}
    for n in range(5):
        member = shop.subscribe(club, START, shop.customer(f"{n}@example.com", START))
        assert member.subscription
        if n < 3:
            shop.provider.change(member.subscription, START + 9 * DAY, None, **ends)

    desk.sync(10)
    desk.sync(20, is_full=True)

    assert desk.rows("SELECT status, count(*) FROM subscription GROUP BY 1") == [
        ("active", 2),
        ("canceled", 3),
    ]
    assert desk.rows("SELECT count(*) FROM entitlement WHERE ended_at IS NULL") == [(2,)]
