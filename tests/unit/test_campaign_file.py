"""Every mistake in a campaign's front matter, at once and in plain words."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest

from kpay.domain.campaign_file import CampaignFile, Offer, read_campaign
from kpay.domain.hours import Hours


def test_the_smallest_campaign_needs_a_subject_only() -> None:
    campaign, flaws = read_campaign({"subject": "Hello"})
    assert not flaws
    assert campaign == CampaignFile(subjects=("Hello",))
    assert campaign.audience == "all"
    assert campaign.holdout_share is None


def test_one_slug_and_a_list_of_slugs_mean_the_same() -> None:
    assert read_campaign({"subject": "x", "about": "rye"})[0].about == ("rye",)
    assert read_campaign({"subject": "x", "about": ["rye", "salt"]})[0].about == ("rye", "salt")


@pytest.mark.parametrize("share", [0, 0.0, 0.1, 0.99])
def test_a_share_is_below_one(share: float) -> None:
    assert read_campaign({"subject": "x", "holdout": share})[0].holdout_share == share


@pytest.mark.parametrize(
    ("values", "key", "words"),
    [
        ({}, "subject", "needs a subject"),
        ({"subject": 7}, "subject", "text in quotes"),
        ({"subject": "x" * 201}, "subject", "at most 200"),
        ({"subject": "x", "audiance": "all"}, "audiance", "did you mean 'audience'"),
        ({"subject": "x", "audience": ""}, "audience", "not an audience"),
        ({"subject": "x", "audience": 5}, "audience", "not an audience"),
        ({"subject": "x", "holdout": 1}, "holdout", "not a share"),
        ({"subject": "x", "holdout": -0.1}, "holdout", "not a share"),
        ({"subject": "x", "holdout": True}, "holdout", "not a share"),
        ({"subject": "x", "holdout": "10 %"}, "holdout", "not a share"),
        ({"subject": "x", "about": 5}, "about", "neither a slug nor"),
        ({"subject": "x", "goal": "sell"}, "goal", "not a goal"),
        ({"subject": "x", "nameless": 5}, "nameless", "not a word to call"),
        ({"subject": "x", "nameless": " "}, "nameless", "not a word to call"),
        ({"subject": "x", "subjects": ["y", "z"]}, "subjects", "either"),
        ({"subjects": ["x"]}, "subjects", "2 to 5"),
        ({"subjects": list("abcdef")}, "subjects", "2 to 5"),
        ({"subjects": ["x", "x"]}, "subjects", "the same"),
        ({"subjects": ["x", ""]}, "subjects", "text in quotes"),
        ({"subject": "x", "window": "8-20"}, "window", "span of hours"),
        ({"subject": "x", "window": 480}, "window", "span of hours"),
        ({"subject": "x", "rate": 0}, "rate", "whole number from 1"),
        ({"subject": "x", "rate": "fast"}, "rate", "whole number"),
        ({"subject": "x", "rest_days": -1}, "rest_days", "whole number from 0"),
        ({"subject": "x", "value_rule": "yes"}, "value_rule", "neither true nor false"),
        ({"subject": "x", "batches": 0}, "batches", "whole number from 1"),
        ({"subject": "x", "batch_hours": 0}, "batch_hours", "number of hours"),
        ({"subject": "x", "offer": "SPRING"}, "offer", "needs a code"),
        ({"subject": "x", "offer": {"text": "20 %"}}, "offer", "needs a code"),
        ({"subject": "x", "offer": {"code": "S", "unti": "x"}}, "offer", "not a part of an offer"),
        ({"subject": "x", "offer": {"code": "S", "until": "soon"}}, "offer", "is not a day"),
        ({"subject": "x", "offer": {"code": "S", "until": 5}}, "offer", "is not a day"),
    ],
)
def test_a_mistake_is_named(values: dict[str, Any], key: str, words: str) -> None:
    (flaw,) = read_campaign(values)[1]
    assert flaw.key == key
    assert words in flaw.problem


def test_all_mistakes_come_together() -> None:
    flaws = read_campaign({"audience": 1, "holdout": 2, "colour": "red"})[1]
    assert [flaw.key for flaw in flaws] == ["colour", "audience", "holdout", "subject"]


def test_everything_that_can_be_said_is_read() -> None:
    campaign, flaws = read_campaign(
        {
            "subjects": ["One", "Two"],
            "window": "08:00-20:00",
            "rate": 500,
            "rest_days": 7,
            "value_rule": True,
            "offer": {"code": "SPRING", "text": "a fifth off", "until": date(2026, 12, 31)},
            "batches": 3,
            "batch_hours": 2,
            "nameless": "friend",
        }
    )
    assert not flaws
    assert campaign == CampaignFile(
        subjects=("One", "Two"),
        window=Hours(time(8), time(20)),
        rate=500,
        rest_days=7,
        value_rule=True,
        offer=Offer("SPRING", "a fifth off", date(2026, 12, 31)),
        batches=3,
        batch_hours=2.0,
        nameless="friend",
    )
    assert campaign.subject == "One"


@pytest.mark.parametrize(
    ("values", "people", "batches"),
    [
        ({"subject": "x"}, 50_000, 1),
        ({"subjects": ["x", "y"]}, 999, 1),
        ({"subjects": ["x", "y"]}, 1000, 6),
        ({"subjects": ["x", "y"], "batches": 3}, 20, 3),
    ],
)
def test_subjects_are_tried_in_batches_where_there_are_enough_readers(
    values: dict[str, Any], people: int, batches: int
) -> None:
    assert read_campaign(values)[0].batches_for(people) == batches
