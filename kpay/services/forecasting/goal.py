"""`kpay forecast --goal`: how likely it is, and what each lever alone would have to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from kpay.domain.document import Cell, Column, Table, Text
from kpay.domain.money import Money
from kpay.domain.scenarios import DAYS_IN, Goal, Launch, Scenario, read_goal
from kpay.errors import UsageProblem
from kpay.ml.streams.levers import price_factors
from kpay.services.forecasting.result import Forecast
from kpay.services.forecasting.revenue import Foreseen
from kpay.services.forecasting.scenarios import PRICES_KNOWN
from kpay.services.forecasting.what_if import WhatIf, what_if

LARGEST_RISE: Final = 9.0  # tenfold; more is no plan
STEPS: Final = 60
PRICES_TRIED: Final = 400
DAYS_BETWEEN_LAUNCHES: Final = 14
OUT_OF_REACH: Final = {
    "reach": "even tenfold is not enough",
    "click": "even tenfold is not enough",
    "purchase": "even tenfold is not enough",
    "price": "no price from 30 % lower to 50 % higher is expected to bring it",
    "churn": "not even if nobody left",
    "launch": "not even one each fortnight",
}
LABELS: Final = {
    "reach": "reach",
    "click": "click rate",
    "purchase": "purchase rate",
    "price": "price",
    "churn": "churn",
    "launch": "launches to add",
}


@dataclass(frozen=True, slots=True)
class Needed:
    """What one lever alone must do: a share, or a number of launches; None where it cannot reach."""

    lever: str
    share: float | None
    count: int | None = None


def with_goal(connection: Connection, found: Foreseen, text: str, forecast: Forecast) -> Forecast:
    """Return the forecast with the chance of a goal and what would have to be true.

    UsageProblem for a goal that cannot be read, or in another currency.
    """
    goal = _read(text, found.currency)
    world = what_if(connection, found)
    needed_total = goal.minor(found.currency) * found.asked.horizon_days / DAYS_IN[goal.per]
    totals = world.before.draws.sum(axis=1)
    chance = float((totals >= needed_total).mean())
    expected = forecast.total.mean
    levers = tuple(_levers(world, needed_total - expected))
    blocks = (_table(levers), Text(_sentence(goal, found, chance, needed_total, expected)))
    key = {
        "goal": goal.text,
        "amount_minor": goal.minor(found.currency),
        "currency": found.currency,
        "per": goal.per,
        "needed_total_minor": round(needed_total),
        "expected_total_minor": expected,
        "probability": round(chance, 4),
        "levers": [_json(one) for one in levers],
    }
    return replace(
        forecast,
        more_blocks=(*forecast.more_blocks, *blocks),
        more_keys={**forecast.more_keys, "goal": key},
    )


def _read(text: str, currency: str) -> Goal:
    try:
        goal = read_goal(text)
        goal.minor(currency)
    except ValueError as problem:
        raise UsageProblem(str(problem), f"kpay forecast --goal 5000{currency}/month") from problem
    if goal.currency not in (None, currency):
        raise UsageProblem(
            f"--goal {text!r} is in {str(goal.currency).upper()}, the forecast in {currency.upper()}",
            f"kpay forecast --currency {goal.currency} --goal {text}",
        )
    return goal


def _levers(world: WhatIf, missing: float) -> list[Needed]:
    """Return what each lever alone must do to bring the missing expected revenue; nothing where none is."""
    if missing <= 0:
        return [Needed(lever, 0.0) for lever in LABELS if lever != "launch"] + [
            Needed("launch", None, 0)
        ]
    doubled = _change(world, Scenario("", (("reach", 1.0),)))
    rise = missing / doubled if doubled > 0 else None
    volume = rise if rise is not None and rise <= LARGEST_RISE else None
    return [
        *(Needed(lever, volume) for lever in ("reach", "click", "purchase")),
        Needed("price", _price(world, missing, doubled)),
        Needed("churn", _churn(world, missing)),
        Needed("launch", None, _launches(world, missing)),
    ]


def _change(world: WhatIf, scenario: Scenario) -> float:
    return world.change(scenario)[0]


def _price(world: WhatIf, missing: float, doubled: float) -> float | None:
    """Return the smallest change of price, up or down, that is expected to bring enough.

    Revenue from what is sold anew moves by the mean of the paths' factors, so the whole forecast
    need not be made again for each price that is tried.
    """

    def brings(share: float) -> float:
        factors = price_factors(share, world.levers.elasticities)
        return doubled * (float(np.mean(factors)) - 1.0) - missing

    found = [
        reached
        for largest in PRICES_KNOWN
        if (reached := _first_reached(brings, largest)) is not None
    ]
    return min(found, key=abs, default=None)


def _first_reached(brings: Callable[[float], float], largest: float) -> float | None:
    """Return the share nearest to nothing, between 0 and `largest`, at which enough is brought."""
    tried = [largest * number / PRICES_TRIED for number in range(1, PRICES_TRIED + 1)]
    for earlier, share in zip([0.0, *tried], tried, strict=False):
        if brings(share) >= 0:
            return _between(brings, earlier, share)
    return None


def _between(brings: Callable[[float], float], short: float, enough: float) -> float:
    for _ in range(STEPS):
        middle = (short + enough) / 2
        short, enough = (short, middle) if brings(middle) >= 0 else (middle, enough)
    return enough


def _churn(world: WhatIf, missing: float) -> float | None:
    if not world.levers.has_streams:
        return None

    def brings(share: float) -> float:
        return _change(world, Scenario("", (("churn", share),))) - missing

    if brings(-1.0) < 0:
        return None
    short, enough = 0.0, -1.0
    for _ in range(STEPS // 3):
        middle = (short + enough) / 2
        short, enough = (short, middle) if brings(middle) >= 0 else (middle, enough)
    return enough


def _launches(world: WhatIf, missing: float) -> int | None:
    """Return how many launches like past ones, spread over the days ahead, bring enough."""
    horizon = world.found.asked.horizon_days
    middle = Launch("one more", world.found.first_ahead + timedelta(days=horizon // 3))
    each = _change(world, Scenario("", launches=(middle,)))
    if each <= 0:
        return None
    count = ceil(missing / each)
    return count if count <= horizon // DAYS_BETWEEN_LAUNCHES else None


def _table(levers: tuple[Needed, ...]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in levers:
        if one.share == 0 or one.count == 0:
            must: str | None = "as it is"
        elif one.lever == "launch":
            must = None if one.count is None else f"{one.count:,}"
        else:
            must = None if one.share is None else f"{one.share:+.1%}"
        rows.append(
            (LABELS[one.lever].capitalize(), must or f"cannot reach it: {OUT_OF_REACH[one.lever]}")
        )
    return Table((Column("Lever alone"), Column("Must be")), tuple(rows), title="What must be true")


def _sentence(
    goal: Goal, found: Foreseen, chance: float, needed_total: float, expected: int
) -> str:
    code = found.currency
    needed, likely = Money(round(needed_total), code), Money(expected, code)
    return (
        f"{goal.in_words(code)} is {needed} in these {found.asked.horizon_days} days; {likely} is expected. "
        f"As things are, the chance is {chance:.0%}. Each lever is looked at alone, by the expected "
        "revenue, from the first day on."
    )


def _json(one: Needed) -> dict[str, Any]:
    share = None if one.share is None else round(one.share, 6)
    is_out_of_reach = share is None and one.count is None
    why = OUT_OF_REACH[one.lever] if is_out_of_reach else None
    return {"lever": one.lever, "change_share": share, "count": one.count, "why_not": why}
