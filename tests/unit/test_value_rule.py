"""The value rule through a simulated year, in small; `make bench` runs the whole comparison."""

from __future__ import annotations

import numpy as np

from tests.fakes.mail_policies import POLICIES
from tests.fakes.mail_year import BEFORE_DAYS, Business, Policy, Question, compare, parameters

SEED = 101
NAMES = ("nobody", "everyone", "who does not own it", "value rule")


def test_where_many_leave_the_value_rule_earns_more_than_its_rivals() -> None:
    policies = {name: POLICIES[name] for name in NAMES}
    found = compare(("harsh",), range(SEED, SEED + 1), policies, customers=700)["harsh"]
    whole = {name: found[name][0].whole for name in NAMES}
    assert whole["nobody"] == 0
    assert whole["value rule"] > 1.05 * whole["who does not own it"]
    assert whole["who does not own it"] > whole["everyone"] > 0
    share = {name: one[0].left / max(1, one[0].mails) for name, one in found.items()}
    assert share["value rule"] < 0.9 * share["everyone"]
    assert 0.013 < share["everyone"] < 0.021


class Spy(Policy):
    """Mails everyone and writes down who could have been."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int, int]] = []
        self.mailed: list[int] = []

    def choose(self, question: Question) -> np.ndarray:
        self.asked.append((question.day, question.piece, len(question.listed)))
        assert not question.records.has_left[question.listed].any()
        return np.ones(len(question.listed), dtype=bool)

    def see(self, question: Question, answer: object) -> None:
        self.mailed.append(len(answer.persons))


def test_policies_are_asked_weekly_share_their_luck_and_hold_a_tenth_back() -> None:
    business = Business("mild", SEED, customers=150)
    first, second = Spy(), Spy()
    lived = business.try_out(first)
    assert business.try_out(second) == lived
    assert first.asked == second.asked
    days = [day for day, _, _ in first.asked]
    assert days == list(range(BEFORE_DAYS, BEFORE_DAYS + 364, 7))
    assert len({piece for _, piece, _ in first.asked}) == 25
    share = sum(first.mailed) / sum(listed for _, _, listed in first.asked)
    assert 0.88 < share < 0.92


def test_the_varied_world_lies_between_mild_and_harsh() -> None:
    mild, harsh = parameters("mild", 0), parameters("harsh", 0)
    varied = [parameters("varied", seed) for seed in range(101, 121)]
    assert all(
        mild.opt_out_share <= one.opt_out_share <= harsh.opt_out_share
        and mild.fatigue <= one.fatigue <= harsh.fatigue
        for one in varied
    )
    assert len({one.opt_out_share for one in varied}) == 20
