"""The order in which a provider's objects and events arrive, and how often, must not matter."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from kpay.errors import RemoteProblem
from kpay.ports import Page
from kpay.services.syncing import sync
from tests.fakes.late_source import LateSource
from tests.fakes.natural import natural
from tests.fakes.provider import FakeSource
from tests.fakes.stores import new_store, tables
from tests.fakes.stories import Happening, Story, happenings
from tests.fakes.stripe_shop import DAY, START, Shop

# A story of fourteen is short enough to read, and shrinking one takes minutes.
SEARCH = (Phase.explicit, Phase.reuse, Phase.generate)
NOW = datetime.fromtimestamp(START + 400 * DAY, UTC)


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


def store_after(source: FakeSource, times: int = 1) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        store = new_store(Path(folder), "guide", "audio", "club")
        for _ in range(times):
            sync(store, source, now=NOW)
        return tables(store)


def lived(story: list[Happening]) -> Shop:
    told = Story()
    for happening in story:
        told.live(happening)
    return told.shop


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


def synced_on_the_way(
    folder: Path,
    story: list[Happening],
    syncs: list[bool],
    source_of: Callable[[Story], LateSource],
) -> Any:
    """Live a story and sync in the middle of it; return what a last sync makes of it, and the shop."""
    store, told = new_store(folder, "guide", "audio", "club"), Story()
    source = source_of(told)
    for happening, is_synced in zip(story, syncs, strict=False):
        told.live(happening)
        if is_synced:
            with suppress(RemoteProblem):
                sync(store, source.anew(), now=told.now)
    source.tells_all()
    assert not sync(store, source, now=NOW, last_success=NOW).is_partial
    return natural(store), told.shop


@settings(max_examples=40, deadline=None, phases=SEARCH)
@given(happenings, st.lists(st.booleans(), min_size=14, max_size=14), st.integers(0, 2**32))
def test_syncs_in_between_late_events_late_rows_and_broken_lines_leave_the_same_business(
    story: list[Happening], syncs: list[bool], seed: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "often").mkdir()
        (Path(folder) / "once").mkdir()
        often, shop = synced_on_the_way(
            Path(folder) / "often", story, syncs, lambda told: LateSource(told.shop.provider, seed)
        )

        store = new_store(Path(folder) / "once", "guide", "audio", "club")
        sync(store, FakeSource(shop.provider), now=NOW)

        once = natural(store)
        for table in once:
            assert often[table] == once[table], table
