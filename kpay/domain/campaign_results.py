"""What a campaign really earned, in figures and in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kpay.domain.document import Cell, Column, Document, Table, Text
from kpay.domain.experiment import USUAL_LEVEL, Effect, Interval, effect
from kpay.domain.holdout import smallest_effect
from kpay.domain.money import Money, format_minor
from kpay.domain.period import instant_text


@dataclass(frozen=True, slots=True)
class ByLink:
    """Who bought by the links of a campaign's own mail; paid sums are by currency."""

    buyers: int = 0
    orders: int = 0
    paid_minor: Mapping[str, int] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """Say what this is, and what it is not."""
        if not self.orders:
            return "Nobody bought by a link of the mail itself."
        people = f"{self.buyers:,} {'person' if self.buyers == 1 else 'people'}"
        paid = " and ".join(
            format_minor(minor, currency) for currency, minor in sorted(self.paid_minor.items())
        )
        return (
            f"{people} bought by a link of the mail itself, for {paid}. That is where they came "
            "from, not what the mail caused: some would have bought anyway, others came another way."
        )

    def to_json(self) -> dict[str, Any]:
        """Return the key `by_link`."""
        paid = [
            {"currency": code, "minor": minor} for code, minor in sorted(self.paid_minor.items())
        ]
        return {"buyers": self.buyers, "orders": self.orders, "paid": paid}


@dataclass(frozen=True, slots=True)
class CampaignResults:
    """Effects at the level asked for; `base` is the currency that the verdict is about.

    Buyers are people with a paid order of any kind and currency within the window; money is what
    they paid, before refunds. People count in the arm they were drawn into, reached or not.
    """

    campaign: str
    base: str
    since: datetime
    until: datetime
    is_over: bool
    buyers: Effect
    money: Mapping[str, Effect]
    by_link: ByLink = ByLink()

    @property
    def verdict(self) -> str:
        """Say in one or two sentences what is known; from buyers, which tell most."""
        share = f"{self.buyers.level * 100:g} %"
        found = self.buyers.buyers
        if found is None:
            return "Nobody was held out, so what the mail caused cannot be known."
        if found.low > 0:
            return f"The mail sold: the share of buyers rose by {_points(found)} ({share})."
        if found.high < 0:
            return f"The mail cost sales: the share of buyers moved by {_points(found)} ({share})."
        return (
            f"No effect is shown: the share of buyers moved by {_points(found)} ({share}). "
            f"{self._can_show()}"
        )

    def _can_show(self) -> str:
        arms = self.buyers.treated, self.buyers.held_out
        base = arms[1].share or arms[0].share
        least = smallest_effect(arms[0].people, arms[1].people, base)
        if not least:
            return "Nobody bought, so nothing can be said about money."
        return f"One send to this list can show only {100 * least:.2f} points or more."

    def to_document(self) -> Document:
        """Show both arms, the difference, and the money it was worth."""
        return Document(
            "kpay.campaign.results/1",
            f"{self.campaign}: what it earned",
            (self._arms(), self._effects(), Text(self.verdict), Text(self.by_link.sentence)),
            self._payload(),
            subtitle=(
                f"{instant_text(self.since)} to {instant_text(self.until)}"
                f"{'' if self.is_over else ', still running'}; orders of any kind, before refunds"
            ),
            next_steps=("kpay report",) if self.is_over else ("kpay sync",),
        )

    def _arms(self) -> Table:
        rows: list[tuple[Cell, ...]] = []
        for name, at in (("mailed", "treated"), ("held out", "held_out")):
            arm = getattr(self.buyers, at)
            spent = getattr(self.money[self.base], at).total_minor
            rows.append((name, arm.people, arm.buyers, arm.share, Money(spent, self.base)))
        return Table(
            (
                Column("group"),
                Column("people", "count"),
                Column("buyers", "count"),
                Column("share", "share"),
                Column("paid", "money"),
            ),
            tuple(rows),
        )

    def _effects(self) -> Table:
        rows: list[tuple[Cell, ...]] = []
        if self.buyers.buyers is not None:
            found = self.buyers.buyers
            rows.append(("more buyers, share", *(f"{value:+.2%}" for value in _three(found))))
        for currency, one in self.money.items():
            if one.revenue is not None:
                amounts = (format_minor(round(v), currency) for v in _three(one.revenue))
                rows.append((f"more revenue, {currency.upper()}", *amounts))
        level = f"{self.buyers.level * 100:g} %"
        columns = (
            Column("caused by the mail"),
            Column("estimate", "number"),
            Column(f"low, {level}", "number"),
            Column(f"high, {level}", "number"),
        )
        return Table(columns, tuple(rows))

    def _payload(self) -> dict[str, Any]:
        others = [self._money(currency) for currency in self.money if currency != self.base]
        return {
            "campaign": self.campaign,
            "treated": self.buyers.treated.people,
            "held_out": self.buyers.held_out.people,
            "outcomes": {"buyers": self._buyers(), "revenue_minor": self._money(self.base)},
            "other_currencies": others,
            "variants": [],
            "verdict": self.verdict,
            "by_link": self.by_link.to_json(),
            "window": {
                "start": instant_text(self.since),
                "end": instant_text(self.until),
                "is_over": self.is_over,
            },
        }

    def _buyers(self) -> dict[str, Any]:
        asked, usual = self.buyers, _usual(self.buyers)
        return {
            "treated": asked.treated.buyers,
            "held_out": asked.held_out.buyers,
            "treated_share": asked.treated.share,
            "held_out_share": asked.held_out.share if asked.held_out.people else None,
            "effect": asked.buyers.estimate if asked.buyers else None,
            "low95": usual.buyers.low if usual.buyers else None,
            "high95": usual.buyers.high if usual.buyers else None,
            "level": asked.level,
            "low": asked.buyers.low if asked.buyers else None,
            "high": asked.buyers.high if asked.buyers else None,
        }

    def _money(self, currency: str) -> dict[str, Any]:
        asked = self.money[currency]
        revenue, usual = asked.revenue, _usual(asked).revenue
        return {
            "treated_mean": _mean(asked.treated.total_minor, asked.treated.people),
            "held_out_mean": _mean(asked.held_out.total_minor, asked.held_out.people),
            "incremental_total": round(revenue.estimate) if revenue else None,
            "low95": round(usual.low) if usual else None,
            "high95": round(usual.high) if usual else None,
            "currency": currency,
            "level": asked.level,
            "low": round(revenue.low) if revenue else None,
            "high": round(revenue.high) if revenue else None,
        }


def _usual(asked: Effect) -> Effect:
    return effect(asked.treated, asked.held_out, USUAL_LEVEL)


def _mean(total: int, people: int) -> float | None:
    return total / people if people else None


def _three(found: Interval) -> tuple[float, float, float]:
    return found.estimate, found.low, found.high


def _points(found: Interval) -> str:
    points = (f"{100 * share:+.2f}" for share in _three(found))
    return "{} points, between {} and {}".format(*points)
