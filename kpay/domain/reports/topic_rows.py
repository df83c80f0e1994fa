"""The rows of the topics report: a topic with its signs, and a proposed piece with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kpay.domain.reports.customer_rows import share


@dataclass(frozen=True, slots=True)
class Index:
    """How much is wanted beside what is on sale; 1 is the mean piece; with its 80 % range."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Return value and range."""
        return {"index": self.value, "low80": self.low, "high80": self.high}


@dataclass(frozen=True, slots=True)
class TopicLine:
    """A topic's supply and the signs of demand; an index is None where there is no such sign.

    A piece with several topics counts in each. `fading` are pieces on sale that have faded.
    """

    topic: str
    pieces: int
    newest_age_days: int | None
    fading: int
    orders: int
    net_minor: int
    visits: int | None
    asking: int
    sales: Index | None
    looks: Index | None
    asks: Index | None
    demand: Index | None

    @property
    def verdict(self) -> str:
        """Say on which side of the mean piece the demand surely is."""
        if self.demand is None:
            return ""
        if self.demand.low > 1:
            return "more wanted than offered"
        return "less wanted" if self.demand.high < 1 else ""

    def to_json(self, net_minor: int) -> dict[str, Any]:
        """Return the keys of a topic."""
        return {
            "topic": self.topic,
            "pieces": self.pieces,
            "newest_age_days": self.newest_age_days,
            "pieces_faded": self.fading,
            "orders": self.orders,
            "net_minor": self.net_minor,
            "revenue_share": share(self.net_minor, net_minor),
            "visits": self.visits,
            "people_asking": self.asking,
            "sales": self.sales and self.sales.to_json(),
            "looks": self.looks and self.looks.to_json(),
            "asks": self.asks and self.asks.to_json(),
            "demand": self.demand and self.demand.to_json(),
            "verdict": self.verdict or None,
        }


@dataclass(frozen=True, slots=True)
class Proposal:
    """A piece that could be made: its topic, kind and price, and what its first 90 days may bring.

    `launches` is how many launches of the shop the range rests on.
    """

    topic: str
    kind: str
    price_minor: int
    orders: float
    mid_minor: int
    low_minor: int
    high_minor: int
    launches: int
    reasons: tuple[str, ...]
    pieces: tuple[str, ...]

    def to_json(self, currency: str) -> dict[str, Any]:
        """Return the keys of a proposal."""
        return {
            "topic": self.topic,
            "kind": self.kind,
            "price_minor": self.price_minor,
            "currency": currency,
            "days": 90,
            "orders": self.orders,
            "revenue_minor": self.mid_minor,
            "low80_minor": self.low_minor,
            "high80_minor": self.high_minor,
            "launches": self.launches,
            "evidence": list(self.reasons),
            "pieces": list(self.pieces),
        }
