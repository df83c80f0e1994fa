"""Orders as a person looks them up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from kpay.domain.period import month
from kpay.models import Content, LineItem
from kpay.services.order_book import list_orders
from kpay.store.dialect import table_of
from tests.fakes.books import Books, at, open_books


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with open_books(tmp_path) as opened:
        yield opened


def test_what_was_bought_is_called_by_its_title_where_it_has_one(books: Books) -> None:
    order = books.order("2026-01-05", 900, products=("1 × the club",))
    books.order("2026-01-04", 500, products=("a mug",))
    club = books.put(
        Content,
        slug="club",
        kind="membership",
        title="The Club",
        digest="x",
        file="content/club.md",
        created_at=at("2026-01-01"),
        tags=[],
        includes=[],
        attachments=[],
    )
    lines = table_of(LineItem)
    with books.store.writing() as connection:
        connection.execute(update(lines).where(lines.c.order_id == order).values(content_id=club))
    found = list_orders(books.store, month("2026-01", "UTC"), customer=None, limit=10)
    assert [one.bought for one in found.orders] == ["The Club", "A Mug"]
