"""Pitfalls 1 to 5, 24 and 25: minor units, two currencies in one sale, money back, tax, discounts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.desk import Desk
from tests.fakes.stripe_shop import DAY, START

FEE = 114  # 2.9 % of 29.00 and 0.30


def takings(desk: Desk, currency: str = "usd") -> dict[str, Any]:
    found: dict[str, Any] = desk.answer("report", "revenue", day=60)["currencies"][currency]
    return found


@pytest.mark.parametrize(
    ("currency", "minor", "shown"),
    [
        ("jpy", 500, "¥500"),
        ("krw", 12000, "₩12,000"),
        ("bhd", 5120, "5.120 BHD"),
        ("kwd", 1000, "1.000 KWD"),
        ("isk", 50000, "500.00 ISK"),
        ("ugx", 250000, "2,500.00 UGX"),
        ("huf", 120000, "1,200.00 HUF"),
        ("usd", 1999, "$19.99"),
    ],
)
def test_pitfall_01_an_amount_is_shown_with_the_digits_of_its_currency(
    desk: Desk, currency: str, minor: int, shown: str
) -> None:
    desk.shop.sell(desk.shop.offer("guide", minor, currency), START + DAY)

    desk.sync(2)

    assert desk.rows("SELECT total_minor, currency FROM orders") == [(minor, currency)]
    assert shown in desk.run("order", "list").stdout


def test_pitfall_01_no_column_of_money_can_hold_a_fraction(desk: Desk) -> None:
    desk.shop.sell(desk.shop.offer("guide", 5120, "bhd"), START + DAY)
    desk.sync(2)

    tables = [name for (name,) in desk.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    columns = [
        (table, column, kind)
        for table in tables
        for _, column, kind, *_ in desk.rows(f"PRAGMA table_info({table})")
    ]
    money = [(table, column) for table, column, _ in columns if column.endswith("_minor")]
    assert len(money) > 20
    assert {kind for _, column, kind in columns if column.endswith("_minor")} == {"INTEGER"}
    for table, column in money:
        found = desk.rows(f"SELECT DISTINCT typeof({column}) FROM {table}")
        assert set(found) <= {("integer",), ("null",)}, (table, column)


def test_pitfall_02_a_sale_in_euros_that_settles_in_dollars_keeps_both_figures(desk: Desk) -> None:
    sale = desk.shop.sell(desk.shop.offer("guide", 2900, "eur"), START + DAY)
    desk.shop.sell(desk.shop.offer("audio", 1000), START + DAY, email="bo@example.com")
    settled = {"currency": "usd", "amount": 3132, "fee": 121, "net": 3011, "exchange_rate": 1.08}
    desk.shop.provider.change(sale.movement, START, None, **settled)

    report = desk.sync(2)

    assert desk.rows("SELECT currency, total_minor FROM orders ORDER BY 1") == [
        ("eur", 2900),
        ("usd", 1000),
    ]
    assert desk.rows(
        "SELECT currency, net_minor, exchange_rate FROM balance_transaction ORDER BY 2"
    ) == [("usd", 941, None), ("usd", 3011, "1.08")]
    assert {code: pair.store_minor for code, pair in report.net.items()} == {"usd": 3011 + 941}
    answer = desk.answer("report", "revenue", day=60)
    assert answer["currencies"]["eur"]["gross_minor"] == 2900
    assert answer["currencies"]["usd"]["gross_minor"] == 1000
    assert {code: side["net_minor"] for code, side in answer["bank"].items()} == {"usd": 3952}


def test_pitfall_03_two_partial_refunds_are_added_up_and_the_fee_stays_with_stripe(
    desk: Desk,
) -> None:
    sale = desk.shop.sell(desk.shop.offer("guide", 2900), START + DAY)
    desk.shop.refund(sale, 1000, START + 2 * DAY)
    desk.shop.refund(sale, 700, START + 3 * DAY, status="pending")
    assert not desk.shop.provider.objects["charge"][sale.charge["id"]]["refunded"]

    desk.sync(4)

    assert desk.rows("SELECT sum(amount_minor) FROM refund") == [(1700,)]
    assert takings(desk)["refunds_minor"] == 1700
    assert takings(desk)["net_minor"] == 2900 - 1700 - FEE
    assert desk.net() == {"usd": 2900 - 1700 - FEE}
    assert desk.rows("SELECT ended_at FROM entitlement") == [(None,)]


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_pitfall_04_revenue_returns_when_a_refund_does_not_go_through(
    desk: Desk, status: str
) -> None:
    shop = desk.shop
    sale = shop.sell(shop.offer("guide", 2900), START + DAY)
    refund = shop.refund(sale, 2900, START + 2 * DAY, status="pending")
    desk.sync(3)
    assert takings(desk)["refunds_minor"] == 2900
    assert desk.rows("SELECT end_reason FROM entitlement") == [("refund",)]

    shop.provider.change(refund, START + 9 * DAY, f"refund.{status}", status=status)
    shop.move(refund["id"], 2900, START + 9 * DAY, kind="refund_failure")
    desk.sync(10)

    assert takings(desk)["refunds_minor"] == 0
    assert takings(desk)["net_minor"] == 2900 - FEE
    assert desk.net() == {"usd": 2900 - FEE}
    assert desk.rows("SELECT end_reason FROM entitlement") == [(None,)]


def dispute_money(desk: Desk, dispute: dict[str, Any], sign: int, day: int) -> None:
    """The bank takes the money and a fee of 15.00; a dispute that is won gives both back."""
    desk.shop.provider.add(
        {
            **desk.shop.move(dispute["id"], sign * 2500, START + day * DAY, kind="adjustment"),
            "fee": -sign * 1500,
            "net": sign * (2500 + 1500),
        }
    )


def test_pitfall_05_a_dispute_takes_its_money_and_fee_and_gives_them_back_when_won(
    desk: Desk,
) -> None:
    shop = desk.shop
    guide = shop.offer("guide", 2500)
    lost = shop.dispute(shop.sell(guide, START + DAY, email="a@example.com"), START + 2 * DAY)
    won = shop.dispute(shop.sell(guide, START + DAY, email="b@example.com"), START + 2 * DAY)
    for dispute in (lost, won):
        dispute_money(desk, dispute, -1, 2)
    desk.sync(3)
    paid = 2 * (2500 - 102)  # two sales less their fees
    assert desk.net() == {"usd": paid - 2 * (2500 + 1500)}

    for dispute, status in ((lost, "lost"), (won, "won")):
        shop.provider.change(dispute, START + 20 * DAY, "charge.dispute.closed", status=status)
    dispute_money(desk, won, 1, 20)
    desk.sync(21)

    movements = shop.provider.objects["balance_transaction"].values()
    assert desk.net() == {"usd": sum(raw["net"] for raw in movements)}
    assert desk.net() == {"usd": paid - 2500 - 1500}
    assert takings(desk)["net_minor"] == paid - 2500 - 1500
    assert desk.rows("SELECT status FROM dispute ORDER BY 1") == [("lost",), ("won",)]


def test_pitfall_24_tax_is_not_revenue(desk: Desk) -> None:
    desk.shop.sell(desk.shop.offer("guide", 1210), START + DAY, tax=210)

    desk.sync(2)

    assert desk.rows("SELECT total_minor, tax_minor FROM orders") == [(1210, 210)]
    found = takings(desk)
    assert found["tax_minor"] == 210
    assert found["net_minor"] + found["fees_minor"] == 1000


@pytest.mark.parametrize("shape", ["total_taxes", "total_tax_amounts", "tax"])
def test_pitfall_24_the_tax_of_an_invoice_is_not_revenue_in_any_of_its_shapes(
    desk: Desk, shape: str
) -> None:
    shop = desk.shop
    ana = shop.customer("ana@example.com", START)
    sale = shop.subscribe(shop.offer("club", 1210, interval="month"), START + DAY, ana)
    assert sale.invoice
    assert sale.session
    del shop.provider.objects["checkout.session"][sale.session["id"]]
    taxes: Any = 210 if shape == "tax" else [{"amount": 210, "tax_behavior": "inclusive"}]
    shop.provider.change(sale.invoice, START, None, **{"total_taxes": [], shape: taxes})

    desk.sync(2)

    assert desk.rows("SELECT total_minor, tax_minor FROM orders") == [(1210, 210)]
    assert takings(desk)["net_minor"] + takings(desk)["fees_minor"] == 1000


def test_pitfall_25_a_discount_stands_beside_the_price(desk: Desk) -> None:
    desk.shop.sell(desk.shop.offer("guide", 5000), START + DAY, discount=1000)

    desk.sync(2)

    assert desk.rows("SELECT gross_minor, discount_minor, total_minor FROM orders") == [
        (5000, 1000, 4000)
    ]
    assert desk.rows("SELECT amount_minor FROM line_item") == [(5000,)]
    assert (takings(desk)["gross_minor"], takings(desk)["discounts_minor"]) == (5000, 1000)


@pytest.mark.parametrize("method", ["alipay", "wechat_pay"])
def test_alipay_and_wechat_pay_are_ordinary_sales(desk: Desk, method: str) -> None:
    guide = desk.shop.offer("guide", 9900, "cny")
    desk.shop.sell(guide, START + DAY, email="li@example.cn", method=method)

    desk.sync(2)

    assert desk.rows("SELECT email, total_minor, currency FROM orders") == [
        ("li@example.cn", 9900, "cny")
    ]
    assert desk.rows("SELECT count(*) FROM entitlement WHERE ended_at IS NULL") == [(1,)]
    assert "CN¥99.00" in desk.run("order", "list").stdout
