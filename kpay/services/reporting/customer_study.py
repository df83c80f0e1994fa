"""Orders and refunds of a period as arrays, and whose they are: what the customers report counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise

import numpy as np
from sqlalchemy import Connection

from kpay.domain.period import Period
from kpay.domain.reports.scope import Scope, month_edges
from kpay.ml import groups
from kpay.ml.frames import Flags, Frame, Ints, Purchases, purchases
from kpay.ml.groups import Grouped
from kpay.services.reporting.currencies import main_currency
from kpay.store import frames
from kpay.store.figures import customers as figures
from kpay.store.figures import ledger
from kpay.store.figures.customers import MoneyBack

DAY_S = 86_400
YEAR_DAYS = 365
ON_TIME_GROUPS = ("champions", "loyal", "promising")
SLIPPING = tuple(groups.NAMES.index(name) for name in ("needs attention", "at risk"))


@dataclass(frozen=True, slots=True)
class Rows:
    """Orders and, after them, refunds (net below nought, `is_order` False), without tax."""

    customer: Ints  # 0: nobody knows who
    at_s: Ints
    net_minor: Ints
    is_order: Flags
    currency: Ints
    country: Ints

    def only(self, keep: Flags) -> Rows:
        """Return the rows that are marked."""
        return Rows(
            self.customer[keep],
            self.at_s[keep],
            self.net_minor[keep],
            self.is_order[keep],
            self.currency[keep],
            self.country[keep],
        )

    @property
    def total_minor(self) -> int:
        """The sum of all rows."""
        return int(self.net_minor.sum())

    @property
    def orders(self) -> int:
        """How many of the rows are orders."""
        return int(self.is_order.sum())

    @property
    def buyers(self) -> Ints:
        """The numbers of the known people with an order among the rows, ascending."""
        return np.unique(self.customer[self.is_order & (self.customer > 0)])

    def by_customer(self) -> dict[int, int]:
        """Return what each known customer's rows sum up to."""
        numbers, place = np.unique(self.customer, return_inverse=True)
        sums = np.zeros(len(numbers), dtype=np.int64)
        np.add.at(sums, place, self.net_minor)
        found = dict(zip(numbers.tolist(), sums.tolist(), strict=True))
        found.pop(0, None)
        return found


@dataclass(frozen=True)
class Study:
    """What is known of customers at the end of a period, and what they did in it."""

    scope: Scope
    period: Period
    known: Period
    currency: str
    currencies: tuple[str, ...]
    countries: tuple[str, ...]
    every: Rows  # all currencies, since the beginning
    bought: Purchases
    told: Grouped
    members: frozenset[int]

    @cached_property
    def everything(self) -> Rows:
        """All rows of the currency, since the beginning."""
        return self.every.only(self.every.currency == self._index)

    @cached_property
    def inside(self) -> Rows:
        """The rows of the currency in the period."""
        return self.everything.only(self._is_inside(self.everything))

    @cached_property
    def others(self) -> dict[str, tuple[int, int]]:
        """Orders and net of the other currencies in the period."""
        inside = self.every.only(self._is_inside(self.every))
        found = {}
        for index, code in enumerate(self.currencies):
            rows = inside.only(inside.currency == index)
            if index != self._index and len(rows.at_s):
                found[code] = (rows.orders, rows.total_minor)
        return found

    @cached_property
    def first_s(self) -> dict[int, int]:
        """When each known customer first ordered, in any currency."""
        orders = self.every.only(self.every.is_order & (self.every.customer > 0))
        numbers, first = np.unique(orders.customer, return_index=True)  # orders are oldest first
        return dict(zip(numbers.tolist(), orders.at_s[first].tolist(), strict=True))

    @cached_property
    def numbers(self) -> Ints:
        """The customers' numbers, in the order of `told`."""
        return self.bought.customer_ids[self.told.customer]

    @property
    def months(self) -> tuple[tuple[datetime, datetime], ...]:
        """The months of the period, the first and last as far as they lie in it."""
        edges = month_edges(self.known)[1]
        return tuple(pairwise(edges))

    @cached_property
    def new_in_month(self) -> Flags:
        """Which rows inside are of people who first ordered in the same month of the period."""
        edges = _seconds([start for start, _ in self.months])
        month = np.searchsorted(edges, self.inside.at_s, side="right") - 1
        first = np.array([self.first_s.get(one, -1) for one in self.inside.customer.tolist()])
        return np.asarray(first >= edges[month]) if len(month) else np.zeros(0, dtype=bool)

    @cached_property
    def lapsing(self) -> Flags:
        """Who of `told` is slipping away by their own rhythm, without a running subscription."""
        return np.asarray(np.isin(self.told.group, SLIPPING) & ~self._is_member)

    @property
    def lapsing_numbers(self) -> list[int]:
        """The customers' numbers of `lapsing`."""
        found: list[int] = self.numbers[self.lapsing].tolist()
        return found

    @cached_property
    def largest(self) -> list[int]:
        """The numbers of all who brought something in the period, who brought most first."""
        brought = self.inside.by_customer()
        ranked = sorted(brought, key=lambda number: (-brought[number], number))
        return [number for number in ranked if brought[number] > 0]

    @cached_property
    def due_in_days(self) -> Ints:
        """In how many days each of `told` is expected; below nought when it has passed."""
        return np.asarray(np.floor(self.told.last_day + self.told.gap_days), dtype=np.int64)

    @cached_property
    def returning_on_time(self) -> Flags:
        """Who of `told` bought more than once, is not late, and has no running subscription."""
        on_time = np.isin(self.told.group, [groups.NAMES.index(name) for name in ON_TIME_GROUPS])
        return np.asarray(on_time & (self.told.times > 1) & ~self._is_member)

    @cached_property
    def last_s(self) -> dict[int, int]:
        """When each known customer last ordered, in any currency."""
        orders = self.every.only(self.every.is_order & (self.every.customer > 0))
        numbers, last = np.unique(orders.customer[::-1], return_index=True)
        return dict(zip(numbers.tolist(), orders.at_s[::-1][last].tolist(), strict=True))

    def last_year_of(self, numbers: Sequence[int]) -> Rows:
        """Return the rows of customers in the year up to each one's last order, and refunds after it."""
        rows = self.everything.only(np.isin(self.everything.customer, numbers))
        since = np.array(
            [self.year_begins_s(one) for one in rows.customer.tolist()], dtype=np.int64
        )
        return rows.only(rows.at_s > since)

    def year_begins_s(self, number: int) -> int:
        """Return the moment a year before a customer's last order."""
        return self.last_s[number] - YEAR_DAYS * DAY_S

    @property
    def _index(self) -> int:
        return self.currencies.index(self.currency) if self.currency in self.currencies else -1

    @property
    def _is_member(self) -> Flags:
        return np.isin(self.numbers, sorted(self.members))

    def _is_inside(self, rows: Rows) -> Flags:
        start, end = _seconds([self.known.start, self.known.end])
        return np.asarray((rows.at_s >= start) & (rows.at_s < end))


def study(connection: Connection, scope: Scope) -> Study:
    """Read all orders and refunds up to the end of the period, and tell customers apart there."""
    period = scope.period or scope.everything(
        ledger.first_sale_at(connection, scope.as_of),
        ledger.last_movement_at(connection, scope.as_of),
    )
    known = scope.known(period)
    placed = frames.orders_placed(connection, known.end)
    back = figures.given_back(connection, datetime(1970, 1, 1, tzinfo=UTC), known.end)
    currencies = tuple(sorted({*placed["currency"].unique(), *(one.currency for one in back)}))
    countries = tuple(sorted({"", *placed["country"].unique()}))
    every = _rows(placed, back, currencies, countries)
    bought = purchases(placed[placed["customer"] > 0], known.end)
    inside = every.at_s[every.is_order] >= _seconds([known.start])[0]
    counts = np.bincount(every.currency[every.is_order][inside], minlength=len(currencies))
    return Study(
        scope,
        period,
        known,
        main_currency(dict(zip(currencies, counts.tolist(), strict=True)), scope.base_currency),
        currencies,
        countries,
        every,
        bought,
        groups.rfm(bought, 0),
        figures.members(connection, known.end),
    )


def _rows(
    placed: Frame,
    back: Sequence[MoneyBack],
    currencies: tuple[str, ...],
    countries: tuple[str, ...],
) -> Rows:
    country = _places(placed["country"].tolist(), countries)
    at_order = dict(zip(placed["order"].tolist(), country, strict=True)) if back else {}
    sold_s = placed["at"].astype("int64").to_numpy(np.int64) // 1_000_000
    net = placed["amount_minor"].to_numpy(np.int64) - placed["tax_minor"].to_numpy(np.int64)
    returned_s = _seconds([datetime.fromisoformat(one.at) for one in back])
    return Rows(
        _joined(placed["customer"].to_numpy(np.int64), [one.customer for one in back]),
        _joined(sold_s, returned_s),
        _joined(net, [-one.net_minor for one in back]),
        np.arange(len(placed) + len(back)) < len(placed),
        _joined(
            _places(placed["currency"].tolist(), currencies),
            _places([one.currency for one in back], currencies),
        ),
        _joined(country, [at_order.get(one.order, 0) for one in back]),
    )


def _joined(first: Ints | Sequence[int], second: Ints | Sequence[int]) -> Ints:
    return np.concatenate([np.asarray(part, dtype=np.int64) for part in (first, second)])


def _places(values: Sequence[str], names: Sequence[str]) -> list[int]:
    place = {name: index for index, name in enumerate(names)}
    return [place[value] for value in values]


def _seconds(moments: Sequence[datetime]) -> Ints:
    return np.array([int(moment.timestamp()) for moment in moments], dtype=np.int64)
