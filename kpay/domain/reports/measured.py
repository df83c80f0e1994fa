"""What the summary is made of: figures beside the days before, what sold, what was bought last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kpay.domain.document import Kind
from kpay.domain.money import Money
from kpay.domain.reports.mrr_rates import SHARE_DIGITS
from kpay.domain.revenue import Takings


@dataclass(frozen=True, slots=True)
class Seller:
    """A piece of content (or a product by name) and what its sale brought, before discounts."""

    content: str
    title: str
    orders: int
    gross_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class RecentOrder:
    """One of the newest orders; `title` is its first line of `lines`."""

    order: str
    ordered_at: datetime
    title: str
    lines: int
    total_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure now, in the same span before and a year before; None where it is not defined.

    Money is in minor units of `currency`, which only money has. A change is a share of the earlier value, and None when that span was
    not wholly lived (the first sale lies inside it or later) or had nothing.
    """

    name: str
    label: str
    kind: Kind
    now: int | None
    before: int | None
    year_before: int | None
    line: tuple[float, ...] = ()
    lived: tuple[bool, bool] = (True, True)
    currency: str | None = None

    @property
    def shown(self) -> int | Money | None:
        """The figure as a cell."""
        if self.now is None or self.currency is None:
            return self.now
        return Money(self.now, self.currency)

    @property
    def change(self) -> float | None:
        """The change against the span before."""
        return _change(self.now, self.before) if self.lived[0] else None

    @property
    def year_change(self) -> float | None:
        """The change against the year before."""
        return _change(self.now, self.year_before) if self.lived[1] else None


def _change(now: int | None, earlier: int | None) -> float | None:
    if now is None or not earlier or earlier < 0:
        return None
    return round((now - earlier) / earlier, SHARE_DIGITS)


def mean_minor(takings: Takings) -> int | None:
    """Return the mean of what an order cost after discounts, or None without an order."""
    if not takings.orders:
        return None
    total = takings.gross_minor - takings.discounts_minor
    return (2 * total + takings.orders) // (2 * takings.orders)
