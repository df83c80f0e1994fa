"""What-if questions: how they are read, what a price bears, what price changes teach."""

from __future__ import annotations

from datetime import date
from math import log

import pytest

from kpay.domain.elasticity import (
    PRIOR_DEVIATION,
    PRIOR_MEAN,
    PRIOR_MIDDLE_80,
    PriceChange,
    elasticity,
)
from kpay.domain.scenarios import (
    Launch,
    break_even_volume,
    read_goal,
    read_scenarios,
    together,
)


def test_scenarios_are_read_as_shares_and_launches() -> None:
    first, second, third = read_scenarios(
        ["price=+10%", "reach = -2.5 %", "launch=async-python@2026-12-10"]
    )
    assert first.share("price") == 0.1
    assert first.share("reach") == 0.0
    assert second.share("reach") == -0.025
    assert third.launches == (Launch("async-python", date(2026, 12, 10)),)


def test_reach_and_both_rates_multiply() -> None:
    everything = together(read_scenarios(["reach=+10%", "click=+10%", "purchase=+10%"]))
    assert everything.volume_factor == pytest.approx(1.331)


@pytest.mark.parametrize(
    "text",
    [
        "price",
        "price=10%",
        "price=+10",
        "prices=+10%",
        "reach=-100%",
        "reach=+1001%",
        "launch=2026-12-10",
        "launch=course@2026-13-10",
        "launch=@2026-12-10",
        "churn=+nan%",
    ],
)
def test_what_is_no_scenario_is_refused_by_its_own_text(text: str) -> None:
    with pytest.raises(ValueError, match="--scenario"):
        read_scenarios([text])


def test_one_lever_is_not_changed_twice() -> None:
    with pytest.raises(ValueError, match="second time"):
        read_scenarios(["price=+10%", "price=+20%"])
    assert len(read_scenarios(["launch=a@2026-12-10", "launch=b@2026-12-10"])) == 2


def test_a_goal_is_an_amount_over_time() -> None:
    goal = read_goal("5,000.50usd/month")
    assert (goal.minor("usd"), goal.currency, goal.per) == (500_050, "usd", "month")
    assert read_goal("100 / week").currency is None
    assert read_goal("5000jpy/day").minor("jpy") == 5000
    assert goal.in_words("usd") == "$5,000.50 a month"


@pytest.mark.parametrize(
    "text", ["5000", "usd/month", "5000usd/decade", "0usd/month", "1.999usd/day"]
)
def test_what_is_no_goal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="--goal"):
        read_goal(text)


def test_a_tenth_more_price_bears_a_ninth_fewer_sales() -> None:
    assert break_even_volume(0.1) == pytest.approx(-1 / 11)
    assert break_even_volume(-0.2) == pytest.approx(0.25)


def test_without_a_change_of_price_the_usual_range_is_all_there_is() -> None:
    found = elasticity([])
    assert (found.mean, found.deviation, found.learned_from) == (PRIOR_MEAN, PRIOR_DEVIATION, 0)
    assert found.middle_80 == pytest.approx(PRIOR_MIDDLE_80)


def test_changes_of_price_move_the_estimate_towards_what_they_say() -> None:
    # sales fall by a half where the price doubles: an elasticity of -1 in each
    change = PriceChange(1000, 2000, 400, 200, 1000, 1000)
    found = elasticity([change] * 8)
    assert found.learned_from == 8
    assert found.mean == pytest.approx(-1.0, abs=0.03)
    assert found.deviation < PRIOR_DEVIATION / 2


def test_what_all_other_pieces_did_as_well_is_not_the_price() -> None:
    crisis = PriceChange(1000, 2000, 400, 200, 1000, 500)
    assert elasticity([crisis] * 8).mean == pytest.approx(0.0, abs=0.15)


def test_few_sales_and_tiny_changes_teach_nothing() -> None:
    assert elasticity([PriceChange(1000, 1010, 400, 200, 0, 0)]).learned_from == 0
    assert elasticity([PriceChange(1000, 2000, 2, 1, 0, 0)]).learned_from == 0
    one = elasticity([PriceChange(1000, 1100, 40, 30, 0, 0)])
    assert one.learned_from == 1
    assert abs(one.mean - PRIOR_MEAN) < abs(log(30.5 / 40.5) / log(1.1) - PRIOR_MEAN) / 5
