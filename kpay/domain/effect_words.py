"""An effect in plain words and in the keys that scripts read, the same for one send and for many."""

from __future__ import annotations

from typing import Any

from kpay.domain.experiment import Effect, Interval
from kpay.domain.holdout import smallest_effect
from kpay.domain.money import format_minor

FEW_BUYERS = 5
NOT_KNOWABLE = "Nobody was held out, so what the mail caused cannot be known."


def verdict(buyers: Effect, revenue: Interval | None, currency: str, *, what: str) -> str:
    """Say whether the mail sold, from buyers, which tell most, and what it earned, from revenue.

    `what` is who did it: "The mail". The level is the effect's own.
    """
    found = buyers.buyers
    if found is None:
        return NOT_KNOWABLE
    moved = f"{points(found)} ({percent(buyers.level)})"
    if found.low > 0:
        return f"{what} sold: the share of buyers rose by {moved}. {earned(revenue, currency)}"
    if found.high < 0:
        return (
            f"{what} cost sales: the share of buyers moved by {moved}. {earned(revenue, currency)}"
        )
    parts = (
        f"No effect is shown, which does not say that there is none: the share of buyers moved by {moved}.",
        few_buyers(buyers),
        can_show(buyers),
    )
    return " ".join(part for part in parts if part)


def earned(revenue: Interval | None, currency: str) -> str:
    """Say what it came to, as far as it is known."""
    if revenue is None:
        return ""
    middle, low, high = (format_minor(round(value), currency) for value in three(revenue))
    if revenue.low <= 0 <= revenue.high:
        return f"How much it earned is not known well: {middle}, between {low} and {high}."
    return f"It earned {middle}, between {low} and {high}."


def few_buyers(buyers: Effect) -> str:
    """Say why the range is wide, where the held-out group hardly bought."""
    bought, people = buyers.held_out.buyers, buyers.held_out.people
    if bought >= FEW_BUYERS or not buyers.treated.buyers + bought:
        return ""
    who = {0: "Nobody", 1: "Only one"}.get(bought, f"Only {bought}")
    return f"{who} of the {people:,} held out bought, so the range is wide."


def can_show(buyers: Effect) -> str:
    """Say how large an effect must be to be shown by so many people."""
    least = detectable(buyers)
    if least is None:
        return "Nobody bought, so nothing can be said about money."
    return (
        f"So many people can show only {100 * least[0]:.2f} points or more "
        f"({least[1]:.0%} more buyers), four times of five."
    )


def detectable(buyers: Effect) -> tuple[float, float] | None:
    """Return the least difference of shares that is shown four times of five, and as a share of the base."""
    base = buyers.held_out.share or buyers.treated.share
    least = smallest_effect(buyers.treated.people, buyers.held_out.people, base, buyers.level)
    return (least, least / base) if least else None


def holdout_cost(buyers: Effect, revenue: Interval | None) -> tuple[Interval, Interval | None]:
    """Return buyers and revenue that holding back is estimated to have cost.

    Had they been mailed, the held-out people would have moved as the mailed did.
    """
    people, mailed = buyers.held_out.people, buyers.treated.people
    if buyers.buyers is None:
        raise ValueError("nobody was held out")
    lost = revenue.times(people / mailed) if revenue is not None else None
    return buyers.buyers.times(people), lost


def holdout_cost_words(buyers: Effect, revenue: Interval | None, currency: str) -> str:
    """Say what holding back cost, as an estimate."""
    if buyers.buyers is None:
        return ""
    sales, money = holdout_cost(buyers, revenue)
    people = f"{buyers.held_out.people:,}"
    worth = f", {format_minor(round(money.estimate), currency)}" if money else ""
    return (
        f"By this estimate, holding {people} back cost {sales.estimate:.1f} buyers{worth} "
        f"(between {sales.low:.1f} and {sales.high:.1f} buyers): the price of knowing."
    )


def holdout_cost_json(buyers: Effect, revenue: Interval | None) -> dict[str, Any] | None:
    """Return the key `holdout_cost`; None where nobody was held out."""
    if buyers.buyers is None:
        return None
    sales, money = holdout_cost(buyers, revenue)
    return {
        "people": buyers.held_out.people,
        "buyers": sales.estimate,
        "buyers_low95": sales.low,
        "buyers_high95": sales.high,
        "revenue_minor": round(money.estimate) if money else None,
        "revenue_low95": round(money.low) if money else None,
        "revenue_high95": round(money.high) if money else None,
    }


def detectable_json(buyers: Effect) -> dict[str, Any]:
    """Return the key `detectable_effect`."""
    least = detectable(buyers)
    return {
        "outcome": "buyers",
        "minimum": least[0] if least else None,
        "relative": least[1] if least else None,
    }


def buyers_json(asked: Effect, usual: Effect) -> dict[str, Any]:
    """Return the key `buyers` of `outcomes`: at 95 % and at the level asked for."""
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


def revenue_json(asked: Effect, usual: Effect, currency: str) -> dict[str, Any]:
    """Return the key `revenue_minor` of `outcomes`, in one currency."""
    revenue, at95 = asked.revenue, usual.revenue
    return {
        "treated_mean": _mean(asked.treated.total_minor, asked.treated.people),
        "held_out_mean": _mean(asked.held_out.total_minor, asked.held_out.people),
        "incremental_total": round(revenue.estimate) if revenue else None,
        "low95": round(at95.low) if at95 else None,
        "high95": round(at95.high) if at95 else None,
        "currency": currency,
        "level": asked.level,
        "low": round(revenue.low) if revenue else None,
        "high": round(revenue.high) if revenue else None,
    }


def points(found: Interval) -> str:
    """Write a difference of shares in points, with its range."""
    return "{} points, between {} and {}".format(*(f"{100 * share:+.2f}" for share in three(found)))


def percent(level: float) -> str:
    """Write a level: 95 %."""
    return f"{level * 100:g} %"


def three(found: Interval) -> tuple[float, float, float]:
    """Return estimate, low and high."""
    return found.estimate, found.low, found.high


def _mean(total: int, people: int) -> float | None:
    return total / people if people else None
