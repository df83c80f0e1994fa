"""All sends together: the right sum, a verdict only when one is due, honest words about few buyers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kpay.domain.campaign_results import CampaignResults
from kpay.domain.experiment import Arm, effect, pooled_effect
from kpay.domain.holdout import smallest_effect
from kpay.domain.pooled_results import PooledResults

BEGAN = datetime(2026, 1, 5, 9, tzinfo=UTC)


def arm(people: int, buyers: int, each: int = 1000) -> Arm:
    return Arm(people, (each,) * buyers)


def a_send(number: int, treated: Arm, held_out: Arm) -> CampaignResults:
    since = BEGAN + timedelta(days=14 * number)
    found = effect(treated, held_out)
    until = since + timedelta(days=14)
    return CampaignResults(f"mail-{number}", "usd", since, until, True, found, {"usd": found})


def together(count: int, treated: Arm, held_out: Arm) -> PooledResults:
    sends = tuple(a_send(number, treated, held_out) for number in range(count))
    return PooledResults("usd", sends, {}, 0.95)


def test_one_send_pooled_is_that_send() -> None:
    pair = (Arm(800, (900, 1900, 2900, 900)), Arm(200, (4900,)))
    assert pooled_effect([pair]) == effect(*pair)


def test_each_send_counts_its_own_difference_whatever_share_it_held_out() -> None:
    first, second = (arm(900, 90), arm(100, 5)), (arm(500, 10, 5000), arm(500, 10, 5000))
    found = pooled_effect([first, second])
    assert found.buyers is not None
    assert found.revenue is not None
    assert found.buyers.estimate == pytest.approx((900 * (0.1 - 0.05) + 0) / 1400)
    # What was earned: 45 buyers more at 1000 in the first send, none in the second. The two
    # pseudo-orders of the usual value move it a little.
    assert found.revenue.estimate == pytest.approx(45_000, rel=0.2)
    assert (found.treated.people, found.held_out.people) == (1400, 600)
    assert (found.treated.buyers, found.held_out.buyers) == (100, 15)


def test_adding_the_groups_up_would_be_wrong_and_is_not_done() -> None:
    busy, quiet = (arm(950, 190), arm(50, 10)), (arm(500, 5), arm(500, 5))
    found = pooled_effect([busy, quiet])
    naive = effect(arm(1450, 195), arm(550, 15))
    assert found.buyers is not None
    assert naive.buyers is not None
    assert found.buyers.estimate == pytest.approx(0)
    assert naive.buyers.low > 0


def test_more_sends_make_the_range_of_a_share_narrower() -> None:
    widths = []
    for count in (1, 4, 16):
        found = pooled_effect([(arm(800, 24), arm(200, 4))] * count).buyers
        assert found is not None
        widths.append(found.high - found.low)
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.15)
    assert widths[1] / widths[2] == pytest.approx(2, rel=0.05)


def test_a_send_without_a_group_to_compare_with_says_nothing() -> None:
    pair = (arm(800, 20), arm(200, 4))
    assert pooled_effect([pair, (arm(300, 20), Arm(0))]).buyers == pooled_effect([pair]).buyers
    assert pooled_effect([(arm(300, 20), Arm(0))]).buyers is None
    assert pooled_effect([]).revenue is None


@pytest.mark.parametrize(
    ("count", "start"),
    [
        (0, "No finished send"),
        (4, "Too early: the first verdict is given on 5 finished sends."),
        (5, "The first 5 sends together sold"),
        (9, "The first 5 sends together sold"),
        (23, "The first 20 sends together sold"),
    ],
)
def test_a_verdict_is_given_at_planned_looks_only(count: int, start: str) -> None:
    shown = together(count, arm(800, 80), arm(200, 4))
    assert shown.verdict.startswith(start)
    if count == 23:
        assert shown.verdict.endswith("The next look comes with 17 more finished sends.")
        assert "(98.5 %)" in shown.verdict


def test_what_a_look_showed_is_not_taken_back_by_a_later_one() -> None:
    good = [a_send(number, arm(800, 40), arm(200, 2)) for number in range(5)]
    poor = [a_send(number, arm(800, 20), arm(200, 12)) for number in range(5, 12)]
    shown = PooledResults("usd", (*good, *poor), {}, 0.95)
    payload = shown.to_document().payload
    assert shown.verdict.startswith("The first 5 sends together sold")
    assert [one["shows_effect"] for one in payload["looks"]["made"]] == [True, False]


def test_an_effect_that_is_not_shown_is_not_denied() -> None:
    shown = together(5, arm(800, 18), arm(200, 3))
    assert shown.verdict.startswith(
        "The first 5 sends together: No effect is shown, which does not"
    )
    least = smallest_effect(4000, 1000, 15 / 1000, 0.995)
    assert least is not None
    assert f"can show only {100 * least:.2f} points" in shown.verdict


def test_days_picked_afterwards_give_no_verdict() -> None:
    sends = together(20, arm(800, 80), arm(200, 4)).sends
    shown = PooledResults("usd", sends, {}, 0.95, (BEGAN, BEGAN + timedelta(days=900)))
    assert shown.verdict.startswith("No verdict")
    assert shown.to_document().payload["looks"] == {"sends": 20, "next": None, "made": []}


def test_the_document_lists_every_send_and_the_money_by_currency() -> None:
    plain = a_send(0, arm(800, 24), arm(200, 4))
    euros = effect(Arm(800, (700, 700)), Arm(200))
    mixed = CampaignResults(
        "mail-1", "usd", plain.since, plain.until, True, plain.buyers,
        {"usd": plain.buyers, "eur": euros},
    )  # fmt: skip
    document = PooledResults(
        "usd", (plain, mixed), {"old": "nobody was held out"}, 0.9
    ).to_document()
    payload = document.to_json()
    assert payload["schema"] == "kpay.campaign.results/1"
    assert [one["campaign"] for one in payload["campaigns"]] == ["mail-0", "mail-1"]
    assert (payload["treated"], payload["held_out"]) == (1600, 400)
    assert payload["outcomes"]["buyers"]["level"] == 0.9
    [other] = payload["other_currencies"]
    assert (other["currency"], other["treated_mean"]) == ("eur", 1400 / 1600)
    assert payload["left_out"] == [{"campaign": "old", "why": "nobody was held out"}]
    cost = payload["holdout_cost"]
    assert cost["people"] == 400
    assert cost["buyers"] == pytest.approx(400 * (48 / 1600 - 8 / 400))
    assert cost["buyers_low95"] < cost["buyers"] < cost["buyers_high95"]
    assert any("got several of them" in getattr(block, "text", "") for block in document.blocks)
