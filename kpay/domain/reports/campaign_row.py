"""One campaign, or all finished ones together, as a report shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kpay.domain.campaign_results import CampaignResults
from kpay.domain.experiment import Effect, Interval
from kpay.domain.money import format_minor
from kpay.domain.period import instant_text


@dataclass(frozen=True)
class Earned:
    """What mail caused and cost: effects at 95 %, costs by currency.

    `net` is about money after tax, refunds, lost money and fees; `left` and `complained` count people as
    buyers are counted. `attention` is what those are worth who left, None where that is not known.
    """

    currency: str
    sent: int
    net: Effect
    left: Effect
    complained: Effect
    costs: Mapping[str, int]
    attention: Interval | None

    @property
    def incremental(self) -> Interval | None:
        """The net revenue that would not have come without the mail, in minor units."""
        return self.net.revenue

    @property
    def cost_minor(self) -> int:
        """What was spent, in the currency of the net revenue."""
        return self.costs.get(self.currency, 0)

    @property
    def return_on_cost(self) -> Interval | None:
        """(incremental net - cost) / cost; None where nothing, or another currency, was spent."""
        found = self.incremental
        if found is None or self.cost_minor <= 0 or set(self.costs) - {self.currency}:
            return None
        cost = self.cost_minor
        return Interval(
            *((value - cost) / cost for value in (found.estimate, found.low, found.high))
        )

    @property
    def caused_to_leave(self) -> Interval | None:
        """How many people left because of the mail; None where nobody was held out."""
        return people_caused(self.left)

    def to_json(self) -> dict[str, Any]:
        """Return the keys that a campaign and all together have in common."""
        return {
            "currency": self.currency,
            "sent": self.sent,
            "held_out": self.net.held_out.people,
            **_money_json("incremental_net", self.incremental),
            "unsubscribes": _people_json(self.left),
            "complaints": _people_json(self.complained),
            **_money_json("attention_cost", self.attention),
            "costs": [
                {"currency": code, "amount_minor": minor}
                for code, minor in sorted(self.costs.items())
            ],
            "cost_minor": self.cost_minor,
            **_range_json("roi", self.return_on_cost),
        }


@dataclass(frozen=True)
class CampaignRow:
    """A campaign with its results; nothing is said of money before its window is over."""

    results: CampaignResults
    earned: Earned

    @property
    def verdict(self) -> str:
        """Say what is known of the effect, and whether it paid for its cost."""
        return " ".join(filter(None, (self.results.verdict, self._paid_off())))

    def _paid_off(self) -> str:
        found = self.earned.return_on_cost
        if found is None:
            return ""
        return paid_off_words(found, self.earned.cost_minor, self.earned.currency)

    def to_json(self) -> dict[str, Any]:
        """Return the campaign's keys."""
        found = self.results
        return {
            "campaign": found.campaign,
            "first_sent_at": instant_text(found.since),
            "window": {
                "start": instant_text(found.since),
                "end": instant_text(found.ends_at or found.until),
                "is_over": found.is_over,
            },
            "treated": found.buyers.treated.people,
            **self.earned.to_json(),
            "verdict": self.verdict,
        }


def people_caused(found: Effect) -> Interval | None:
    """Turn a difference of shares into people among the mailed."""
    return found.buyers.times(found.treated.people) if found.buyers else None


def paid_off_words(found: Interval, cost_minor: int, currency: str) -> str:
    """Say whether what was spent came back."""
    spent = format_minor(cost_minor, currency)
    middle, low, high = (f"{value:+.0%}" for value in (found.estimate, found.low, found.high))
    if found.low > 0:
        return (
            f"It earned more than the {spent} that it cost: ROI {middle}, between {low} and {high}."
        )
    if found.high < 0:
        return (
            f"It earned less than the {spent} that it cost: ROI {middle}, between {low} and {high}."
        )
    return f"Whether it earned back the {spent} that it cost is not known: ROI {middle}, between {low} and {high}."


def _people_json(found: Effect) -> dict[str, Any]:
    caused = people_caused(found)
    return {
        "treated": found.treated.buyers,
        "held_out": found.held_out.buyers,
        **_range_json("caused", caused),
    }


def _money_json(name: str, found: Interval | None) -> dict[str, int | None]:
    values = (found.estimate, found.low, found.high) if found else (None, None, None)
    keys = (f"{name}_minor", f"{name}_low95_minor", f"{name}_high95_minor")
    return {
        key: None if value is None else round(value)
        for key, value in zip(keys, values, strict=True)
    }


def _range_json(name: str, found: Interval | None) -> dict[str, float | None]:
    values = (found.estimate, found.low, found.high) if found else (None, None, None)
    keys = (name, f"{name}_low95", f"{name}_high95")
    return {
        key: None if value is None else round(value, 6)
        for key, value in zip(keys, values, strict=True)
    }
