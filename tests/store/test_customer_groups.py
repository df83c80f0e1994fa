"""Groups of customers kept in the store: written once, asked by segments, followed month by month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert, select, update

from kpay.domain.customer_groups import NOT_YET, RFM_GROUPS
from kpay.errors import Refused, UsageProblem
from kpay.models import Content, Customer, LineItem, Order
from kpay.models.learning import CustomerGroup
from kpay.services import segments
from kpay.services.groups import show_groups
from kpay.store import audience
from kpay.store.dialect import table_of
from kpay.store.engine import Store
from tests.fakes.stores import digest, new_store

LAST = datetime(2026, 9, 30, 12, tzinfo=UTC)
NOW = LAST + timedelta(days=1)
KINDS = ("course", "ebook")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


@pytest.fixture
def shop(store: Store) -> Store:
    """120 customers: the first 60 buy a course every 30 days, the others bought one e-book each."""
    luck = np.random.default_rng(1)
    customers = [
        {"id": one, "email": f"c{one:03}@r.example", "created_at": NOW, "tags": [], "name": ""}
        for one in range(1, 121)
    ]
    bought = [
        (one, LAST - timedelta(days=back * 30 + int(luck.integers(0, 5))), 0, 4900)
        for one in range(1, 61)
        for back in range(4)
    ]
    bought += [(one, LAST - timedelta(days=2 * (one - 60)), 1, 900) for one in range(61, 121)]
    orders, lines = [], []
    for number, (customer, at, kind, minor) in enumerate(bought, 1):
        orders.append(
            {
                "id": number,
                "source": "stripe",
                "external_id": f"ch_{number}",
                "customer_id": customer,
                "ordered_at": at,
                "currency": "usd",
                "gross_minor": minor,
                "total_minor": minor,
                "tracking": {},
            }
        )
        lines.append({"order_id": number, "position": 0, "content_id": kind + 1, "name": "x"})
        lines[-1] |= {"quantity": 1, "amount_minor": minor, "product": ""}
    content = [
        {
            "id": place + 1,
            "slug": f"a-{kind}",
            "kind": kind,
            "title": kind,
            "status": "published",
            "digest": "d",
            "file": f"{kind}.md",
            "created_at": NOW,
            "published_at": LAST - timedelta(days=400),
            **{name: [] for name in ("tags", "includes", "attachments")},
        }
        for place, kind in enumerate(KINDS)
    ]
    with store.writing() as connection:
        for model, rows in zip(
            (Customer, Content, Order, LineItem), (customers, content, orders, lines), strict=True
        ):
            connection.execute(insert(table_of(model)), rows)
    return store


def shown(store: Store, as_of: str | None = None, months: int = 3) -> dict[str, Any]:
    found = show_groups(store, as_of=as_of, months=months, currency="usd", now=NOW, timezone="UTC")
    return dict(found.payload)


def groups_kept(store: Store) -> dict[int, tuple[str, str]]:
    group = table_of(CustomerGroup)
    with store.reading() as connection:
        rows = connection.execute(select(group)).mappings().all()
    return {row["customer_id"]: (row["rfm"], row["behaviour"]) for row in rows}


def test_every_customer_is_in_one_group_and_revenue_is_shared_out(shop: Store) -> None:
    found = shown(shop)
    sizes = {one["name"]: one["customers"] for one in found["rfm"]}
    assert list(sizes) == list(RFM_GROUPS)
    assert sum(sizes.values()) == found["customers"] == 120
    assert sizes["champions"] + sizes["loyal"] == 60
    assert sizes["new"] + sizes["hibernating"] == 60
    assert sum(one["paid_minor"] for one in found["rfm"]) == 240 * 4900 + 60 * 900
    assert sum(one["revenue_share"] for one in found["rfm"]) == pytest.approx(1, abs=1e-4)


def test_ways_of_buying_are_named_and_explained(shop: Store) -> None:
    ways = {one["name"]: one["customers"] for one in shown(shop)["behaviours"]}
    assert sorted(ways.values()) == [60, 60]
    assert any(name.startswith("one-time") for name in ways)


def test_groups_are_kept_and_keeping_them_twice_writes_nothing(shop: Store) -> None:
    assert shown(shop)["kept"]
    before = digest(shop)
    kept = groups_kept(shop)
    assert len(kept) == 120
    assert kept[1][0] in ("champions", "loyal")
    shown(shop)
    assert digest(shop) == before


def test_an_earlier_day_is_shown_and_not_kept(shop: Store) -> None:
    shown(shop)
    before = digest(shop)
    earlier = shown(shop, as_of="2026-08-31")
    assert not earlier["kept"]
    assert earlier["customers"] < 120
    assert digest(shop) == before


def test_who_is_no_customer_any_more_is_in_no_group(shop: Store) -> None:
    shown(shop)
    order = table_of(Order)
    with shop.writing() as connection:
        connection.execute(update(order).where(order.c.customer_id == 120).values(status="failed"))
    shown(shop)
    assert sorted(groups_kept(shop)) == list(range(1, 120))


def test_movements_follow_people_from_one_month_end_to_the_next(shop: Store) -> None:
    [first, second, third] = shown(shop)["movements"]
    assert [first["from"], third["to"]] == ["2026-06-30", "2026-09-30"]
    assert (first["to"], second["to"]) == (second["from"], third["from"])

    def arrived(movement: dict[str, Any], name: str) -> int:
        return sum(row[name] for row in movement["matrix"].values())

    def left(movement: dict[str, Any], name: str) -> int:
        return sum(movement["matrix"][name].values())

    for name in RFM_GROUPS:
        assert arrived(first, name) == left(second, name)
        assert arrived(second, name) == left(third, name)
    assert third["new_customers"] == left(third, NOT_YET) > 0
    ends = {one["name"]: one["customers"] for one in shown(shop, as_of="2026-09-30")["rfm"]}
    assert {name: arrived(third, name) for name in RFM_GROUPS} == ends


def test_without_an_order_there_is_nothing_to_tell_apart(store: Store) -> None:
    with pytest.raises(Refused, match="no paid order"):
        shown(store)
    with pytest.raises(Refused, match="no paid order is known at the end of 2026-01-01"):
        shown(store, as_of="2026-01-01")


def counted(store: Store, where: str) -> int:
    segments.create(store, "asked", where, replaces=True, now=NOW)
    found = segments.show_segment(store, "asked", currency="usd", now=NOW)
    return int(found.payload["people"])


def test_segments_ask_for_groups_and_for_ways_of_buying(shop: Store) -> None:
    ways = {one["name"]: one["customers"] for one in shown(shop)["behaviours"]}
    assert counted(shop, "rfm in ('champions', 'loyal')") == 60
    assert counted(shop, "rfm != 'new' and not (rfm in ('champions', 'loyal'))") == sum(
        rfm not in ("champions", "loyal", "new") for rfm, _ in groups_kept(shop).values()
    )
    [one_time] = [name for name in ways if name.startswith("one-time")]
    assert counted(shop, f"behaviour == '{one_time}'") == 60
    assert counted(shop, f"behaviour == '{one_time.upper()}' and rfm == 'Champions'") == 0


def test_somebody_never_told_apart_is_in_no_group(shop: Store) -> None:
    assert counted(shop, "rfm == 'loyal'") == 0
    assert counted(shop, "rfm != 'loyal'") == 0
    with shop.reading() as connection:
        person = next(iter(audience.people(connection, NOW)))
    assert (person.rfm, person.behaviour) == (None, None)


def test_a_group_that_there_is_not_is_refused(shop: Store) -> None:
    with pytest.raises(UsageProblem, match="did you mean 'at risk'"):
        counted(shop, "rfm == 'at-risk'")
    with pytest.raises(UsageProblem, match="known are none yet") as refusal:
        counted(shop, "behaviour == 'night owls'")
    assert refusal.value.hint == "kpay segment groups"
    name = shown(shop)["behaviours"][0]["name"]
    with pytest.raises(UsageProblem, match=f"did you mean '{name}'"):
        counted(shop, f"orders > 1 or 'x{name}' == behaviour")
