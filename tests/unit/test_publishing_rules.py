"""What publishing does to a piece, and which part of it anyone may read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kpay.domain.enums import ContentStatus
from kpay.domain.preview import first_blocks
from kpay.domain.pricing import parse_price, price_text
from kpay.domain.publishing import Change, Standing, Wish, decide

NOW = datetime(2026, 10, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
DRAFT, SCHEDULED, PUBLISHED, ARCHIVED = (
    ContentStatus.DRAFT, ContentStatus.SCHEDULED, ContentStatus.PUBLISHED, ContentStatus.ARCHIVED,
)  # fmt: skip


def standing(status: ContentStatus, since: datetime | None = None) -> Standing:
    return Standing(status, 1, "same", since)


def test_a_new_piece_is_published_now() -> None:
    decision = decide(None, "x", Wish(), NOW)
    assert (decision.change, decision.status, decision.published_at) == (Change.NEW, PUBLISHED, NOW)


def test_an_unchanged_piece_stays_as_it_is() -> None:
    decision = decide(standing(PUBLISHED, NOW), "same", Wish(), LATER)
    assert (decision.change, decision.version, decision.published_at) == (Change.UNCHANGED, 1, NOW)


def test_a_changed_piece_gets_a_version_and_keeps_its_day() -> None:
    decision = decide(standing(PUBLISHED, NOW), "other", Wish(), LATER)
    assert (decision.change, decision.version, decision.published_at) == (Change.CHANGED, 2, NOW)


@pytest.mark.parametrize("status", [DRAFT, ARCHIVED])
def test_without_names_what_is_not_out_stays_in(status: ContentStatus) -> None:
    assert decide(standing(status), "other", Wish(), NOW).status is status
    assert decide(standing(status), "same", Wish(is_named=True), NOW).status is PUBLISHED


def test_a_scheduled_piece_comes_out_at_its_moment() -> None:
    waiting = decide(None, "same", Wish(at=LATER), NOW)
    assert (waiting.status, waiting.published_at) == (SCHEDULED, LATER)
    before = decide(standing(SCHEDULED, LATER), "same", Wish(), NOW)
    assert before.change is Change.UNCHANGED
    after = decide(standing(SCHEDULED, LATER), "same", Wish(), LATER)
    assert (after.change, after.status, after.published_at) == (Change.RELEASED, PUBLISHED, LATER)


@pytest.mark.parametrize("wish", [Wish(is_draft=True), Wish(at=LATER)])
def test_what_readers_have_cannot_become_a_draft(wish: Wish) -> None:
    with pytest.raises(ValueError, match="published already"):
        decide(standing(PUBLISHED, NOW), "other", wish, NOW)


BODY = "# Head\n\nOne.\n\n```\ncode\n\nmore code\n```\n\nThree.\n"


def test_a_preview_counts_paragraphs_and_keeps_code_whole() -> None:
    assert first_blocks(BODY, 0) == ""
    assert first_blocks(BODY, 1) == "# Head\n\nOne."
    assert first_blocks(BODY, 2) == "# Head\n\nOne.\n\n```\ncode\n\nmore code\n```"
    assert first_blocks(BODY, 9).endswith("Three.")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("29 usd", "$29.00"),
        ("9 eur/month", "€9.00 / month"),
        ("from 5 usd", "from $5.00"),
        ("500 jpy", "¥500"),
        ("free", "free"),
    ],
)
def test_a_price_is_written_for_people(written: str, shown: str) -> None:
    assert price_text(parse_price(written)) == shown
