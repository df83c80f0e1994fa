"""From streams to a forecast that can be printed: whole units, groups of days, words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kpay.domain.money import exponent
from kpay.domain.series import Step, grouped
from kpay.ml.arrays import Ints
from kpay.ml.forecasting.outlook import Outlook, Range
from kpay.ml.streams import joint, launches
from kpay.ml.streams.launches import Planned
from kpay.ml.streams.parts import Part, bounds, whole_days
from kpay.services.forecasting.result import Forecast, Point, ToldPart, ToldPlan
from kpay.services.forecasting.words import assumptions, warnings

if TYPE_CHECKING:
    from kpay.services.forecasting.revenue import Foreseen

LABELS: Final = {
    joint.RENEWALS: "renewals",
    joint.STARTS: "new subscriptions",
    joint.SINGLE: "single sales",
    joint.LAUNCHES: "launches",
    joint.REFUNDS: "refunds",
    joint.EVERYTHING: "everything together",
}
ORDER: Final = tuple(LABELS)
SHOWN_PAST_DAYS: Final = {"day": 60, "week": 189, "month": 396}
SCORED_LEVELS: Final = (50, 80, 95)


def told(found: Foreseen) -> Forecast:
    """Turn streams into whole units that add up: parts, days, weeks, months and the total."""
    streams, freq = found.streams, found.asked.freq or "day"
    groups = grouped(found.first_ahead, "day", found.asked.horizon_days, freq)
    draws, days = streams.parts.draws, [group.indices for group in groups]
    listed = _listed(streams.parts.parts)
    whole = {part.name: whole_days(part.mean) for part in listed}
    parts = tuple(
        ToldPart(
            part.name,
            LABELS[part.name],
            tuple(int(whole[part.name][list(each)].sum()) for each in days),
        )
        for part in listed
    )
    means = [sum(part.points[at] for part in parts) for at in range(len(days))]
    levels = found.asked.levels
    points = tuple(
        Point(
            group.start,
            Range(mean, bounds(draws, mean, group.indices, levels)),
            None if freq == "day" else group.last_day("day"),
            freq == "day" or group.is_whole(freq),
        )
        for group, mean in zip(groups, means, strict=True)
    )
    everything = range(found.asked.horizon_days)
    return Forecast(
        currency=found.currency,
        scale=1,
        freq=freq,
        known_until=found.seen_from.day,
        steps_known=found.ledger.days,
        outlook=_outlook(found),
        points=points,
        total=Range(sum(means), bounds(draws, sum(means), everything, levels)),
        past=_past(found, freq),
        parts=parts,
        plan=_told_plan(found),
        assumptions=assumptions(found),
        warnings=warnings(found),
        currencies=found.known.counted,
        as_usual=_as_usual(found),
        note=f"Made as of the last day known: {found.seen_from.why}."
        if found.seen_from.why
        else "",
        next_steps=_next_steps(found),
    )


def _listed(parts: Sequence[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: ORDER.index(part.name))


def _outlook(found: Foreseen) -> Outlook:
    streams = found.streams
    return Outlook(
        streams.model,
        streams.why,
        streams.parts.mean,
        streams.parts.draws,
        streams.single.weights,
        streams.backtest,
    )


def _past(found: Foreseen, freq: Step) -> tuple[tuple[str, float], ...]:
    """Return what was taken in the newest whole days, weeks or months, in major units."""
    net = found.ledger.net[-SHOWN_PAST_DAYS[freq] :]
    first = found.first_ahead - timedelta(days=len(net))
    scale = 10 ** exponent(found.currency)
    groups = grouped(first, "day", len(net), freq)
    whole = [group for group in groups if freq == "day" or group.is_whole(freq)]
    return tuple(
        (str(group.start), float(net[list(group.indices)].sum()) / scale) for group in whole
    )


def _told_plan(found: Foreseen) -> tuple[ToldPlan, ...] | None:
    if found.plan is None:
        return None
    ledger, learned = found.ledger, found.streams.learned
    ahead = range(ledger.days, ledger.days + found.asked.horizon_days)
    level = float(found.streams.single.mean.mean())
    return tuple(
        ToldPlan(
            ledger.first_day + timedelta(days=one.occasion.day),
            one.occasion.name,
            one.occasion.kind,
            round(float(launches.planned([one], learned.sizes, level, ahead).sum())),
            _sized_by(one, found),
        )
        for one in found.plan
        if one.occasion.day in ahead
    )


def _sized_by(one: Planned, found: Foreseen) -> str:
    if one.factors:
        return "its own figures"
    count = found.streams.learned.sizes[one.occasion.kind].learned_from
    kinds = f"{one.occasion.kind}{'es' if one.occasion.kind == 'launch' else 's'}"
    return (
        f"{count} past {kinds if count != 1 else one.occasion.kind}" if count else "a usual guess"
    )


def _as_usual(found: Foreseen) -> tuple[str, ...]:
    """Return the past launches and campaigns whose days were told as usual ones."""
    changed = found.streams.learned.usual != found.ledger.single
    return tuple(
        f"{one.kind} {one.name}"
        for one in found.ledger.occasions
        if changed[max(one.day, 0) : max(one.day + one.span, 0)].any()
    )


def _next_steps(found: Foreseen) -> tuple[str, ...]:
    steps = []
    if len(found.streams.parts.parts) > 1:
        steps.append("kpay forecast --explain --freq month")
    if found.plan is None and found.scheduled:
        steps.append("kpay forecast --plan scheduled")
    return tuple(steps)


def running_totals(found: Foreseen) -> list[dict[str, Any]]:
    """Return the total up to each day ahead with its ranges: what an unfinished horizon is scored by."""
    parts = found.streams.parts
    whole: Ints = np.sum([whole_days(part.mean) for part in parts.parts], axis=0)
    running = np.cumsum(whole)
    sums = np.cumsum(parts.draws, axis=1)
    ends = {
        level: np.quantile(sums, [0.5 - level / 200, 0.5 + level / 200], axis=0)
        for level in SCORED_LEVELS
    }
    return [
        {
            "until": _day(found.first_ahead, at),
            "mean_minor": int(mean),
            **{
                f"{name}{level}_minor": round(float(pair[side][at]))
                for level, pair in ends.items()
                for side, name in enumerate(("low", "high"))
            },
        }
        for at, mean in enumerate(running.tolist())
    ]


def _day(first: date, at: int) -> str:
    return (first + timedelta(days=at)).isoformat()
