"""The order in which a provider's objects arrive, and how often, must not matter."""

from __future__ import annotations

import random
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kpay.ports import Page
from kpay.services.syncing import sync
from tests.fakes.provider import FakeSource
from tests.fakes.stores import new_store, tables
from tests.fakes.stripe_shop import DAY, START, Shop

NOW = datetime.fromtimestamp(START + 60 * DAY, UTC)
PEOPLE = ("ana@example.com", "BO@example.com", "cy@example.com")

Happening = tuple[str, int, int]
happenings = st.lists(
    st.tuples(
        st.sampled_from(["sell", "guest", "fail", "refund", "dispute", "subscribe", "renew"]),
        st.integers(0, 2),
        st.integers(1, 50),
    ),
    min_size=1,
    max_size=14,
)


class Shuffled(FakeSource):
    """Hands out every list in small pages, in any order, with some objects twice."""

    def __init__(self, shop: Shop, seed: int) -> None:
        super().__init__(shop.provider)
        self._random = random.Random(seed)
        self._pages: dict[str, list[list[dict[str, Any]]]] = {}

    def page(self, path: str, parameters: Any) -> Page:
        if path == "events" or "starting_after" not in parameters:
            self._pages.pop(path, None)
        if path not in self._pages:
            found = list(super().page(path, {**parameters, "limit": 10_000}).objects)
            found += self._random.sample(found, len(found) // 3)
            self._random.shuffle(found)
            self._pages[path] = [found[n : n + 4] for n in range(0, len(found), 4)] or [[]]
        page = self._pages[path].pop(0)
        return Page(page, bool(self._pages[path]))


def lived(story: list[Happening]) -> Shop:
    shop = Shop()
    offers = [shop.offer("guide", 2900), shop.offer("audio", 900, "eur"), shop.offer("other", 500)]
    club = shop.offer("club", 900, interval="month")
    customers = [shop.customer(email, START) for email in PEOPLE]
    sales, members = [], []
    for what, who, day in story:
        at = START + day * DAY
        if what in ("sell", "guest", "fail"):
            known = customers[who] if what == "sell" else None
            status = "failed" if what == "fail" else "succeeded"
            sale = shop.sell(offers[who], at, PEOPLE[who], customer=known, status=status)
            sales += [sale] if what != "fail" else []
        elif what == "subscribe":
            members.append(shop.subscribe(club, at, customers[who], trial_days=7 * (day % 2)))
        elif what == "renew" and members:
            last = members[who % len(members)]
            assert last.subscription
            assert last.customer
            shop.bill(last.subscription, club[1], at, last.customer, "subscription_cycle", 900)
        elif what == "refund" and sales:
            shop.refund(sales[who % len(sales)], 100 * (who + 1), at)
        elif what == "dispute" and sales:
            shop.dispute(sales[who % len(sales)], at, status=("lost", "won", "open")[who])
    return shop


def store_after(source: FakeSource, times: int = 1) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        store = new_store(Path(folder), "guide", "audio", "club")
        for _ in range(times):
            sync(store, source, now=NOW)
        return tables(store)


@settings(max_examples=12, deadline=None)
@given(happenings, st.integers(0, 2**32))
def test_any_order_of_pages_and_any_repetition_gives_the_same_store(
    story: list[Happening], seed: int
) -> None:
    shop = lived(story)

    in_order, shuffled = store_after(FakeSource(shop.provider)), store_after(Shuffled(shop, seed))

    for table in in_order.keys() - {"sync_cursor"}:
        assert shuffled[table] == in_order[table], table


@settings(max_examples=8, deadline=None)
@given(happenings)
def test_syncing_twice_is_syncing_once(story: list[Happening]) -> None:
    shop = lived(story)

    assert store_after(FakeSource(shop.provider), times=2) == store_after(FakeSource(shop.provider))


@settings(max_examples=8, deadline=None)
@given(happenings)
def test_the_cents_of_the_store_are_those_of_the_provider(story: list[Happening]) -> None:
    shop = lived(story)
    objects = shop.provider.objects

    kept = store_after(FakeSource(shop.provider))

    there = [one["net"] for one in objects.get("balance_transaction", {}).values()]
    report = sum(row[7] for row in kept["balance_transaction"])
    assert report == sum(there)
    paid = [one for one in objects.get("charge", {}).values() if one["status"] == "succeeded"]
    assert len(kept["orders"]) == len(paid)
