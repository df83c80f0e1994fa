"""What a campaign's results say of the people whom it was not worth mailing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kpay.domain.campaign_results import CampaignResults
from kpay.domain.document import Text
from kpay.domain.experiment import Arm, effect

DAY = datetime(2026, 10, 1, tzinfo=UTC)


def said(worth: dict[str, Any] | None) -> str:
    both = effect(Arm(90, (2500,)), Arm(10, ()))
    results = CampaignResults("bread", "usd", DAY, DAY, True, both, {"usd": both}, worth=worth)
    document = results.to_document()
    assert document.payload["worth"] == worth
    return " ".join(block.text for block in document.blocks if isinstance(block, Text))


def test_what_was_made_by_not_sending_is_said_as_an_estimate() -> None:
    words = said({"low_value": 12, "loss_avoided_minor": 4310, "currency": "usd"})
    assert "Not sending to 12 people made about $43.10: the plan's estimate" in words


def test_without_scores_no_sum_is_made_up() -> None:
    words = said({"low_value": 1, "loss_avoided_minor": None, "currency": None})
    assert "1 person got no mail because it was not worth it" in words


@pytest.mark.parametrize("worth", [None, {"low_value": 0, "loss_avoided_minor": 0}])
def test_where_nobody_was_spared_nothing_is_said(worth: dict[str, Any] | None) -> None:
    assert "not worth" not in said(worth)
    assert "Not sending" not in said(worth)
