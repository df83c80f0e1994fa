"""What the content report says of one piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from kpay.domain.experiment import critical_value, wilson
from kpay.domain.fading import LEVEL, Fading
from kpay.domain.money import Money
from kpay.domain.reports.customer_rows import rounded, share

NOT_NAMED: Final = "(no piece named)"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many, with Wilson's 95 % range; all None where nothing could be counted."""

    count: int
    of: int

    @property
    def share(self) -> float | None:
        """The share; None of nothing, and where more came than there were (counted differently)."""
        return None if self.count > self.of else share(self.count, self.of)

    @property
    def range(self) -> tuple[float | None, float | None]:
        """The low and the high end."""
        low, high = self._range(LEVEL)
        return rounded(low), rounded(high)

    def against(self, usual: float | None, looks: int) -> str:
        """Say where a usual share lies: "more", "fewer", or "" where chance alone may do that.

        With many pieces looked at, one of them would always stand out: the error is shared among them.
        """
        low, high = self._range(1 - (1 - LEVEL) / max(1, looks))
        if usual is None or low is None or high is None:
            return ""
        return "more" if low > usual else "fewer" if high < usual else ""

    def _range(self, level: float) -> tuple[float | None, float | None]:
        if self.share is None:
            return None, None
        return wilson(self.count, self.of, critical_value(level))

    def to_json(self) -> dict[str, Any]:
        """Return the share and its range."""
        low, high = self.range
        return {"share": self.share, "low95": low, "high95": high}


@dataclass(frozen=True, slots=True)
class Sums:
    """What a piece brought in one currency; net is after discounts, tax and refunds, before fees."""

    gross_minor: int = 0
    net_minor: int = 0


@dataclass(frozen=True, slots=True)
class Looks:
    """Who looked at a piece, on the days on which that was counted, and how many bought on them.

    `source` says how: "traffic" (anonymous visits) or "events" (known people); None where nobody did.
    """

    source: str | None = None
    visits: int | None = None
    clicks: int | None = None
    purchases: int | None = None

    @property
    def rate(self) -> Rate:
        """Purchases of visits."""
        return Rate(self.purchases or 0, self.visits or 0)


@dataclass(frozen=True, slots=True)
class Ratings:
    """What buyers gave: `shrunk` is the mean drawn towards everybody's, `top` how far stars go."""

    count: int = 0
    mean: float | None = None
    shrunk: float | None = None
    unhappy: int = 0
    top: int = 5

    def to_json(self) -> dict[str, Any]:
        """Return the keys of the ratings."""
        return {
            "count": self.count,
            "rating_mean": rounded(self.mean),
            "rating_shrunk": rounded(self.shrunk),
            "rating_top": self.top,
            "unhappy_share": share(self.unhappy, self.count),
        }


@dataclass(frozen=True, slots=True)
class PieceLine:
    """Everything about one piece in the period; `content` is its slug or the product's name.

    `together` of `baskets` (orders without renewals) held something else too; `also` of `buyers` (known
    people, ever) bought something else at any time, most often `often_with`.
    """

    content: str
    title: str
    kind: str | None
    published: date | None
    orders: int
    renewals: int
    sums: Mapping[str, Sums]
    baskets: int
    together: int
    buyers: int
    also: int
    often_with: str | None
    refunds: Rate
    looks: Looks
    ratings: Ratings
    fading: Fading | None

    @property
    def name(self) -> str:
        """What it is called where people read."""
        return self.title or self.content or NOT_NAMED

    def money_in(self, currency: str) -> tuple[Money | None, Money | None]:
        """Return gross and net to be shown; a dash where it was bought in other currencies only."""
        if self.orders and currency not in self.sums:
            return None, None
        mine = self.sum_in(currency)
        return Money(mine.gross_minor, currency), Money(mine.net_minor, currency)

    def sum_in(self, currency: str) -> Sums:
        """Return what it brought in a currency."""
        return self.sums.get(currency, Sums())

    def to_json(self, currency: str, net_minor: int) -> dict[str, Any]:
        """Return the keys of a piece; `net_minor` is what all pieces brought in the currency."""
        mine, looks = self.sum_in(currency), self.looks
        return {
            "content": self.content,
            "title": self.title,
            "kind": self.kind,
            "published": self.published.isoformat() if self.published else None,
            "orders": self.orders,
            "renewals": self.renewals,
            "gross_minor": mine.gross_minor,
            "net_minor": mine.net_minor,
            "revenue_share": share(mine.net_minor, net_minor),
            "other_currencies": {
                code: {"gross_minor": one.gross_minor, "net_minor": one.net_minor}
                for code, one in sorted(self.sums.items())
                if code != currency
            },
            "attach_share": share(self.together, self.baskets),
            "buyers": self.buyers,
            "buyers_of_others_share": share(self.also, self.buyers),
            "often_with": self.often_with,
            "refunded_orders": self.refunds.count,
            "refund": self.refunds.to_json(),
            "looks": {
                "source": looks.source,
                "visits": looks.visits,
                "clicks": looks.clicks,
                "purchases": looks.purchases,
                "conversion": looks.rate.to_json(),
            },
            "reviews": self.ratings.to_json(),
            "decay": _decay(self.fading),
        }


def _decay(fading: Fading | None) -> dict[str, Any] | None:
    if fading is None:
        return None
    return {
        "state": fading.pace.value,
        "age_days": fading.age_days,
        "first_90d_orders": fading.first_orders,
        "last_90d_orders": fading.recent_orders,
        "stretch_days": fading.stretch_days,
        "half_life_days": fading.half_life_days,
        "half_life_low95_days": fading.half_life_low,
        "half_life_high95_days": fading.half_life_high,
    }
