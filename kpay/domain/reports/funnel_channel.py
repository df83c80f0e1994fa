"""One source of a funnel, or all of a kind together: its steps now and before, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Literal

from kpay.domain import funnel
from kpay.domain.document import Kind, Metric
from kpay.domain.experiment import Interval
from kpay.domain.funnel import CLICK, CONVERSION, ORDER, PURCHASE, REACH, Steps
from kpay.domain.money import Money

TENTH: Final = Fraction(1, 10)
WORDS: Final = {
    REACH: "reach",
    CLICK: "click rate",
    PURCHASE: "purchase rate",
    CONVERSION: "orders per contact",
    ORDER: "order value",
}
RATES: Final = (CLICK, PURCHASE, CONVERSION)
FIGURE_KINDS: Final[dict[str, Kind]] = {REACH: "count", ORDER: "money"}
ChannelKind = Literal["all", "site", "mail"]


@dataclass(frozen=True, slots=True)
class Channel:
    """The steps of one source, or of all of a kind together, now and in the period before."""

    name: str
    kind: ChannelKind
    now: Steps
    before: Steps

    def to_json(self, currency: str) -> dict[str, Any]:
        """Return counts, factors with their ranges, the split change, and what a tenth more is worth."""
        now = self.now
        return {
            "source": self.name,
            "kind": self.kind,
            "currency": currency,
            **_counts_json(now),
            **{key: cell for name in RATES for key, cell in _rate_json(now, name).items()},
            **_order_json(now),
            "not_given": [
                {"factor": name, "why": why} for name, why in sorted(now.refused.items())
            ],
            "before": _counts_json(self.before),
            "change": _change_json(self),
            "ten_percent_more": _worth_json(now),
        }

    def metrics(self, currency: str) -> dict[str, Metric]:
        """Return the counts and factors by name."""
        now = self.now
        return {
            "reach": Metric(now.reach),
            "clicks": Metric(now.clicks),
            "orders": Metric(now.orders),
            "revenue": Metric(now.paid_minor, currency),
            **{name: Metric(as_float(now.factor(name))) for name in RATES},
            "order_value": Metric(rounded(now.factor(ORDER)), currency),
        }


def _counts_json(steps: Steps) -> dict[str, int | None]:
    return {
        "reach": steps.reach,
        "clicks": steps.clicks,
        "orders": steps.orders,
        "revenue_minor": steps.paid_minor,
    }


def _rate_json(steps: Steps, name: str) -> dict[str, float | None]:
    estimate, low, high = share_cells(steps.interval(name))
    stem = name.removesuffix("_share")
    return {name: estimate, f"{stem}_low95": low, f"{stem}_high95": high}


def _order_json(steps: Steps) -> dict[str, int | None]:
    found = steps.interval(ORDER)
    low, high = (round(found.low), round(found.high)) if found else (None, None)
    return {
        "order_value_minor": rounded(steps.factor(ORDER)),
        "order_value_low95_minor": low,
        "order_value_high95_minor": high,
    }


def _change_json(channel: Channel) -> dict[str, int | None]:
    parts = funnel.change_parts(channel.before, channel.now) or {}
    names = (*funnel.FOUR, CONVERSION)
    total = sum(parts.values()) if parts else None
    return {"revenue_minor": total, **{f"{name}_minor": parts.get(name) for name in names}}


def _worth_json(steps: Steps) -> dict[str, dict[str, int] | None]:
    def told(names: Sequence[str]) -> dict[str, int] | None:
        found = funnel.worth_of(steps, names, TENTH) if names else None
        if found is None:
            return None
        low, high = round(found.low), round(found.high)
        return {"revenue_minor": round(found.estimate), "low95_minor": low, "high95_minor": high}

    each = {name: told((name,)) for name in (*funnel.FOUR, CONVERSION)}
    return {**each, "all": told(steps.known_factors())}


def money_cell(minor: int | None, currency: str) -> Money | None:
    """Return an amount as a cell; None stays None."""
    return None if minor is None else Money(minor, currency)


def money_cells(found: Interval | None, currency: str) -> tuple[Money | None, ...]:
    """Return an amount with its range as cells."""
    if found is None:
        return (None, None, None)
    return tuple(Money(round(value), currency) for value in (found.estimate, found.low, found.high))


def share_cells(found: Interval | None) -> tuple[float | None, ...]:
    """Return a rate with its range as cells."""
    if found is None:
        return (None, None, None)
    return tuple(round(value, 6) for value in (found.estimate, found.low, found.high))


def as_float(value: Fraction | None) -> float | None:
    """Return an exact number as a figure of a report."""
    return None if value is None else round(float(value), 6)


def rounded(value: Fraction | None) -> int | None:
    """Return an exact amount in whole minor units."""
    return None if value is None else round(value)
