"""Putting offers on sale through Stripe's own library, at the sandbox's provider."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from kpay.adapters.stripe_api import StripeCheckout, StripeConnection, StripeSource
from kpay.domain.checkout import Offer
from kpay.domain.enums import Interval
from kpay.errors import Refused
from kpay.sandbox import Sandbox
from kpay.services.selling import put_on_sale, withdraw_from_sale
from kpay.services.syncing import sync
from kpay.store.engine import Store
from tests.fakes.stores import digest, new_store, rows

GUIDE = Offer("guide", "The guide", "ebook", ("craft", "写作"), 2900, "usd", summary="All of it.")
CLUB = Offer("圈子", "圈子", "membership", (), 900, "eur", Interval.MONTH, trial_days=7)
GIFT = Offer("gift", "A gift", "audio", (), 500, "usd", buyer_names_amount=True)
OFFERS = (GUIDE, CLUB, GIFT)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with Sandbox(seed=3, customers=20, days=30, start=date(2026, 1, 1)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=3, customers=20, days=30, start=date(2026, 1, 1)) as sandbox:
        yield sandbox


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path, "guide", "圈子", "gift")


def checkout(sandbox: Sandbox) -> StripeCheckout:
    return StripeCheckout(StripeConnection(sandbox.stripe_key, sandbox.stripe_url))


def at_provider(sandbox: Sandbox, path: str, **asked: Any) -> list[dict[str, Any]]:
    source = StripeSource(StripeConnection(sandbox.stripe_key, sandbox.stripe_url))
    return list(source.page(path, {"limit": 100, **asked}).objects)


def selling_since(store: Store) -> list[tuple[object, ...]]:
    return rows(store, "SELECT value FROM fact WHERE name = 'selling_since'")


def test_an_offer_becomes_product_price_and_link_that_name_its_content(
    sandbox: Sandbox, store: Store
) -> None:
    guide, club, gift = put_on_sale(store, checkout(sandbox), OFFERS, now=NOW)

    assert [one.slug for one in (guide, club, gift)] == ["guide", "圈子", "gift"]
    assert all(one.changed and one.url.startswith("https://") for one in (guide, club, gift))
    product = next(one for one in at_provider(sandbox, "products") if one["id"] == guide.product_id)
    assert product["metadata"] == {
        "kpay_content": "guide",
        "kpay_kind": "ebook",
        "kpay_tags": "craft,写作",
    }
    prices = {one["id"]: one for one in at_provider(sandbox, "prices")}
    assert prices[club.price_id]["recurring"]["interval"] == "month"
    assert prices[gift.price_id]["custom_unit_amount"]["minimum"] == 500
    assert rows(
        store,
        "SELECT c.slug, p.is_active FROM payment_link p JOIN content c ON c.id = p.content_id "
        "ORDER BY p.id",
    ) == [("guide", 1), ("圈子", 1), ("gift", 1)]


def test_putting_the_same_on_sale_again_changes_nothing_anywhere(
    sandbox: Sandbox, store: Store
) -> None:
    first = put_on_sale(store, checkout(sandbox), OFFERS, now=NOW)
    there, here = sandbox.digest(), digest(store)

    second = put_on_sale(store, checkout(sandbox), OFFERS, now=LATER)

    assert (sandbox.digest(), digest(store)) == (there, here)
    assert [replace(one, changed=True) for one in second] == first
    assert not any(one.changed for one in second)


def test_a_sync_after_publishing_finds_nothing_new_in_the_catalogue(
    sandbox: Sandbox, store: Store
) -> None:
    put_on_sale(store, checkout(sandbox), OFFERS, now=NOW)
    source = StripeSource(StripeConnection(sandbox.stripe_key, sandbox.stripe_url))

    report = sync(store, source, now=sandbox.now)

    for name in ("products", "prices", "payment_links"):
        tally = report.tallies[name]
        assert (tally.seen, tally.unchanged) == (3, 3), name


def test_a_new_price_takes_the_place_of_the_old_one(sandbox: Sandbox, store: Store) -> None:
    [before] = put_on_sale(store, checkout(sandbox), [GUIDE], now=NOW)

    [after] = put_on_sale(store, checkout(sandbox), [replace(GUIDE, amount_minor=3900)], now=NOW)

    assert after.product_id == before.product_id
    assert (after.price_id, after.url) != (before.price_id, before.url)
    active = {one["id"]: one["active"] for one in at_provider(sandbox, "prices")}
    assert active == {before.price_id: False, after.price_id: True}
    links = {one["id"]: one["active"] for one in at_provider(sandbox, "payment_links")}
    assert links == {before.link_id: False, after.link_id: True}


def test_going_back_to_an_old_price_takes_the_old_objects_up_again(
    sandbox: Sandbox, store: Store
) -> None:
    [first] = put_on_sale(store, checkout(sandbox), [GUIDE], now=NOW)
    put_on_sale(store, checkout(sandbox), [replace(GUIDE, amount_minor=3900)], now=NOW)

    [third] = put_on_sale(store, checkout(sandbox), [GUIDE], now=NOW)

    assert (third.price_id, third.link_id) == (first.price_id, first.link_id)
    on_sale = [one["id"] for one in at_provider(sandbox, "payment_links") if one["active"]]
    assert on_sale == [first.link_id]


def test_a_new_title_is_told_to_the_provider_and_the_link_stays(
    sandbox: Sandbox, store: Store
) -> None:
    [before] = put_on_sale(store, checkout(sandbox), [GUIDE], now=NOW)

    [after] = put_on_sale(
        store, checkout(sandbox), [replace(GUIDE, title="The new guide")], now=NOW
    )

    assert after.url == before.url
    assert [one["name"] for one in at_provider(sandbox, "products")] == ["The new guide"]


def test_an_empty_store_finds_what_stands_at_the_provider_and_doubles_nothing(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    first = put_on_sale(store, checkout(sandbox), OFFERS, now=NOW)
    there = sandbox.digest()
    (tmp_path / "second").mkdir()
    fresh = new_store(tmp_path / "second", "guide", "圈子", "gift")

    again = put_on_sale(fresh, checkout(sandbox), OFFERS, now=NOW)

    assert sandbox.digest() == there
    assert [one.url for one in again] == [one.url for one in first]
    assert selling_since(fresh) == []


def test_when_selling_began_is_noted_once(sandbox: Sandbox, store: Store) -> None:
    put_on_sale(store, checkout(sandbox), [GUIDE], now=NOW)
    put_on_sale(store, checkout(sandbox), OFFERS, now=LATER)

    assert selling_since(store) == [("2026-01-01T00:00:00Z",)]


def test_what_is_withdrawn_is_off_sale_and_can_come_back(sandbox: Sandbox, store: Store) -> None:
    [before] = put_on_sale(store, checkout(sandbox), [GUIDE], now=NOW)

    assert withdraw_from_sale(store, checkout(sandbox), ["guide"]) == 3
    assert withdraw_from_sale(store, checkout(sandbox), ["guide"]) == 0
    assert [one["active"] for one in at_provider(sandbox, "payment_links")] == [False]

    [after] = put_on_sale(store, checkout(sandbox), [GUIDE], now=NOW)
    assert after.url == before.url
    assert [one["active"] for one in at_provider(sandbox, "payment_links")] == [True]


def test_another_account_is_refused_before_anything_is_made(
    sandbox: Sandbox, world: Sandbox, store: Store
) -> None:
    put_on_sale(store, checkout(sandbox), [GUIDE], now=NOW)
    there = world.digest()

    class Elsewhere(StripeCheckout):
        def account(self) -> Any:
            return replace(super().account(), id="acct_elsewhere")

    elsewhere = Elsewhere(StripeConnection(world.stripe_key, world.stripe_url))
    with pytest.raises(Refused, match="acct_elsewhere"):
        put_on_sale(store, elsewhere, [GUIDE], now=NOW)
    assert world.digest() == there


def test_another_key_of_an_account_that_is_not_named_goes_on_selling(
    sandbox: Sandbox, store: Store
) -> None:
    class Rotated(StripeCheckout):
        def account(self) -> Any:
            return replace(super().account(), id="unknown:new")

    [before] = put_on_sale(store, checkout(sandbox), [GUIDE], now=NOW)
    rotated = Rotated(StripeConnection(sandbox.stripe_key, sandbox.stripe_url))

    [after] = put_on_sale(store, rotated, [GUIDE], now=NOW)

    assert after.url == before.url
    assert not after.changed
