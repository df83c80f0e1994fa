"""Pitfalls 17 and 18: asking too fast, and answers that break off, stall or are no answers."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest

from kpay.adapters.stripe_api import StripeConnection, StripeSource
from kpay.adapters.stripe_api.pace import REQUESTS_A_SECOND, Pace
from kpay.adapters.stripe_api.transport import Limits
from kpay.domain.sync_report import SyncReport
from kpay.services.syncing import sync
from tests.fakes.desk import Desk, moment, open_desk, sell_daily
from tests.fakes.stripe_server import KEY
from tests.fakes.stripe_shop import DAY, START

MOST_A_SECOND = 25
FAULTS = (500, 502, 503, 409, 429, "html", "short", "cut", "drop", "stall")


def sync_at(desk: Desk, day: float, pace: Pace) -> SyncReport:
    limits = Limits(silent_s=0.2)
    source = StripeSource(StripeConnection(KEY, desk.server.url, pace, limits))
    return sync(desk.store, source, now=moment(day))


def change_many(desk: Desk, count: int) -> None:
    """Have events name many old charges, each of which has to be read by itself."""
    sales = sell_daily(desk, count + 1)
    desk.sync(count + 1)
    for sale in sales[:count]:
        desk.shop.provider.change(
            sale.charge, START + (count + 1) * DAY, "charge.updated", description="new"
        )
    desk.server.requests.clear()


def busiest_second(desk: Desk) -> int:
    times = [at for at, _ in desk.server.requests]
    return max(sum(1 for one in times if at <= one < at + 1) for at in times)


def test_pitfall_17_requests_keep_below_the_limit_by_themselves(desk: Desk) -> None:
    change_many(desk, 40)
    desk.server.most_a_second = MOST_A_SECOND

    report = sync_at(desk, 42, Pace(REQUESTS_A_SECOND))

    assert not report.is_partial
    assert desk.server.refused == 0
    assert MOST_A_SECOND / 2 < busiest_second(desk) <= MOST_A_SECOND
    assert desk.differences() == []


def test_pitfall_17_a_server_that_asks_for_patience_gets_it(desk: Desk) -> None:
    change_many(desk, 40)
    desk.server.most_a_second = MOST_A_SECOND

    report = desk.sync(42)

    assert desk.server.refused > 0
    assert not report.is_partial
    assert desk.differences() == []


@pytest.mark.parametrize("fault", FAULTS)
def test_pitfall_18_every_fault_is_borne_and_leaves_no_trace(
    desk: Desk, tmp_path: Path, fault: int | str
) -> None:
    sales = sell_daily(desk, 120)
    desk.shop.refund(sales[3], 1000, START + 100 * DAY)
    at_ease = Pace(None, sleep=lambda _seconds: None)
    with open_desk(tmp_path / "undisturbed", desk.shop) as undisturbed:
        sync_at(undisturbed, 121, at_ease)
        expected = undisturbed.digest()

    desk.server.faults = list(chain.from_iterable((None, None, None, fault) for _ in range(5)))
    report = sync_at(desk, 121, at_ease)

    assert not report.is_partial
    assert desk.server.faults == []
    assert desk.digest() == expected
