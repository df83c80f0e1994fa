"""`kpay sync --verify`: every movement and payout held against the provider's, to the cent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.verified import MOST_NAMED, Verified
from kpay.services.syncing import sync
from kpay.services.verifying import verify
from kpay.store.engine import Store
from tests.fakes.provider import FakeSource
from tests.fakes.stores import new_store, rows
from tests.fakes.stripe_shop import DAY, START, Raw, Shop

NOW = datetime.fromtimestamp(START + 40 * DAY, UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path, "guide")


@pytest.fixture
def shop() -> Shop:
    return Shop()


def read(store: Store, shop: Shop) -> None:
    sync(store, FakeSource(shop.provider), now=NOW)


def check(store: Store, shop: Shop, **more: Any) -> Verified:
    source = FakeSource(shop.provider)
    return verify(store, source, source.account(), **more)


def pay_out(
    shop: Shop, amount: int, members: list[str], currency: str = "usd", **fields: Any
) -> Raw:
    """Send money to the bank, with the movement that this is."""
    at = START + 3 * DAY
    number = len(shop.provider.objects.get("payout", {})) + 1
    payout = {
        "id": f"po_{number}",
        "object": "payout",
        "amount": amount,
        "currency": currency,
        "status": "paid",
        "automatic": True,
        "reconciliation_status": "completed",
        "created": at,
        "arrival_date": at + DAY,
        **fields,
    }
    shop.provider.add(payout)
    out = shop.move(payout["id"], -amount, at, currency, kind="payout")
    shop.provider.payout_members[payout["id"]] = [*members, out["id"]]
    return payout


def test_sides_that_agree_have_no_difference_and_equal_sums(store: Store, shop: Shop) -> None:
    sale = shop.sell(shop.offer("guide", 2900), START)
    shop.sell(shop.offer("guide", 500, "jpy"), START + 1)
    shop.sell(shop.offer("guide", 5120, "bhd"), START + 2)
    shop.sell(shop.offer("guide", 10000, "isk"), START + 3)
    pay_out(shop, 2786, [sale.movement["id"]])
    read(store, shop)

    found = check(store, shop)

    assert found.is_whole
    assert (found.differences, found.notes) == ((), ())
    assert found.here == found.there
    assert found.net_by_currency == {
        code: sum(
            raw["net"]
            for raw in shop.provider.objects["balance_transaction"].values()
            if raw["currency"] == code
        )
        for code in ("bhd", "isk", "jpy", "usd")
    }
    assert found.to_json()["payouts"]["usd"] == {
        "payouts": 1,
        "paid_minor": 2786,
        "traced": 1,
        "traced_minor": 2786,
        "movements_minor": 2786,
        "by_hand": 0,
        "not_traced_yet": 0,
        "failed": 0,
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": 2901, "net": 2787}, "amount $29.00 is $29.01 at Stripe, net $27.86 is $27.87"),
        ({"fee": 115}, "fee $1.14 is $1.15 at Stripe"),
        ({"currency": "eur"}, "currency usd is eur at Stripe"),
        ({"status": "available"}, "status pending is available at Stripe"),
        ({"type": "payment"}, "type charge is payment at Stripe"),
    ],
)
def test_each_field_that_differs_is_named_with_the_id(
    store: Store, shop: Shop, change: dict[str, Any], words: str
) -> None:
    sale = shop.sell(shop.offer("guide", 2900), START)
    read(store, shop)
    shop.provider.change(sale.movement, START, None, **change)

    [difference] = check(store, shop).differences

    assert difference.startswith(f"{sale.movement['id']}: ")
    assert words in difference


def test_what_only_one_side_has_is_named(store: Store, shop: Shop) -> None:
    guide = shop.offer("guide", 2900)
    gone, stays = shop.sell(guide, START), shop.sell(guide, START + DAY)
    read(store, shop)
    shop.provider.deleted.add(gone.movement["id"])
    late = shop.sell(guide, START + 60)

    found = check(store, shop)

    assert set(found.differences) == {
        f"{late.movement['id']} ($27.86) is at Stripe but not in the store",
        f"{gone.movement['id']} ($27.86) is in the store but not at Stripe",
    }
    assert stays.movement["id"] not in " ".join(found.differences)


def test_a_sale_made_while_the_sync_was_reading_is_no_difference(store: Store, shop: Shop) -> None:
    guide = shop.offer("guide", 2900)
    shop.sell(guide, START)
    read(store, shop)
    shop.sell(guide, START + 41 * DAY)

    found = check(store, shop, began_at=NOW)

    assert found.is_whole
    assert found.here == found.there
    assert found.notes == ("1 movement came while this sync was reading; the next one brings it.",)


def test_an_old_sale_that_the_sync_lost_is_a_difference_whatever_the_time(
    store: Store, shop: Shop
) -> None:
    guide = shop.offer("guide", 2900)
    shop.sell(guide, START)
    read(store, shop)
    lost = shop.sell(guide, START + DAY)

    [difference] = check(store, shop, began_at=NOW).differences

    assert lost.movement["id"] in difference


def test_a_sale_older_than_one_that_was_read_was_lost_however_young(
    store: Store, shop: Shop
) -> None:
    guide = shop.offer("guide", 2900)
    shop.sell(guide, START + 40 * DAY - 60)
    read(store, shop)
    lost = shop.sell(guide, START + 40 * DAY - 120)

    [difference] = check(store, shop, began_at=NOW).differences

    assert lost.movement["id"] in difference


def test_a_thousand_differences_are_named_and_the_rest_counted(store: Store, shop: Shop) -> None:
    for number in range(MOST_NAMED + 5):
        shop.move("ch_x", 100, START + number)

    found = check(store, shop)

    assert len(found.differences) == MOST_NAMED + 1
    assert found.differences[-1] == "and 5 differences more"


# ---------------------------------------------------------------------- payouts


def test_a_payout_that_brought_another_sum_is_named(store: Store, shop: Shop) -> None:
    sale = shop.sell(shop.offer("guide", 2900), START)
    pay_out(shop, 2700, [sale.movement["id"]])
    read(store, shop)

    assert check(store, shop).differences == (
        "po_1 paid $27.00, but its movements add up to $27.86",
    )


def test_a_traced_payout_is_remembered_and_not_asked_for_again(store: Store, shop: Shop) -> None:
    sale = shop.sell(shop.offer("guide", 2900), START)
    pay_out(shop, 2786, [sale.movement["id"]])
    read(store, shop)
    check(store, shop)
    source = FakeSource(shop.provider)

    found = verify(store, source, source.account())

    assert found.payouts["usd"].tied == 1
    assert not [asked for _, asked in source.asked if asked.get("payout")]
    assert rows(
        store, "SELECT external_id FROM balance_transaction WHERE payout_external_id = 'po_1'"
    ) == [(sale.movement["id"],)]


@pytest.mark.parametrize(
    ("fields", "standing", "note"),
    [
        (
            {"automatic": False},
            "by_hand",
            ("1 payout was sent by hand, which Stripe does not trace to movements.",),
        ),
        (
            {"reconciliation_status": "in_progress", "status": "in_transit"},
            "open",
            ("1 payout was not put together by Stripe yet.",),
        ),
        ({"status": "failed"}, "failed", ()),
    ],
)
def test_a_payout_that_cannot_be_traced_is_not_asked_about_and_no_difference(
    store: Store, shop: Shop, fields: Raw, standing: str, note: tuple[str, ...]
) -> None:
    shop.sell(shop.offer("guide", 2900), START)
    pay_out(shop, 1000, [], **fields)
    if standing == "failed":
        shop.move("po_1", 1000, START + 9 * DAY, kind="payout_failure")
    read(store, shop)
    source = FakeSource(shop.provider)

    found = verify(store, source, source.account())

    assert found.is_whole
    assert getattr(found.payouts["usd"], standing) == 1
    assert found.notes == note
    assert not [asked for _, asked in source.asked if asked.get("payout")]


def test_a_failed_payout_is_whole_when_its_money_came_back(store: Store, shop: Shop) -> None:
    shop.sell(shop.offer("guide", 2900), START)
    pay_out(shop, 2786, [], status="failed")
    read(store, shop)

    [missing] = check(store, shop).differences
    shop.move("po_1", 2786, START + 9 * DAY, kind="payout_failure")
    read(store, shop)
    found = check(store, shop)

    assert missing == "po_1 (failed) should have taken $0.00 from the balance, and took $27.86"
    assert found.is_whole
    assert found.payouts["usd"].failed == 1
    assert found.payouts["usd"].paid_minor == 0


def test_money_of_a_failed_payout_goes_out_with_the_next(store: Store, shop: Shop) -> None:
    sale = shop.sell(shop.offer("guide", 2900), START)
    pay_out(shop, 2786, [sale.movement["id"]], status="failed")
    back = shop.move("po_1", 2786, START + 9 * DAY, kind="payout_failure")
    pay_out(shop, 2786, [back["id"]])
    read(store, shop)

    found = check(store, shop)

    assert found.is_whole
    assert (found.payouts["usd"].tied, found.payouts["usd"].failed) == (1, 1)


def test_a_payout_that_changed_or_is_missing_is_named(store: Store, shop: Shop) -> None:
    shop.sell(shop.offer("guide", 2900), START)
    sent = pay_out(shop, 2786, [], automatic=False)
    read(store, shop)
    shop.provider.change(sent, START, None, status="in_transit")
    pay_out(shop, 100, [], automatic=False)

    differences = check(store, shop).differences

    assert "po_1 is $27.86 paid in the store but $27.86 in_transit at Stripe" in differences
    assert "po_2 ($1.00) is at Stripe but not in the store" in differences


def test_without_permission_nothing_is_said_to_agree(store: Store, shop: Shop) -> None:
    shop.sell(shop.offer("guide", 2900), START)
    read(store, shop)
    shop.provider.forbidden.add("payouts")

    without_payouts = check(store, shop)
    shop.provider.forbidden.add("balance_transactions")
    without_movements = check(store, shop)

    assert without_payouts.is_whole
    assert without_payouts.notes[0].startswith("Payouts were not compared: ")
    assert not without_movements.is_whole
    assert without_movements.differences[0].startswith("balance_transactions: ")
