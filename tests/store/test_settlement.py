"""What was sold, and what the bank saw of it: other currencies, fees, failures; all tied to the cent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.reports.scope import Scope
from kpay.services.reporting.revenue import revenue_report
from kpay.services.syncing import sync
from kpay.services.verifying import verify
from kpay.store.engine import Store
from tests.fakes.provider import FakeSource
from tests.fakes.stores import new_store, rows
from tests.fakes.stripe_shop import DAY, START, Raw, Sale, Shop

NOW = datetime.fromtimestamp(START + 40 * DAY, UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path, "guide")


@pytest.fixture
def shop() -> Shop:
    return Shop()


def report(store: Store, shop: Shop) -> Raw:
    """Sync, hold the bank's side against the provider's own sums, and return the report."""
    source = FakeSource(shop.provider)
    sync(store, source, now=NOW)
    with store.reading() as connection:
        payload = revenue_report(connection, Scope(None, NOW, "UTC", "usd")).to_document().payload
    verified = verify(store, source, source.account())
    assert verified.is_whole
    left = {code: one["net_minor"] - one["paid_out_minor"] for code, one in payload["bank"].items()}
    assert left == verified.net_by_currency
    return dict(payload)


def settled(shop: Shop, movement: Raw, amount: int, fee: int, rate: float) -> None:
    """Let a movement of the balance have been converted to dollars."""
    fields: dict[str, Any] = {"amount": amount, "fee": fee, "net": amount - fee}
    shop.provider.change(movement, START, None, currency="usd", exchange_rate=rate, **fields)


def last_movement(shop: Shop) -> Raw:
    return list(shop.provider.objects["balance_transaction"].values())[-1]


def sell_abroad(shop: Shop) -> Sale:
    """Sell for 10 euros what is settled in dollars."""
    sale = shop.sell(shop.offer("guide", 1000, "eur"), START)
    settled(shop, sale.movement, 1100, 62, 1.1)
    return sale


def test_a_sale_in_euros_is_revenue_in_euros_and_cash_in_dollars(store: Store, shop: Shop) -> None:
    sell_abroad(shop)
    shop.sell(shop.offer("book", 2000), START + DAY)

    found = report(store, shop)

    euros, dollars = found["currencies"]["eur"], found["currencies"]["usd"]
    assert (euros["gross_minor"], euros["fees_minor"], euros["net_minor"]) == (1000, 0, 1000)
    assert (dollars["gross_minor"], dollars["fees_minor"]) == (2000, 62 + 88)
    assert found["bank"] == {
        "usd": {
            "taken_minor": 3100, "refunds_minor": 0, "disputes_minor": 0, "fees_minor": 150,
            "other_minor": 0, "net_minor": 2950, "paid_out_minor": 0,
        }
    }  # fmt: skip
    assert found["conversions"] == [
        {"from": "eur", "to": "usd", "orders": 1, "sold_minor": 1000, "settled_minor": 1100}
    ]
    assert rows(
        store, "SELECT exchange_rate FROM balance_transaction WHERE exchange_rate IS NOT NULL"
    ) == [("1.1",)]


def test_what_was_captured_in_parts_is_one_order_settled_twice(store: Store, shop: Shop) -> None:
    sale = sell_abroad(shop)
    settled(shop, sale.movement, 660, 40, 1.1)
    settled(shop, shop.move(sale.charge["id"], 400, START + DAY, "eur"), 440, 22, 1.1)

    assert report(store, shop)["conversions"] == [
        {"from": "eur", "to": "usd", "orders": 1, "sold_minor": 1000, "settled_minor": 1100}
    ]


def test_a_rate_within_one_currency_is_no_conversion(store: Store, shop: Shop) -> None:
    sale = shop.sell(shop.offer("guide", 2000), START)
    settled(shop, sale.movement, 2000, 88, 1.0)

    assert report(store, shop)["conversions"] == []


def test_a_refund_abroad_leaves_the_loss_of_the_rate_at_the_bank(store: Store, shop: Shop) -> None:
    sale = sell_abroad(shop)
    shop.refund(sale, 1000, START + DAY)
    settled(shop, last_movement(shop), -1120, 0, 1.12)

    found = report(store, shop)

    assert found["currencies"]["eur"]["net_minor"] == 0
    assert (found["bank"]["usd"]["refunds_minor"], found["bank"]["usd"]["net_minor"]) == (1120, -82)


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [("jpy", 500, "¥500"), ("bhd", 5120, "5.120 BHD"), ("isk", 10000, "100.00 ISK")],
)
def test_currencies_without_cents_or_with_three_digits_keep_their_digits(
    store: Store, shop: Shop, currency: str, amount: int, shown: str
) -> None:
    shop.sell(shop.offer("guide", amount, currency), START)

    found = report(store, shop)

    assert found["currencies"][currency]["gross_minor"] == amount
    assert found["bank"][currency]["taken_minor"] == amount
    with store.reading() as connection:
        document = revenue_report(connection, Scope(None, NOW, "UTC", "usd")).to_document()
    [bank] = [table for table in document.tables if table.title == "What the bank sees"]
    assert str(bank.rows[0][1]) == shown


def test_a_refund_keeps_the_fee_and_may_cost_one(store: Store, shop: Shop) -> None:
    sale = shop.sell(shop.offer("guide", 2900), START)
    shop.refund(sale, 900, START + DAY)
    shop.refund(sale, 2000, START + 2 * DAY)
    shop.provider.change(last_movement(shop), START, None, fee=25, net=-2025)

    found = report(store, shop)

    dollars = found["currencies"]["usd"]
    assert (dollars["refunds_minor"], dollars["fees_minor"], dollars["net_minor"]) == (
        2900,
        114 + 25,
        -139,
    )
    assert found["bank"]["usd"]["net_minor"] == -139


def test_a_refund_that_failed_gives_the_money_back_on_both_sides(store: Store, shop: Shop) -> None:
    sale = shop.sell(shop.offer("guide", 2900), START)
    refund = shop.refund(sale, 2900, START + DAY)
    assert report(store, shop)["currencies"]["usd"]["refunds_minor"] == 2900
    shop.provider.change(refund, START + 9 * DAY, "charge.refund.updated", status="failed")
    shop.move(refund["id"], 2900, START + 9 * DAY, kind="refund_failure")

    found = report(store, shop)

    assert found["currencies"]["usd"]["refunds_minor"] == 0
    assert found["bank"]["usd"]["refunds_minor"] == 0
    assert found["currencies"]["usd"]["net_minor"] == found["bank"]["usd"]["net_minor"] == 2786


@pytest.mark.parametrize("kind", ["adjustment", "payment_reversal"])
def test_a_dispute_costs_its_amount_and_its_fee_until_it_is_won(
    store: Store, shop: Shop, kind: str
) -> None:
    sale = shop.sell(shop.offer("guide", 2500), START)
    dispute = shop.dispute(sale, START + DAY)
    taken = shop.move(dispute["id"], -2500, START + DAY, kind=kind)
    shop.provider.change(taken, START, None, fee=1500, net=-4000)

    lost = report(store, shop)
    shop.provider.change(dispute, START + 9 * DAY, "charge.dispute.closed", status="won")
    shop.move(dispute["id"], 2500, START + 9 * DAY, kind=kind)
    won = report(store, shop)

    fees = 102 + 1500
    assert lost["currencies"]["usd"]["disputes_minor"] == 2500
    assert lost["currencies"]["usd"]["net_minor"] == lost["bank"]["usd"]["net_minor"] == -fees
    assert won["currencies"]["usd"]["disputes_minor"] == 0
    assert won["currencies"]["usd"]["net_minor"] == won["bank"]["usd"]["net_minor"] == 2500 - fees


def test_alipay_and_wechat_pay_are_ordinary_sales(store: Store, shop: Shop) -> None:
    guide = shop.offer("guide", 6800, "cny")
    for day, method in enumerate(("alipay", "wechat_pay")):
        sale = shop.sell(guide, START + day * DAY, method=method)
        settled(shop, sale.movement, 950, 58, 0.1397)
        shop.provider.change(sale.movement, START, None, type="payment")
    shop.refund(sale, 6800, START + 5 * DAY)
    settled(shop, last_movement(shop), -950, 0, 0.1397)
    shop.provider.change(last_movement(shop), START, None, type="payment_refund")

    found = report(store, shop)

    assert found["currencies"]["cny"]["gross_minor"] == 13600
    assert found["currencies"]["cny"]["refunds_minor"] == 6800
    bank = found["bank"]["usd"]
    assert (bank["taken_minor"], bank["refunds_minor"], bank["net_minor"]) == (1900, 950, 834)
    assert found["conversions"][0]["orders"] == 2


def test_a_released_authorization_was_no_sale_and_its_refund_no_refund(
    store: Store, shop: Shop
) -> None:
    shop.sell(shop.offer("guide", 2900), START)
    held = shop.sell(shop.offer("guide", 5000), START, status="failed")
    shop.provider.change(held.charge, START, None, status="succeeded", captured=False)
    shop.refund(held, 5000, START + 7 * DAY)
    shop.provider.deleted.add(last_movement(shop)["id"])

    dollars = report(store, shop)["currencies"]["usd"]

    assert (dollars["gross_minor"], dollars["refunds_minor"], dollars["orders"]) == (2900, 0, 1)


def test_a_capture_of_a_part_sells_a_part(store: Store, shop: Shop) -> None:
    sale = shop.sell(shop.offer("guide", 1000), START)
    shop.provider.change(sale.charge, START, None, amount_captured=750)
    shop.provider.change(sale.movement, START, None, amount=750, fee=52, net=698)

    found = report(store, shop)

    assert found["currencies"]["usd"]["gross_minor"] == 750
    assert found["bank"]["usd"]["net_minor"] == found["currencies"]["usd"]["net_minor"] == 698


def test_what_is_no_sale_stands_apart_and_a_payout_may_cost(store: Store, shop: Shop) -> None:
    shop.move("", -300, START - 9 * DAY, kind="stripe_fee")
    shop.sell(shop.offer("guide", 2900), START)
    shop.move("", -500, START + DAY, kind="payment_network_reserve_hold")
    shop.provider.add(
        {
            "id": "po_1", "object": "payout", "amount": 1000, "currency": "usd", "status": "paid",
            "automatic": False, "created": START + DAY, "arrival_date": START + DAY,
        }
    )  # fmt: skip
    out = shop.move("po_1", -1000, START + DAY, kind="payout")
    shop.provider.change(out, START, None, fee=10, net=-1010)

    found = report(store, shop)

    assert found["bank"]["usd"] == {
        "taken_minor": 2900, "refunds_minor": 0, "disputes_minor": 0, "fees_minor": 114 + 300 + 10,
        "other_minor": -500, "net_minor": 1976, "paid_out_minor": 1000,
    }  # fmt: skip
    assert found["currencies"]["usd"]["fees_minor"] == 424
    assert found["period"]["start"].startswith("2026-05-23")
