"""Pitfalls 19 to 21: keys that may not read everything, refused requests, two modes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.desk import Desk, sell_daily
from tests.fakes.stripe_server import KEY
from tests.fakes.stripe_shop import DAY, START


def cursors(desk: Desk) -> dict[str, Any]:
    return dict(desk.rows("SELECT resource, watermark_at FROM sync_cursor"))


def test_pitfall_19_a_list_that_the_key_may_not_read_is_named_and_arrives_once_it_may(
    desk: Desk,
) -> None:
    sales = sell_daily(desk, 3)
    desk.shop.dispute(sales[0], START + 3 * DAY)
    desk.shop.provider.forbidden.add("disputes")

    result = desk.run("sync", "--json", day=5)

    assert result.exit_code == 3
    found = json.loads(result.stdout)["resources"]["disputes"]
    assert found["status"] == "forbidden"
    assert "isputes" in found["reason"]
    assert "permission" in found["reason"]
    assert "disputes" not in cursors(desk)
    assert desk.rows("SELECT count(*) FROM orders") == [(3,)]

    desk.shop.provider.forbidden.clear()
    assert desk.run("sync", day=36).exit_code == 0
    assert desk.rows("SELECT count(order_id) FROM dispute") == [(1,)]


def test_pitfall_19_the_watermark_of_a_list_stands_still_while_it_is_forbidden(
    desk: Desk,
) -> None:
    sales = sell_daily(desk, 9)
    desk.shop.dispute(sales[0], START + 2 * DAY)
    desk.sync(3)
    before = cursors(desk)["disputes"]
    desk.shop.provider.forbidden.add("disputes")
    late = desk.shop.dispute(sales[1], START + 4 * DAY)

    desk.sync(5)
    assert cursors(desk)["disputes"] == before
    desk.shop.provider.forbidden.clear()
    desk.shop.provider.change(late, START + 5 * DAY, None, status="under_review")
    desk.sync(6)

    assert desk.differences() == []


def test_pitfall_20_a_list_that_does_not_exist_is_named_and_is_no_failure(desk: Desk) -> None:
    sell_daily(desk, 3)
    desk.shop.provider.unsupported.add("payment_links")

    result = desk.run("sync", day=5)
    answer = desk.answer("sync", day=5)

    assert result.exit_code == 0
    assert "payment_links" in result.stdout
    assert answer["resources"]["payment_links"]["status"] == "unsupported"


def test_pitfall_20_a_refused_request_is_never_taken_for_an_empty_list(desk: Desk) -> None:
    sell_daily(desk, 3)
    desk.shop.provider.refused["invoices"] = 400

    result = desk.run("sync", "--json", day=5)

    found = json.loads(result.stdout)["resources"]["invoices"]
    assert result.exit_code == 3
    assert found["status"] == "partial"
    assert found["reason"]
    assert "invoices" not in cursors(desk)


@pytest.mark.parametrize("first", ["test", "live"])
def test_pitfall_21_a_key_of_the_other_mode_is_refused_and_nothing_is_written(
    desk: Desk, first: str
) -> None:
    sell_daily(desk, 3)
    keys = {"test": KEY, "live": KEY.replace("test", "live")}
    other = keys["live" if first == "test" else "test"]
    desk.server.keys = set(keys.values())
    for raws in desk.shop.provider.objects.values():
        for raw in raws.values():
            raw["livemode"] = first == "live"
    assert desk.run("sync", key=keys[first]).exit_code == 0
    before = desk.digest()

    result = desk.run("sync", key=other)

    assert result.exit_code == 4
    assert "TEST" in result.stderr
    assert "LIVE" in result.stderr
    assert other not in result.stderr
    assert desk.digest() == before
    assert desk.rows("SELECT DISTINCT livemode FROM provider_object") == [(int(first == "live"),)]


def test_pitfall_21_an_object_of_the_other_mode_is_refused(desk: Desk) -> None:
    sale = sell_daily(desk, 3)[1]
    desk.shop.provider.change(sale.charge, START, None, livemode=True)

    result = desk.run("sync")

    assert result.exit_code not in (0, 1)
    kept = "SELECT count(*) FROM provider_object WHERE external_id = '{}'"
    assert desk.rows(kept.format(sale.charge["id"])) == [(0,)]
    assert desk.rows("SELECT count(*) FROM orders WHERE livemode") == [(0,)]
