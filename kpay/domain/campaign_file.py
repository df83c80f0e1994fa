"""What a campaign's front matter may say, and every mistake in it at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any, Final

from kpay.domain.enums import CampaignGoal, CampaignTarget
from kpay.domain.hours import Hours, parse_hours

KEYS: Final = (
    "subject",
    "subjects",
    "audience",
    "target",
    "holdout",
    "about",
    "goal",
    "nameless",
    "window",
    "rate",
    "rest_days",
    "value_rule",
    "offer",
    "batches",
    "batch_hours",
)
OFFER_KEYS: Final = ("code", "text", "until")
LABELS: Final = "ABCDE"
LONGEST_SUBJECT: Final = 200
USUAL_BATCHES: Final = 6
FEWEST_TO_LEARN_FROM: Final = 1000  # below that a batch brings a click or two, which tell nothing
USUAL_BATCH_HOURS: Final = 4.0


@dataclass(frozen=True, slots=True)
class Offer:
    """What a campaign offers: a promotion code, in what words, and the last day it holds."""

    code: str
    text: str = ""
    until: date | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the plain values that a letter is given."""
        last = self.until.isoformat() if self.until else ""
        return {"code": self.code, "text": self.text, "until": last}


@dataclass(frozen=True, slots=True)
class CampaignFile:
    """A campaign as its file says; None where kpay is to choose, or where nothing is asked.

    `subjects` are tried against each other when there are several. `about` holds slugs: who owns all
    of them is not mailed. `nameless` stands in for the name of a reader who gave none; without it
    such a reader stops the plan. `rate` is messages an hour.
    """

    subjects: tuple[str, ...] = ()
    audience: str = "all"
    holdout_share: float | None = None
    about: tuple[str, ...] = ()
    goal: str = ""
    target: str = CampaignTarget.ALL
    nameless: str | None = None
    window: Hours | None = None
    rate: int | None = None
    rest_days: int | None = None
    value_rule: bool | None = None
    offer: Offer | None = None
    batches: int | None = None
    batch_hours: float = USUAL_BATCH_HOURS

    @property
    def subject(self) -> str:
        """The first subject."""
        return self.subjects[0] if self.subjects else ""

    def batches_for(self, people: int) -> int:
        """Return in how many batches subjects are tried on so many people; 1 when all go at once."""
        if len(self.subjects) < 2:
            return 1
        return self.batches or (USUAL_BATCHES if people >= FEWEST_TO_LEARN_FROM else 1)

    @property
    def not_for_owners_of(self) -> tuple[str, ...]:
        """The slugs whose owners are left out; a renewal is written to owners."""
        return () if self.goal == CampaignGoal.RENEWAL else self.about


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with one key."""

    key: str
    problem: str


def read_campaign(values: Mapping[str, Any]) -> tuple[CampaignFile, tuple[Flaw, ...]]:
    """Return the campaign and everything that is wrong with its front matter."""
    flaws = [Flaw(str(key), _unknown(str(key), KEYS)) for key in values if key not in KEYS]
    for key, check in CHECKS.items():
        problem = check(values[key]) if key in values else None
        if problem:
            flaws.append(Flaw(key, problem))
    if "subject" in values and "subjects" in values:
        flaws.append(Flaw("subjects", "write either subject or subjects"))
    elif not {"subject", "subjects"} & set(values):
        flaws.append(Flaw("subject", 'a campaign needs a subject (subject: "Something new")'))
    if flaws:
        return CampaignFile(), tuple(flaws)
    holdout, offer = values.get("holdout"), values.get("offer")
    return CampaignFile(
        subjects=_words(values.get("subjects", values.get("subject"))),
        audience=values.get("audience", "all"),
        holdout_share=None if holdout is None else float(holdout),
        about=_words(values.get("about")),
        goal=values.get("goal", ""),
        target=values.get("target", CampaignTarget.ALL),
        nameless=values.get("nameless"),
        window=parse_hours(values["window"]) if "window" in values else None,
        rate=values.get("rate"),
        rest_days=values.get("rest_days"),
        value_rule=values.get("value_rule"),
        offer=None if offer is None else _offer(offer),
        batches=values.get("batches"),
        batch_hours=float(values.get("batch_hours", USUAL_BATCH_HOURS)),
    ), ()


def _words(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _offer(value: Mapping[str, Any]) -> Offer:
    until = value.get("until")
    last = date.fromisoformat(until) if isinstance(until, str) else until
    return Offer(str(value["code"]), value.get("text", ""), last)


def _unknown(key: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(key, known, n=1)
    meant = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
    return f"{key!r} is not a setting of a campaign ({meant})"


def _subject_problem(value: Any) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return "the subject must be a text in quotes"
    if len(value) > LONGEST_SUBJECT or "\n" in value:
        return f"the subject must be one line of at most {LONGEST_SUBJECT} characters"
    return None


def _subjects_problem(value: Any) -> str | None:
    if not isinstance(value, list) or not 2 <= len(value) <= len(LABELS):
        return f"subjects must be a list of 2 to {len(LABELS)} subjects"
    if len(set(map(str, value))) < len(value):
        return "two of the subjects are the same"
    return next((problem for one in value if (problem := _subject_problem(one))), None)


def _audience_problem(value: Any) -> str | None:
    fine = isinstance(value, str) and value.strip()
    return None if fine else f"{value!r} is not an audience (write all)"


def _holdout_problem(value: Any) -> str | None:
    is_share = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1
    return None if is_share else f"{value!r} is not a share (write 0.1 for one in ten, or 0)"


def _about_problem(value: Any) -> str | None:
    slugs = [value] if isinstance(value, str) else value
    if value is None:
        return None
    fine = isinstance(slugs, list) and all(isinstance(slug, str) and slug for slug in slugs)
    return None if fine else f"{value!r} is neither a slug nor a list of slugs"


def _choice_problem(value: Any, what: str, known: Iterable[str]) -> str | None:
    return None if value in tuple(known) else f"{value!r} is not a {what} ({', '.join(known)})"


def _nameless_problem(value: Any) -> str | None:
    fine = isinstance(value, str) and value.strip()
    return None if fine else f"{value!r} is not a word to call someone by"


def _window_problem(value: Any) -> str | None:
    try:
        parse_hours(value if isinstance(value, str) else repr(value))
    except ValueError as error:
        return str(error)
    return None


def _whole_number_problem(value: Any, *, least: int) -> str | None:
    fine = isinstance(value, int) and not isinstance(value, bool) and value >= least
    return None if fine else f"{value!r} is not a whole number from {least} up"


def _value_rule_problem(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"{value!r} is neither true nor false"


def _batch_hours_problem(value: Any) -> str | None:
    fine = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 168
    return None if fine else f"{value!r} is not a number of hours up to 168"


def _offer_problem(value: Any) -> str | None:
    if not isinstance(value, Mapping) or not str(value.get("code") or "").strip():
        return 'an offer needs a code (offer: {code: SPRING, text: "20 % off", until: 2026-12-31})'
    foreign = next((str(key) for key in value if key not in OFFER_KEYS), None)
    if foreign is not None:
        return f"{foreign!r} is not a part of an offer (known are {', '.join(OFFER_KEYS)})"
    if not isinstance(value.get("text", ""), str):
        return "the text of an offer must be a text"
    try:
        _offer(value)
    except (TypeError, ValueError):
        return f"until: {value.get('until')!r} is not a day (write 2026-12-31)"
    is_day = value.get("until") is None or isinstance(value["until"], (str, date))
    return None if is_day else f"until: {value['until']!r} is not a day (write 2026-12-31)"


CHECKS: Final = {
    "subject": _subject_problem,
    "subjects": _subjects_problem,
    "audience": _audience_problem,
    "holdout": _holdout_problem,
    "about": _about_problem,
    "goal": lambda value: _choice_problem(value, "goal", CampaignGoal),
    "target": lambda value: _choice_problem(value, "target", CampaignTarget),
    "nameless": _nameless_problem,
    "window": _window_problem,
    "rate": lambda value: _whole_number_problem(value, least=1),
    "rest_days": lambda value: _whole_number_problem(value, least=0),
    "value_rule": _value_rule_problem,
    "offer": _offer_problem,
    "batches": lambda value: _whole_number_problem(value, least=1),
    "batch_hours": _batch_hours_problem,
}
