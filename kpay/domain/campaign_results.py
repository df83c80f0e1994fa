"""What a campaign really earned, in figures and in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from kpay.domain import effect_words as words
from kpay.domain.document import Cell, Column, Document, Table, Text
from kpay.domain.experiment import USUAL_LEVEL, Effect, effect
from kpay.domain.money import Money, format_minor
from kpay.domain.period import instant_text
from kpay.domain.variant_results import SubjectTrial

WINDOW_DAYS: Final = 14
"""How long after its first message a send is measured, fixed before anything is seen."""


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


@dataclass(frozen=True)
class CampaignResults:
    """Effects at the level asked for; `base` is the currency that the verdict is about.

    Buyers are people with a paid order of any kind and currency within the window; money is what
    they paid, before refunds. People count in the arm they were drawn into, reached or not.
    `ends_at` is the end of a window that is not over yet. `worth` is what the value rule found when
    the campaign was planned.
    """

    campaign: str
    base: str
    since: datetime
    until: datetime
    is_over: bool
    buyers: Effect
    money: Mapping[str, Effect]
    by_link: ByLink = ByLink()
    trial: SubjectTrial | None = None
    ends_at: datetime | None = None
    is_planned_window: bool = True
    worth: Mapping[str, Any] | None = None

    @property
    def verdict(self) -> str:
        """Say in plain words what is known: once, when the planned window is over, at 95 %."""
        usual = _usual(self.buyers)
        if usual.buyers is None:
            return words.NOT_KNOWABLE
        if not self.is_planned_window:
            return (
                f"No verdict: it is given on the {WINDOW_DAYS} days that were fixed beforehand. Windows "
                "tried one after another would find an effect by luck."
            )
        if not self.is_over:
            return (
                f"Too early: the verdict is given once, after {instant_text(self.ends_at or self.until)}. "
                f"Until then the range is one of {words.percent(self.buyers.level)}, so wide that it "
                "may be looked at daily."
            )
        revenue = _usual(self.money[self.base]).revenue
        return words.verdict(usual, revenue, self.base, what="The mail")

    def to_document(self) -> Document:
        """Show both arms, the difference, the money it was worth, and how the subjects did."""
        trial = (self.trial.to_table(),) if self.trial else ()
        texts = (self.verdict, self._cost(), self._spared(), self.by_link.sentence)
        return Document(
            "kpay.campaign.results/1",
            f"{self.campaign}: what it earned",
            (
                self._arms(),
                effects_table(self.buyers, self.money),
                *trial,
                *(Text(text) for text in texts if text),
            ),
            self._payload(),
            subtitle=(
                f"{instant_text(self.since)} to {instant_text(self.until)}"
                f"{'' if self.is_over else ', still running'}; orders of any kind, before refunds"
            ),
            next_steps=("kpay report",) if self.is_over else ("kpay sync",),
        )

    def _cost(self) -> str:
        if not self.is_over:
            return ""
        revenue = _usual(self.money[self.base]).revenue
        return words.holdout_cost_words(_usual(self.buyers), revenue, self.base)

    def _spared(self) -> str:
        """Say what was made by not sending, where the value rule left people out."""
        if not self.worth or not self.worth["low_value"]:
            return ""
        count, avoided = self.worth["low_value"], self.worth["loss_avoided_minor"]
        people = f"{count:,} {'person' if count == 1 else 'people'}"
        if avoided is None:
            return (
                f"{people} got no mail because it was not worth it; without scores no sum is known."
            )
        return (
            f"Not sending to {people} made about {format_minor(avoided, self.worth['currency'])}: the "
            "plan's estimate of what their leaving would have cost beyond what the mail would have sold."
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

    def _payload(self) -> dict[str, Any]:
        usual, money = _usual(self.buyers), self.money
        revenue = _usual(money[self.base]).revenue
        return {
            "campaign": self.campaign,
            "treated": self.buyers.treated.people,
            "held_out": self.buyers.held_out.people,
            "outcomes": {
                "buyers": words.buyers_json(self.buyers, usual),
                "revenue_minor": words.revenue_json(
                    money[self.base], _usual(money[self.base]), self.base
                ),
            },
            "other_currencies": [
                words.revenue_json(money[code], _usual(money[code]), code)
                for code in money
                if code != self.base
            ],
            "detectable_effect": words.detectable_json(usual),
            "holdout_cost": words.holdout_cost_json(usual, revenue),
            "variants": self.trial.to_json() if self.trial else [],
            "variants_regret": self.trial.regret_json() if self.trial else None,
            "verdict": self.verdict,
            "by_link": self.by_link.to_json(),
            "worth": self.worth,
            "window": {
                "start": instant_text(self.since),
                "end": instant_text(self.until),
                "is_over": self.is_over,
            },
        }


def effects_table(buyers: Effect, money: Mapping[str, Effect]) -> Table:
    """Show what the mail caused, each with its range at the level asked for."""
    rows: list[tuple[Cell, ...]] = []
    if buyers.buyers is not None:
        shares = (f"{value:+.2%}" for value in words.three(buyers.buyers))
        rows.append(("more buyers, share", *shares))
    for currency, one in money.items():
        if one.revenue is not None:
            amounts = (format_minor(round(v), currency) for v in words.three(one.revenue))
            rows.append((f"more revenue, {currency.upper()}", *amounts))
    level = words.percent(buyers.level)
    columns = (
        Column("caused by the mail"),
        Column("estimate", "number"),
        Column(f"low, {level}", "number"),
        Column(f"high, {level}", "number"),
    )
    return Table(columns, tuple(rows))


def _usual(asked: Effect) -> Effect:
    return effect(asked.treated, asked.held_out, USUAL_LEVEL)
