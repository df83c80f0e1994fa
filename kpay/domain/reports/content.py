"""The content report: what each piece sells, with what, to how many who look, and how it fades."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kpay.domain.document import Metric
from kpay.domain.fading import Pace
from kpay.domain.period import Period
from kpay.domain.reports.content_rows import Looks, PieceLine, Rate, Ratings
from kpay.domain.reports.customer_rows import rounded
from kpay.domain.reports.scope import Scope


@dataclass(frozen=True)
class ContentReport:
    """All pieces that were out or sold in a period, what brought most first, in one currency.

    `refunds`, `looks` and `ratings` are of the whole shop. `others` are orders and net of lines in other
    currencies.
    """

    scope: Scope
    period: Period
    currency: str
    pieces: tuple[PieceLine, ...]
    orders: int
    refunds: Rate
    looks: Looks
    ratings: Ratings
    others: Mapping[str, int]

    @cached_property
    def gross_minor(self) -> int:
        """What all pieces cost before discounts."""
        return sum(piece.sum_in(self.currency).gross_minor for piece in self.pieces)

    @cached_property
    def net_minor(self) -> int:
        """What all pieces brought after discounts, tax and refunds."""
        return sum(piece.sum_in(self.currency).net_minor for piece in self.pieces)

    def in_state(self, *states: Pace) -> int:
        """Count the pieces in any of these states."""
        return sum(
            piece.fading is not None and piece.fading.pace in states for piece in self.pieces
        )

    @property
    def unsold(self) -> int:
        """How many pieces had no order in the period."""
        return sum(not piece.orders for piece in self.pieces)

    def metrics(self) -> dict[str, Metric]:
        """The figures by name, with the unit of each."""
        plain: dict[str, int | float | None] = {
            "pieces": len(self.pieces),
            "pieces_unsold": self.unsold,
            "pieces_faded": self.in_state(Pace.FADED, Pace.SILENT),
            "orders": self.orders,
            "refunded_orders": self.refunds.count,
            "refund_share": self.refunds.share,
            "visits": self.looks.visits,
            "conversion_share": self.looks.rate.share,
            "ratings": self.ratings.count,
            "rating_mean": rounded(self.ratings.mean),
        }
        return {
            **{name: Metric(value) for name, value in plain.items()},
            "gross": Metric(self.gross_minor, self.currency),
            "net": Metric(self.net_minor, self.currency),
        }

    def payload(self) -> dict[str, Any]:
        """The object of `--json`."""
        return {
            **self.scope.head(self.period),
            "currency": self.currency,
            "orders": self.orders,
            "gross_minor": self.gross_minor,
            "net_minor": self.net_minor,
            "pieces_unsold": self.unsold,
            "pieces_faded": self.in_state(Pace.FADED, Pace.SILENT),
            "refunded_orders": self.refunds.count,
            "refund": self.refunds.to_json(),
            "visits": self.looks.visits,
            "conversion": self.looks.rate.to_json(),
            "reviews": self.ratings.to_json(),
            "other_currencies": {code: {"net_minor": net} for code, net in self.others.items()},
            "pieces": [piece.to_json(self.currency, self.net_minor) for piece in self.pieces],
        }

    def next_steps(self) -> tuple[str, ...]:
        """What can be typed next."""
        if not self.pieces:
            return ("kpay publish", "kpay sync")
        first = self.pieces[0].content
        steps = [f"kpay report content --explain gross:{first}"] if first.strip() == first else []
        if self.looks.source is None:
            steps.append("kpay import traffic FILE")
        if not self.ratings.count:
            steps.append("kpay import feedback FILE")
        return tuple(steps)
