"""Every mistake in a campaign's front matter, at once and in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from kpay.domain.campaign_file import CampaignFile, read_campaign


def test_the_smallest_campaign_needs_a_subject_only() -> None:
    campaign, flaws = read_campaign({"subject": "Hello"})
    assert not flaws
    assert campaign == CampaignFile(subject="Hello")
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
        ({"subject": "x", "audience": "al"}, "audience", "did you mean 'all'"),
        ({"subject": "x", "holdout": 1}, "holdout", "not a share"),
        ({"subject": "x", "holdout": -0.1}, "holdout", "not a share"),
        ({"subject": "x", "holdout": True}, "holdout", "not a share"),
        ({"subject": "x", "holdout": "10 %"}, "holdout", "not a share"),
        ({"subject": "x", "about": 5}, "about", "neither a slug nor"),
        ({"subject": "x", "goal": "sell"}, "goal", "not a goal"),
        ({"subject": "x", "nameless": 5}, "nameless", "not a text"),
    ],
)
def test_a_mistake_is_named(values: dict[str, Any], key: str, words: str) -> None:
    (flaw,) = read_campaign(values)[1]
    assert flaw.key == key
    assert words in flaw.problem


def test_all_mistakes_come_together() -> None:
    flaws = read_campaign({"audience": 1, "holdout": 2, "colour": "red"})[1]
    assert [flaw.key for flaw in flaws] == ["colour", "audience", "holdout", "subject"]
