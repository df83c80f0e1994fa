"""The streams of revenue: each by itself against what is known of it, and all of them together."""

from __future__ import annotations

import numpy as np
import pytest

from kpay.ml.forecasting import outlook as one_series
from kpay.ml.streams import growth, joint, launches, returns, starts, survival
from kpay.ml.streams.launches import Factors, Occasion, Planned
from kpay.ml.streams.members import NEVER, later, next_due
from kpay.ml.streams.parts import Part, Parts, bounds, whole_days
from kpay.ml.streams.renewals import renewals
from kpay.ml.streams.returns import Refunds
from tests.fakes.streams_shop import FIRST, WEEK, ledger, members

SHOP = np.random.default_rng(1).poisson(4 * np.resize(WEEK, 400)) * 1900.0


def test_a_month_later_keeps_the_day_and_a_short_month_gives_its_last() -> None:
    thirty_first = np.array([26])  # 31 January 2026
    one = np.array([1])
    days = [int(later(FIRST, thirty_first, one, one * 0, one * n)[0]) for n in (1, 2, 3)]
    assert [str(np.datetime64(FIRST) + day) for day in days] == [
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
    ]


def test_the_next_due_day_is_the_first_from_a_day_on() -> None:
    who = members([0, 10, 30])
    assert next_due(who, FIRST, 31).tolist() == [31, 41, 58]
    trial = members([100], trial_days=14)
    assert next_due(trial, FIRST, 105).tolist() == [114]


def test_renewals_fall_on_their_days_and_shrink_with_survival() -> None:
    who = members([0] * 100)
    learned = survival.experience(who, 20)
    paid = renewals(who, learned, FIRST, range(20, 110))[0]
    due = [31 - 20, 31 + 28 - 20, 31 + 28 + 31 - 20]
    assert np.flatnonzero(paid).tolist() == due
    first, second, third = paid[due]
    assert 100_000 > first > second > third
    assert second / first == pytest.approx(9.3 / 10)


def test_who_asked_to_leave_or_has_left_pays_no_more() -> None:
    who = members([0, 0, 0], ended={0: 15}, noticed={1: 12})
    learned = survival.experience(who, 20)
    paid = renewals(who, learned, FIRST, range(20, 50))[0].sum()
    assert paid == pytest.approx(renewals(members([0]), learned, FIRST, range(20, 50))[0].sum())


def test_what_happens_later_is_not_known_earlier() -> None:
    before = members([0] * 40)
    after = members([0] * 40, ended=dict.fromkeys(range(30), 60), noticed={35: 41})
    for who in (before, after):
        found = survival.experience(who, 40)
        assert found.counts.tolist() == survival.experience(before, 40).counts.tolist()
    one, other = (
        renewals(who, survival.experience(who, 40), FIRST, range(40, 100))
        for who in (before, after)
    )
    assert one.tolist() == other.tolist()


def test_survival_learns_from_renewals_paid_and_missed() -> None:
    stays = members([0] * 200, ended=dict.fromkeys(range(100), 25))
    found = survival.experience(stays, 59 + 5)
    assert found.usual[0, survival.FIRST, 0] == pytest.approx(108 / 210)
    assert found.usual[0, survival.LATER, 0] > 0.95


def test_early_leavers_of_a_year_do_not_stand_beside_nobody() -> None:
    who = members([0] * 100, ended=dict.fromkeys(range(20), 30), months=12)
    prior = survival.experience(members([], months=12), 200).usual[2, survival.FIRST, 0]
    assert survival.experience(who, 200).usual[2, survival.FIRST, 0] == prior
    assert survival.experience(who, 400).usual[2, survival.FIRST, 0] > prior


def test_paths_of_renewals_agree_with_their_expectation() -> None:
    who = members(list(range(300)), ended={n: n + 70 for n in range(0, 300, 5)})
    learned = survival.experience(who, 300)
    expected = renewals(who, learned, FIRST, range(300, 390))[0]
    paths = renewals(
        who, learned, FIRST, range(300, 390), draws=400, generator=np.random.default_rng(3)
    )
    assert paths.shape == (400, 90)
    assert paths.sum(axis=1).mean() == pytest.approx(expected.sum(), rel=0.02)
    assert paths.sum(axis=1).std() > 0


def test_a_trial_pays_when_it_ends_and_less_surely() -> None:
    who = members([0] * 100, trial_days=14)
    paid = renewals(who, survival.experience(who, 5), FIRST, range(5, 30))[0]
    assert np.flatnonzero(paid).tolist() == [9]
    assert 0.5 < paid[9] / 100_000 < 0.75


def test_a_bill_in_arrears_is_paid_with_the_chance_of_recovery() -> None:
    from dataclasses import replace

    who = members([0] * 100)
    owing = replace(who, is_in_arrears=np.ones(100, dtype=bool))
    learned = survival.experience(who, 40)
    paid = renewals(owing, learned, FIRST, range(40, 80))[0]
    usual = renewals(who, learned, FIRST, range(40, 80))[0]
    assert paid[3] == pytest.approx(50_000)
    assert paid[4:].sum() == pytest.approx(usual.sum() / 2)


def test_the_end_of_a_discount_is_a_step_of_the_price() -> None:
    from dataclasses import replace

    who = replace(members([0]), raised=np.array([500.0]), raised_from=np.array([40]))
    learned = survival.experience(who, 20)
    paid = renewals(who, learned, FIRST, range(20, 70))[0]
    first, second = paid[np.flatnonzero(paid)]
    assert second / first == pytest.approx(1.5 * 0.93)


def test_new_subscriptions_come_as_lately_and_renew() -> None:
    who = members(list(range(0, 120, 2)))
    plans, counted = starts.plans(who, 120, np.ones(120, dtype=bool))
    assert (len(plans), plans[0].starts, counted) == (1, 30, 60)
    learned = survival.experience(who, 120)
    paid = starts.new_subscriptions(plans, counted, learned, 60)[0]
    assert paid[:30].sum() == pytest.approx(15_000)
    assert paid[30:].sum() > 1.5 * paid[:30].sum()
    drawn = starts.new_subscriptions(
        plans, counted, learned, 60, draws=500, generator=np.random.default_rng(1)
    )
    assert drawn.sum(axis=1).mean() == pytest.approx(paid.sum(), rel=0.05)


def test_days_of_a_launch_say_nothing_of_the_usual_start() -> None:
    who = members([*range(0, 120, 4), *([110] * 50)])
    usual = np.ones(120, dtype=bool)
    usual[108:115] = False
    plans, counted = starts.plans(who, 120, usual)
    assert counted == 53
    assert sum(plan.starts for plan in plans) < 20


def spiky(size: float, every: int = 60, days: int = 400) -> tuple[np.ndarray, list[Occasion]]:
    """Return sales with launches of `size` usual days each, and the launches."""
    values = np.full(days, 10_000.0)
    decay = np.exp(-np.arange(7) / 2.5)
    starts_at = list(range(40, days, every))
    for day in starts_at:
        span = values[day : day + 7]
        span += size * 10_000 * (decay / decay.sum())[: len(span)]
    return values, [Occasion(f"l{day}", "launch", day) for day in starts_at]


def test_launches_are_sized_by_past_ones_and_cleaned_out_of_usual_days() -> None:
    values, known = spiky(5.0)
    mask = launches.touched(len(values), known, is_planned=False)
    usual = launches.as_usual(values, mask)
    assert usual == pytest.approx(np.full(400, 10_000.0))
    found = launches.sizes(values, usual, known, "launch")
    assert found.mean == pytest.approx(5.0)
    assert found.learned_from == 6
    total = launches.planned(
        [Planned(Occasion("next", "launch", 405))], {"launch": found}, 10_000.0, range(400, 430)
    )
    assert total.sum() == pytest.approx(50_000)
    assert np.flatnonzero(total[0]).tolist() == list(range(5, 12))


def test_cleaning_keeps_the_growth_in() -> None:
    values = np.linspace(10_000, 30_000, 300)
    mask = np.zeros(300, dtype=bool)
    mask[200:207] = True
    told = launches.as_usual(values + mask * 50_000, mask)
    assert told == pytest.approx(values, rel=0.01)


def test_what_happens_all_the_time_is_the_usual_unless_the_next_are_planned() -> None:
    values, known = spiky(3.0, every=20)
    assert not launches.touched(len(values), known, is_planned=False).any()
    assert launches.touched(len(values), known, is_planned=True).any()


def test_a_plan_with_figures_brings_reach_click_purchase_and_value() -> None:
    plan = [Planned(Occasion("x", "launch", 3), Factors(1000, 0.1, 0.2, 10_000, 0.0, False))]
    sizes = {"launch": launches.sizes(np.ones(0), np.ones(0), (), "launch")}
    expected = launches.planned(plan, sizes, 0.0, range(30))
    assert expected.sum() == pytest.approx(200_000)
    paths = launches.planned(
        plan, sizes, 0.0, range(30), draws=4000, generator=np.random.default_rng(1)
    ).sum(axis=1)
    assert paths.mean() == pytest.approx(200_000, rel=0.03)
    assert np.log(paths[paths > 0]).std() == pytest.approx(np.hypot(0.6, 0.22), rel=0.2)


def test_refunds_follow_sales_by_age() -> None:
    sales = np.full(200, 1000.0)
    sold = np.arange(0, 190)
    found = returns.rate(sales, Refunds(sold, sold + 5, np.full(190, 100.0)))
    assert found.by_age.sum() == pytest.approx(0.1, rel=0.05)
    assert found.by_age[3:7].sum() == pytest.approx(0.1, rel=0.05)
    expected = returns.given_back(sales, np.full((1, 30), 1000.0), found)[0]
    assert expected.mean() == pytest.approx(100, rel=0.1)
    assert not returns.given_back(
        sales, np.full((1, 30), 1000.0), returns.rate(sales, Refunds(sold[:0], sold[:0], sales[:0]))
    ).any()


def test_parts_add_up_and_widening_keeps_it_so() -> None:
    luck = np.random.default_rng(4)
    one = luck.gamma(5, 20, (500, 10))
    two = luck.gamma(2, 5, (500, 10))
    parts = Parts((Part("a", one.mean(axis=0), one), Part("b", two.mean(axis=0), two)))
    wide = parts.widened(0.4)
    assert wide.draws == pytest.approx(wide.parts[0].draws + wide.parts[1].draws)
    assert np.log(wide.draws.sum(axis=1)).std() == pytest.approx(0.4)
    assert wide.draws.sum(axis=1).mean() == pytest.approx(parts.mean.sum())
    assert wide.mean.tolist() == parts.mean.tolist()
    assert whole_days(np.array([0.4, 0.4, 0.4, -2.0])).sum() == -1
    low, high = bounds(wide.draws, 1000, range(10), (80,))[80]
    assert low < 1000 < high


def test_without_subscriptions_refunds_and_launches_it_is_the_outlook_leant_to_the_trend() -> None:
    found = joint.streams(ledger(SHOP), 30)
    alone = one_series.outlook(SHOP, 30, 7)
    line = growth.trend(SHOP, 30)
    (part,) = found.parts.parts
    assert part.name == "one_time"
    low, high = sorted([alone.mean.sum(), line.sum()])
    assert low <= part.mean.sum() <= high
    profile = alone.mean / alone.mean.mean()
    assert part.mean / part.mean.mean() == pytest.approx(profile, rel=0.02)


def test_the_trend_is_damped_and_doubted() -> None:
    rising = np.linspace(10_000, 30_000, 300)
    ahead = growth.trend(rising, 360)
    assert ahead[0] == pytest.approx(30_000, rel=0.05)
    assert ahead[29] > ahead[0]
    assert ahead[-1] < 30_000 + 20_000 / 300 * 60
    assert growth.trend(rising[:30], 5).tolist() == [rising[:30].mean()] * 5
    assert growth.trend(np.linspace(30_000, 0, 300), 200).min() >= 0


def test_the_lean_goes_to_what_missed_less() -> None:
    better_trend = [growth.Said(80.0, 100.0, 100.0)] * 6
    better_outlook = [growth.Said(100.0, 80.0, 100.0)] * 6
    assert growth.lean(better_outlook) < 0.5 < growth.lean([]) < growth.lean(better_trend)


def with_members() -> tuple[np.ndarray, list[int]]:
    luck = np.random.default_rng(7)
    began = sorted(luck.integers(0, 400, 250).tolist())
    paid = np.zeros(460)
    for day in began:
        due = later(FIRST, np.full(16, day), np.ones(16, int), np.zeros(16, int), np.arange(16))
        inside = due[due < 460]
        paid[inside] += 1000.0
    return paid, began


def test_streams_are_seeded_and_the_same_rows_give_the_same_paths() -> None:
    paid, began = with_members()
    known = ledger(SHOP, subscribed=paid[:400], who=members(began))
    one, other = (joint.streams(known, 30) for _ in range(2))
    assert one.parts.draws.tolist() == other.parts.draws.tolist()
    assert {part.name for part in one.parts.parts} == {"one_time", "renewals", "new_subscriptions"}
    assert one.parts.named("renewals").mean.sum() == pytest.approx(paid[400:430].sum(), rel=0.1)


def test_a_plan_changes_the_launches_and_nobody_elses_luck() -> None:
    values, known = spiky(5.0)
    paid, began = with_members()
    business = ledger(values, subscribed=paid[:400], who=members(began), occasions=tuple(known))
    plain = joint.streams(business, 30, [])
    more = joint.streams(business, 30, [Planned(Occasion("next", "launch", 410))])
    assert plain.parts.named("launches") is None
    assert more.parts.named("launches").mean.sum() == pytest.approx(50_000, rel=0.15)
    assert more.parts.named("one_time").mean.tolist() == plain.parts.named("one_time").mean.tolist()


def test_streams_that_lose_their_backtest_give_way_to_the_seasonal_naive() -> None:
    luck = np.random.default_rng(2)
    block = luck.integers(0, 5, 7) ** 4 * 100.0
    days = np.concatenate([np.tile(block, 12), np.tile(np.roll(block, 3) * 9, 3)])
    found = joint.streams(ledger(days, who=members([95] * 3)), 7)
    assert found.model == "seasonal_naive"
    assert "worse" in found.why
    assert [part.name for part in found.parts.parts] == ["everything"]
    assert found.parts.mean == pytest.approx(days[-7:])


def test_a_few_days_give_known_renewals_and_a_wide_mean() -> None:
    found = joint.streams(ledger(SHOP[:12], who=members([0, 3, 5])), 60)
    assert {part.name for part in found.parts.parts} >= {"one_time", "renewals"}
    assert found.backtest.folds == 0
    totals = found.parts.draws.sum(axis=1)
    low, high = np.quantile(totals, [0.1, 0.9])
    assert high / low > 2


def test_of_a_subscription_that_never_ends_none_is_marked_as_ended() -> None:
    assert members([1]).ended.tolist() == [NEVER]
