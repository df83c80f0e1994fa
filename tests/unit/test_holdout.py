"""How many people are held back, and whom."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from kpay.domain.holdout import (
    choose,
    draw,
    people_needed,
    smallest_effect,
    smallest_lift,
)

EMAILS = [f"reader{number}@a.example" for number in range(1000)]


@pytest.mark.parametrize(
    ("people", "share"), [(300, 0.2), (1500, 0.2), (2500, 0.1), (5000, 0.05), (20000, 0.05)]
)
def test_a_longer_list_holds_back_a_smaller_share(people: int, share: float) -> None:
    assert choose(people, 0.022).share == share


def test_without_a_history_a_fifth_is_held_back() -> None:
    assert choose(5000, 0.0).share == 0.2


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
def test_the_people_needed_show_the_lift_in_four_tests_of_five(share: float) -> None:
    people, luck = people_needed(share, 0.022, lift=0.3), np.random.default_rng(5)
    held, mailed = round(people * share), round(people * (1 - share))
    idle = luck.binomial(held, 0.022, 4000) / held
    moved = luck.binomial(mailed, 0.022 * 1.3, 4000) / mailed
    noise = np.sqrt(idle * (1 - idle) / held + moved * (1 - moved) / mailed)
    assert np.mean((moved - idle) / noise > 1.96) == pytest.approx(0.8, abs=0.03)


def test_the_draw_is_exact_and_comes_again() -> None:
    held = draw(EMAILS, 0.1, "launch 2026")
    assert len(held) == 100
    assert held == draw(list(reversed(EMAILS)), 0.1, "launch 2026")


def test_another_campaign_is_another_draw_so_that_resting_is_shared() -> None:
    times = Counter(email for n in range(30) for email in draw(EMAILS, 0.1, f"campaign {n}"))
    assert max(times.values()) < 14
    assert len(times) > 900


def test_one_newcomer_moves_hardly_anybody() -> None:
    before = draw(EMAILS, 0.1, "launch")
    after = draw([*EMAILS, "new@a.example"], 0.1, "launch")
    assert len(before ^ after) <= 2


@pytest.mark.parametrize(
    ("people", "share", "held"), [(2, 0.1, 1), (10, 0.99, 9), (1, 0.5, 0), (9, 0, 0)]
)
def test_a_small_list_keeps_somebody_on_each_side(people: int, share: float, held: int) -> None:
    assert len(draw(EMAILS[:people], share, "x")) == held


def test_what_a_list_can_show_shrinks_with_its_size() -> None:
    few, many = smallest_effect(900, 100, 0.02), smallest_effect(9000, 1000, 0.02)
    assert few is not None
    assert many is not None
    assert many < few < 0.05
    assert smallest_effect(100, 0, 0.02) is None
    assert smallest_effect(900, 100, 0.0) is None


@pytest.mark.parametrize(
    ("people", "base_share", "sends", "share", "words"),
    [
        (1500, 0.022, None, 0.2, "20 % are held out: 7 buyers are expected among them"),
        (2500, 0.022, 26, 0.1, "half a year (26 sends) can show 30 % more buyers"),
        (2500, 0.022, 12, 0.2, "half a year (12 sends) can show 30 % more buyers"),
        (2500, 0.022, 2, 0.2, "no share holds out five buyers and can show 30 % more buyers"),
        (300, 0.022, None, 0.2, "with this one it can show 56 % more or better"),
        (5, 0.9, 0.4, 0.2, "(1 send); with this one it can show not even ten times as many"),
        (5000, None, None, 0.2, "nobody is known to have bought yet"),
    ],
)
def test_the_share_follows_the_creators_own_pace_and_says_what_it_can_show(
    people: int, base_share: float | None, sends: float | None, share: float, words: str
) -> None:
    choice = choose(people, base_share, sends)
    assert choice.share == share
    assert words in choice.why


def test_the_least_lift_is_the_one_that_needs_just_these_people() -> None:
    lift = smallest_lift(0.2, 0.022, 20_000)
    assert lift is not None
    assert people_needed(0.2, 0.022, lift) == pytest.approx(20_000, rel=1e-6)
    assert smallest_lift(0.2, 0.022, 10) is None
    assert people_needed(0.2, 1.0) == float("inf")
