"""What a sync leaves in the store, whatever happens at the provider and on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.enums import ResourceStatus
from kpay.domain.sync_report import SyncReport
from kpay.errors import Refused, UsageProblem
from kpay.services.deriving import derive
from kpay.services.syncing import SyncWish, sync
from kpay.store.engine import Store
from tests.fakes.provider import FakeProvider, FakeSource
from tests.fakes.stores import add_content, digest, new_store, rows
from tests.fakes.stripe_shop import DAY, START, Shop

FULL = SyncWish(is_full=True)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path, "guide", "club")


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def run(
    store: Store, shop: Shop | FakeProvider, now: int = START + 40 * DAY, **more: Any
) -> SyncReport:
    provider = shop.provider if isinstance(shop, Shop) else shop
    return sync(store, FakeSource(provider), now=at(now), **more)


def busy_shop() -> Shop:
    """A little of everything."""
    shop = Shop()
    guide, club = shop.offer("guide", 2900), shop.offer("club", 900, "eur", interval="month")
    ana = shop.customer("ana@example.com", START)
    first = shop.sell(guide, START + DAY, customer=ana)
    shop.sell(guide, START + 2 * DAY, email="GUEST@Example.com")
    shop.sell(guide, START + 2 * DAY, email="no@example.com", status="failed")
    member = shop.subscribe(club, START + 3 * DAY, ana)
    assert member.subscription
    shop.bill(member.subscription, club[1], START + 33 * DAY, ana, "subscription_cycle", 900)
    shop.refund(first, 2900, START + 5 * DAY)
    return shop


# ---------------------------------------------------------------------- once and twice


def test_every_succeeded_charge_is_an_order_with_its_buyer_content_and_money(store: Store) -> None:
    report = run(store, busy_shop())

    assert report.new_orders == 4
    assert rows(
        store,
        "SELECT o.email, o.kind, o.total_minor, o.currency, c.slug FROM orders o "
        "JOIN line_item l ON l.order_id = o.id JOIN content c ON c.id = l.content_id "
        "ORDER BY o.ordered_at, o.id",
    ) == [
        ("ana@example.com", "one_time", 2900, "usd", "guide"),
        ("guest@example.com", "one_time", 2900, "usd", "guide"),
        ("ana@example.com", "subscription_start", 900, "eur", "club"),
        ("ana@example.com", "renewal", 900, "eur", "club"),
    ]
    assert {name: (pair.store_minor, pair.stripe_minor) for name, pair in report.net.items()} == {
        "usd": (2 * (2900 - 114) - 2900, 2 * (2900 - 114) - 2900),
        "eur": (2 * (900 - 56), 2 * (900 - 56)),
    }


def test_a_second_sync_changes_no_row(store: Store) -> None:
    shop = busy_shop()
    run(store, shop)
    before, inode_writes = digest(store), store.path.with_name("kpay.db-wal")
    size = inode_writes.stat().st_size if inode_writes.exists() else 0

    report = run(store, shop)

    assert digest(store) == before
    assert report.changed == 0
    assert "nothing to do" in report.to_document().title
    assert (inode_writes.stat().st_size if inode_writes.exists() else 0) == size


def test_a_full_sync_changes_no_row_either(store: Store) -> None:
    shop = busy_shop()
    run(store, shop)
    before = digest(store)

    report = run(store, shop, wish=FULL)

    assert digest(store) == before
    assert report.tallies["charges"].unchanged == 5


def test_a_second_sync_asks_little(store: Store) -> None:
    shop = busy_shop()
    run(store, shop)

    assert run(store, shop).requests < 20


def test_what_a_new_sale_brings_is_added_and_nothing_else(store: Store) -> None:
    shop = busy_shop()
    run(store, shop)
    shop.sell(shop.offer("guide", 1000), START + 39 * DAY, email="late@example.com")

    report = run(store, shop)

    assert report.new_orders == 1
    assert rows(store, "SELECT count(*) FROM orders") == [(5,)]


# ---------------------------------------------------------------------- people


def test_guests_are_customers_and_one_address_is_one_person(store: Store) -> None:
    shop = Shop()
    guide = shop.offer("guide", 2900)
    shop.sell(guide, START + DAY, email="Bo@Example.com ")
    bo = shop.customer("bo@example.com", START + 2 * DAY, name="Bo Berg")
    shop.sell(guide, START + 2 * DAY, email="bo@example.com", customer=bo)

    run(store, shop)

    assert rows(store, "SELECT email, name FROM customer") == [("bo@example.com", "Bo Berg")]
    assert rows(store, "SELECT count(*) FROM orders WHERE customer_id IS NOT NULL") == [(2,)]


def test_somebody_who_changes_address_stays_one_customer(store: Store) -> None:
    shop = Shop()
    guide = shop.offer("guide", 2900)
    ana = shop.customer("ana@example.com", START)
    shop.sell(guide, START + DAY, customer=ana)
    run(store, shop, now=START + 2 * DAY)
    shop.provider.change(ana, START + 3 * DAY, "customer.updated", email="ana@new.example")
    shop.sell(guide, START + 4 * DAY, email="ana@new.example", customer=ana)

    run(store, shop, now=START + 5 * DAY)

    assert rows(store, "SELECT email FROM customer") == [("ana@new.example",)]


def test_a_deleted_customer_is_marked_and_the_sales_stay(store: Store) -> None:
    shop = Shop()
    ana = shop.customer("ana@example.com", START)
    shop.sell(shop.offer("guide", 2900), START + DAY, customer=ana)
    run(store, shop)
    shop.provider.delete(ana, START + 3 * DAY)

    run(store, shop)

    assert rows(store, "SELECT is_deleted FROM customer_identity") == [(1,)]
    assert rows(store, "SELECT email FROM customer") == [("ana@example.com",)]
    assert rows(store, "SELECT count(*) FROM orders WHERE customer_id IS NOT NULL") == [(1,)]


def test_a_whole_walk_notices_a_deletion_that_no_event_told(store: Store) -> None:
    shop = Shop()
    ana = shop.customer("ana@example.com", START)
    shop.sell(shop.offer("guide", 2900), START + DAY, customer=ana)
    run(store, shop)
    shop.provider.deleted.add(ana["id"])

    run(store, shop, wish=FULL)

    assert rows(store, "SELECT is_deleted FROM customer_identity") == [(1,)]


# ---------------------------------------------------------------------- late and changed objects


def test_objects_in_the_second_of_the_watermark_are_not_lost(store: Store) -> None:
    shop = Shop()
    guide = shop.offer("guide", 2900)
    shop.sell(guide, START + DAY, email="a@example.com")
    run(store, shop, now=START + DAY)
    shop.sell(guide, START + DAY, email="b@example.com")
    shop.sell(guide, START + DAY - 1800, email="late@example.com")

    run(store, shop, now=START + DAY + 60)

    assert rows(store, "SELECT email FROM orders ORDER BY email") == [
        ("a@example.com",),
        ("b@example.com",),
        ("late@example.com",),
    ]


def test_a_refund_of_an_old_charge_arrives_and_ends_the_right(store: Store) -> None:
    shop = Shop()
    old = shop.sell(shop.offer("guide", 2900), START)
    run(store, shop, now=START + DAY)
    assert rows(store, "SELECT ended_at FROM entitlement") == [(None,)]
    shop.refund(old, 1000, START + 20 * DAY)
    run(store, shop, now=START + 21 * DAY)
    assert rows(store, "SELECT ended_at FROM entitlement") == [(None,)]

    shop.refund(old, 1900, START + 25 * DAY)
    run(store, shop, now=START + 26 * DAY)

    assert rows(store, "SELECT sum(amount_minor), count(order_id) FROM refund") == [(2900, 2)]
    assert rows(store, "SELECT ended_at, end_reason FROM entitlement") == [
        ("2026-06-26T00:00:00Z", "refund")
    ]


def test_a_refund_that_fails_later_gives_the_right_back(store: Store) -> None:
    shop = Shop()
    sale = shop.sell(shop.offer("guide", 2900), START)
    refund = shop.refund(sale, 2900, START + DAY, status="pending")
    run(store, shop, now=START + 2 * DAY)
    shop.provider.change(refund, START + 9 * DAY, "refund.failed", status="failed")

    run(store, shop, now=START + 10 * DAY)

    assert rows(store, "SELECT status FROM refund") == [("failed",)]
    assert rows(store, "SELECT ended_at, end_reason FROM entitlement") == [(None, None)]


def test_a_lost_dispute_ends_the_right_and_a_won_one_does_not(store: Store) -> None:
    shop = Shop()
    guide = shop.offer("guide", 2900)
    disputes = [
        shop.dispute(shop.sell(guide, START, email=f"{n}@example.com"), START + n * DAY)
        for n in (1, 2)
    ]
    run(store, shop, now=START + 3 * DAY)
    for dispute, status in zip(disputes, ("won", "lost"), strict=True):
        shop.provider.change(dispute, START + 20 * DAY, "charge.dispute.closed", status=status)

    run(store, shop, now=START + 21 * DAY)

    assert rows(store, "SELECT end_reason FROM entitlement ORDER BY id") == [(None,), ("dispute",)]


def test_money_that_became_available_is_read_again_without_an_event(store: Store) -> None:
    shop = Shop()
    sale = shop.sell(shop.offer("guide", 2900), START)
    shop.sell(shop.offer("guide", 2900), START + 3 * DAY)
    run(store, shop, now=START + 3 * DAY)
    shop.provider.change(sale.movement, START + 3 * DAY, None, status="available")

    run(store, shop, now=START + 3 * DAY + 60)

    assert rows(store, "SELECT status FROM balance_transaction ORDER BY created_at") == [
        ("available",),
        ("pending",),
    ]


def test_many_changed_objects_are_read_as_a_list(store: Store) -> None:
    shop = Shop()
    guide = shop.offer("guide", 100)
    sales = [shop.sell(guide, START + n, email=f"{n}@example.com") for n in range(320)]
    shop.sell(guide, START + 9 * DAY)
    run(store, shop, now=START + 10 * DAY)
    for sale in sales:
        shop.provider.change(sale.charge, START + 11 * DAY, "charge.updated", description="x")

    report = run(store, shop, now=START + 12 * DAY)

    assert report.tallies["charges"].updated == 320
    assert report.requests < 40


def test_a_long_pause_makes_the_sync_read_everything_and_say_so(store: Store) -> None:
    shop = Shop()
    sale = shop.sell(shop.offer("guide", 2900), START)
    run(store, shop, now=START + DAY)
    shop.provider.change(sale.charge, START + 2 * DAY, None, description="changed unheard")

    report = run(store, shop, now=START + 40 * DAY, last_success=at(START + DAY))

    assert report.tallies["charges"].updated == 1
    assert any("30 days" in note for note in report.notes)


def test_a_quiet_shop_that_is_synced_every_day_is_not_read_whole(store: Store) -> None:
    shop = busy_shop()
    run(store, shop)
    later = START + 90 * DAY

    report = run(store, shop, now=later, last_success=at(later) - timedelta(days=1))

    assert report.notes == ()


# ---------------------------------------------------------------------- broken walks


def many_sales() -> Shop:
    shop = Shop()
    guide = shop.offer("guide", 100)
    for n in range(600):
        shop.sell(guide, START + n * 60, email=f"{n % 100}@example.com")
    return shop


@pytest.mark.parametrize("pages", [9, 20, 30])
def test_a_sync_that_breaks_off_goes_on_and_ends_as_an_unbroken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    monkeypatch.setattr("kpay.services.walking.OBJECTS_A_TRANSACTION", 200)
    shop, now = many_sales(), START + 3 * DAY
    (tmp_path / "whole").mkdir()
    (tmp_path / "broken").mkdir()
    whole, broken = (new_store(tmp_path / name, "guide") for name in ("whole", "broken"))
    run(whole, shop, now)

    source = FakeSource(shop.provider)
    source.broken_after = pages
    first = sync(broken, source, now=at(now))
    assert first.is_partial
    assert {one.status for one in first.tallies.values()} <= {"ok", "partial"}
    again = FakeSource(shop.provider)
    assert not sync(broken, again, now=at(now)).is_partial

    natural = (
        "SELECT external_id, email, total_minor, session_id, ordered_at FROM orders ORDER BY 1"
    )
    assert rows(broken, natural) == rows(whole, natural)
    assert rows(broken, "SELECT count(*) FROM entitlement") == rows(
        whole, "SELECT count(*) FROM entitlement"
    )
    cursors = "SELECT resource, watermark_at, starting_after FROM sync_cursor ORDER BY 1"
    assert rows(broken, cursors) == rows(whole, cursors)
    assert again.requests < 45


@pytest.mark.parametrize("is_second", [False, True])
def test_what_changed_after_a_walk_broke_off_is_read_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, is_second: bool
) -> None:
    monkeypatch.setattr("kpay.services.walking.OBJECTS_A_TRANSACTION", 100)
    if is_second:
        early = Shop()
        early.sell(early.offer("guide", 100), START - DAY)
        run(store, early, START)
    shop, now = many_sales(), START + 3 * DAY
    source = FakeSource(shop.provider)
    source.broken_after = 25
    assert sync(store, source, now=at(now)).is_partial
    [(charge,)] = rows(
        store,
        "SELECT external_id FROM provider_object WHERE object = 'charge' "
        "ORDER BY created_at DESC LIMIT 1 OFFSET 80",
    )
    kept = shop.provider.objects["charge"][str(charge)]
    shop.provider.change(kept, now, "charge.updated", amount_captured=77)

    assert not run(store, shop, now + 60).is_partial

    found = rows(store, f"SELECT total_minor FROM orders WHERE external_id = '{charge}'")
    assert found == [(77,)]


def test_objects_that_were_kept_but_not_derived_are_derived_by_the_next_run(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = busy_shop()

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kpay.services.syncing.derive", stop)
    with pytest.raises(KeyboardInterrupt):
        run(store, shop)
    assert rows(store, "SELECT count(*) FROM orders") == [(0,)]
    monkeypatch.setattr("kpay.services.syncing.derive", derive)

    assert run(store, shop).new_orders == 4
    assert rows(store, "SELECT count(*) FROM fact WHERE name = 'underived'") == [(0,)]


def test_a_sale_during_the_walk_is_in_the_store_after_the_next(store: Store) -> None:
    shop = busy_shop()
    guide = shop.offer("guide", 500)

    class Selling(FakeSource):
        def page(self, path: str, parameters: Any) -> Any:
            if path == "charges" and len(self.asked) < 40:
                shop.sell(guide, START + 39 * DAY, email="during@example.com")
            return super().page(path, parameters)

    sync(store, Selling(shop.provider), now=at(START + 40 * DAY))
    run(store, shop)

    found = rows(
        store,
        "SELECT o.session_id IS NOT NULL, l.content_id IS NOT NULL FROM orders o "
        "JOIN line_item l ON l.order_id = o.id WHERE o.email = 'during@example.com'",
    )
    assert found == [(1, 1)]


# ---------------------------------------------------------------------- refusals


def test_a_forbidden_list_is_named_and_arrives_whole_once_it_is_allowed(store: Store) -> None:
    shop = busy_shop()
    sale = shop.sell(shop.offer("guide", 100), START + 6 * DAY)
    shop.dispute(sale, START + 8 * DAY)
    shop.provider.forbidden.add("disputes")

    report = run(store, shop)

    assert report.is_partial
    assert report.tallies["disputes"].status is ResourceStatus.FORBIDDEN
    assert "permissions" in (report.tallies["disputes"].reason or "")
    assert rows(store, "SELECT count(*) FROM orders") == [(5,)]

    shop.provider.forbidden.clear()
    assert not run(store, shop).is_partial
    assert rows(store, "SELECT count(*) FROM dispute WHERE order_id IS NOT NULL") == [(1,)]


def test_a_list_that_the_server_lacks_is_named(store: Store) -> None:
    shop = busy_shop()
    shop.provider.unsupported.add("coupons")

    report = run(store, shop)

    assert report.tallies["coupons"].status is ResourceStatus.UNSUPPORTED
    assert not report.is_partial


def test_a_server_without_events_is_synced_and_the_blind_spot_is_told(store: Store) -> None:
    shop = busy_shop()
    shop.provider.unsupported.add("events")

    report = run(store, shop)

    assert report.new_orders == 4
    assert any("not seen" in note for note in report.notes)


def test_another_account_is_refused_and_nothing_is_written(store: Store) -> None:
    run(store, busy_shop())
    before = digest(store)
    other = Shop(FakeProvider("acct_other"))
    other.sell(other.offer("guide", 100), START)

    with pytest.raises(Refused, match="acct_fake"):
        run(store, other)

    assert digest(store) == before


def test_a_live_key_is_refused_in_a_test_business(store: Store) -> None:
    shop = busy_shop()
    run(store, shop)

    with pytest.raises(Refused, match="LIVE"):
        sync(store, FakeSource(shop.provider, livemode=True), now=at(START))


def test_a_misspelled_resource_is_named_with_what_was_meant(store: Store) -> None:
    with pytest.raises(UsageProblem, match="did you mean charges"):
        run(store, busy_shop(), wish=SyncWish(only=("charge",)))


def test_only_some_lists_can_be_read_and_the_others_lose_nothing(store: Store) -> None:
    shop = busy_shop()
    run(store, shop, now=START + 40 * DAY)
    sale = shop.sell(shop.offer("guide", 100), START + 41 * DAY)
    shop.refund(sale, 100, START + 42 * DAY)

    report = run(store, shop, now=START + 43 * DAY, wish=SyncWish(only=("charges",)))
    assert list(report.tallies) == ["charges"]
    run(store, shop, now=START + 43 * DAY)

    assert rows(store, "SELECT count(*) FROM refund WHERE order_id IS NOT NULL") == [(2,)]
    assert rows(
        store, "SELECT count(*) FROM orders WHERE session_id IS NULL AND kind = 'one_time'"
    ) == [(0,)]


# ---------------------------------------------------------------------- the cents


def test_verifying_finds_nothing_when_all_is_well_and_ties_movements_to_payouts(
    store: Store,
) -> None:
    shop = Shop()
    sale = shop.sell(shop.offer("guide", 2900), START)
    payout = shop.provider.add(
        {
            "id": "po_1",
            "object": "payout",
            "amount": 2786,
            "currency": "usd",
            "status": "paid",
            "created": START + 3 * DAY,
            "arrival_date": START + 4 * DAY,
        }
    )
    out = shop.move("po_1", -2786, START + 3 * DAY, kind="payout")
    shop.provider.payout_members[payout["id"]] = [sale.movement["id"], out["id"]]

    report = run(store, shop, wish=SyncWish(with_check=True))

    assert report.differences == ()
    assert report.net["usd"].store_minor == report.net["usd"].stripe_minor == 0
    assert rows(
        store, "SELECT payout_external_id FROM balance_transaction WHERE kind = 'charge'"
    ) == [("po_1",)]


def test_verifying_names_the_movement_and_the_payout_that_differ(store: Store) -> None:
    shop = Shop()
    sale = shop.sell(shop.offer("guide", 2900), START)
    shop.provider.add(
        {
            "id": "po_1",
            "object": "payout",
            "amount": 999,
            "currency": "usd",
            "status": "paid",
            "created": START + 3 * DAY,
            "arrival_date": START + 4 * DAY,
        }
    )
    shop.provider.payout_members["po_1"] = [sale.movement["id"]]
    shop.sell(shop.offer("guide", 100), START + 5 * DAY)
    run(store, shop, now=START + DAY)
    shop.provider.change(sale.movement, START, None, net=2700, fee=200)

    report = run(store, shop, now=START + DAY, wish=SyncWish(with_check=True))

    assert report.is_partial
    assert report.differences == (
        f"{sale.movement['id']}: fee $1.14 is $2.00 at Stripe, net $27.86 is $27.00 at Stripe",
        "po_1 (paid) should have taken $9.99 from the balance, and took $0.00",
        "po_1 paid $9.99, but its movements add up to $27.86",
    )


def test_a_movement_that_the_provider_no_longer_has_is_named(store: Store) -> None:
    shop = Shop()
    sale = shop.sell(shop.offer("guide", 2900), START)
    shop.sell(shop.offer("guide", 100), START + 5 * DAY)
    run(store, shop)
    shop.provider.deleted.add(sale.movement["id"])

    report = run(store, shop, wish=SyncWish(with_check=True))

    assert report.is_partial
    assert [one for one in report.differences if sale.movement["id"] in one]
    assert report.to_document().to_json()["status"] == "partial"


# ---------------------------------------------------------------------- content and rights


def test_a_bundle_grants_everything_it_includes(tmp_path: Path) -> None:
    store = new_store(tmp_path, "guide", "audio", "all", includes={"all": ["guide", "audio"]})
    shop = Shop()
    shop.sell(shop.offer("all", 9900), START)

    run(store, shop)

    assert rows(
        store,
        "SELECT c.slug FROM entitlement e JOIN content c ON c.id = e.content_id ORDER BY 1",
    ) == [("all",), ("audio",), ("guide",)]


def test_an_old_sale_keeps_its_content_when_its_price_is_moved(store: Store) -> None:
    shop = Shop()
    guide = shop.offer("guide", 2900)
    sale = shop.sell(guide, START, metadata={})
    run(store, shop, now=START + DAY)
    shop.provider.change(
        guide[0], START + 2 * DAY, "product.updated", metadata={"kpay_content": "club"}
    )
    shop.provider.change(sale.charge, START + 2 * DAY, "charge.updated", description="again")

    run(store, shop, now=START + 3 * DAY, wish=FULL)

    assert rows(store, "SELECT c.slug FROM line_item l JOIN content c ON c.id = l.content_id") == [
        ("guide",)
    ]


def test_content_that_is_published_after_its_sales_finds_them(store: Store) -> None:
    shop = Shop()
    shop.sell(shop.offer("later", 500), START)
    run(store, shop, now=START + DAY)
    assert rows(store, "SELECT product, content_id FROM line_item") == [("later", None)]

    add_content(store, "later")
    run(store, shop, now=START + DAY, wish=FULL)

    assert rows(store, "SELECT count(*) FROM entitlement") == [(1,)]


def test_a_trial_grants_without_an_order_and_leaving_ends_it(store: Store) -> None:
    shop = Shop()
    club = shop.offer("club", 900, interval="month")
    member = shop.subscribe(club, START, shop.customer("ana@example.com", START), trial_days=7)
    assert member.subscription
    run(store, shop, now=START + DAY)
    assert rows(store, "SELECT count(*) FROM orders") == [(0,)]
    assert rows(store, "SELECT source, ended_at FROM entitlement") == [("subscription", None)]

    shop.provider.change(
        member.subscription,
        START + 7 * DAY,
        "customer.subscription.deleted",
        status="canceled",
        ended_at=START + 7 * DAY,
        canceled_at=START + 5 * DAY,
        cancellation_details={"reason": "cancellation_requested"},
    )
    run(store, shop, now=START + 8 * DAY)

    assert rows(store, "SELECT ended_at, end_reason FROM entitlement") == [
        ("2026-06-08T00:00:00Z", "subscription_ended")
    ]
    assert rows(store, "SELECT status, cancel_reason FROM subscription") == [
        ("canceled", "cancellation_requested")
    ]


def test_phases_tell_from_when_a_subscription_paid_which_price(store: Store) -> None:
    shop = busy_shop()

    run(store, shop)

    assert rows(
        store, "SELECT starts_at, amount_minor, interval FROM subscription_phase ORDER BY 1"
    ) == [("2026-06-04T00:00:00Z", 900, "month"), ("2026-07-04T00:00:00Z", 900, "month")]


def test_a_long_invoice_loses_no_line(store: Store) -> None:
    shop = Shop()
    club = shop.offer("club", 900, interval="month")
    sale = shop.subscribe(club, START, shop.customer("ana@example.com", START))
    assert sale.invoice
    assert sale.session
    lines = sale.invoice["lines"]["data"]
    more = [{**lines[0], "id": f"il_more_{n}", "amount": 1} for n in range(12)]
    shop.provider.change(
        sale.invoice,
        START,
        None,
        total=912,
        lines={"object": "list", "data": lines, "has_more": True},
    )
    shop.provider.change(sale.charge, START, None, amount=912, amount_captured=912)
    shop.provider.rest_of[f"invoices/{sale.invoice['id']}/lines"] = more

    run(store, shop)

    assert rows(store, "SELECT count(*), sum(amount_minor) FROM line_item") == [(13, 912)]
