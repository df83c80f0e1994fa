"""The price of attention: what is learned from few and many opt-outs, and what the rule makes of it."""

from __future__ import annotations

import numpy as np
import pytest

from kpay.ml import attention, rates, relevance
from kpay.ml.attention import OptOuts
from kpay.ml.relevance import Known, Pieces, Relevance

FRESH = np.linspace(0.2, 1.8, 40)  # relevances of the mails to come


def opt_outs(share: float, *, mails: int = 40_000, slope: float = 0.3) -> OptOuts:
    """Learn from mails that made `share` of rested, interested readers leave."""
    luck = np.random.default_rng(3)
    pressure, relevances = luck.uniform(0, 4, mails), luck.uniform(0.2, 1.8, mails)
    hazard = share * np.exp(slope * pressure + 0.5 * np.maximum(0, 1 - relevances))
    left = (luck.random(mails) < -np.expm1(-hazard)).astype(float)
    return attention.learn_opt_outs(pressure, relevances, left)


def is_worth(
    learned: OptOuts, relevances: list[float], pressure: float = 1.0, days: float = 7.0
) -> list[bool]:
    outlook = attention.look_ahead(learned, FRESH, days)
    balance = attention.weigh(
        learned,
        outlook,
        pressure=np.full(len(relevances), pressure),
        relevance=np.array(relevances),
        usual=np.ones(len(relevances)),
    )
    return [bool(worth) for worth in balance.is_worth]


def test_without_records_the_published_rate_stands_with_a_wide_interval() -> None:
    learned = attention.learn_opt_outs(np.zeros(0), np.zeros(0), np.zeros(0))
    rate, low, high = learned.per_mail
    assert rate == pytest.approx(0.0025 * np.exp(0.2))
    assert low < 0.001
    assert high > 0.01
    assert learned.is_mostly_prior


def test_few_opt_outs_move_the_rate_a_little_and_many_move_it_all_the_way() -> None:
    few = attention.learn_opt_outs(np.ones(50), np.ones(50), np.eye(50)[0])
    assert 0.003 < few.per_mail[0] < 0.02
    assert few.is_mostly_prior
    many = opt_outs(0.01)
    seen = many.left / many.mails
    assert many.per_mail[0] == pytest.approx(seen, rel=0.02)
    assert many.per_mail[1] < seen < many.per_mail[2] < 1.2 * many.per_mail[1]
    assert not many.is_mostly_prior


def test_the_hazard_of_pressure_and_boredom_is_found_again() -> None:
    learned = opt_outs(0.01, mails=200_000)
    _, for_pressure, for_boredom = learned.rate.weights
    assert for_pressure == pytest.approx(0.3, abs=0.05)
    assert for_boredom == pytest.approx(0.5, abs=0.15)
    calm, tired = learned.chance(np.array([0.0, 4.0]), np.ones(2))
    assert tired == pytest.approx(calm * np.exp(4 * for_pressure), rel=0.05)


def test_intervals_of_the_rate_cover_the_truth() -> None:
    luck = np.random.default_rng(5)
    covered = 0
    for _ in range(300):
        left = (luck.random(3_000) < 0.004).astype(float)
        _, low, high = attention.learn_opt_outs(np.ones(3_000), np.ones(3_000), left).per_mail
        covered += low <= 0.004 <= high
    assert 0.92 <= covered / 300 <= 0.995


def test_where_hardly_anybody_leaves_nearly_every_mail_is_worth_it() -> None:
    assert is_worth(opt_outs(0.001), [0.5, 1.0, 2.0]) == [True] * 3
    assert is_worth(opt_outs(0.001), [0.0]) == [False]


def test_where_many_leave_only_what_concerns_the_reader_is_sent() -> None:
    assert is_worth(opt_outs(0.02), [0.2, 0.5, 1.5, 2.5]) == [False, False, True, True]


def test_a_reader_mailed_a_lot_lately_is_left_alone_and_a_rested_one_is_mailed() -> None:
    learned = opt_outs(0.008)
    assert is_worth(learned, [1.0], pressure=0.0) == [True]
    assert is_worth(learned, [1.0], pressure=6.0) == [False]


def test_more_mails_to_come_make_attention_dearer() -> None:
    learned = opt_outs(0.01)
    weekly, monthly = (attention.look_ahead(learned, FRESH, days) for days in (7.0, 30.0))
    fresh = np.zeros(1)
    assert weekly.mails_to_come(fresh) > 1.5 * monthly.mails_to_come(fresh)
    assert attention.look_ahead(opt_outs(0.001), FRESH, 7.0).mails_to_come(
        fresh
    ) > weekly.mails_to_come(fresh)


def test_the_own_gain_of_a_reader_cancels_out() -> None:
    """Who finds half as much in every mail has half as much to lose."""
    learned = opt_outs(0.01, slope=0.0)
    outlook = attention.look_ahead(learned, FRESH, 7.0)
    keen, cool = (
        attention.weigh(
            learned,
            outlook,
            pressure=np.zeros(1),
            relevance=np.array([size]),
            usual=np.array([size]),
        ).earned
        for size in (2.0, 1.0)
    )
    assert keen == pytest.approx(cool)


def test_a_usual_mail_earns_a_third_of_a_fortnight() -> None:
    assert attention.mail_value_minor(np.array([9000.0]), 90.0) == pytest.approx(9000 * 14 / 90 / 3)


def test_pressure_halves_every_fortnight() -> None:
    found = attention.pressures(np.array([0.0, 14.0, 28.0]), np.array([0, 0, 1]), 3)
    assert found.tolist() == [1.5, 0.25, 0.0]


def known(**values: list[list[float]]) -> Known:
    blank = np.zeros((1, 3))
    arrays = {name: np.array(value, dtype=float) for name, value in values.items()}
    rows = {name: arrays.get(name, blank) for name in ("bought", "clicked", "mailed", "asked")}
    return Known(**rows, has_asked=rows["asked"].any(axis=1))


def relevances(one: Known, pieces: Pieces | None = None) -> list[float]:
    alike = np.array([[1.0, 0.8, 0.0], [0.8, 1.0, 0.0], [0.0, 0.0, 1.0]])
    shop = pieces or Pieces(alike, np.full(3, 10.0), np.full(3, 20.0), np.full(3, 1000.0))
    return [float(value) for value in Relevance(relevance.PRIOR, 1.0, 0).of(shop.traits(one))[0]]


def test_what_is_like_what_somebody_bought_or_clicked_concerns_them_more() -> None:
    _, akin, other = relevances(known(bought=[[1, 0, 0]]))
    assert akin > 1.05 > 0.95 > other
    _, akin, other = relevances(known(clicked=[[2, 0, 0]], mailed=[[2, 2, 2]]))
    assert akin > 1.05 > 0.95 > other


def test_a_click_on_the_only_mail_somebody_got_says_little_about_taste() -> None:
    first, akin, other = relevances(known(clicked=[[1, 0, 0]], mailed=[[1, 0, 0]]))
    assert first == pytest.approx(akin) == pytest.approx(other)


def test_topics_that_were_ticked_count_for_and_against() -> None:
    asked, _, other = relevances(known(asked=[[1, 0, 0]]))
    untold = relevances(known())[2]
    assert asked > untold > other


def test_what_everybody_clicks_concerns_everybody_more() -> None:
    alike = np.eye(3)
    shop = Pieces(alike, np.zeros(3), np.array([60.0, 20.0, 10.0]), np.full(3, 1000.0))
    found = relevances(known(), shop)
    assert found == sorted(found, reverse=True)
    assert found[0] > 1.2 * found[2]


def test_the_weights_of_traits_are_learned_from_clicks() -> None:
    luck = np.random.default_rng(8)
    traits = np.column_stack([luck.normal(0, 0.6, (40_000, 2)), luck.integers(0, 2, (40_000, 2))])
    rate = 0.02 * np.exp(traits @ np.array([1.0, 0.2, 0.9, -0.1]))
    found = relevance.learn(traits, (luck.random(40_000) < rate).astype(float))
    assert found.weights == pytest.approx([1.0, 0.2, 0.9, -0.1], abs=0.12)
    assert found.of(traits).mean() == pytest.approx(1.0, abs=0.05)
    assert relevance.learn(traits[:0], np.zeros(0)).weights == pytest.approx(relevance.PRIOR)


def test_a_rate_without_rows_is_its_prior() -> None:
    centre, deviation = np.array([-1.0, 0.5]), np.array([0.3, 0.2])
    found = rates.fit(np.zeros((0, 2)), np.zeros(0), centre, deviation)
    assert found.weights == pytest.approx(centre)
    assert found.covariance == pytest.approx(np.diag(deviation**2))
