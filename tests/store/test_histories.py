"""What the models read of a real store: every kind of evidence, dated, and nothing later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert

from kpay.ml.history import OPEN, History
from kpay.models import (
    Campaign,
    CampaignPlan,
    Content,
    ContentVersion,
    Customer,
    Delivery,
    Event,
    Feedback,
    LineItem,
    MailNotice,
    Order,
    Refund,
    Subscriber,
    Subscription,
)
from kpay.services import histories
from kpay.store.dialect import table_of
from kpay.store.engine import Store
from tests.fakes.stores import new_store

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ANA, BO, STRANGER = 1, 2, 3


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def put(store: Store, model: Any, *rows: dict[str, Any]) -> None:
    with store.writing() as connection:
        for row in rows:
            connection.execute(insert(table_of(model)).values(**row))


def order(number: int, customer: int, days: float, minor: int, **values: Any) -> dict[str, Any]:
    return {
        "id": number, "source": "import", "account": "", "livemode": False, "external_id": f"o{number}",
        "customer_id": customer, "ordered_at": ago(days), "currency": "usd", "gross_minor": minor,
        "discount_minor": 0, "tax_minor": 0, "total_minor": minor, "status": "paid", "kind": "one_time",
        "tracking": {}, **values,
    }  # fmt: skip


def line(
    order_id: int, content_id: int | None, product: str = "", position: int = 0
) -> dict[str, Any]:
    return {
        "order_id": order_id, "position": position, "content_id": content_id, "product": product,
        "name": "", "quantity": 1, "amount_minor": 100,
    }  # fmt: skip


def piece(number: int, slug: str, published: float, **values: Any) -> dict[str, Any]:
    return {
        "id": number, "slug": slug, "kind": "ebook", "title": slug.title(), "summary": "", "language": "en",
        "tags": ["baking"], "includes": [], "pricing": "fixed", "amount_minor": 900, "currency": "usd",
        "trial_days": 0, "status": "published", "version": 1, "digest": slug, "file": f"{slug}.md",
        "attachments": [], "published_at": ago(published), "created_at": ago(published), **values,
    }  # fmt: skip


def version(content_id: int, number: int, days: float, body: str, **said: Any) -> dict[str, Any]:
    return {
        "content_id": content_id, "version": number, "digest": f"{content_id} {number}",
        "front_matter": said, "preview": "", "body": body, "created_at": ago(days),
    }  # fmt: skip


def event(email: str, days: float, kind: str, content: str = "") -> dict[str, Any]:
    return {"email": email, "happened_at": ago(days), "kind": kind, "content": content, "value": ""}


def mail(number: int, email: str, days: float, **values: Any) -> dict[str, Any]:
    return {
        "id": number, "kind": "campaign", "email": email, "state": "sent", "batch": 0, "variant": "",
        "message_id": f"<{number}@x>", "context": {}, "attempts": 1, "due_at": ago(days),
        "sent_at": ago(days), "is_test": True, "campaign_id": 1, **values,
    }  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = new_store(tmp_path)
    people = enumerate(("ana@example.com", "bo@example.com", "li@example.com"), start=1)
    put(store, Customer, *(
        {"id": number, "email": email, "name": "", "tags": [], "created_at": ago(300)}
        for number, email in people
    ))  # fmt: skip
    put(store, Content,
        piece(1, "bread", 200, version=2, title="Bread again"),
        piece(2, "salt", 100, status="archived", archived_at=ago(10)),
        piece(3, "draft", 5, status="draft"))  # fmt: skip
    put(store, ContentVersion,
        version(1, 1, 200, "Flour and water.", title="Bread", summary="For beginners"),
        version(1, 2, 50, "Flour, water, salt."),
        version(2, 1, 100, "All about salt."))  # fmt: skip
    put(store, Order,
        order(1, ANA, 150, 2000), order(2, ANA, 20, 1000), order(3, BO, 30, 500, currency="eur"),
        order(4, STRANGER, 9, 500, status="failed"))  # fmt: skip
    put(store, LineItem, line(1, 1), line(1, 2, position=1), line(2, None, "old tape"), line(3, 1))
    return store


def read(store: Store, moment: datetime = NOW) -> History:
    with store.reading() as connection:
        return histories.read(connection, moment)


def marks(known: History, kind: str) -> list[tuple[int, int, str, float]]:
    found = known.of(kind)
    slugs = (*known.pieces.slug, "")
    return [
        (int(known.purchases.customer_ids[who]), int(day), slugs[content], float(value))
        for who, day, content, value in zip(
            found.customer, found.day, found.content, found.value, strict=True
        )
    ]


def test_pieces_are_content_and_whatever_else_was_sold(store: Store) -> None:
    shelf = read(store).pieces
    assert dict(zip(shelf.slug, shelf.kind, strict=True)) == {
        "bread": "ebook", "salt": "ebook", "old tape": "",
    }  # fmt: skip
    days = dict(zip(shelf.slug, shelf.first_day.tolist(), strict=True))
    assert days == {"bread": -200, "salt": -150, "old tape": -20}
    assert dict(zip(shelf.slug, shelf.last_day.tolist(), strict=True))["salt"] == -10
    assert shelf.on_sale(-10).tolist() == [True, True, True]
    assert shelf.on_sale(-9).tolist() == [True, False, True]


def test_a_text_is_the_one_that_was_published_at_the_time(store: Store) -> None:
    shelf = read(store).pieces
    assert shelf.text[0] == "Bread\nFor beginners\nbaking\nFlour and water."
    assert shelf.texts(-50)[0] == shelf.text[0]
    assert shelf.texts(-49)[0] == "Bread again\n\nbaking\nFlour, water, salt."


def test_purchases_are_paid_for_and_named_by_piece(store: Store) -> None:
    known = read(store)
    assert known.purchases.customer_ids.tolist() == [ANA, BO]
    slugs = [known.pieces.slug[place] for place in known.bought.content]
    assert list(zip(known.bought.day.tolist(), slugs, strict=True)) == [
        (-150, "bread"), (-150, "salt"), (-20, "old tape"), (-30, "bread"),
    ]  # fmt: skip


def test_a_refund_counts_from_the_day_it_was_given_by_its_share(store: Store) -> None:
    refund = {
        "source": "import", "account": "", "livemode": False, "currency": "usd", "order_id": 1,
        "amount_minor": 500, "refunded_at": ago(140), "external_id": "r1", "status": "succeeded",
    }  # fmt: skip
    put(store, Refund, refund, {**refund, "external_id": "r2", "status": "failed"})
    assert marks(read(store), "refund") == [(ANA, -140, "bread", 0.25)]
    assert marks(read(store, ago(141)), "refund") == []


def test_only_marketing_that_was_sent_counts_and_says_what_it_was_about(store: Store) -> None:
    plan = {
        "id": 1, "campaign_id": 1, "hash": "h", "source": "", "letter_digest": "", "holdout_share": 0.1,
        "figures": {}, "planned_at": ago(40), "wording": {"shared": {"contents": [{"slug": "salt"}]}},
    }  # fmt: skip
    put(
        store,
        Campaign,
        {"id": 1, "name": "c", "state": "sent", "plan_hash": "h", "created_at": ago(40)},
    )
    put(store, CampaignPlan, plan)
    put(store, Delivery,
        mail(1, "ana@example.com", 40), mail(2, "bo@example.com", 40, state="held_out", sent_at=None),
        mail(3, "ana@example.com", 30, kind="receipt", campaign_id=None, occasion="receipt 1"),
        mail(4, "nobody@example.com", 40))  # fmt: skip
    assert marks(read(store), "mail") == [(ANA, -40, "salt", 1.0)]


def test_events_count_by_what_they_mean(store: Store) -> None:
    put(store, Event,
        event("ana@example.com", 3, "page_view", "bread"), event("ana@example.com", 2, "click", "salt"),
        event("bo@example.com", 2, "progress", "bread"), event("bo@example.com", 1, "bounce"),
        event("nobody@example.com", 1, "visit", "bread"))  # fmt: skip
    known = read(store)
    assert sorted(known.marks) == ["click", "lesson", "visit"]
    assert marks(known, "visit") == [(ANA, -3, "bread", 1.0)]
    assert marks(known, "lesson") == [(BO, -2, "bread", 1.0)]


def test_coming_and_going_is_read_from_the_list_and_from_what_came_back(store: Store) -> None:
    listed = {"name": "", "consent_source": "", "tags": ["glaze", "kiln"], "created_at": ago(60)}
    put(store, Subscriber,
        {**listed, "email": "ana@example.com", "status": "subscribed", "consented_at": ago(70)},
        {**listed, "email": "bo@example.com", "status": "unsubscribed", "tags": [],
         "unsubscribed_at": ago(5)})  # fmt: skip
    put(store, MailNotice, {"fingerprint": "f", "kind": "complaint", "email": "ana@example.com",
                            "noticed_at": ago(4), "words": ""})  # fmt: skip
    known = read(store)
    assert marks(known, "join") == [(ANA, -70, "", 1.0), (BO, -60, "", 1.0)]
    assert marks(known, "unsubscribe") == [(ANA, -4, "", 1.0), (BO, -5, "", 1.0)]
    assert (known.wishes.text, known.wishes.day.tolist()) == (("glaze kiln",), [-70])


def test_feedback_gives_stars_and_words(store: Store) -> None:
    said = {"kind": "review", "content": "bread", "at": ago(8)}
    put(store, Feedback,
        {**said, "email": "ana@example.com", "rating": 4.0, "text": ""},
        {**said, "email": "bo@example.com", "rating": None, "text": "太好了"})  # fmt: skip
    known = read(store)
    assert marks(known, "review") == [(ANA, -8, "bread", 4.0)]
    assert (known.words.text, np.isnan(known.words.stars).tolist()) == (("太好了",), [True])


def test_a_subscription_is_known_with_its_trial_and_its_end(store: Store) -> None:
    row = {
        "account": "a", "livemode": False, "customer_id": ANA, "content_id": 1, "status": "active",
        "amount_minor": 900, "currency": "eur", "interval": "month", "interval_count": 3, "quantity": 1,
        "is_ending": False, "started_at": ago(100), "trial_end_at": ago(93),
    }  # fmt: skip
    put(store, Subscription,
        {**row, "external_id": "s1", "canceled_at": ago(20), "ended_at": ago(3)},
        {**row, "external_id": "s2", "status": "incomplete_expired"})  # fmt: skip
    spans = read(store).spans
    assert len(spans) == 1
    dated = (spans.start, spans.trial_end, spans.notice, spans.end)
    assert [int(days[0]) for days in dated] == [-100, -93, -20, -3]
    assert spans.interval_days[0] == pytest.approx(91.3, abs=0.1)
    assert int(spans.currency[0]) == read(store).purchases.currencies.index("eur")
    earlier = read(store, ago(10)).spans
    assert (int(earlier.notice[0]), int(earlier.end[0])) == (-10, OPEN)


def test_an_empty_store_has_an_empty_history(tmp_path: Path) -> None:
    known = read(new_store(tmp_path))
    assert (len(known.purchases.customer_ids), len(known.pieces), known.marks) == (0, 0, {})
