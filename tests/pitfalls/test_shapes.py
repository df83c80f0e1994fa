"""Fields that moved between versions of the API: both shapes give the same business."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fakes.desk import Desk, open_desk
from tests.fakes.old_shapes import grow_older
from tests.fakes.stores import tables
from tests.fakes.stripe_shop import DAY, START, Shop

BUSINESS = (
    "customer",
    "entitlement",
    "invoice",
    "line_item",
    "orders",
    "subscription",
    "subscription_item",
    "subscription_phase",
    "promotion_code",
)


def members() -> Shop:
    """Members who pay, with tax and by the month, and one whose price changed within a month."""
    shop = Shop()
    club, gold = (
        shop.offer("club", 900, interval="month"),
        shop.offer("audio", 2400, "usd", interval="month"),
    )
    for n in range(3):
        joined = START + n * DAY
        ana = shop.customer(f"{n}@example.com", joined)
        member = shop.subscribe(club, joined, ana, trial_days=7 if n == 2 else 0)
        assert member.subscription
        bill = shop.bill(
            member.subscription, gold[1], joined + 30 * DAY, ana, "subscription_cycle", 2400
        )
        assert bill.invoice
        taxes = [{"amount": 383, "tax_behavior": "inclusive"}]
        shop.provider.change(bill.invoice, joined, None, total_taxes=taxes)
    shop.provider.add(
        {"id": "summer", "object": "coupon", "created": START, "percent_off": 20.0, "valid": True}
    )
    shop.provider.add(
        {
            "id": "promo_1",
            "object": "promotion_code",
            "created": START,
            "code": "SUMMER",
            "active": True,
            "promotion": {"type": "coupon", "coupon": "summer"},
        }
    )
    return shop


def business(desk: Desk) -> dict[str, Any]:
    return {name: rows for name, rows in tables(desk.store).items() if name in BUSINESS}


def test_invoices_charges_and_subscriptions_of_both_shapes_give_the_same_rows(
    desk: Desk, tmp_path: Path
) -> None:
    older = members()
    grow_older(older.provider)
    (tmp_path / "old").mkdir()
    with open_desk(tmp_path / "new", members()) as new, open_desk(tmp_path / "old", older) as old:
        reports = [one.sync(70) for one in (new, old)]

        assert [report.is_partial for report in reports] == [False, False]
        assert business(new)["orders"]
        assert {row[0] for row in new.rows("SELECT tax_minor FROM orders")} == {0, 383}
        assert new.rows("SELECT count(current_period_end_at) FROM subscription") == [(3,)]
        for table in BUSINESS:
            assert business(old)[table] == business(new)[table], table
