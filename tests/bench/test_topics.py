"""What is said of launches beside what they did, in sandbox worlds where topics are wanted alike.

Each launch is foretold on its day from what was sold before, by the piece's topics, kind and price. Beside it
stands what the shop's earlier launches did: their median, and the range of their logs.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kpay.ml.frames import Floats
from kpay.ml.topic_demand import HORIZON_WEEKS, WEEK, Shop, demand
from kpay.sandbox.catalogue import Item
from tests.bench.sandbox_worlds import LivedWorld, Plan

SEEDS = 10
PLAN = Plan(customers=1100, days=720, launches=22, launch_jitter_days=6, mails=False)
FIRST_FORETOLD = 300
Z80 = 1.2816


def test_launches_are_foretold_within_their_range() -> None:
    off, usual, inside = [], [], []
    for seed in range(SEEDS):
        for said, low, high, before, actual in foretold(LivedWorld(seed, PLAN)):
            off.append(abs(np.log((actual + 0.5) / (said + 0.5))))
            usual.append(abs(np.log((actual + 0.5) / (before + 0.5))))
            inside.append(low <= actual <= high)
    print(
        f"\n  {len(off)} launches: median error x{np.exp(np.median(off)):.2f}, of earlier launches' "
        f"median x{np.exp(np.median(usual)):.2f}; inside the 80 % range {np.mean(inside):.2f}"
    )
    assert np.median(off) <= np.median(usual)
    assert 0.7 <= np.mean(inside) <= 0.92


def foretold(world: LivedWorld) -> Iterator[tuple[float, float, float, float, float]]:
    """Yield for each later launch what was said, the range, earlier launches' median, what came."""
    sold = _days_of_purchases(world)
    horizon = HORIZON_WEEKS * WEEK
    items = [item for item in world.items if item.kind != "membership"]
    for item in items:
        day = item.first_day
        if not FIRST_FORETOLD <= day <= PLAN.days - horizon:
            continue
        known = [each for each in items if each.first_day < day]
        shop = _shop(known, items, sold, day)
        learned = demand(shop)
        said = learned.orders(_features(item, known, items))
        half = np.exp(Z80 * learned.spread)
        earlier = [
            _count(sold, each, each.first_day, horizon)
            for each in known
            if 0 < each.first_day <= day - horizon
        ]
        actual = _count(sold, item, day, horizon)
        yield said, said / half, said * half, float(np.median(earlier)), actual


def _days_of_purchases(world: LivedWorld) -> dict[str, Floats]:
    lines = world.lines()
    days = (lines["at"] - world.moment(0)).dt.days
    return {str(slug): some.to_numpy(float) for slug, some in days.groupby(lines["content"])}


def _count(sold: dict[str, Floats], item: Item, first: int, days: int) -> float:
    mine = sold.get(item.slug, np.zeros(0))
    return float(((mine >= first) & (mine < first + days)).sum())


def _rows(items: list[Item], every: list[Item]) -> tuple[Floats, Floats, Floats]:
    topics = sorted({tag for item in every for tag in item.tags})
    kinds = sorted({item.kind for item in every})
    tags = np.array([[(tag in item.tags) / len(item.tags) for tag in topics] for item in items])
    of_kind = np.array([[float(item.kind == kind) for kind in kinds] for item in items])
    return tags, of_kind, np.log([item.offers[0].amount_minor for item in items])


def _features(item: Item, known: list[Item], every: list[Item]) -> Floats:
    tags, kinds, price = _rows([item], every)
    return np.concatenate([[1.0], tags[0], kinds[0], price - _rows(known, every)[2].mean()])


def _shop(known: list[Item], every: list[Item], sold: dict[str, Floats], day: int) -> Shop:
    weeks = day // WEEK
    edges = day - WEEK * np.arange(weeks, -1, -1)
    orders = [np.histogram(_before(sold, item, day), bins=edges)[0] for item in known]
    since = np.array([item.first_day for item in known])[:, None]
    age = edges[:-1] + WEEK / 2 - since
    days = np.clip(edges[1:] - np.maximum(since, edges[:-1]), 0, WEEK)
    tags, kinds, price = _rows(known, every)
    table = np.array(orders, dtype=float)
    return Shop(table, age, days.astype(float), tags, kinds, price - price.mean())


def _before(sold: dict[str, Floats], item: Item, day: int) -> Floats:
    mine = sold.get(item.slug, np.zeros(0))
    return mine[mine < day]
