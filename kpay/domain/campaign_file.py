"""What a campaign's front matter may say, and every mistake in it at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from kpay.domain.audience import AudienceUnknown, parse_audience
from kpay.domain.enums import CampaignGoal

KEYS: Final = ("subject", "audience", "holdout", "about", "goal", "nameless")
LONGEST_SUBJECT: Final = 200


@dataclass(frozen=True, slots=True)
class CampaignFile:
    """A campaign as its file says; `holdout_share` is None where kpay is to choose.

    `about` holds slugs: who owns all of them is not mailed. `nameless` stands in for the name of
    a reader who gave none.
    """

    subject: str
    audience: str = "all"
    holdout_share: float | None = None
    about: tuple[str, ...] = ()
    goal: str = ""
    nameless: str = "there"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with one key."""

    key: str
    problem: str


def read_campaign(values: Mapping[str, Any]) -> tuple[CampaignFile, tuple[Flaw, ...]]:
    """Return the campaign and everything that is wrong with its front matter."""
    flaws = [Flaw(str(key), _unknown(str(key))) for key in values if key not in KEYS]
    for key, check in CHECKS.items():
        problem = check(values[key]) if key in values else None
        if problem:
            flaws.append(Flaw(key, problem))
    if "subject" not in values:
        flaws.append(Flaw("subject", 'a campaign needs a subject (subject: "Something new")'))
    if flaws:
        return CampaignFile(subject=""), tuple(flaws)
    holdout = values.get("holdout")
    return CampaignFile(
        subject=values["subject"],
        audience=values.get("audience", "all"),
        holdout_share=None if holdout is None else float(holdout),
        about=_words(values.get("about")),
        goal=values.get("goal", ""),
        nameless=values.get("nameless", "there"),
    ), ()


def _words(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _unknown(key: str) -> str:
    close = get_close_matches(key, KEYS, n=1)
    meant = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(KEYS)}"
    return f"{key!r} is not a setting of a campaign ({meant})"


def _subject_problem(value: Any) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return "the subject must be a text in quotes"
    if len(value) > LONGEST_SUBJECT or "\n" in value:
        return f"the subject must be one line of at most {LONGEST_SUBJECT} characters"
    return None


def _audience_problem(value: Any) -> str | None:
    if not isinstance(value, str):
        return f"{value!r} is not an audience (write all)"
    try:
        parse_audience(value)
    except AudienceUnknown as error:
        return str(error)
    return None


def _holdout_problem(value: Any) -> str | None:
    is_share = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1
    return None if is_share else f"{value!r} is not a share (write 0.1 for one in ten, or 0)"


def _about_problem(value: Any) -> str | None:
    slugs = [value] if isinstance(value, str) else value
    if value is None:
        return None
    fine = isinstance(slugs, list) and all(isinstance(slug, str) and slug for slug in slugs)
    return None if fine else f"{value!r} is neither a slug nor a list of slugs"


def _goal_problem(value: Any) -> str | None:
    known = tuple(CampaignGoal)
    return None if value in known else f"{value!r} is not a goal ({', '.join(known)})"


def _nameless_problem(value: Any) -> str | None:
    return None if isinstance(value, str) else f"{value!r} is not a text"


CHECKS: Final = {
    "subject": _subject_problem,
    "audience": _audience_problem,
    "holdout": _holdout_problem,
    "about": _about_problem,
    "goal": _goal_problem,
    "nameless": _nameless_problem,
}
