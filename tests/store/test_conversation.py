"""What a sync asks the provider, what it asks again and why, and what it does when it is refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.enums import Reread, ResourceStatus
from kpay.domain.permissions import PERMISSIONS
from kpay.domain.resources import EVENTS, RESOURCES
from kpay.domain.sync_report import SyncReport
from kpay.errors import Refused, RemoteProblem
from kpay.ports import Page
from kpay.services.syncing import SyncWish, sync
from kpay.services.walks import Shown
from kpay.store.engine import Store
from tests.fakes.provider import FakeProvider, FakeSource
from tests.fakes.stores import digest, new_store, rows
from tests.fakes.stripe_shop import DAY, START, Shop

FULL = SyncWish(is_full=True)
HOUR = 3600


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = new_store(tmp_path, "guide")
    yield found
    found.close()


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def run(
    store: Store, shop: Shop, seconds: float, source: FakeSource | None = None, **more: Any
) -> SyncReport:
    return sync(store, source or FakeSource(shop.provider), now=at(seconds), **more)


def daily_shop(sales: int) -> Shop:
    """A sale a day; movements are available at once, so that nothing is pending."""
    shop = Shop()
    guide = shop.offer("guide", 100)
    for day in range(sales):
        sale = shop.sell(guide, START + day * DAY, email=f"{day}@example.com")
        shop.provider.change(sale.movement, START, None, status="available")
    return shop


def charges_of(shop: Shop) -> list[dict[str, Any]]:
    return sorted(shop.provider.objects["charge"].values(), key=lambda one: one["created"])


def asked_singly(source: FakeSource, kind: str) -> list[str]:
    return [path for path, _ in source.asked if path.startswith(f"{kind}/")]


def tell(shop: Shop, raw: dict[str, Any], seconds: float, name: str) -> None:
    """Make an event of a given name and time."""
    shop.provider.add(
        {
            "id": name,
            "object": "event",
            "type": "charge.updated",
            "created": int(seconds),
            "livemode": False,
            "data": {"object": raw},
        }
    )


# ---------------------------------------------------------------------- requests, counted apart


def test_a_second_sync_makes_a_request_a_list_and_announces_every_other(store: Store) -> None:
    shop = Shop()
    guide = shop.offer("guide", 100)
    for n in range(450):
        shop.sell(guide, START + n, email=f"{n}@example.com")
    run(store, shop, START + HOUR)

    report = run(store, shop, START + HOUR)

    assert report.requests - sum(report.rereads.values()) == len(RESOURCES) + 2 < 20
    assert report.rereads[Reread.LOOKBACK] > 10
    assert report.changed == 0


def test_only_what_is_read_again_counts_as_read_again(store: Store) -> None:
    shop = daily_shop(5)
    first = run(store, shop, START + 5 * DAY)
    guide = shop.offer("guide", 100)
    for n in range(250):
        shop.sell(guide, START + 6 * DAY + n)

    second = run(store, shop, START + 7 * DAY)

    assert not any(first.rereads.values())
    assert not any(second.rereads.values())
    assert second.changed > 250


def test_the_report_names_the_requests_of_each_kind(store: Store) -> None:
    shop = daily_shop(5)
    run(store, shop, START + 5 * DAY)
    shop.provider.change(charges_of(shop)[0], START + 6 * DAY, "charge.updated", description="x")

    report = run(store, shop, START + 7 * DAY)
    document = report.to_document()

    assert document.payload["rereads"] == {"lookback": 0, "pending": 0, "changed": 1}
    assert "1 for what changed" in document.subtitle


# ---------------------------------------------------------------------- pending


def test_few_pending_movements_are_read_singly(store: Store) -> None:
    shop = daily_shop(300)
    movement = shop.provider.objects["balance_transaction"]
    old = min(movement.values(), key=lambda one: one["created"])
    shop.provider.change(old, START, None, status="pending")
    run(store, shop, START + 300 * DAY)
    shop.provider.change(old, START, None, status="available")
    source = FakeSource(shop.provider)

    report = run(store, shop, START + 301 * DAY, source)

    assert asked_singly(source, "balance_transactions") == [f"balance_transactions/{old['id']}"]
    assert report.rereads[Reread.PENDING] == 1
    assert rows(store, "SELECT count(*) FROM balance_transaction WHERE status = 'pending'") == [
        (0,)
    ]


def test_many_pending_movements_are_read_as_pages(store: Store) -> None:
    shop = daily_shop(250)
    movements = list(shop.provider.objects["balance_transaction"].values())
    for one in movements:
        shop.provider.change(one, START, None, status="pending")
    run(store, shop, START + 250 * DAY)
    for one in movements:
        shop.provider.change(one, START, None, status="available")
    source = FakeSource(shop.provider)

    report = run(store, shop, START + 260 * DAY, source)

    assert asked_singly(source, "balance_transactions") == []
    assert report.rereads[Reread.PENDING] == 2
    assert report.tallies["balance_transactions"].updated == 250


def test_a_charge_without_its_movement_is_read_again_for_thirty_days(store: Store) -> None:
    shop = daily_shop(40)
    bare = charges_of(shop)[-1]
    movement = bare["balance_transaction"]
    shop.provider.change(bare, START, None, balance_transaction=None)
    run(store, shop, START + 39 * DAY + HOUR)
    shop.sell(shop.offer("guide", 100), START + 45 * DAY)
    shop.provider.change(bare, START, None, balance_transaction=movement)

    run(store, shop, START + 46 * DAY)

    assert rows(
        store, "SELECT count(*) FROM charge WHERE balance_transaction_external_id IS NULL"
    ) == [(0,)]


def test_a_charge_that_never_gets_a_movement_is_left_alone_after_thirty_days(store: Store) -> None:
    shop = daily_shop(40)
    for bare in charges_of(shop)[:2]:
        shop.provider.change(bare, START, None, balance_transaction=None)
    run(store, shop, START + 40 * DAY)

    report = run(store, shop, START + 40 * DAY)

    assert not any(report.rereads.values())


# ---------------------------------------------------------------------- events


def test_an_event_is_acted_on_once(store: Store) -> None:
    shop = daily_shop(20)
    run(store, shop, START + 20 * DAY)
    shop.provider.change(charges_of(shop)[0], START + 21 * DAY, "charge.updated", description="x")
    run(store, shop, START + 21 * DAY + 60)
    before, source = digest(store), FakeSource(shop.provider)

    report = run(store, shop, START + 21 * DAY + 120, source)

    assert asked_singly(source, "charges") == []
    assert report.rereads.get(Reread.CHANGED, 0) == 0
    assert digest(store) == before


def test_events_that_the_first_sync_could_see_are_not_acted_on(store: Store) -> None:
    shop = daily_shop(20)
    tell(shop, charges_of(shop)[0], START + 20 * DAY, "evt_before")
    run(store, shop, START + 20 * DAY + 60)
    source = FakeSource(shop.provider)

    run(store, shop, START + 20 * DAY + 120, source)

    assert asked_singly(source, "charges") == []


def test_an_event_that_is_told_late_is_acted_on(store: Store) -> None:
    shop = daily_shop(20)
    tell(shop, charges_of(shop)[0], START + 20 * DAY, "evt_on_time")
    run(store, shop, START + 20 * DAY + 60)
    late = charges_of(shop)[1]
    shop.provider.change(late, START, None, description="late")
    tell(shop, late, START + 20 * DAY - 240, "evt_late")

    run(store, shop, START + 20 * DAY + 120)

    assert rows(store, "SELECT count(*) FROM charge WHERE description = 'late'") == [(1,)]


def test_only_the_events_of_the_last_hour_are_remembered(store: Store) -> None:
    shop = daily_shop(20)
    for hour in range(6):
        tell(shop, charges_of(shop)[0], START + 20 * DAY + hour * HOUR / 2, f"evt_{hour}")
        run(store, shop, START + 20 * DAY + hour * HOUR / 2 + 1)

    assert rows(store, "SELECT external_id FROM seen_event ORDER BY 1") == [
        ("evt_3",),
        ("evt_4",),
        ("evt_5",),
    ]


def test_an_event_is_not_done_with_while_what_it_names_cannot_be_read(store: Store) -> None:
    shop = daily_shop(20)
    run(store, shop, START + 20 * DAY)
    old = charges_of(shop)[0]
    shop.provider.change(old, START + 21 * DAY, "charge.updated", description="x")

    class Torn(FakeSource):
        def one(self, path: str, external_id: str, parameters: Any = None) -> Any:
            raise RemoteProblem("the line is dead", "kpay doctor")

    assert run(store, shop, START + 21 * DAY + 60, Torn(shop.provider)).is_partial
    run(store, shop, START + 21 * DAY + 120)

    assert rows(store, "SELECT count(*) FROM charge WHERE description = 'x'") == [(1,)]


def test_a_first_sync_that_broke_off_is_not_followed_by_reading_a_month_of_changes(
    store: Store,
) -> None:
    shop = daily_shop(150)
    for number, charge in enumerate(charges_of(shop)):
        tell(shop, charge, START + 120 * DAY, f"evt_{number}")

    class Torn(FakeSource):
        def page(self, path: str, parameters: Any) -> Page:
            if path == "charges" and "starting_after" in parameters:
                raise RemoteProblem("the line is dead", "kpay doctor")
            return super().page(path, parameters)

    assert run(store, shop, START + 150 * DAY, Torn(shop.provider)).is_partial
    source = FakeSource(shop.provider)

    assert not run(store, shop, START + 150 * DAY, source).is_partial

    assert asked_singly(source, "charges") == []


# ---------------------------------------------------------------------- everything again


def test_everything_again_is_announced_before_it_is_read(store: Store) -> None:
    shop = daily_shop(5)
    run(store, shop, START + 5 * DAY)
    source, said = FakeSource(shop.provider), []

    def hear(text: str) -> None:
        said.append((text, source.requests))

    run(store, shop, START + 40 * DAY, source, last_success=at(START + 5 * DAY), announce=hear)

    [(text, requests)] = said
    assert "30 days" in text
    assert "everything is read again" in text
    assert requests <= 1


@pytest.mark.parametrize("kind", ["invoice", "charge", "price", "payment_link", "payment_intent"])
def test_a_whole_reading_marks_what_no_list_shows_any_more(store: Store, kind: str) -> None:
    shop = daily_shop(5)
    shop.subscribe(shop.offer("club", 900, interval="month"), START, shop.customer("a@b.de", START))
    run(store, shop, START + 6 * DAY)
    gone = min(shop.provider.objects[kind])
    shop.provider.deleted.add(gone)

    run(store, shop, START + 6 * DAY, wish=FULL)

    query = f"SELECT external_id, is_deleted FROM provider_object WHERE object = '{kind}'"
    assert {one for one, is_deleted in rows(store, query) if is_deleted} == {gone}


def test_what_was_wiped_at_the_provider_is_marked_and_comes_back_if_it_does(store: Store) -> None:
    shop = daily_shop(5)
    run(store, shop, START + 6 * DAY)
    everything = {one for kept in shop.provider.objects.values() for one in kept}
    shop.provider.deleted |= everything
    run(store, shop, START + 6 * DAY, wish=FULL)
    assert rows(store, "SELECT count(*) FROM provider_object WHERE NOT is_deleted") == [(0,)]

    shop.provider.deleted.clear()
    run(store, shop, START + 6 * DAY, wish=FULL)

    assert rows(store, "SELECT count(*) FROM provider_object WHERE is_deleted") == [(0,)]


def test_nothing_is_marked_after_a_walk_that_broke_off(store: Store) -> None:
    shop = daily_shop(250)
    run(store, shop, START + 250 * DAY)
    shop.provider.deleted.add(charges_of(shop)[-1]["id"])

    class Torn(FakeSource):
        def page(self, path: str, parameters: Any) -> Page:
            if path == "charges" and "starting_after" in parameters:
                raise RemoteProblem("the line is dead", "kpay doctor")
            return super().page(path, parameters)

    assert run(store, shop, START + 250 * DAY, Torn(shop.provider), wish=FULL).is_partial

    assert rows(store, "SELECT count(*) FROM provider_object WHERE is_deleted") == [(0,)]


def test_what_is_kept_while_the_lists_are_walked_is_not_marked(store: Store) -> None:
    shop = daily_shop(5)
    run(store, shop, START + 6 * DAY)
    guide = shop.offer("guide", 100)

    class Selling(FakeSource):
        """Sells after the charges were listed, and has the sale read before the walk ends."""

        def page(self, path: str, parameters: Any) -> Page:
            found = super().page(path, parameters)
            if path == "charges":
                sale = shop.sell(guide, START + 7 * DAY)
                other = FakeSource(shop.provider)
                raw = other.one("charges", sale.charge["id"])
                assert raw
                _keep(store, raw)
            return found

    run(store, shop, START + 7 * DAY, Selling(shop.provider), wish=FULL)

    assert rows(store, "SELECT count(*) FROM provider_object WHERE is_deleted") == [(0,)]


def _keep(store: Store, raw: dict[str, Any]) -> None:
    from kpay.services.accounts import pinned_account
    from kpay.services.intake import keep

    with store.reading() as connection:
        account = pinned_account(connection)
    assert account
    keep(store, account, "fake", [raw])


def test_shown_objects_are_known_in_any_order() -> None:
    shown = Shown()
    shown.add(f"ch_{n}" for n in range(0, 1000, 2))
    assert "ch_10" in shown
    shown.add(["ch_1"])

    assert [n for n in range(1000) if f"ch_{n}" in shown] == sorted([1, *range(0, 1000, 2)])


def test_a_list_that_may_no_longer_be_read_does_not_make_every_sync_a_whole_one(
    store: Store,
) -> None:
    shop = daily_shop(3)
    dispute = shop.dispute(shop.sell(shop.offer("guide", 100), START), START + DAY)
    run(store, shop, START + 3 * DAY)
    shop.provider.forbidden.add("disputes")
    shop.provider.tell("product.updated", {"id": "prod_x", "object": "product"}, START + 39 * DAY)
    late = START + 40 * DAY
    assert run(store, shop, late, last_success=at(START + 3 * DAY)).is_full

    again = run(store, shop, late + 60, last_success=at(START + 3 * DAY))
    shop.provider.forbidden.clear()
    shop.provider.change(dispute, START + 20 * DAY, None, status="won")
    run(store, shop, late + 120)

    assert not again.is_full
    assert again.knows_changes
    assert rows(store, "SELECT status FROM dispute") == [("won",)]


# ---------------------------------------------------------------------- the walk


def test_pages_are_kept_while_another_reader_hangs(store: Store) -> None:
    shop = daily_shop(350)
    release, is_held = threading.Event(), threading.Event()

    class Hanging(FakeSource):
        def page(self, path: str, parameters: Any) -> Page:
            asked = [one for one, _ in self.asked if one == "charges"]
            if path == "charges" and len(asked) == 2:
                is_held.set()
                release.wait(20)
            return super().page(path, parameters)

    walking = threading.Thread(
        target=run, args=(store, shop, START + 350 * DAY, Hanging(shop.provider))
    )
    walking.start()
    try:
        assert is_held.wait(20)
        kept = 0
        for _ in range(200):
            kept = rows(store, "SELECT count(*) FROM provider_object WHERE object = 'charge'")[0][0]
            if kept == 200:
                break
            time.sleep(0.05)
        [(place,)] = rows(
            store, "SELECT starting_after FROM sync_cursor WHERE resource = 'charges'"
        )
    finally:
        release.set()
        walking.join()

    assert kept == 200
    assert place == charges_of(shop)[150]["id"]


class Wiping(FakeSource):
    """Wipes the last charge of a first page that was handed out, so many times."""

    times = 1

    def page(self, path: str, parameters: Any) -> Page:
        found = super().page(path, parameters)
        if path == "charges" and "starting_after" not in parameters and self.times:
            self.times -= 1
            self.provider.deleted.add(found.objects[-1]["id"])
        return found


def test_a_walk_whose_place_is_gone_begins_again(store: Store) -> None:
    shop = daily_shop(350)

    report = run(store, shop, START + 350 * DAY, Wiping(shop.provider))

    assert not report.is_partial
    assert rows(store, "SELECT count(*) FROM provider_object WHERE object = 'charge'") == [(350,)]


def test_a_walk_that_never_finds_its_place_ends_and_says_so(store: Store) -> None:
    shop, source = daily_shop(350), Wiping(FakeProvider())
    source.provider, source.times = shop.provider, 99

    report = run(store, shop, START + 350 * DAY, source)

    assert report.tallies["charges"].status is ResourceStatus.PARTIAL
    assert [path for path, _ in source.asked].count("charges") <= 8


# ---------------------------------------------------------------------- refusals


def test_every_list_has_its_permission() -> None:
    assert PERMISSIONS.keys() == {one.name for one in (*RESOURCES, EVENTS)}


def test_a_missing_permission_is_named_as_the_key_s_form_calls_it(store: Store) -> None:
    shop = daily_shop(3)
    shop.provider.forbidden |= {"disputes", "balance_transactions"}

    tallies = run(store, shop, START + 5 * DAY).tallies

    assert '"Disputes: read"' in (tallies["disputes"].reason or "")
    assert '"Balance Transaction Sources: read"' in (tallies["balance_transactions"].reason or "")


def test_events_that_may_not_be_read_make_the_sync_partial_and_say_what_is_missed(
    store: Store,
) -> None:
    shop = daily_shop(3)
    shop.provider.forbidden.add("events")

    report = run(store, shop, START + 5 * DAY)

    assert report.is_partial
    assert report.new_orders == 3
    assert report.tallies["events"].status is ResourceStatus.FORBIDDEN
    assert any("not seen" in note for note in report.notes)


def test_a_refused_request_is_partial_and_a_missing_list_is_not(store: Store) -> None:
    shop = daily_shop(3)
    shop.provider.unsupported.add("coupons")

    class Refusing(FakeSource):
        def page(self, path: str, parameters: Any) -> Page:
            if path == "invoices":
                raise RemoteProblem("unknown parameter: expand", None, status=400)
            return super().page(path, parameters)

    report = run(store, shop, START + 5 * DAY, Refusing(shop.provider))

    assert report.tallies["invoices"].status is ResourceStatus.PARTIAL
    assert report.tallies["coupons"].status is ResourceStatus.UNSUPPORTED
    assert report.is_partial
    cursors = {name for (name,) in rows(store, "SELECT resource FROM sync_cursor")}
    assert not cursors & {"invoices", "coupons"}


def test_an_object_that_cannot_be_read_makes_its_list_partial_and_is_named(store: Store) -> None:
    shop = daily_shop(3)
    odd = charges_of(shop)[1]
    del shop.provider.objects["charge"][odd["id"]]["amount"]

    report = run(store, shop, START + 5 * DAY)

    assert report.tallies["charges"].status is ResourceStatus.PARTIAL
    assert odd["id"] in (report.tallies["charges"].reason or "")
    assert report.tallies["customers"].status is ResourceStatus.OK


# ---------------------------------------------------------------------- whose account


def unnamed(shop: Shop, name: str = "unknown:one") -> FakeSource:
    """A source of a server that does not name the account."""
    source = FakeSource(FakeProvider(name))
    source.provider = shop.provider
    shop.provider.account = name
    return source


@pytest.mark.parametrize(
    ("first", "second"),
    [("unknown:one", "unknown:two"), ("acct_fake", "unknown:two"), ("unknown:one", "acct_fake")],
)
def test_another_key_of_the_same_account_goes_on_under_the_pinned_name(
    store: Store, first: str, second: str
) -> None:
    shop = daily_shop(5)
    run(store, shop, START + 6 * DAY, unnamed(shop, first))
    before = digest(store)

    report = run(store, shop, START + 6 * DAY, unnamed(shop, second))

    assert report.account.id == first
    assert digest(store) == before


def test_a_key_that_shows_nothing_of_ours_is_refused(store: Store) -> None:
    shop, other = daily_shop(5), Shop()
    run(store, shop, START + 6 * DAY, unnamed(shop))
    for _ in range(1000):
        next(other._numbers)
    other.sell(other.offer("guide", 100), START + 2 * DAY)
    before = digest(store)

    with pytest.raises(Refused, match="unknown:two"):
        run(store, other, START + 6 * DAY, unnamed(other, "unknown:two"))

    assert digest(store) == before


def test_the_same_id_of_another_time_proves_nothing(store: Store) -> None:
    shop, other = daily_shop(5), Shop()
    run(store, shop, START + 6 * DAY, unnamed(shop))
    guide = other.offer("guide", 100)
    for raws in other.provider.objects.values():
        for raw in raws.values():
            raw["created"] = START - DAY
    for day in range(5):
        other.sell(guide, START + day * DAY + 7)

    with pytest.raises(Refused):
        run(store, other, START + 6 * DAY, unnamed(other, "unknown:two"))


def test_an_unnamed_key_of_the_other_mode_is_refused_without_asking_more(store: Store) -> None:
    shop = daily_shop(5)
    run(store, shop, START + 6 * DAY, unnamed(shop))
    live = unnamed(shop, "unknown:two")
    live.livemode = True

    with pytest.raises(Refused, match="LIVE"):
        run(store, shop, START + 6 * DAY, live)

    assert live.requests == 1


@pytest.mark.parametrize("kind", ["charge", "event"])
def test_an_object_of_the_other_mode_is_refused_before_anything_of_it_is_kept(
    store: Store, kind: str
) -> None:
    shop = daily_shop(5)
    tell(shop, charges_of(shop)[0], START + 5 * DAY, "evt_1")
    wrong = max(shop.provider.objects[kind])
    shop.provider.objects[kind][wrong]["livemode"] = True

    with pytest.raises(Refused, match=wrong):
        run(store, shop, START + 6 * DAY)

    kept = f"SELECT count(*) FROM provider_object WHERE external_id = '{wrong}'"
    assert rows(store, kept) == [(0,)]
