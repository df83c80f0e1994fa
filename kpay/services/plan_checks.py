"""What is wrong with a campaign before anybody's letter is filled, with the file and the line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection

from kpay.domain.audience import Audience, AudienceUnknown
from kpay.domain.campaign_file import Offer
from kpay.errors import InputInvalid, Problem
from kpay.services import segments
from kpay.services.campaign_files import WrittenCampaign
from kpay.services.letters import PERSONAL

WHERE_BLANK = {
    "name": "they gave no name: add nameless: friend to the front matter, or write "
    "{{ name or 'friend' }}",
    "recommendations": "there is nothing to recommend: write {% if recommendations %} before it",
    "owned": "they own nothing: write {% if owned %} before it",
}
WHAT_IS_MISSING = {
    "content": "name the piece with about: in the front matter",
    "offer": "say what is offered with offer: in the front matter",
}


def predicate_of(connection: Connection, written: WrittenCampaign) -> Audience:
    """Read the audience; InputInvalid names the word that is not understood, and its line."""
    try:
        return segments.predicate_of(connection, written.settings.audience)
    except AudienceUnknown as error:
        line = written.lines.get("audience")
        problem = Problem(written.file, line, "audience", str(error))
        raise InputInvalid(written.file, [problem], f"kpay campaign plan {written.name}") from error


def check_about(written: WrittenCampaign, slugs: Sequence[str]) -> None:
    """Raise InputInvalid where a campaign is about something that is not published."""
    problems = []
    for slug in written.settings.about:
        if slug in slugs:
            continue
        close = get_close_matches(slug, slugs, n=1)
        meant = f" (did you mean {close[0]!r}?)" if close else ""
        text = f"there is no published piece called {slug!r}{meant}"
        problems.append(Problem(written.file, written.lines.get("about"), "about", text))
    if problems:
        raise InputInvalid(written.file, problems, "kpay content list")


def check_names(written: WrittenCampaign, asked: frozenset[str], shared: Mapping[str, Any]) -> None:
    """Raise InputInvalid for every value that a letter asks for and nobody has."""
    known = sorted({*PERSONAL, *shared} - {"language"})
    problems = []
    for name in sorted(asked - set(known)):
        close = get_close_matches(name, known, n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
        meant = WHAT_IS_MISSING.get(name, meant)
        problems.append(
            Problem(written.file, _line_of(written, name), None, f"{name!r} is unknown ({meant})")
        )
    if problems:
        raise InputInvalid(written.file, problems, f"kpay campaign plan {written.name}")


def problem_text(problem: Problem, context: Mapping[str, Any]) -> str:
    """Return what is wrong with one person's letter; a blank value is told from a misspelt one."""
    for name, words in WHERE_BLANK.items():
        if f"{name!r} is undefined" in problem.problem and not context.get(name):
            return str(replace(problem, problem=words))
    return str(problem)


def offer_problem(offer: Offer | None, active: set[str], today: date) -> str | None:
    """Return why what a campaign offers cannot be had, or None."""
    if offer is None:
        return None
    if offer.until is not None and offer.until < today:
        return f"the offer {offer.code} ended on {offer.until}"
    if active and offer.code.upper() not in active:
        close = get_close_matches(offer.code.upper(), active, n=1)
        meant = f" (did you mean {close[0]}?)" if close else ""
        return f"{offer.code} is not an active promotion code{meant}"
    return None


def _line_of(written: WrittenCampaign, name: str) -> int | None:
    """Return the first line of the file that uses a name inside a tag."""
    used = re.compile(r"\{[{%][^}]*\b" + re.escape(name) + r"\b")
    lines = written.text.splitlines()
    return next((number for number, line in enumerate(lines, 1) if used.search(line)), None)
