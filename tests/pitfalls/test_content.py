"""Pitfalls 22 and 23: what a sale sold, when prices move and one link sells many times."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.desk import Desk
from tests.fakes.stripe_shop import DAY, START

SOLD = "SELECT c.slug FROM line_item l JOIN content c ON c.id = l.content_id ORDER BY l.id"


@pytest.mark.parametrize("named_by", ["session", "link", "price", "product"])
def test_pitfall_22_content_is_found_by_session_then_link_then_price_then_product(
    desk: Desk, named_by: str
) -> None:
    shop = desk.shop
    product, price, link = shop.offer("guide", 2900)
    places: dict[str, Any] = {"product": product, "price": price, "link": link}
    rank = ("session", "link", "price", "product")
    for name, raw in places.items():
        is_asked_later = rank.index(name) > rank.index(named_by)
        slug = "guide" if name == named_by else "audio" if is_asked_later else None
        shop.provider.change(raw, START, None, metadata={"kpay_content": slug} if slug else {})
    asked = {"kpay_content": "guide"} if named_by == "session" else {}

    shop.sell((product, price, link), START + DAY, metadata=asked)
    desk.sync(2)

    assert desk.rows(SOLD) == [("guide",)]


def test_pitfall_22_an_old_sale_keeps_its_content_when_the_price_is_moved(desk: Desk) -> None:
    shop = desk.shop
    product, price, link = shop.offer("guide", 2900)
    change = shop.provider.change
    change(link, START, None, metadata={})
    sale = shop.sell((product, price, link), START + DAY, metadata={})
    desk.sync(2)
    assert desk.rows(SOLD) == [("guide",)]

    other, _, _ = shop.offer("audio", 100)
    change(price, START + 3 * DAY, "price.updated", product=other["id"])
    change(product, START + 3 * DAY, "product.updated", metadata={"kpay_content": "club"})
    change(sale.charge, START + 3 * DAY, "charge.updated", description="again")
    desk.sync(4)
    desk.sync(5, is_full=True)

    assert desk.rows(SOLD) == [("guide",)]
    assert desk.rows("SELECT count(*) FROM entitlement") == [(1,)]


def test_pitfall_23_one_link_with_three_checkouts_is_three_sales(desk: Desk) -> None:
    shop = desk.shop
    guide = shop.offer("guide", 2900)
    _, dearer, _ = shop.offer("guide", 3900)
    for n, offer in enumerate((guide, guide, (guide[0], dearer, guide[2]))):
        shop.sell(offer, START + n * DAY, email=f"{n}@example.com")

    desk.sync(4)

    assert desk.rows("SELECT total_minor FROM orders ORDER BY ordered_at") == [
        (2900,),
        (2900,),
        (3900,),
    ]
    assert desk.rows("SELECT count(DISTINCT session_id) FROM orders") == [(3,)]
    assert desk.rows(SOLD) == [("guide",)] * 3
    assert desk.rows("SELECT count(*) FROM entitlement") == [(3,)]


def test_pitfall_23_a_link_that_sold_nothing_is_no_sale(desk: Desk) -> None:
    desk.shop.offer("guide", 2900)

    desk.sync(2)

    assert desk.rows("SELECT count(*) FROM payment_link") == [(1,)]
    assert desk.rows("SELECT count(*) FROM orders") == [(0,)]
