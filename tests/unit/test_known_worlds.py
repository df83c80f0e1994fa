"""Intervals on simulated people whose two outcomes are known: they hold the truth, and luck is not a success.

A small form; the whole one is a benchmark.
"""

from __future__ import annotations

import pytest

from kpay.domain.experiment import effect, pooled_effect
from kpay.domain.looks import looks_so_far
from tests.fakes.sent_worlds import KnownSend, known_sends

WORLDS = range(1, 7)


def first_sends() -> list[KnownSend]:
    return [known_sends(seed, 4)[0] for seed in WORLDS]


def test_the_worlds_are_like_a_creators_list() -> None:
    people = sum(len(one.emails) for one in first_sends()) / len(WORLDS)
    idle = sum((one.left_alone > 0).mean() for one in first_sends()) / len(WORLDS)
    moved = sum((one.mailed > 0).mean() for one in first_sends()) / len(WORLDS)
    assert 1350 < people < 1650
    assert 0.018 < idle < 0.026
    assert 1.2 < moved / idle < 1.6


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_the_range_of_revenue_holds_the_truth(share: float) -> None:
    covered = 0
    for send in first_sends():
        for draw in range(25):
            treated, held_out, truth = send.drawn(share, str(draw))
            found = effect(treated, held_out).revenue
            assert found is not None
            covered += found.low <= truth <= found.high
    assert 0.93 <= covered / 150 <= 1


@pytest.mark.parametrize("worth", [2.0, 0.5])
def test_pooled_sends_hold_the_truth_when_the_mail_sells_other_things(worth: float) -> None:
    covered = 0
    for seed in WORLDS:
        sends = [one.with_caused_worth(worth) for one in known_sends(seed, 4)]
        for draw in range(12):
            drawn = [one.drawn(0.1, str(draw)) for one in sends]
            found = pooled_effect([one[:2] for one in drawn]).revenue
            assert found is not None
            covered += found.low <= sum(one[2] for one in drawn) <= found.high
    assert covered / (12 * len(WORLDS)) >= 0.9


def test_a_mail_that_does_nothing_is_seldom_called_a_success() -> None:
    gains = losses = 0
    for send in first_sends():
        for draw in range(40):
            treated, held_out, _ = send.without_effect().drawn(0.1, f"null {draw}")
            found = effect(treated, held_out).buyers
            assert found is not None
            gains, losses = gains + (found.low > 0), losses + (found.high < 0)
    assert gains / 240 <= 0.035
    assert (gains + losses) / 240 <= 0.08


def test_looking_at_every_send_that_ends_calls_no_more_of_them_a_success() -> None:
    called = daily = runs = 0
    for seed in WORLDS:
        sends = [one.without_effect() for one in known_sends(seed, 4)] * 3
        for draw in range(20):
            drawn = [one.drawn(0.2, f"{draw} {n}")[:2] for n, one in enumerate(sends)]
            runs += 1
            called += any(_shows(drawn[: look.sends], look.level) for look in looks_so_far(12))
            daily += any(_shows(drawn[:count], 0.95) for count in range(1, 13))
    assert called / runs <= 0.06
    assert daily / runs > 0.08


def _shows(pairs: list[tuple[object, object]], level: float) -> bool:
    found = pooled_effect(pairs, level).buyers  # type: ignore[arg-type]
    return found is not None and (found.low > 0 or found.high < 0)
