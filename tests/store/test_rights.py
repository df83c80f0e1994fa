"""Who may read what, as refunds, disputes, pauses and late news come in any order."""

from __future__ import annotations

import copy
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.checkout import Account
from kpay.services.intake import keep
from kpay.store.engine import Store
from tests.fakes.stores import new_store, rows
from tests.fakes.stripe_shop import DAY, START, Sale, Shop

ACCOUNT = Account("acct_fake", livemode=False)
RIGHTS = (
    "SELECT c.slug, e.source, e.ended_at, e.end_reason FROM entitlement e "
    "JOIN content c ON c.id = e.content_id ORDER BY e.granted_at, e.source_id, c.slug"
)


def day(number: int) -> str:
    return datetime.fromtimestamp(START + number * DAY, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path, "guide", "club")


@pytest.fixture
def shop() -> Shop:
    return Shop()


def everything(shop: Shop) -> list[dict[str, Any]]:
    kinds = shop.provider.objects
    return [raw for kind in kinds if kind != "event" for raw in kinds[kind].values()]


def take_in(store: Store, shop: Shop) -> None:
    keep(store, ACCOUNT, "fake", everything(shop))


def ends(store: Store) -> list[tuple[object, ...]]:
    return [row[2:] for row in rows(store, RIGHTS)]


def member(shop: Shop, **terms: Any) -> tuple[Sale, Sale]:
    """A member who paid for two months; return both sales."""
    club = shop.offer("club", 900, "eur", interval="month")
    ana = shop.customer("ana@example.com", START)
    first = shop.subscribe(club, START, ana, **terms)
    assert first.subscription
    renewal = shop.bill(
        first.subscription, club[1], START + 30 * DAY, ana, "subscription_cycle", 900
    )
    return first, renewal


# ---------------------------------------------------------------------- disputes


@pytest.mark.parametrize("status", ["needs_response", "under_review", "lost", "charge_refunded"])
def test_a_dispute_ends_the_right_when_it_opens(store: Store, shop: Shop, status: str) -> None:
    shop.dispute(shop.sell(shop.offer("guide", 2900), START), START + 3 * DAY, status=status)
    take_in(store, shop)

    assert ends(store) == [(day(3), "dispute")]


@pytest.mark.parametrize("status", ["won", "prevented", "warning_closed"])
def test_a_dispute_that_is_over_gives_the_right_back(store: Store, shop: Shop, status: str) -> None:
    dispute = shop.dispute(shop.sell(shop.offer("guide", 2900), START), START + 3 * DAY)
    take_in(store, shop)
    assert ends(store) == [(day(3), "dispute")]

    shop.provider.change(dispute, START + 20 * DAY, None, status=status)
    take_in(store, shop)

    assert ends(store) == [(None, None)]


def test_an_inquiry_ends_nothing(store: Store, shop: Shop) -> None:
    sale = shop.sell(shop.offer("guide", 2900), START)
    shop.dispute(sale, START + 3 * DAY, status="warning_needs_response")
    take_in(store, shop)

    assert ends(store) == [(None, None)]


# ---------------------------------------------------------------------- members


def test_the_newest_period_given_back_ends_a_member_s_right_until_one_is_paid(
    store: Store, shop: Shop
) -> None:
    first, renewal = member(shop)
    shop.refund(first, 900, START + 31 * DAY)
    take_in(store, shop)
    assert ends(store) == [(None, None)]

    refund = shop.refund(renewal, 900, START + 32 * DAY)
    take_in(store, shop)
    assert ends(store) == [(day(32), "refund")]

    shop.provider.change(refund, START + 40 * DAY, None, status="failed")
    take_in(store, shop)
    assert ends(store) == [(None, None)]

    shop.provider.change(refund, START + 41 * DAY, None, status="succeeded")
    price = shop.provider.objects["price"][next(iter(shop.provider.objects["price"]))]
    shop.bill(
        first.subscription or {},
        price,
        START + 60 * DAY,
        first.customer or {},
        "subscription_cycle",
        900,
    )
    take_in(store, shop)
    assert ends(store) == [(None, None)]


def test_a_disputed_period_ends_a_member_s_right(store: Store, shop: Shop) -> None:
    _, renewal = member(shop)
    dispute = shop.dispute(renewal, START + 35 * DAY)
    take_in(store, shop)
    assert ends(store) == [(day(35), "dispute")]

    shop.provider.change(dispute, START + 50 * DAY, None, status="won")
    take_in(store, shop)

    assert ends(store) == [(None, None)]


@pytest.mark.parametrize(
    ("behavior", "expected"),
    [
        ("void", ("2026-08-01T00:00:00Z", "paused")),
        ("keep_as_draft", (None, None)),
        ("mark_uncollectible", (None, None)),
    ],
)
def test_a_pause_that_cancels_its_bills_ends_with_the_last_paid_period(
    store: Store, shop: Shop, behavior: str, expected: tuple[str | None, str | None]
) -> None:
    first, _ = member(shop)
    pause = {"behavior": behavior, "resumes_at": None}
    shop.provider.change(first.subscription or {}, START + 40 * DAY, None, pause_collection=pause)
    take_in(store, shop)
    assert ends(store) == [expected]

    shop.provider.change(first.subscription or {}, START + 99 * DAY, None, pause_collection=None)
    take_in(store, shop)
    assert ends(store) == [(None, None)]


def test_a_trial_that_is_paused_for_good_ends_with_the_trial(store: Store, shop: Shop) -> None:
    club = shop.offer("club", 900, interval="month")
    sale = shop.subscribe(club, START, shop.customer("a@example.com", START), trial_days=7)
    shop.provider.change(
        sale.subscription or {}, START + DAY, None, pause_collection={"behavior": "void"}
    )
    take_in(store, shop)

    assert ends(store) == [(day(7), "paused")]


def test_a_member_who_changed_the_plan_has_the_same_rights_whoever_watched(
    tmp_path: Path, shop: Shop
) -> None:
    """One store saw every state on the way, the other the last one only."""
    (tmp_path / "late").mkdir()
    watching = new_store(tmp_path, "club", "circle")
    late = new_store(tmp_path / "late", "club", "circle")
    first, _ = member(shop)
    subscription = first.subscription or {}
    take_in(watching, shop)
    circle = shop.offer("circle", 1900, "eur", interval="month")
    items = copy.deepcopy(subscription["items"])
    items["data"][0] |= {
        "price": circle[1],
        "current_period_start": START + 60 * DAY,
        "current_period_end": START + 90 * DAY,
    }
    shop.provider.change(subscription, START + 60 * DAY, None, items=items)
    take_in(watching, shop)
    ana = first.customer or {}
    shop.bill(subscription, circle[1], START + 60 * DAY, ana, "subscription_cycle", 1900)
    take_in(watching, shop)

    take_in(late, shop)

    assert rows(watching, RIGHTS) == rows(late, RIGHTS)
    assert rows(late, RIGHTS) == [
        ("club", "subscription", day(60), "plan_changed"),
        ("circle", "subscription", None, None),
    ]


# ---------------------------------------------------------------------- any order


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_the_same_news_gives_the_same_rights(
    tmp_path: Path, shop: Shop, seed: int
) -> None:
    """Objects come a few at a time, an older state of some of them first, in any order."""
    luck = random.Random(seed)
    guide = shop.offer("guide", 2900)
    sales = [shop.sell(guide, START + n * DAY, email=f"{n}@example.com") for n in range(4)]
    first, renewal = member(shop)
    disputes = [shop.dispute(sale, START + 9 * DAY) for sale in (sales[0], sales[1], renewal)]
    earlier = copy.deepcopy(everything(shop))
    for dispute, status in zip(disputes, ("won", "lost", "won"), strict=True):
        shop.provider.change(dispute, START + 30 * DAY, None, status=status)
    shop.refund(sales[2], 900, START + 11 * DAY)
    shop.refund(sales[2], 2000, START + 10 * DAY)
    shop.refund(sales[3], 2900, START + 10 * DAY, status="failed")
    shop.refund(renewal, 900, START + 33 * DAY)
    shop.refund(first, 900, START + 34 * DAY)
    later = everything(shop)
    luck.shuffle(earlier)
    luck.shuffle(later)

    store = new_store(tmp_path, "guide", "club")
    news = [*earlier[: luck.randrange(len(earlier))], *later]
    while news:
        size = luck.randint(1, 12)
        keep(store, ACCOUNT, "fake", news[:size])
        news = news[size:]

    assert sorted(rows(store, RIGHTS), key=repr) == sorted(
        [
            ("club", "subscription", day(33), "refund"),
            ("guide", "order", None, None),
            ("guide", "order", day(9), "dispute"),
            ("guide", "order", day(11), "refund"),
            ("guide", "order", None, None),
        ],
        key=repr,
    )
