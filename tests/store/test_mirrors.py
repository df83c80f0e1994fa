"""Every object has its row, rows can be made anew offline, and nothing depends on how it came."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kpay.domain.checkout import Account
from kpay.services.deriving import rebuild
from kpay.services.syncing import sync
from kpay.store.engine import Store, create_file
from kpay.store.upgrade import upgrade
from tests.fakes.provider import FakeSource
from tests.fakes.stores import new_store, rows, tables
from tests.fakes.stripe_shop import DAY, START, Shop

NOW = datetime.fromtimestamp(START + 30 * DAY, UTC)
ACCOUNT = Account("acct_fake", False)
MIRRORS = {
    "charge": "charge",
    "payment_intent": "payment_intent",
    "checkout_session": "checkout.session",
    "invoice_payment": "invoice_payment",
    "provider_customer": "customer",
    "product": "product",
    "price": "price",
    "payment_link": "payment_link",
    "subscription": "subscription",
    "invoice": "invoice",
    "refund": "refund",
    "dispute": "dispute",
    "balance_transaction": "balance_transaction",
    "coupon": "coupon",
    "promotion_code": "promotion_code",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = new_store(tmp_path, "guide", "audio", "club")
    yield store
    store.close()


def busy_shop() -> Shop:
    shop = Shop()
    guide, audio = shop.offer("guide", 2900), shop.offer("audio", 900, "eur")
    club = shop.offer("club", 900, interval="month")
    ana = shop.customer("ana@example.com", START)
    shop.customer("never@example.com", START)
    sale = shop.sell(guide, START + DAY, customer=ana)
    shop.sell(audio, START + 2 * DAY, "guest@example.com")
    shop.sell(guide, START + 3 * DAY, "declined@example.com", status="failed")
    shop.subscribe(club, START + 4 * DAY, ana)
    shop.refund(sale, 900, START + 5 * DAY)
    shop.dispute(sale, START + 6 * DAY)
    for kind, fields in (
        ("coupon", {"id": "LAUNCH", "percent_off": 12.5, "duration": "once", "valid": True}),
        (
            "promotion_code",
            {"id": "promo_1", "code": "SPRING", "promotion": {"coupon": "LAUNCH"}, "active": True},
        ),
    ):
        shop.provider.add({"object": kind, "created": START, "livemode": False, **fields})
    return shop


def test_every_object_has_its_row(store: Store) -> None:
    shop = busy_shop()

    sync(store, FakeSource(shop.provider), now=NOW)

    for table, kind in MIRRORS.items():
        there = sorted(shop.provider.objects[kind])
        here = rows(store, f"SELECT external_id FROM {table} ORDER BY external_id")
        assert [one for (one,) in here] == there, table
    items = rows(store, "SELECT subscription_external_id, amount_minor FROM subscription_item")
    assert items == [(next(iter(shop.provider.objects["subscription"])), 900)]
    assert rows(store, "SELECT percent_off FROM coupon") == [("12.5",)]
    assert rows(store, "SELECT code, coupon_external_id FROM promotion_code") == [
        ("SPRING", "LAUNCH")
    ]


def test_a_charge_that_failed_is_kept_and_is_no_order(store: Store) -> None:
    sync(store, FakeSource(busy_shop().provider), now=NOW)

    assert rows(store, "SELECT count(*) FROM charge WHERE status = 'failed' AND is_sale = 0") == [
        (1,)
    ]
    assert rows(store, "SELECT count(*) FROM orders") == rows(
        store, "SELECT count(*) FROM charge WHERE is_sale = 1"
    )


def test_all_rows_can_be_made_anew_without_a_request(store: Store) -> None:
    source = FakeSource(busy_shop().provider)
    sync(store, source, now=NOW)
    before, asked = tables(store), source.requests
    with store.writing() as connection:
        for table in ("charge", "line_item", "entitlement", "provider_customer", "coupon"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        connection.exec_driver_sql(
            "UPDATE orders SET total_minor = 1, gross_minor = 1, tax_minor = 0, discount_minor = 0"
        )

    rebuilt = rebuild(store, ACCOUNT, at=NOW)

    after = tables(store)
    for table in before.keys() - {"line_item", "entitlement", "audit_entry"}:
        assert after[table] == before[table], table
    for table in ("line_item", "entitlement"):  # their numbers are new
        assert [row[1:] for row in after[table]] == [row[1:] for row in before[table]], table
    assert rows(store, "SELECT action, at FROM audit_entry") == [
        ("rights.rebuilt", NOW.strftime("%Y-%m-%dT%H:%M:%SZ"))
    ]
    rebuild(store, ACCOUNT, at=NOW)
    assert tables(store) == after
    assert source.requests == asked
    assert rebuilt.objects == len(before["provider_object"])


def test_a_store_of_an_older_kpay_gets_the_rows_that_it_lacks(tmp_path: Path) -> None:
    shop = busy_shop()
    new = new_store(tmp_path, "guide", "audio", "club")
    sync(new, FakeSource(shop.provider), now=NOW)
    kept = rows(new, "SELECT * FROM provider_object")
    facts = rows(new, "SELECT * FROM fact")
    new.close()
    path = tmp_path / "old" / "kpay.db"
    create_file(path)
    upgrade(path, tmp_path / "backups", to="0005")
    old = Store(path)
    with old.writing() as connection:
        for table, held in (("provider_object", kept), ("fact", facts)):
            marks = ", ".join("?" * len(held[0]))
            connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({marks})", held)
    upgrade(path, tmp_path / "backups")

    sync(old, FakeSource(shop.provider), now=NOW)

    for table, kind in MIRRORS.items():
        assert rows(old, f"SELECT count(*) FROM {table}") == [
            (len(shop.provider.objects[kind]),)
        ], table
    assert rows(old, "SELECT count(*) FROM underived") == [(0,)]
    old.close()


def test_what_costs_nothing_is_an_order_too_and_may_be_read(store: Store) -> None:
    shop = Shop()
    guide = shop.offer("guide", 2900)
    sale = shop.sell(guide, START + DAY, "lucky@example.com", discount=2900)
    assert sale.session
    for kind, raw in (
        ("payment_intent", sale.intent),
        ("charge", sale.charge),
        ("balance_transaction", sale.movement),
    ):
        del shop.provider.objects[kind][raw["id"]]
    shop.provider.objects["checkout.session"][sale.session["id"]].update(
        payment_intent=None, payment_status="no_payment_required", status="complete", currency="usd"
    )

    sync(store, FakeSource(shop.provider), now=NOW)

    assert rows(
        store, "SELECT external_id, gross_minor, discount_minor, total_minor FROM orders"
    ) == [(sale.session["id"], 2900, 2900, 0)]
    assert rows(
        store,
        "SELECT customer.email, content.slug, ended_at FROM entitlement "
        "JOIN customer ON customer.id = customer_id JOIN content ON content.id = content_id",
    ) == [("lucky@example.com", "guide", None)]


def test_a_checkout_that_was_left_is_no_order(store: Store) -> None:
    shop = Shop()
    sale = shop.sell(shop.offer("guide", 2900), START + DAY, discount=2900)
    assert sale.session
    del shop.provider.objects["charge"][sale.charge["id"]]
    shop.provider.objects["checkout.session"][sale.session["id"]].update(
        payment_intent=None, payment_status="unpaid", status="expired", currency="usd"
    )

    sync(store, FakeSource(shop.provider), now=NOW)

    assert rows(store, "SELECT count(*) FROM orders") == [(0,)]


def test_an_item_that_a_subscription_no_longer_has_is_gone(store: Store) -> None:
    shop = Shop()
    club, more = (
        shop.offer("club", 900, interval="month"),
        shop.offer("audio", 1900, interval="month"),
    )
    sale = shop.subscribe(club, START + DAY, shop.customer("ana@example.com", START))
    assert sale.subscription
    sync(store, FakeSource(shop.provider), now=NOW)
    item = {**sale.subscription["items"]["data"][0], "id": "si_new", "price": more[1]}
    shop.provider.change(
        sale.subscription,
        START + 2 * DAY,
        "customer.subscription.updated",
        items={"object": "list", "has_more": False, "data": [item]},
    )

    sync(store, FakeSource(shop.provider), now=NOW)

    assert rows(store, "SELECT external_id, amount_minor FROM subscription_item") == [
        ("si_new", 1900)
    ]


def test_a_payment_that_falls_through_later_is_no_sale_and_grants_nothing(store: Store) -> None:
    shop = Shop()
    sale = shop.sell(shop.offer("guide", 2900), START + DAY)
    sync(store, FakeSource(shop.provider), now=NOW)
    shop.provider.change(sale.charge, START + 9 * DAY, "charge.failed", status="failed")

    sync(store, FakeSource(shop.provider), now=NOW)

    assert rows(store, "SELECT status FROM orders") == [("failed",)]
    assert rows(store, "SELECT end_reason FROM entitlement") == [("payment_failed",)]
    shop.provider.change(sale.charge, START + 10 * DAY, "charge.succeeded", status="succeeded")
    sync(store, FakeSource(shop.provider), now=NOW)
    assert rows(store, "SELECT status FROM orders") == [("paid",)]
    assert rows(store, "SELECT ended_at FROM entitlement") == [(None,)]


def test_a_subscription_with_many_items_loses_none(store: Store) -> None:
    shop = Shop()
    club = shop.offer("club", 900, interval="month")
    sale = shop.subscribe(club, START, shop.customer("ana@example.com", START))
    assert sale.subscription
    first = sale.subscription["items"]["data"][0]
    shop.provider.change(
        sale.subscription, START, None, items={"object": "list", "data": [first], "has_more": True}
    )
    more = [{**first, "id": f"si_more_{n}"} for n in range(11)]
    shop.provider.rest_of["subscription_items"] = more

    sync(store, FakeSource(shop.provider), now=NOW)

    assert rows(store, "SELECT count(*), sum(amount_minor) FROM subscription_item") == [
        (12, 12 * 900)
    ]
    assert rows(store, "SELECT amount_minor FROM subscription") == [(12 * 900,)]
