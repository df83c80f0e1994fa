"""Orders as a person looks them up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from kpay.domain.checkout import Account
from kpay.domain.period import Period, month
from kpay.models import Content, LineItem
from kpay.services.intake import keep
from kpay.services.order_book import EVER, list_orders, show_order
from kpay.store.dialect import table_of
from kpay.store.engine import Store
from tests.fakes.books import Books, at, open_books
from tests.fakes.stores import new_store
from tests.fakes.stripe_shop import DAY, START, Shop

ACCOUNT = Account("acct_fake", livemode=False)


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


def taken_in(folder: Path, shop: Shop) -> Store:
    """Take in all that a shop's provider has."""
    store = new_store(folder, "guide")
    kinds = shop.provider.objects
    raws = [raw for kind in kinds if kind != "event" for raw in kinds[kind].values()]
    keep(store, ACCOUNT, "fake", raws)
    return store


def shown(folder: Path, shop: Shop, order: str) -> dict[str, Any]:
    """Return one order as it is shown once everything is taken in."""
    return show_order(taken_in(folder, shop), order).to_document().to_json()


def test_an_order_shows_what_settled_of_it_with_the_dispute_s_fee(tmp_path: Path) -> None:
    shop = Shop()
    sale = shop.sell(shop.offer("guide", 2900, "eur"), START)
    provider = shop.provider
    provider.change(
        sale.movement, START, None, amount=3132, fee=120, net=3012, currency="usd",
        exchange_rate=1.08,
    )  # fmt: skip
    dispute = shop.dispute(sale, START + DAY)
    pulled = shop.move(dispute["id"], -3132, START + DAY, kind="adjustment")
    provider.change(pulled, START, None, fee=1500, net=-4632)

    found = shown(tmp_path, shop, sale.charge["id"])

    assert found["settled"] == {"usd": {"amount_minor": 0, "fee_minor": 1620, "net_minor": -1620}}
    assert [one["exchange_rate"] for one in found["movements"]] == ["1.08", None]
    assert (found["state"], found["held_minor"]) == ("disputed", 2900)
    assert found["currency"] == "eur"


def test_an_order_shows_its_coupon_and_how_it_was_paid(tmp_path: Path) -> None:
    shop = Shop()
    sale = shop.sell(shop.offer("guide", 2900), START, discount=580)
    assert sale.session
    made = {"created": START, "valid": True, "times_redeemed": 1, "livemode": False}
    off = {"percent_off": 20.0, "name": "Spring", "duration": "once"}
    shop.provider.add({"id": "co_1", "object": "coupon", **off, **made})
    code = {"code": "SPRING20", "promotion": {"coupon": "co_1"}, "active": True}
    shop.provider.add({"id": "promo_1", "object": "promotion_code", **code, **made})
    shop.provider.change(
        sale.session, START, None, discounts=[{"coupon": "co_1", "promotion_code": "promo_1"}]
    )
    shop.provider.change(sale.charge, START, None, payment_method_details={"type": "alipay"})

    found = shown(tmp_path, shop, sale.charge["id"])

    assert found["coupons"] == [{"coupon": "co_1", "code": "SPRING20", "takes_off": "20.0 %"}]
    assert found["payment_method"] == "alipay"
    assert found["discount_minor"] == 580


def test_a_list_marks_what_was_given_back_and_what_the_bank_holds(tmp_path: Path) -> None:
    shop = Shop()
    guide = shop.offer("guide", 2900)
    sales = [shop.sell(guide, START + n * DAY) for n in range(4)]
    shop.refund(sales[1], 900, START + 5 * DAY)
    shop.refund(sales[2], 2900, START + 5 * DAY)
    shop.dispute(sales[3], START + 5 * DAY)

    store = taken_in(tmp_path, shop)
    listed = list_orders(store, Period(*EVER, "UTC"), customer=None, limit=9).to_document()

    assert [row[4] for row in listed.tables[0].rows] == [
        "disputed",
        "refunded",
        "partly refunded",
        "paid",
    ]
