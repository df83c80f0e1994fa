"""What all finished sends earned together, judged only at the looks that were planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kpay.domain import effect_words as words
from kpay.domain.campaign_results import CampaignResults, effects_table
from kpay.domain.document import Column, Document, Table, Text
from kpay.domain.experiment import USUAL_LEVEL, Arm, Effect, pooled_effect
from kpay.domain.looks import Look, looks_so_far, next_look
from kpay.domain.period import instant_text

SEVERAL = (
    "Somebody who got several of them counts in each, in the group drawn for it; groups are drawn "
    "anew each time, so that these people add noise and no bias."
)


@dataclass(frozen=True)
class PooledResults:
    """Finished sends with a held-out group, oldest first, and by name why others are left out.

    `chosen` are the days of the first message that were asked for; then there is no verdict,
    because days picked afterwards can make any list of sends look good.
    """

    base: str
    sends: tuple[CampaignResults, ...]
    left_out: Mapping[str, str]
    level: float
    chosen: tuple[datetime, datetime] | None = None

    def buyers(self, level: float, sends: int | None = None) -> Effect:
        """Return the effect on buyers of the first so many sends, or of all."""
        pairs = [(one.buyers.treated, one.buyers.held_out) for one in self.sends[:sends]]
        return pooled_effect(pairs, level)

    def money(self, currency: str, level: float, sends: int | None = None) -> Effect:
        """Return the effect on revenue in one currency."""
        return pooled_effect([_arms(one, currency) for one in self.sends[:sends]], level)

    @property
    def verdict(self) -> str:
        """Say what the last planned look said, and when the next one is."""
        count = len(self.sends)
        if not count:
            return "No finished send has a held-out group, so nothing can be said yet."
        if self.chosen is not None:
            return "No verdict: days picked afterwards can make any list of sends look good. The whole history is judged."
        coming = next_look(count)
        later = f"The next look comes with {coming.sends - count} more finished sends."
        looks = looks_so_far(count)
        if not looks:
            first = f"Too early: the first verdict is given on {coming.sends} finished sends."
            return f"{first} {later}"
        return f"{self._at(self._telling(looks))} {later}"

    def _telling(self, looks: tuple[Look, ...]) -> Look:
        """Return the last look that showed an effect, else the last one."""
        shown = [look for look in looks if _is_shown(self.buyers(look.level, look.sends))]
        return (shown or list(looks))[-1]

    def _at(self, look: Look) -> str:
        revenue = self.money(self.base, look.level, look.sends).revenue
        first = f"The first {look.sends} sends"
        said = words.verdict(
            self.buyers(look.level, look.sends), revenue, self.base, what=f"{first} together"
        )
        return said if said.startswith(first) else f"{first} together: {said}"

    def to_document(self) -> Document:
        """Show every send, the pooled effect and the verdict."""
        level = self.level
        found = {code: self.money(code, level) for code in self._currencies}
        usual = self.money(self.base, USUAL_LEVEL).revenue
        cost = words.holdout_cost_words(self.buyers(USUAL_LEVEL), usual, self.base)
        missing = "; ".join(f"{name}: {why}" for name, why in self.left_out.items())
        texts = (self.verdict, cost, SEVERAL, f"Not counted: {missing}." if missing else "")
        blocks = (self._table(), effects_table(self.buyers(level), found)) if self.sends else ()
        return Document(
            "kpay.campaign.results/1",
            f"{len(self.sends)} finished {'send' if len(self.sends) == 1 else 'sends'}: what they earned together",
            (*blocks, *(Text(text) for text in texts if text)),
            self._payload(found),
            subtitle="orders of any kind within each send's own window, before refunds",
            next_steps=("kpay campaign list",),
        )

    @property
    def _currencies(self) -> tuple[str, ...]:
        others = {code for one in self.sends for code in one.money} - {self.base}
        return (self.base, *sorted(others))

    def _table(self) -> Table:
        rows = []
        for one in self.sends:
            mailed, rested, effect = one.buyers.treated, one.buyers.held_out, one.buyers.buyers
            people = (mailed.people, rested.people, mailed.buyers, rested.buyers)
            moved = words.points(effect) if effect else None
            rows.append((one.campaign, one.since.date(), *people, moved))
        columns = (
            Column("campaign"),
            Column("first message", "day"),
            Column("mailed", "count"),
            Column("held out", "count"),
            Column("buyers, mailed", "count"),
            Column("buyers, held out", "count"),
            Column(f"more buyers, {words.percent(self.level)}"),
        )
        return Table(columns, tuple(rows))

    def _payload(self, found: Mapping[str, Effect]) -> dict[str, Any]:
        asked, usual = self.buyers(self.level), self.buyers(USUAL_LEVEL)
        money = {code: self.money(code, USUAL_LEVEL) for code in found}
        revenue = {code: words.revenue_json(one, money[code], code) for code, one in found.items()}
        return {
            "campaign": None,
            "treated": asked.treated.people,
            "held_out": asked.held_out.people,
            "outcomes": {
                "buyers": words.buyers_json(asked, usual),
                "revenue_minor": revenue.pop(self.base),
            },
            "other_currencies": list(revenue.values()),
            "detectable_effect": words.detectable_json(usual),
            "holdout_cost": words.holdout_cost_json(usual, money[self.base].revenue),
            "variants": [],
            "verdict": self.verdict,
            "looks": self._looks(),
            "campaigns": [_send_json(one, self.base) for one in self.sends],
            "left_out": [{"campaign": name, "why": why} for name, why in self.left_out.items()],
        }

    def _looks(self) -> dict[str, Any]:
        count = len(self.sends)
        looks = () if self.chosen is not None else looks_so_far(count)
        return {
            "sends": count,
            "next": next_look(count).sends if self.chosen is None else None,
            "made": [
                {
                    "sends": look.sends,
                    "level": look.level,
                    "shows_effect": _is_shown(self.buyers(look.level, look.sends)),
                }
                for look in looks
            ],
        }


def _arms(one: CampaignResults, currency: str) -> tuple[Arm, Arm]:
    """Return a send's arms in a currency; where nobody paid in it, its people stand with nothing."""
    found = one.money.get(currency)
    if found is not None:
        return found.treated, found.held_out
    return Arm(one.buyers.treated.people), Arm(one.buyers.held_out.people)


def _is_shown(buyers: Effect) -> bool:
    found = buyers.buyers
    return found is not None and (found.low > 0 or found.high < 0)


def _send_json(one: CampaignResults, currency: str) -> dict[str, Any]:
    buyers = pooled_effect([(one.buyers.treated, one.buyers.held_out)])
    money = pooled_effect([_arms(one, currency)])
    return {
        "campaign": one.campaign,
        "since": instant_text(one.since),
        "until": instant_text(one.until),
        "treated": one.buyers.treated.people,
        "held_out": one.buyers.held_out.people,
        "outcomes": {
            "buyers": words.buyers_json(buyers, buyers),
            "revenue_minor": words.revenue_json(money, money, currency),
        },
    }
