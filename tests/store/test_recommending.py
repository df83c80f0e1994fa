"""Recommending from a real store: what is offered, what never, and what a page says of other buyers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from kpay.errors import NotFound, Refused
from kpay.ml import recommend as ml
from kpay.models import Content, ContentVersion, Customer, LineItem, Order, Subscriber
from kpay.models.billing import Subscription
from kpay.models.signals import Event
from kpay.services.recommend_input import read_shelf, reader
from kpay.services.recommend_trial import evaluate
from kpay.services.recommending import Recommendations, recommend
from kpay.store.dialect import table_of
from kpay.store.engine import Store
from tests.fakes.stores import digest, new_store

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Shop:
    """A store that pieces, buyers and events are put into by hand."""

    def __init__(self, home: Path) -> None:
        self.store: Store = new_store(home)
        self._orders = 0
        self._customers: dict[str, int] = {}
        self._pieces: dict[str, int] = {}

    def write(self, model: type, **values: Any) -> int:
        with self.store.writing() as connection:
            key = connection.execute(insert(table_of(model)), values).inserted_primary_key
        assert key is not None
        return int(key[0])

    def piece(self, slug: str, *, after: tuple[str, ...] = (), **values: Any) -> None:
        row = {
            "slug": slug, "kind": "ebook", "title": slug.title(), "status": "published", "summary": "",
            "amount_minor": 900, "currency": "usd", "digest": "d", "file": f"content/{slug}.md",
            "created_at": NOW, "published_at": NOW - timedelta(days=300), "tags": [], "includes": [],
            "attachments": [], "pricing": "fixed", "language": "en", "trial_days": 0, "version": 1,
        }  # fmt: skip
        key = self.write(Content, **(row | values))
        said = {"after": list(after)} if after else {}
        self.write(
            ContentVersion, content_id=key, version=1, digest="d", body="", preview="",
            front_matter=said, created_at=NOW,
        )  # fmt: skip
        self._pieces[slug] = key

    def buy(self, name: str, *slugs: str, days_ago: float = 20, currency: str = "usd") -> None:
        email = f"{name}@r.example"
        if email not in self._customers:
            self._customers[email] = self.write(
                Customer, email=email, name=name, created_at=NOW, tags=[]
            )
        for slug in slugs:
            self._orders += 1
            order = self.write(
                Order, source="stripe", external_id=f"o{self._orders}", email=email,
                customer_id=self._customers[email], ordered_at=NOW - timedelta(days=days_ago),
                currency=currency, gross_minor=900, total_minor=900, tracking={}, status="paid",
            )  # fmt: skip
            self.write(
                LineItem, order_id=order, position=0, content_id=self._pieces[slug], quantity=1,
                amount_minor=900, name=slug, product=slug,
            )  # fmt: skip

    def ask(self, email: str | None = None, **more: Any) -> Recommendations:
        return recommend(self.store, email, 10, now=NOW, timezone="UTC", **more)

    def offered(self, name: str) -> list[str]:
        return [item.content for item in self.ask(f"{name}@r.example").rows[0].items]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    for slug in ("salt", "sea", "bread"):
        made.piece(slug)
    yield made
    made.store.close()


def test_only_what_can_be_bought_and_is_not_had_is_offered(shop: Shop) -> None:
    shop.piece("gift", pricing="free", amount_minor=0, currency=None)
    shop.piece("old", status="archived")
    shop.piece("later", status="scheduled")
    shop.piece("draft", status="draft")
    shop.buy("ana", "salt")
    assert sorted(shop.offered("ana")) == ["bread", "sea"]


def test_a_running_subscription_and_all_it_includes_are_not_offered(shop: Shop) -> None:
    shop.piece("club", kind="membership", interval="month", includes=["sea"])
    shop.buy("ana", "salt")
    shop.write(
        Subscription, account="a", livemode=False, external_id="s", customer_id=1,
        content_id=shop._pieces["club"], status="active", amount_minor=900, currency="usd",
        interval="month", started_at=NOW,
    )  # fmt: skip
    assert shop.offered("ana") == ["bread"]


def test_what_was_bought_this_morning_is_not_offered_any_more(shop: Shop) -> None:
    shop.buy("ana", "salt")
    shop.buy("ana", "sea", days_ago=0.1)
    assert shop.offered("ana") == ["bread"]


def test_the_order_of_a_series_is_kept(shop: Shop) -> None:
    shop.piece("salt-two", after=("salt",))
    shop.piece("sea-two", after=("sea",))
    shop.buy("ana", "salt")
    (row,) = shop.ask("ana@r.example").rows
    assert (row.items[0].content, row.items[0].because) == ("salt-two", 'next after "Salt"')
    assert "sea-two" not in [item.content for item in row.items]


def test_what_follows_an_unfinished_course_waits_and_the_course_is_named(shop: Shop) -> None:
    shop.piece("salt-two", after=("salt",))
    shop.buy("ana", "salt")
    shop.write(
        Event, email="ana@r.example", happened_at=NOW - timedelta(days=3), kind="progress",
        content="salt", value="2/8",
    )  # fmt: skip
    found = shop.ask("ana@r.example")
    assert found.rows[0].items[-1].content == "salt-two"
    assert found.rows[0].unfinished == ("salt",)
    assert found.to_document(whole=True).payload["rows"][0]["unfinished"] == ["salt"]


def test_what_costs_a_currency_somebody_never_paid_in_comes_last(shop: Shop) -> None:
    shop.piece("pane", currency="eur")
    for name in ("ana", "bo", "cy"):
        shop.buy(name, "pane", days_ago=2, currency="eur")
    shop.buy("dee", "salt")
    assert shop.offered("dee")[-1] == "pane"
    shop.buy("dee", "bread", currency="eur")
    assert shop.offered("dee")[0] == "pane"


def test_a_small_shop_is_told_that_there_is_no_signal_and_gets_what_sells(shop: Shop) -> None:
    for name in ("ana", "bo", "cy"):
        shop.buy(name, "sea", days_ago=2)
    shop.buy("dee", "salt")
    found = shop.ask()
    document = found.to_document(whole=True)
    assert document.payload["basis"] == "popularity"
    assert "no signal yet" in document.subtitle
    assert [one.items[0].content for one in found.rows if one.email.startswith("dee")] == ["sea"]
    tried = evaluate(shop.store, now=NOW, timezone="UTC").to_document()
    assert tried.title.startswith("No signal yet")
    assert tried.payload["is_proven"] is False


def test_a_subscriber_who_chose_a_topic_is_offered_it(shop: Shop) -> None:
    shop.piece("knots", tags=["Sailing"])
    shop.buy("ana", "salt")
    shop.write(Subscriber, email="new@r.example", name="", created_at=NOW, tags=["sailing"])
    (row,) = shop.ask("new@r.example").rows
    assert (row.items[0].content, row.items[0].because) == (
        "knots", "about Sailing, which you chose",
    )  # fmt: skip


def test_mail_asks_only_for_its_readers(shop: Shop) -> None:
    for name in ("ana", "bo"):
        shop.buy(name, "salt")
    found = shop.ask(among=["bo@r.example", "stranger@r.example"])
    assert [row.email for row in found.rows] == ["bo@r.example"]
    with pytest.raises(NotFound):
        shop.ask("stranger@r.example")


def test_recommending_writes_nothing_and_says_the_same_twice(shop: Shop) -> None:
    for name in ("ana", "bo", "cy"):
        shop.buy(name, "sea", "salt")
    before = digest(shop.store)
    assert shop.ask() == shop.ask()
    assert digest(shop.store) == before


def test_nothing_on_sale_is_refused_with_what_to_do(shop: Shop) -> None:
    with pytest.raises(Refused):
        shop.ask()


def test_what_somebody_looked_at_counts_though_they_have_bought_nothing(shop: Shop) -> None:
    """Both on the list have bought nothing; one looked at knots, the other at bread."""
    for number in range(4):
        shop.piece(f"knots{number}", tags=["sailing"])
        shop.piece(f"rolls{number}", tags=["baking"])
    for number in range(30):
        theme = "knots" if number % 2 else "rolls"
        shop.buy(f"n{number}", *(f"{theme}{(number // 2 + step) % 4}" for step in range(2)))
    for name, slug in (("ana", "knots0"), ("bo", "rolls0")):
        shop.write(Subscriber, email=f"{name}@r.example", name="", created_at=NOW, tags=[])
        for day in range(1, 5):
            shop.write(
                Event, email=f"{name}@r.example", happened_at=NOW - timedelta(days=day),
                kind=("visit", "click")[day % 2], content=slug, value="", created_at=NOW,
            )  # fmt: skip
    with shop.store.reading() as connection:
        known = read_shelf(connection, NOW, NOW)
    model = ml.fit(known.catalogue, known.owned, known.customers, looks=known.looks)
    asked = [reader(known, f"{name}@r.example", None) for name in ("ana", "bo")]
    ana, bo = ([item.content for item in items] for items in model.suggest(asked, 3))
    assert len(known.looks.customer) == 8
    assert all(slug.startswith("knots") for slug in ana)
    assert all(slug.startswith("rolls") for slug in bo)
