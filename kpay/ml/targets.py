"""What is predicted: a purchase of anything, of one piece, a subscription that goes on, a refund.

A target says whom it is about at a cutoff, what counts as having happened in the horizon, and what is
believed before any column is looked at: BG/NBD for a purchase, the survival of renewals for renewal,
how strongly pieces draw for one of them, and the rate of the past for the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import numpy as np

from kpay.ml import pull, survival
from kpay.ml.frames import Flags, Floats, Ints
from kpay.ml.history import History
from kpay.ml.logistic import Logistic, logit
from kpay.ml.survival import Survival

Kind = Literal["purchase", "content", "renewal", "refund"]
NAMES: Final = ("purchase", "content:SLUG", "renewal", "refund")
REFUNDABLE_DAYS: Final = 60
LONGEST_LOOK_DAYS: Final = 180  # back, for the rate of the past


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of a target before its own columns.

    A survival of renewals; how strongly a piece draws; or one rate for all.
    """

    a_day: float = 0.0
    staying: Survival | None = None
    drawn: Logistic | None = None
    slug: str = ""

    def log_odds(
        self, past: History, customers: Ints, bg_logit: Floats, cutoff: int, horizon_days: int
    ) -> Floats:
        """Return the log odds of each customer's event within the horizon.

        `bg_logit` are those of a purchase of anything.
        """
        if self.drawn is not None:
            columns = pull.columns(past, self.slug, customers, bg_logit, cutoff)
            return self.drawn.log_odds(columns)
        if self.staying is None:
            chance = -np.expm1(-self.a_day * horizon_days)
            return logit(np.full(len(customers), chance))
        known, stays = self.staying.stays(past.spans, cutoff, horizon_days)
        by_customer = np.zeros(len(past.purchases.customer_ids))
        by_customer[known] = stays
        return logit(by_customer[customers])

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "a_day": self.a_day,
            "staying": self.staying.to_dict() if self.staying else None,
            "drawn": self.drawn.to_dict() if self.drawn else None,
            "slug": self.slug,
        }

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        staying, drawn = saved["staying"], saved["drawn"]
        return cls(
            float(saved["a_day"]),
            Survival.from_dict(staying) if staying else None,
            Logistic.from_dict(drawn) if drawn else None,
            saved["slug"],
        )


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to predict; `slug` names the piece of a content target."""

    kind: Kind
    slug: str = ""

    @property
    def name(self) -> str:
        """The name that `parse` reads."""
        return f"content:{self.slug}" if self.kind == "content" else self.kind

    @property
    def prior_column(self) -> str:
        """The column that holds the log odds believed before any other column."""
        return "bg_logit" if self.kind == "purchase" else "prior_logit"

    def eligible(self, past: History, cutoff: int) -> Flags:
        """Return whom the target is about, one flag for each customer id.

        A content target: while it is on sale, all who have not bought it; renewal: who has an active
        subscription; refund: who bought in the 60 days before; purchase: everybody.
        """
        size = len(past.purchases.customer_ids)
        if self.kind == "renewal":
            going_on = (past.spans.start < cutoff) & (past.spans.end >= cutoff)
            return _flags(past.spans.customer[going_on], size)
        if self.kind == "refund":
            recent = past.purchases.day >= cutoff - REFUNDABLE_DAYS
            return _flags(past.purchases.customer[recent & (past.purchases.day < cutoff)], size)
        if self.kind == "content":
            piece = self._piece(past)
            if not past.pieces.on_sale(cutoff)[piece]:
                return np.zeros(size, dtype=bool)
            owned = (past.bought.content == piece) & (past.bought.day < cutoff)
            return ~_flags(past.bought.customer[owned], size)
        return np.ones(size, dtype=bool)

    def happened(self, everything: History, cutoff: int, horizon_days: int) -> Flags:
        """Return to whom it happened on a day in [cutoff, cutoff + horizon), one flag a customer id.

        Renewal: a subscription active at the cutoff is still active when the horizon ends.
        """
        size, until = len(everything.purchases.customer_ids), cutoff + horizon_days
        if self.kind == "renewal":
            spans = everything.spans
            stayed = (spans.start < cutoff) & (spans.end >= until)
            return _flags(spans.customer[stayed], size)
        if self.kind == "purchase":
            customer, day = everything.purchases.customer, everything.purchases.day
        elif self.kind == "refund":
            customer, day = everything.of("refund").customer, everything.of("refund").day
        else:
            is_piece = everything.bought.content == self._piece(everything)
            customer, day = everything.bought.customer[is_piece], everything.bought.day[is_piece]
        return _flags(customer[(day >= cutoff) & (day < until)], size)

    def labels(
        self, everything: History, customers: Ints, cutoff: int, horizon_days: int
    ) -> Floats:
        """Return 1.0 for each of some customers to whom it happened."""
        return self.happened(everything, cutoff, horizon_days)[customers].astype(float)

    def prior(self, past: History, cutoff: int, horizon_days: int) -> Prior | None:
        """Learn what is believed beforehand from what was known at the cutoff; None for a purchase."""
        if self.kind == "purchase":
            return None
        if self.kind == "renewal":
            return Prior(staying=survival.fit(past.spans, cutoff))
        if self.kind == "content" and (drawn := pull.learn(past, cutoff, horizon_days)):
            return Prior(drawn=drawn, slug=self.slug)
        known_days = cutoff - past.purchases.first_day
        look_days = max(1, min(LONGEST_LOOK_DAYS, known_days // 2))
        then = past.before(cutoff - look_days)
        has_bought = _flags(then.purchases.customer, len(then.purchases.customer_ids))
        asked = self.eligible(then, cutoff - look_days) & has_bought
        events = float((self.happened(past, cutoff - look_days, look_days) & asked).sum())
        share = (events + 0.5) / (float(asked.sum()) + 1.0 + look_days / horizon_days)
        return Prior(a_day=float(-np.log1p(-min(share, 0.99)) / look_days))

    def check(self, everything: History) -> None:
        """Raise ValueError when the history holds no such piece, or nothing of that kind."""
        if self.kind == "content":
            self._piece(everything)
        if self.kind == "renewal" and not len(everything.spans):
            raise ValueError("there is no subscription to learn from")

    def _piece(self, everything: History) -> int:
        if self.slug not in everything.pieces.slug:
            raise ValueError(f"no content {self.slug!r} is known")
        return everything.pieces.slug.index(self.slug)


PURCHASE: Final = Target("purchase")
WITHOUT_SLUG: Final = {
    "purchase": PURCHASE,
    "renewal": Target("renewal"),
    "refund": Target("refund"),
}


def parse(name: str) -> Target:
    """Read a target's name; raise ValueError, naming those that are known, for another."""
    kind, _, slug = name.partition(":")
    if kind == "content" and slug:
        return Target("content", slug)
    if name in WITHOUT_SLUG:
        return WITHOUT_SLUG[name]
    raise ValueError(f"{name!r} is no target: {', '.join(NAMES)}")


def _flags(customer: Ints, size: int) -> Flags:
    found = np.zeros(size, dtype=bool)
    found[customer] = True
    return found
