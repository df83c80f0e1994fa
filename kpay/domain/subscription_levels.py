"""How high monthly recurring revenue stands at a moment, or just before each of many."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import accumulate

from kpay.domain.subscription_facts import rounded
from kpay.domain.subscription_spans import Span

Rates = Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class Held:
    """What one customer pays a month in one currency, through which subscriptions, since when."""

    customer: str
    currency: str
    monthly_minor: int
    subscriptions: tuple[str, ...]
    since: datetime


def held_before(spans: Iterable[Span], moment: datetime) -> list[Held]:
    """Return what everybody pays just before a moment, by customer and currency."""
    found: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for span in spans:
        if span.start < moment and (span.end is None or moment <= span.end):
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


def worth(minor: int, rate: Fraction) -> int:
    """Return an amount in the base currency, rounded half up."""
    return minor if rate == 1 else rounded(minor * rate)


def mrr_over(
    spans: Iterable[Span], moments: Sequence[datetime], rates_at: Callable[[datetime], Rates]
) -> list[int]:
    """Return MRR just before each of some moments, in any order, in one pass over the spans."""
    ordered = sorted(set(moments))
    levels = mrr_before(spans, ordered, [rates_at(moment) for moment in ordered])
    found = dict(zip(ordered, levels, strict=True))
    return [found[moment] for moment in moments]


def mrr_before(
    spans: Iterable[Span], moments: Sequence[datetime], rates: Sequence[Rates]
) -> list[int]:
    """Return MRR just before each of some moments, which ascend, each with its rates."""
    codes = {code for each in rates for code in each}
    plain = {code for code in codes if all(each.get(code) == 1 for each in rates)}
    added = [0] * (len(moments) + 1)
    held: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for span in spans:
        first = bisect_right(moments, span.start)
        last = len(moments) if span.end is None else bisect_right(moments, span.end)
        if span.currency in plain:
            added[first] += span.monthly_minor
            added[last] -= span.monthly_minor
        else:
            for index in range(first, last):
                held[span.customer, span.currency][index] += span.monthly_minor
    totals = list(accumulate(added))[:-1]
    for (_, code), by_moment in held.items():
        for index, minor in by_moment.items():
            totals[index] += worth(minor, rates[index][code])
    return totals
