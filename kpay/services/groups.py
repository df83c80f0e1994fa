"""Groups of customers: told apart as of a day, kept for segments, and followed from month to month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from kpay.domain.customer_groups import NOT_YET
from kpay.domain.document import Document
from kpay.domain.group_report import BehaviourShown, GroupReport, GroupShown, Movement
from kpay.domain.money import Money
from kpay.domain.period import add_months, month_start
from kpay.errors import Refused
from kpay.ml import behaviours, groups
from kpay.ml.behaviours import Behaviours
from kpay.ml.frames import Ints, Purchases
from kpay.ml.groups import Grouped
from kpay.ml.history import History
from kpay.services import histories
from kpay.services.vantage import Vantage, vantage
from kpay.store import groups as kept_groups
from kpay.store.engine import Store


@dataclass(frozen=True, slots=True)
class ToldApart:
    """Everybody's groups at the end of a day; `behaviours` is None where nothing sets people apart."""

    day: date
    customer_ids: Ints
    rfm: Grouped
    behaviours: Behaviours | None

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of customer_group; "" for a way of buying that nobody could name."""
        found = self.behaviours
        names = [""] if found is None else found.names
        ways = np.zeros_like(self.rfm.group) if found is None else found.group
        ids = self.customer_ids[self.rfm.customer].tolist()
        return [
            {
                "customer_id": one,
                "as_of": self.day,
                "rfm": groups.NAMES[rfm],
                "behaviour": names[way],
            }
            for one, rfm, way in zip(ids, self.rfm.group.tolist(), ways.tolist(), strict=True)
        ]


def tell_apart(history: History, day: date) -> ToldApart:
    """Return the groups of everybody who had bought by the end of `day`, the history's last."""
    tomorrow = (day + timedelta(days=1)).weekday()
    return ToldApart(
        day,
        history.purchases.customer_ids,
        groups.rfm(history.purchases, 0),
        behaviours.behaviours(history, 0, tomorrow),
    )


def keep(store: Store, told: ToldApart) -> bool:
    """Keep the groups, unless those of a later day are kept; say whether they are the kept ones now."""
    with store.writing() as connection:
        known = kept_groups.kept_as_of(connection)
        if known is not None and known > told.day:
            return False
        kept_groups.keep(connection, told.rows())
    return True


def show_groups(
    store: Store, *, as_of: str | None, months: int, currency: str, now: datetime, timezone: str
) -> Document:
    """Tell customers apart as of a day, keep the groups, and show them with a few months' movement.

    Raises Refused without a paid order by that day.
    """
    with store.reading() as connection:
        seen_from = vantage(connection, as_of, now, timezone)
        history = histories.read(connection, seen_from.moment)
    if not len(history.purchases.day):
        raise Refused(f"no paid order is known at the end of {seen_from.day}", "kpay sync")
    told = tell_apart(history, seen_from.day)
    is_kept = keep(store, told)
    return _report(history, told, seen_from, months, currency, is_kept).to_document()


def _report(
    history: History, told: ToldApart, seen_from: Vantage, months: int, currency: str, is_kept: bool
) -> GroupReport:
    spent = _Spent(history.purchases, currency)
    shown = tuple(
        GroupShown(name, *spent.of(told.rfm.customer[told.rfm.group == place]))
        for place, name in enumerate(groups.NAMES)
    )
    return GroupReport(
        day=seen_from.day,
        why=seen_from.why,
        customers=len(told.rfm.customer),
        groups=shown,
        behaviours=_ways(told.behaviours, spent),
        stability=told.behaviours.stability if told.behaviours else None,
        fewest_for_behaviours=behaviours.FEWEST_CUSTOMERS,
        usual_gap_days=told.rfm.usual_gap_days,
        is_gap_assumed=told.rfm.is_assumed,
        movements=movements(history.purchases, seen_from.day, months),
        is_kept=is_kept,
    )


def _ways(found: Behaviours | None, spent: _Spent) -> tuple[BehaviourShown, ...]:
    if found is None:
        return ()
    return tuple(
        BehaviourShown(name, *spent.of(found.customer[found.group == place]), differences)
        for place, (name, differences) in enumerate(
            zip(found.names, found.differences, strict=True)
        )
    )


class _Spent:
    """What customers paid in one currency: the business's own, else the first that anybody paid in."""

    def __init__(self, known: Purchases, currency: str) -> None:
        codes = known.currencies
        self._code = currency if currency in codes else codes[0]
        rows = known.currency == codes.index(self._code)
        self._minor = np.zeros(len(known.customer_ids), dtype=np.int64)
        np.add.at(self._minor, known.customer[rows], known.amount_minor[rows])
        self._total = int(self._minor.sum())

    def of(self, customers: Ints) -> tuple[int, Money, float | None]:
        """Return how many they are, what they paid, and which share of all revenue that is."""
        minor = int(self._minor[customers].sum())
        share = minor / self._total if self._total else None
        return len(customers), Money(minor, self._code), share


def movements(known: Purchases, day: date, months: int) -> tuple[Movement, ...]:
    """Return who moved from which group to which between the ends of the last months, oldest first."""
    ends = [end for end in _month_ends(day, months + 1) if (end - day).days > known.first_day]
    grouped = [(end, groups.rfm(known, (end - day).days)) for end in ends]
    return tuple(_movement(first, second) for first, second in pairwise(grouped))


def _month_ends(day: date, count: int) -> list[date]:
    """Return the last days of the last whole months, oldest first; a day that ends its month counts."""
    following = month_start(day + timedelta(days=1))
    return [add_months(following, -back) - timedelta(days=1) for back in reversed(range(count))]


def _movement(first: tuple[date, Grouped], second: tuple[date, Grouped]) -> Movement:
    before = np.full(int(second[1].customer.max()) + 1, len(groups.NAMES))
    before[first[1].customer] = first[1].group
    counts = np.zeros((len(groups.NAMES) + 1, len(groups.NAMES)), dtype=np.int64)
    np.add.at(counts, (before[second[1].customer], second[1].group), 1)
    return Movement(
        first[0],
        second[0],
        {
            source: dict(zip(groups.NAMES, row, strict=True))
            for source, row in zip((*groups.NAMES, NOT_YET), counts.tolist(), strict=True)
        },
    )
