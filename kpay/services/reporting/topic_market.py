"""The shop as the model of demand sees it: pieces, their orders by week, and what new ones would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from math import exp, log
from typing import Final

import numpy as np

from kpay.domain.period import local_day
from kpay.ml.frames import Floats
from kpay.ml.topic_demand import HORIZON_WEEKS, WEEK, Demand, Shop, demand
from kpay.services.reporting.content_shelf import Shelf

FEWEST_WEEKS: Final = 8
FEWEST_ORDERS: Final = 30
MOST_WEEKS: Final = 208
DAYS_SAID: Final = 90
NO_SINGLE_PIECES: Final = ("membership", "bundle")


@dataclass(frozen=True, slots=True)
class Priced:
    """A kind and a price at which something was sold."""

    kind: str
    price_minor: int


@dataclass(frozen=True)
class Market:
    """The pieces by name, and the shop made of them; topics and kinds are its columns, in order."""

    shelf: Shelf
    names: tuple[str, ...]
    topics: tuple[str, ...]

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the pieces, ascending; "" for what is no published piece."""
        return tuple(sorted({self._kind(name) for name in self.names}))

    @cached_property
    def learned(self) -> Demand | None:
        """What the model learned; None where too little was sold, or for too short a time."""
        if not self.topics or not self.names:
            return None
        shop = self._shop()
        if shop.orders.shape[1] < FEWEST_WEEKS or shop.orders.sum() < FEWEST_ORDERS:
            return None
        return demand(shop)

    def topic_index(self, topic: str) -> tuple[float, float]:
        """Return mean and variance of a topic's log-appeal beside the mean piece's."""
        learned = self._certain
        place = 1 + self.topics.index(topic)
        return float(learned.mean[place]), float(learned.covariance[place, place])

    def orders_of_new(self, topic: str, priced: Priced, log_index: float) -> tuple[float, float]:
        """Return the orders that a new piece brings in 90 days, and the error of that in logs.

        `log_index` stands in for what sales alone say of the topic.
        """
        learned, features = self._certain, self._features(topic, priced)
        said = learned.orders(features) * DAYS_SAID / (HORIZON_WEEKS * WEEK)
        more = max(0.0, learned.log_appeal(features)[1] - self._usual_variance)
        correction = log_index - self.topic_index(topic)[0]
        return said * exp(correction), float(np.sqrt(learned.spread**2 + more))

    @cached_property
    def priced(self) -> tuple[Priced, ...]:
        """Every kind and price, in the report's currency, at which single pieces were bought."""
        found = {
            Priced(piece.kind, piece.price_minor)
            for name, piece in self.shelf.pieces.items()
            if piece.kind not in NO_SINGLE_PIECES
            and piece.price_minor
            and piece.currency == self.shelf.currency
            and name in self.shelf.study.tallies
            and self.shelf.study.tallies[name].moments
        }
        return tuple(sorted(found, key=lambda one: (one.kind, one.price_minor)))

    @property
    def launches(self) -> int:
        """How many launches of the shop the errors are of."""
        return len(self._certain.errors)

    @cached_property
    def kept_share(self) -> float:
        """What is left of list prices after discounts, tax and refunds; 1 where nothing was sold."""
        tallies, code = self.shelf.study.tallies.values(), self.shelf.currency
        gross = sum(tally.gross_minor.get(code, 0) for tally in tallies)
        net = sum(tally.net_minor.get(code, 0) for tally in tallies)
        return net / gross if gross > 0 and net > 0 else 1.0

    @property
    def _certain(self) -> Demand:
        if self.learned is None:
            raise ValueError("nothing was learned")
        return self.learned

    @cached_property
    def _usual_variance(self) -> float:
        learned = self._certain
        rows = self._shop().features[learned.launches]
        if not len(rows):
            return 0.0
        return float(np.mean(np.einsum("pi,ij,pj->p", rows, learned.covariance, rows)))

    def _features(self, topic: str, priced: Priced) -> Floats:
        row = np.zeros(2 + len(self.topics) + len(self.kinds))
        row[0] = 1.0
        row[1 + self.topics.index(topic)] = 1.0
        if priced.kind in self.kinds:
            row[1 + len(self.topics) + self.kinds.index(priced.kind)] = 1.0
        row[-1] = log(priced.price_minor) - self._mean_log_price.get(self.shelf.currency, 0.0)
        return row

    def _shop(self) -> Shop:
        launches = [self.shelf.launched(name) for name in self.names]
        end = local_day(self.shelf.known.end, self.shelf.scope.timezone)
        first = min((day for day in launches if day), default=end)
        weeks = min(MOST_WEEKS, -(-(end - first).days // WEEK))
        middles = (np.arange(weeks) - weeks) * WEEK + WEEK / 2  # days from `end`
        since = np.array([(day - end).days if day else 0 for day in launches], dtype=float)
        until = np.array([self._last_day(name, end) for name in self.names], dtype=float)
        opens = middles - WEEK / 2
        days = np.clip(
            np.minimum(until[:, None], opens + WEEK) - np.maximum(since[:, None], opens), 0, WEEK
        )
        return Shop(
            self._orders(weeks, end),
            middles - since[:, None],
            days,
            self._topics(),
            self._kinds(),
            self._log_prices(),
        )

    def _last_day(self, name: str, end: date) -> int:
        piece = self.shelf.pieces.get(name)
        if piece is None or piece.archived_at is None:
            return 0
        return (local_day(piece.archived_at, self.shelf.scope.timezone) - end).days

    def _orders(self, weeks: int, end: date) -> Floats:
        orders = np.zeros((len(self.names), weeks))
        for row, name in enumerate(self.names):
            ago = self.shelf.days_sold(name) + (self.shelf.first_day - end).days
            week = weeks + ago // WEEK
            np.add.at(orders[row], week[(week >= 0) & (week < weeks)], 1)
        return orders

    def _topics(self) -> Floats:
        rows = np.zeros((len(self.names), len(self.topics)))
        for row, name in enumerate(self.names):
            piece = self.shelf.pieces.get(name)
            tags = piece.tags if piece else ()
            for tag in tags:
                rows[row, self.topics.index(tag)] = 1 / len(tags)
        return rows

    def _kind(self, name: str) -> str:
        piece = self.shelf.pieces.get(name)
        return piece.kind if piece else ""

    def _kinds(self) -> Floats:
        return np.array(
            [[float(self._kind(name) == kind) for kind in self.kinds] for name in self.names]
        )

    @cached_property
    def _mean_log_price(self) -> dict[str, float]:
        """The mean log-price in each currency: prices are compared within their own."""
        logs: dict[str, list[float]] = {}
        for name in self.names:
            piece = self.shelf.pieces.get(name)
            if piece and piece.price_minor and piece.currency:
                logs.setdefault(piece.currency, []).append(log(piece.price_minor))
        return {code: sum(some) / len(some) for code, some in logs.items()}

    def _log_prices(self) -> Floats:
        found = []
        for name in self.names:
            piece = self.shelf.pieces.get(name)
            if piece and piece.price_minor and piece.currency:
                found.append(log(piece.price_minor) - self._mean_log_price[piece.currency])
            else:
                found.append(0.0)
        return np.array(found)


def market(shelf: Shelf, topics: Sequence[str]) -> Market:
    """Return the pieces that can be bought, and what was: what is free and unsold competes with nobody."""
    sold = {name for name, tally in shelf.study.tallies.items() if tally.moments}
    priced = {name for name, piece in shelf.pieces.items() if piece.price_minor}
    return Market(shelf, tuple(sorted(sold | priced)), tuple(topics))
