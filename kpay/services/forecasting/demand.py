"""How demand answers to price at this shop: its own changes of price, as far as there are any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from sqlalchemy import Connection

from kpay.domain.elasticity import Elasticity, PriceChange, elasticity
from kpay.store.figures import prices
from kpay.store.figures.prices import Priced

LOOKED_AT_DAYS: Final = 56
SHORTEST_DAYS: Final = 14
LAUNCH_DAYS: Final = 14  # a piece's first days say nothing of its price
MOST_CHANGES: Final = 24
Window = tuple[Priced, Priced, datetime, datetime]


def demand(connection: Connection, until: datetime) -> Elasticity:
    """Learn the elasticity from the newest changes of price that were known before `until`."""
    windows = list(_windows(prices.one_time_prices(connection, until), until))
    newest = sorted(windows, key=lambda one: (one[1].since, one[1].content_id))[-MOST_CHANGES:]
    return elasticity([_change(connection, window) for window in newest])


def _windows(listed: Sequence[Priced], until: datetime) -> Iterator[Window]:
    """Yield old and new price with equally many days before and after, free of other changes."""
    steps = _by_piece(listed)
    for number, (old, new) in enumerate(pairwise(steps)):
        if (old.content_id, old.currency) != (new.content_id, new.currency):
            continue
        is_first = not number or _key(steps[number - 1]) != _key(old)
        earliest = old.since + timedelta(days=LAUNCH_DAYS if is_first else 0)
        following = steps[number + 2] if number + 2 < len(steps) else None
        is_next = following is not None and _key(following) == _key(new)
        latest = following.since if following is not None and is_next else until
        length = min(new.since - earliest, latest - new.since, timedelta(days=LOOKED_AT_DAYS))
        if length >= timedelta(days=SHORTEST_DAYS):
            yield old, new, new.since - length, new.since + length


def _by_piece(listed: Sequence[Priced]) -> list[Priced]:
    """Return the prices without those that changed nothing."""
    kept: list[Priced] = []
    for one in listed:
        last = kept[-1] if kept else None
        if last is None or _key(last) != _key(one) or last.amount_minor != one.amount_minor:
            kept.append(one)
    return kept


def _key(one: Priced) -> tuple[int, str]:
    return one.content_id, one.currency


def _change(connection: Connection, window: Window) -> PriceChange:
    old, new, start, end = window
    sold = prices.sold_around(connection, new.content_id, start, new.since, end)
    return PriceChange(
        old.amount_minor,
        new.amount_minor,
        sold.before,
        sold.after,
        sold.others_before,
        sold.others_after,
    )
