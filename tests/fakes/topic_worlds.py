"""A made-up shop whose topics are wanted by a known measure, and whose supply has nothing to do with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kpay.ml.frames import Floats
from kpay.ml.topic_demand import Shop

WEEK = 7
PULL_OF_KINDS = np.array([0.3, 0.0, -0.2])
PRICES = np.array([8.0, 20.0, 60.0])
USUAL_PRICE = 20.0
USUAL_KIND = 1


@dataclass(frozen=True)
class TopicWorld:
    """The shop as it can be seen, what is true of its topics (logs), and a launch to come."""

    shop: Shop
    truth: Floats
    log_price: float  # of the usual price, centred as the shop's are
    launch: Callable[[int], int]

    def new_piece(self, topic: int) -> Floats:
        """The features of a piece of one topic, of the usual kind and price."""
        row = np.zeros(self.shop.features.shape[1])
        row[[0, 1 + topic, 1 + len(self.truth) + USUAL_KIND]] = 1.0
        row[-1] = self.log_price
        return row


def topic_world(
    seed: int, *, topics: int = 8, pieces: int = 28, weekly: float = 40, spread: float = 0.6
) -> TopicWorld:
    """Two years of orders: weeks, ages, kinds, prices and luck, beside the topics, decide what is bought."""
    draw = np.random.default_rng(seed)
    weeks = 104
    truth = draw.normal(0, spread, topics)
    supply = draw.dirichlet(np.ones(topics)) + 0.05
    tags = np.zeros((pieces, topics))
    for row in tags:
        chosen = draw.choice(
            topics, 1 + int(draw.random() < 0.5), replace=False, p=supply / supply.sum()
        )
        row[chosen] = 1 / len(chosen)
    kinds = draw.integers(0, 3, pieces)
    price = PRICES[kinds] * np.exp(draw.normal(0, 0.3, pieces))
    since = np.where(np.arange(pieces) < pieces // 3, 0, draw.integers(0, weeks + 13, pieces))
    level = tags @ truth + PULL_OF_KINDS[kinds] - 0.4 * np.log(price / USUAL_PRICE)
    appeal = np.exp(level + draw.normal(0, 0.4, pieces))
    busy = weekly * np.exp(np.linspace(0, 0.5, weeks))

    def shares(week: int) -> Any:
        age = (week - since) * WEEK + WEEK / 2
        return appeal * _fresh(age), 1 + 0.3 * ((age > 0) & (age < 3 * WEEK)).sum()

    orders = np.zeros((pieces, weeks))
    for week in range(weeks):
        weight, boost = shares(week)
        orders[:, week] = draw.multinomial(draw.poisson(busy[week] * boost), weight / weight.sum())

    def launch(topic: int) -> int:
        mine, sold = np.exp(truth[topic] + draw.normal(0, 0.4)), 0
        for week in range(13):
            weight, boost = shares(weeks + week)
            own = mine * _fresh(np.array(week * WEEK + WEEK / 2))
            more = boost + 0.3 * (week < 3)
            sold += draw.poisson(busy[-1] * more * own / (weight.sum() + own))
        return sold

    seen = since < weeks - 2
    age = (np.arange(weeks) - since[seen, None]) * float(WEEK) + WEEK / 2
    logs = np.log(price[seen])
    shop = Shop(
        orders[seen],
        age,
        np.where(age > 0, float(WEEK), 0.0),
        tags[seen],
        np.eye(3)[kinds[seen]],
        logs - logs.mean(),
    )
    return TopicWorld(shop, truth, float(np.log(USUAL_PRICE) - logs.mean()), launch)


def _fresh(age_days: Floats) -> Any:
    steps = np.where(age_days < 7, 6.0, np.where(age_days < 28, 2.0, 1.2))
    return np.where(age_days < 0, 0.0, np.where(age_days < 90, steps, 1.0))
