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


@pytest.fixture
def strict(desk: Desk) -> Desk:
    """A server with a limit and short pages, so that a sync takes about 60 requests."""
    sell_daily(desk, 55)
    desk.shop.provider.longest_page = 5
    desk.server.most_a_second = MOST_A_SECOND
    return desk


def busiest_second(desk: Desk) -> int:
    times = [at for at, _ in desk.server.requests]
    return max(sum(1 for one in times if at <= one < at + 1) for at in times)


def test_pitfall_17_requests_keep_below_the_limit_by_themselves(strict: Desk) -> None:
    report = sync_at(strict, 56, Pace(REQUESTS_A_SECOND))

    assert not report.is_partial
    assert strict.server.refused == 0
    assert MOST_A_SECOND / 2 < busiest_second(strict) <= MOST_A_SECOND
    assert strict.differences() == []


def test_pitfall_17_a_server_that_asks_for_patience_gets_it(strict: Desk) -> None:
    report = strict.sync(56)

    assert strict.server.refused > 0
    assert not report.is_partial
    assert strict.differences() == []


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
