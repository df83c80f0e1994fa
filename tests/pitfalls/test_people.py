"""Pitfalls 10 and 11: buyers without a customer object, and customers who were deleted."""

from __future__ import annotations

from tests.fakes.desk import Desk
from tests.fakes.stripe_shop import DAY, START


def test_pitfall_10_guests_disputed_and_failed_payments_are_all_there(desk: Desk) -> None:
    shop = desk.shop
    guide = shop.offer("guide", 2900)
    ana = shop.customer("ana@example.com", START)
    shop.sell(guide, START + DAY, customer=ana)
    for n in range(4):
        shop.sell(guide, START + DAY + n, email=f"  Guest{n}@Example.COM ")
    shop.dispute(shop.sell(guide, START + 2 * DAY, email="bank@example.com"), START + 3 * DAY)
    for n in range(3):
        shop.sell(guide, START + 2 * DAY + n, email="no@example.com", status="failed")

    desk.sync(4)

    kept = "SELECT count(*) FROM provider_object WHERE object = 'charge'"
    assert desk.rows(kept) == [(9,)]
    assert desk.rows("SELECT count(*), count(customer_id) FROM orders") == [(6, 6)]
    assert desk.rows("SELECT email FROM customer ORDER BY 1") == [
        ("ana@example.com",),
        ("bank@example.com",),
        *((f"guest{n}@example.com",) for n in range(4)),
    ]
    assert desk.rows("SELECT count(*) FROM dispute WHERE order_id IS NOT NULL") == [(1,)]


def test_pitfall_10_a_guest_without_any_address_is_still_a_sale(desk: Desk) -> None:
    sale = desk.shop.sell(desk.shop.offer("guide", 2900), START + DAY)
    assert sale.session
    desk.shop.provider.change(sale.session, START, None, customer_details=None)
    desk.shop.provider.change(sale.charge, START, None, billing_details={})

    desk.sync(2)

    assert desk.rows("SELECT total_minor, customer_id, email FROM orders") == [(2900, None, None)]


def test_pitfall_11_a_deleted_customer_keeps_the_sales_and_the_name(desk: Desk) -> None:
    shop = desk.shop
    guide, club = shop.offer("guide", 2900), shop.offer("club", 900, interval="month")
    ana = shop.customer("ana@example.com", START)
    shop.sell(guide, START + DAY, customer=ana)
    shop.subscribe(club, START + DAY, ana)
    desk.sync(2)

    shop.provider.delete(ana, START + 3 * DAY)
    desk.sync(4)
    shop.sell(guide, START + 5 * DAY, customer=ana)
    desk.sync(6)

    assert desk.rows("SELECT email, count(*) FROM customer") == [("ana@example.com", 1)]
    assert desk.rows("SELECT external_id, is_deleted FROM customer_identity") == [(ana["id"], 1)]
    assert desk.rows("SELECT count(*), count(customer_id) FROM orders") == [(3, 3)]
    assert desk.rows("SELECT count(customer_id) FROM invoice") == [(1,)]


def test_pitfall_11_who_was_deleted_before_the_first_sync_is_still_the_buyer(desk: Desk) -> None:
    shop = desk.shop
    guide = shop.offer("guide", 2900)
    ana = shop.customer("ana@example.com", START)
    for day in (1, 2):
        shop.sell(guide, START + day * DAY, customer=ana)
    shop.provider.delete(ana, START + 3 * DAY)

    desk.sync(4)

    assert desk.rows("SELECT email, count(*) FROM customer") == [("ana@example.com", 1)]
    assert desk.rows("SELECT count(DISTINCT customer_id) FROM orders") == [(1,)]
