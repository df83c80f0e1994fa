"""The topics report from real rows: signs of demand, proposals that say why, and silence where none hold."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from kpay.domain.document import Document
from kpay.domain.period import Period, month
from kpay.domain.reports.scope import Scope
from kpay.models.catalog import Content
from kpay.models.sales import LineItem, Order
from kpay.models.signals import Event, Feedback, Traffic
from kpay.services.reporting import topics
from kpay.store.dialect import table_of
from tests.fakes.books import Books, at, open_books
from tests.fakes.stores import add_content

FIRST = date(2025, 1, 1)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with open_books(tmp_path) as opened:
        yield opened


def scope(period: Period | None = None, *, as_of: str = "2026-07-01") -> Scope:
    return Scope(period, at(as_of), "UTC", "usd")


def report(books: Books, of: Scope | None = None) -> Document:
    with books.store.reading() as connection:
        return topics.document(connection, of or scope())


def by_topic(books: Books, of: Scope | None = None) -> dict[str, dict[str, Any]]:
    return {one["topic"]: one for one in report(books, of).payload["topics"]}


def published(books: Books, slug: str, day: date, *tags: str, **more: Any) -> None:
    add_content(books.store, slug)
    values = {"published_at": at(f"{day}"), "tags": list(tags), "amount_minor": 2000}
    with books.store.writing() as connection:
        table = table_of(Content)
        mine = update(table).where(table.c.slug == slug)
        connection.execute(mine.values(**{**values, "currency": "usd", **more}))


def sold(books: Books, slug: str, days: list[date], amount: int = 2000) -> None:
    """Sell a piece on each of these days, a row at once."""
    with books.store.writing() as connection:
        orders = [
            {
                "source": "import",
                "account": "",
                "livemode": False,
                "external_id": f"{slug}-{place}",
                "ordered_at": at(f"{day}T10:00"),
                "currency": "usd",
                "gross_minor": amount,
                "total_minor": amount,
                "discount_minor": 0,
                "tax_minor": 0,
                "status": "paid",
                "kind": "one_time",
                "tracking": {},
            }
            for place, day in enumerate(days)
        ]
        connection.execute(insert(table_of(Order)), orders)
        order, content = table_of(Order), table_of(Content)
        rows = connection.exec_driver_sql(
            f"SELECT o.id, c.id FROM {order.name} o, {content.name} c "
            "WHERE c.slug = ? AND o.external_id LIKE ?",
            (slug, f"{slug}-%"),
        ).all()
        lines = [
            {
                "order_id": number,
                "content_id": piece,
                "position": 0,
                "product": slug,
                "name": slug,
                "quantity": 1,
                "amount_minor": amount,
            }
            for number, piece in rows
        ]
        connection.execute(insert(table_of(LineItem)), lines)


def days(chance: random.Random, since: date, count: int) -> list[date]:
    span = (date(2026, 6, 30) - since).days
    return [since + timedelta(days=chance.randrange(span)) for _ in range(count)]


@pytest.fixture
def shop(books: Books) -> Books:
    """Many pieces on glaze, few on fire that sell three times as well, and some launches."""
    chance = random.Random(1)
    for place in range(8):
        since = FIRST + timedelta(days=30 * place)
        published(books, f"glaze-{place}", since, "glaze")
        sold(books, f"glaze-{place}", days(chance, since, 30))
    for place, kind in enumerate(("course", "audio")):
        since = FIRST + timedelta(days=200 * place)
        published(books, f"fire-{place}", since, "fire", kind=kind, amount_minor=3000)
        sold(books, f"fire-{place}", days(chance, since, 90), 3000)
    published(books, "money-0", FIRST, "money")
    sold(books, "money-0", days(chance, FIRST, 12))
    return books


def test_few_pieces_that_sell_well_are_wanted_more_than_many_that_do_not(shop: Books) -> None:
    found = by_topic(shop)
    fire, glaze = found["fire"], found["glaze"]
    assert (fire["orders"], glaze["orders"], fire["pieces"]) == (180, 240, 2)
    assert fire["sales"]["index"] > 1.3 > glaze["sales"]["index"]
    assert fire["demand"]["low80"] < fire["demand"]["index"] < fire["demand"]["high80"]
    assert next(iter(found)) == "fire"
    assert fire["net_minor"] == 180 * 3000


def test_proposals_say_price_range_launches_and_why(shop: Books) -> None:
    answer = report(shop).payload
    first = answer["proposals"][0]
    assert first["topic"] == "fire"
    assert (first["kind"], first["price_minor"]) in {
        ("course", 3000),
        ("audio", 3000),
        ("ebook", 2000),
    }
    assert first["low80_minor"] < first["revenue_minor"] < first["high80_minor"]
    assert first["launches"] == answer["launches"] == 8
    assert first["pieces"] == ["fire-0", "fire-1"]
    assert any("180 orders" in reason for reason in first["evidence"])
    assert len(answer["proposals"]) < 5
    assert "less wanted than the mean piece" in answer["shortage"]


def test_what_is_asked_for_moves_the_index_and_can_be_opened(shop: Books) -> None:
    before = by_topic(shop)["money"]
    assert before["asks"] is None
    for place in range(25):
        shop.put(
            Event,
            email=f"p{place}@example.com",
            happened_at=at("2026-03-01"),
            kind="search",
            value="Money for potters",
        )
    shop.put(
        Feedback,
        email="p1@example.com",
        at=at("2026-03-02"),
        kind="question",
        content="glaze-1",
        text="is it safe?",
    )
    shop.put(
        Event, email="old@example.com", happened_at=at("2024-03-01"), kind="search", value="money"
    )
    after = by_topic(shop)
    assert (after["money"]["people_asking"], after["glaze"]["people_asking"]) == (25, 1)
    assert after["money"]["demand"]["index"] > before["demand"]["index"] * 1.2
    with shop.store.reading() as connection:
        behind = topics.explain(connection, scope(), "asking:money")
    assert behind is not None
    assert (behind.value, sum(row.amount for row in behind.rows)) == (25, 25)
    assert behind.rows[0].customer == "p***@e***.com"


def test_looks_count_by_the_day_beside_the_other_pieces(shop: Books) -> None:
    for place in range(8):
        for day in (1, 30):
            shop.put(
                Traffic,
                day=date(2026, 4, day),
                source="x",
                content=f"glaze-{place}",
                visits=10,
            )
    shop.put(Traffic, day=date(2026, 4, 1), source="x", content="money-0", visits=30)
    found = by_topic(shop)
    assert found["money"]["looks"]["index"] > 5
    assert found["fire"]["looks"] is None
    assert found["glaze"]["visits"] == 160


def test_previews_of_known_people_stand_in_where_nobody_counts_visits(shop: Books) -> None:
    for place in range(8):
        for person in range(1 + 5 * (place == 7)):
            shop.put(
                Event,
                email=f"p{person}@example.com",
                happened_at=at("2026-04-01"),
                kind="preview",
                content=f"glaze-{place}" if place < 7 else "money-0",
            )
    found = by_topic(shop)
    assert (found["money"]["visits"], found["glaze"]["visits"]) == (6, 7)
    assert found["money"]["looks"]["index"] > found["glaze"]["looks"]["index"]


@pytest.mark.parametrize("when", [None, "2026-03"])
def test_the_rows_behind_a_topics_revenue_add_up_to_it(shop: Books, when: str | None) -> None:
    shop.refund("2026-03-20", 900, order=5)
    of = scope(month(when, "UTC") if when else None)
    found = by_topic(shop, of)
    with shop.store.reading() as connection:
        for topic in ("glaze", "fire", "money"):
            behind = topics.explain(connection, of, f"net:{topic}")
            assert behind is not None
            total = sum(row.amount for row in behind.rows)
            assert total == behind.value == found[topic]["net_minor"]
        assert topics.explain(connection, of, "net:weather") is None
        assert topics.explain(connection, of, "net") is None


def test_nothing_is_proposed_from_too_little(books: Books) -> None:
    published(books, "tea", date(2026, 6, 1), "glaze")
    sold(books, "tea", [date(2026, 6, day) for day in range(2, 28)])
    answer = report(books).payload
    assert answer["proposals"] == []
    assert answer["shortage"].startswith("No piece is proposed: fewer than 8 weeks or 30 purchases")
    assert answer["topics"][0]["demand"] is None


def test_what_came_later_changes_nothing(shop: Books) -> None:
    early = scope(as_of="2026-03-01")
    before = report(shop, early)
    published(shop, "late", date(2026, 3, 2), "fire")
    sold(shop, "late", [date(2026, 3, 3)] * 50)
    shop.put(
        Event, email="x@example.com", happened_at=at("2026-03-02"), kind="search", value="fire"
    )
    assert repr(report(shop, early)) == repr(before)


def test_pieces_without_topics_are_led_on(books: Books) -> None:
    page = report(books)
    assert page.next_steps == ("kpay publish", "kpay import events FILE")
    assert "tags" in str(page.blocks[0])
