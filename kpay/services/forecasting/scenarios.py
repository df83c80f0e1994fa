"""`kpay forecast --scenario`: the change of revenue with its range, and what carries it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection

from kpay.domain.document import Block, Cell, Column, Table, Text
from kpay.domain.money import Money
from kpay.domain.scenarios import (
    VOLUME_LEVERS,
    Scenario,
    break_even_volume,
    read_scenarios,
    together,
)
from kpay.errors import UsageProblem
from kpay.ml.streams import joint
from kpay.ml.streams.parts import bounds
from kpay.services.forecasting.result import Forecast
from kpay.services.forecasting.revenue import Foreseen
from kpay.services.forecasting.what_if import WhatIf, what_if

PRICES_KNOWN: Final = (-0.3, 0.5)
EXAMPLE: Final = "kpay forecast --scenario reach=+20%"


@dataclass(frozen=True, slots=True)
class Told:
    """One scenario: the change of the total and the new total, expected and by level."""

    scenario: Scenario
    change: int
    change_bounds: dict[int, tuple[int, int]]
    total: int
    total_bounds: dict[int, tuple[int, int]]
    gain: float
    assumptions: tuple[str, ...]


def with_scenarios(
    connection: Connection, found: Foreseen, texts: Sequence[str], forecast: Forecast
) -> Forecast:
    """Return the forecast with what each scenario, and all together, would change.

    UsageProblem for a scenario that cannot be read, or not be told of these days.
    """
    asked = _read(texts)
    world = what_if(connection, found)
    every = (*asked, together(asked)) if len(asked) > 1 else asked
    told = [_told(world, one, forecast.total.mean) for one in every]
    texts_told = [Text(sentence) for sentence in _sentences(told)]
    blocks: tuple[Block, ...] = (_table(told, found), *texts_told)
    return replace(
        forecast,
        more_blocks=(*forecast.more_blocks, *blocks),
        more_keys={**forecast.more_keys, "scenarios": [_json(one) for one in told]},
    )


def _read(texts: Sequence[str]) -> tuple[Scenario, ...]:
    try:
        return read_scenarios(texts)
    except ValueError as problem:
        raise UsageProblem(str(problem), EXAMPLE) from problem


def _told(world: WhatIf, scenario: Scenario, expected: int) -> Told:
    after = world.after(scenario)
    asked = world.found.asked
    days = range(asked.horizon_days)
    change, by_path = world.change(scenario)
    total = expected + round(change)
    return Told(
        scenario,
        round(change),
        bounds(after.draws - world.before.draws, round(change), days, asked.levels),
        total,
        bounds(after.draws, total, days, asked.levels),
        float((by_path > 0).mean()),
        assumptions(world, scenario),
    )


def assumptions(world: WhatIf, scenario: Scenario) -> tuple[str, ...]:
    """Say what carries the change, one sentence for each thing assumed."""
    said = []
    if any(scenario.share(lever) for lever in VOLUME_LEVERS):
        said.append(
            "Single sales, launches and new subscriptions follow reach, click rate and purchase rate in "
            "proportion; renewals do not."
        )
    if scenario.share("price"):
        said.append(_price_words(world))
        if not PRICES_KNOWN[0] <= scenario.share("price") <= PRICES_KNOWN[1]:
            said.append("So far from today's prices an elasticity tells little.")
    if scenario.share("churn"):
        said.append(_churn_words(world))
    if scenario.launches:
        said.append(_launch_words(world))
    return tuple(said)


def _churn_words(world: WhatIf) -> str:
    if not any(world.before.named(name) for name in (joint.RENEWALS, joint.STARTS)):
        return "No subscription is expected to pay in these days, so churn changes nothing."
    return "The chance to leave at every renewal changes by this share, from the first day on."


def _price_words(world: WhatIf) -> str:
    low, high = world.demand.middle_80
    count = world.demand.learned_from
    ground = (
        f"learned from {count} {'change' if count == 1 else 'changes'} of price of this shop, beside a "
        "usual range"
        if count
        else "a usual range, as this shop has changed no price yet"
    )
    return (
        f"Demand answers with an elasticity of {world.demand.mean:.2f} (four times of five between "
        f"{low:.2f} and {high:.2f}; {ground}). All prices change; who has a subscription keeps theirs."
    )


def _launch_words(world: WhatIf) -> str:
    size = world.found.streams.learned.sizes["launch"]
    past = f"{size.learned_from} past {'launch' if size.learned_from == 1 else 'launches'}"
    ground = f"as {past} did" if size.learned_from else "a guess, as no past launch is known"
    said = f"A launch brings {size.mean:.1f} usual days on top ({ground})."
    if not world.found.streams.learned.is_cleaned and world.found.ledger.occasions:
        said += " Launches were so frequent that the usual days hold some of it already."
    return said


def _table(told: Sequence[Told], found: Foreseen) -> Table:
    levels = sorted(found.asked.levels)
    code = found.currency

    def row(one: Told) -> tuple[Cell, ...]:
        ends = [Money(end, code) for level in levels for end in one.change_bounds[level]]
        name = "Together" if one.scenario.is_together else one.scenario.text
        return (name, Money(one.change, code), *ends, Money(one.total, code), one.gain)

    bounds = [Column(f"{name} {level} %", "money") for level in levels for name in ("low", "high")]
    columns = (
        Column("Scenario"),
        Column("Change", "money"),
        *bounds,
        Column("Then in total", "money"),
        Column("Chance of more", "share"),
    )
    return Table(columns, tuple(row(one) for one in told), title="What if")


def _sentences(told: Sequence[Told]) -> list[str]:
    said = dict.fromkeys(sentence for one in told for sentence in one.assumptions)
    prices = dict.fromkeys(one.scenario.share("price") for one in told)
    breaks = [break_even_words(share) for share in prices if share]
    return [*said, *breaks]


def break_even_words(share: float) -> str:
    """Say how many sales a change of price may cost, or must bring."""
    volume = break_even_volume(share)
    if share > 0:
        return (
            f"Break-even: a price {100 * share:.4g} % higher pays as long as fewer than {-volume:.1%} of new sales "
            "are lost."
        )
    return f"Break-even: a price {-100 * share:.4g} % lower pays only if at least {volume:.1%} more is sold."


def _json(one: Told) -> dict[str, Any]:
    price = one.scenario.share("price")
    return {
        "scenario": one.scenario.text,
        "change": _range_json(one.change, one.change_bounds),
        "total": _range_json(one.total, one.total_bounds),
        "gain_probability": round(one.gain, 4),
        "break_even_volume_share": round(break_even_volume(price), 6) if price else None,
        "assumptions": list(one.assumptions),
    }


def _range_json(mean: int, bounds: dict[int, tuple[int, int]]) -> dict[str, int]:
    ends = {
        f"{name}{level}_minor": end
        for level, pair in sorted(bounds.items())
        for name, end in zip(("low", "high"), pair, strict=True)
    }
    return {"mean_minor": mean, **ends}
