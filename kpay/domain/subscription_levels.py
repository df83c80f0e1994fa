"""How high monthly recurring revenue stands at a moment, or at the end of each month."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import accumulate

from kpay.domain.subscription_facts import rounded
from kpay.domain.subscription_spans import Span
from kpay.domain.subscriptions import Month


@dataclass(frozen=True, slots=True)
class Held:
    """What one customer pays a month in one currency at a moment, and through which subscriptions."""

    customer: str
    currency: str
    monthly_minor: int
    subscriptions: tuple[str, ...]
    since: datetime


def held_at(spans: Iterable[Span], moment: datetime) -> list[Held]:
    """Return what everybody pays at a moment, by customer and currency."""
    found: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for span in spans:
        if span.start <= moment and (span.end is None or moment < span.end):
            found[span.customer, span.currency].append(span)
    return [
        Held(
            customer,
            currency,
            sum(span.monthly_minor for span in together),
            tuple(sorted({span.subscription for span in together})),
            min(span.start for span in together),
        )
        for (customer, currency), together in found.items()
    ]


def mrr_at(spans: Iterable[Span], moment: datetime, rates: Mapping[str, Fraction]) -> int:
    """Return MRR at one moment, in minor units of the base currency."""
    return sum(
        rounded(held.monthly_minor * rates[held.currency]) for held in held_at(spans, moment)
    )


def month_ends(spans: Iterable[Span], months: Sequence[Month]) -> list[int]:
    """Return MRR at the end of each month, without walking through what moved in between."""
    ends = [month.end for month in months]
    codes = {code for month in months for code in month.rates}
    plain = {code for code in codes if all(month.rates.get(code) == 1 for month in months)}
    added = [0] * (len(months) + 1)
    held: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for span in spans:
        first, last = stay(span.start, span.end, ends)
        if span.currency in plain:
            added[first] += span.monthly_minor
            added[last] -= span.monthly_minor
        else:
            for index in range(first, last):
                held[span.customer, span.currency][index] += span.monthly_minor
    totals = list(accumulate(added))[:-1]
    for (_, code), by_month in held.items():
        for index, minor in by_month.items():
            totals[index] += rounded(minor * months[index].rates[code])
    return totals


def stay(start: datetime, end: datetime | None, ends: Sequence[datetime]) -> tuple[int, int]:
    """Return the months [first, last) at whose end something still runs."""
    last = len(ends) if end is None else bisect_right(ends, end)
    return bisect_right(ends, start), last
