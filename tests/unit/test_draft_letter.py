"""Drafts of campaigns: whole paragraphs from facts, for every kind of reader, and nothing invented."""

from __future__ import annotations

from itertools import product

import pytest

from kpay.adapters.markdown import SafeMarkdown
from kpay.adapters.renderer import JinjaRenderer
from kpay.domain.draft_letter import DraftFacts, DraftPiece, letter, subjects
from kpay.domain.draft_settings import PastSubject, front_matter
from kpay.domain.enums import CampaignGoal, ContentKind
from kpay.domain.letter_checks import blank_problems, subject_problems
from kpay.domain.person import BANDS
from kpay.ports import LetterSource
from kpay.shipped import shipped

EVIL = "{{ 7*7 }} {% raw %} {# <b>"
SHOWN = {
    "slug": "rye",
    "title": "Rye at Home",
    "summary": "Two days, half an hour of work.",
    "price": "$9.00",
    "url": "https://b.example/c/rye.html",
    "because": "new here",
}
PIECE = DraftPiece(
    slug="rye",
    title="Rye at Home",
    kind=ContentKind.EBOOK,
    summary="Two days, half an hour of work.",
    opening="# Rye\n\nShort.\n\nA loaf of rye takes two days, of which you wait for most of them.",
    tags=("bread", "rye"),
    includes=("one", "two"),
    trial_days=7,
)
BARE = DraftPiece("bare", EVIL, ContentKind.ARTICLE, is_free=True)


def filled(facts: DraftFacts, band: str, has: bool, url: str) -> tuple[list[str], str]:
    """Return the subjects and the text that somebody would get."""
    piece = {**SHOWN, "url": url}
    values = {"name": "Ana", "band": band, "links": {"unsubscribe": "https://b.example/u"}}
    values |= {"content": piece} if facts.piece else {}
    values |= {"owned": [piece], "recommendations": [piece, piece]} if has else {}
    renderer = JinjaRenderer([shipped("templates")], SafeMarkdown())
    around = {"business": "b", "postal_address": "p", "site_url": "", "language": "en"}
    letters = [
        renderer.letter(
            LetterSource("x.md", line, letter(facts), 1, "email/campaign", around)
        ).fill(values)
        for line in subjects(facts)
    ]
    return [one.subject for one in letters], letters[0].text


@pytest.mark.parametrize("goal", CampaignGoal)
@pytest.mark.parametrize("piece", [PIECE, BARE, None])
def test_every_reader_gets_a_whole_letter(goal: CampaignGoal, piece: DraftPiece | None) -> None:
    facts = DraftFacts(goal, "Ana Müller", piece, [PIECE], knows_next=True)
    for band, has, url in product(BANDS, (True, False), (SHOWN["url"], "")):
        lines, text = filled(facts, band, has, url)
        assert all(subject_problems(line) == () for line in lines)
        assert list(blank_problems(text, EVIL)) == []
        assert "\n\n\n" not in text
        assert text.startswith("Hello Ana,\n\n")
        assert "Ana Müller" in text
        words = text.partition("Hello Ana,\n\n")[2]
        assert words[0].isupper()
        assert len(words) > 150


def test_a_launch_says_what_the_store_knows_and_each_band_reads_another_letter() -> None:
    facts = DraftFacts(CampaignGoal.LAUNCH, "Ana", PIECE)
    texts = {band: filled(facts, band, False, SHOWN["url"])[1] for band in BANDS}
    assert "You are among the first" in texts["high"]
    assert "> A loaf of rye takes two days" in texts["low"]
    assert "> A loaf" not in texts["high"]
    assert "It is an ebook about bread and rye, and costs $9.00." in texts["low"]
    assert "The first 7 days are free." in texts["low"]
    assert "In it: one and two." in texts["low"]
    assert "See Rye at Home: https://b.example/c/rye.html" in texts["low"]
    assert "You have Rye at Home" in filled(facts, "low", True, "")[1]


def test_what_looks_like_a_tag_in_a_title_is_no_tag() -> None:
    facts = DraftFacts(CampaignGoal.WINBACK, EVIL, None, [BARE])
    assert "49" not in filled(facts, "low", False, "")[1]


def test_the_front_matter_says_what_worked_and_what_can_be_set() -> None:
    past = [PastSubject('A "line"\nwith a break', "autumn", 200, 9)]
    text = front_matter(
        ["One: two", '"Three"'], "all", "on the list", about="rye", goal="launch", past=past
    )
    assert '  - "One: two"\n  - "\\"Three\\""\n' in text
    assert '#   4.5% of 200  A "line" with a break  (autumn)' in text
    assert text.index("nameless: there") < text.index("# holdout: 0.1")
    for key in ("window", "rate", "rest_days", "offer", "value_rule", "holdout"):
        assert f"\n# {key}: " in text
