"""A draft of each purpose can be planned as it is, in a rich business and in the smallest."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kpay.shipped import shipped

GOALS = ("launch", "winback", "upsell", "renewal")
MAIL = {
    "KPAY_MAIL_FROM": "Ana Müller <ana@bakery.example>",
    "KPAY_POSTAL_ADDRESS": "Hauptstraße 1, Berlin",
}
PIECE = """\
---
title: Rye at Home
kind: ebook
price: 9 usd
---
A loaf of rye takes two days, of which you work for half an hour and wait for the rest.

The first day.
"""
Kpay = Callable[..., Any]


@pytest.fixture
def rich(tmp_path: Path, kpay: Kpay) -> Path:
    """The example workspace, published, with readers of all kinds and two years of orders."""
    home = tmp_path / "kiln"
    shutil.copytree(shipped("examples"), home)
    kpay("init", str(home))
    kpay("publish", home=home)
    titles = [
        "Handles, Lids and Spouts",
        "Kiln Club",
        "Why Your Bowls Crack",
        "Trimming a Foot Ring",
    ]
    orders = "order_id,email,ordered_at,amount,currency,product\n" + "".join(
        f"o{n},reader{n % 23}@r.example,{2025 + n % 2}-0{1 + n % 9}-11,{5 + n % 7}.00,usd,"
        f'"{titles[n % 4]}"\n'
        for n in range(60)
    )
    people = "email,name,consent_source,consented_at\n" + "".join(
        f"reader{n}@r.example,{'' if n % 5 == 0 else f'Reader {n}'},form,2025-01-01\n"
        for n in range(40)
    )
    for kind, rows in (("subscribers", people), ("orders", orders)):
        (home / f"{kind}.csv").write_text(rows)
        done = kpay("import", kind, str(home / f"{kind}.csv"), home=home)
        assert done.exit_code == 0, done.stderr
    return home


@pytest.fixture
def small(business: Path, kpay: Kpay) -> Path:
    """A business with one piece, three readers and nothing sold."""
    (business / "content" / "rye.md").write_text(PIECE)
    kpay("publish", home=business)
    for name in ("ana", "bo", "cy"):
        assert kpay("subscriber", "add", f"{name}@r.example", home=business).exit_code == 0
    return business


def planned(kpay: Kpay, home: Path, name: str, *words: str) -> dict[str, Any]:
    """Draft and plan a campaign."""
    drafted = kpay("campaign", "new", name, *words, "--json", home=home, env=MAIL)
    assert drafted.exit_code == 0, drafted.stderr
    done = kpay("campaign", "plan", name, "--json", home=home, env=MAIL)
    assert done.exit_code == 0, done.stderr
    return {**json.loads(drafted.stdout), **json.loads(done.stdout)}


def text_of(home: Path, name: str) -> str:
    return (home / "campaigns" / f"{name}.md").read_text()


@pytest.mark.parametrize("goal", GOALS)
def test_a_draft_in_a_rich_business_has_no_problem_and_reaches_people(
    rich: Path, kpay: Kpay, goal: str
) -> None:
    plan = planned(kpay, rich, f"d-{goal}", "--for", goal)
    assert plan["problems"] == []
    assert plan["recipients"] > 0 or goal == "renewal"  # what was imported never ends
    text = text_of(rich, f"d-{goal}")
    assert "{% if band" in text
    assert "nameless: there" in text
    assert text.count("\n  - ") >= 2
    assert f"({plan['people']} people today)" in text


@pytest.mark.parametrize("goal", GOALS)
def test_a_draft_in_the_smallest_business_has_no_problem(
    small: Path, kpay: Kpay, goal: str
) -> None:
    plan = planned(kpay, small, f"d-{goal}", "--for", goal)
    assert plan["problems"] == []


def test_a_launch_speaks_of_the_newest_piece_and_quotes_what_anyone_may_read(
    small: Path, kpay: Kpay
) -> None:
    plan = planned(kpay, small, "new-book")
    assert (plan["about"], plan["for"], plan["people"]) == ("rye-at-home", "launch", 3)
    text = text_of(small, "new-book")
    assert "> A loaf of rye takes two days" in text
    assert "{{ content.price }}" in text
    assert "$9" not in text
    letter = next((small / "outbox" / "preview" / "new-book").glob("*.txt")).read_text()
    assert "It is an ebook, and costs $9.00." in letter
    assert letter.rstrip().count("Ana Müller") == 1


def test_an_audience_or_a_segment_can_be_named(rich: Path, kpay: Kpay) -> None:
    kpay("segment", "create", "quiet", "--where", "orders == 0", home=rich)
    assert planned(kpay, rich, "a", "--segment", "quiet")["recipients"] > 0
    assert 'audience: "quiet"' in text_of(rich, "a")
    plan = planned(kpay, rich, "b", "--audience", "not customers and email_domain == 'r.example'")
    assert plan["recipients"] > 0
    for words, code, says in (
        (("--segment", "quite"), 4, "--segment quiet"),
        (("--audience", "custmers"), 2, "customers"),
        (("--segment", "quiet", "--audience", "all"), 2, "--segment and --audience"),
        (("--about", "kiln-clb"), 4, "--about kiln-club"),
    ):
        refused = kpay("campaign", "new", "c", *words, home=rich)
        assert refused.exit_code == code
        assert says in refused.stderr
        assert "next: " in refused.stderr
    assert not (rich / "campaigns" / "c.md").exists()


def test_subjects_that_worked_stand_in_the_next_draft(rich: Path, kpay: Kpay) -> None:
    letter = '---\nsubject: "The kiln is open"\naudience: all\nholdout: 0\n---\nHello, the kiln.\n'
    (rich / "campaigns" / "first.md").write_text(letter)
    sent = kpay("campaign", "send", "first", "--yes", home=rich, env=MAIL)
    assert sent.exit_code == 0, sent.stderr
    assert kpay("campaign", "new", "second", home=rich).exit_code == 0
    assert "The kiln is open" not in text_of(rich, "second")  # nobody answered
    clicks = "email,happened_at,kind,content,value\n" + "".join(
        f"reader{n}@r.example,2026-10-01T09:00:00Z,click,kiln-club,\n" for n in range(12)
    )
    (rich / "clicks.csv").write_text(clicks)
    assert kpay("import", "events", str(rich / "clicks.csv"), home=rich).exit_code == 0
    assert kpay("campaign", "new", "third", home=rich).exit_code == 0
    assert "#   30.0% of 40  The kiln is open  (first)" in text_of(rich, "third")
