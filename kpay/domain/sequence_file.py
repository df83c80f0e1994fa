"""What the files of a sequence may say: its settings, its letters, and every mistake in them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, Final

from kpay.domain.campaign_file import LONGEST_SUBJECT, Flaw
from kpay.domain.delays import parse_delay
from kpay.domain.hours import Hours, parse_hours
from kpay.domain.sequence_triggers import CONTRACT, Exit, Trigger, read_exit, read_trigger

KEYS: Final = (
    "trigger",
    "audience",
    "exit",
    "about",
    "kind",
    "nameless",
    "holdout",
    "window",
    "rest_days",
)
LETTER_KEYS: Final = ("subject", "after", "if")
KINDS: Final = ("marketing", "service")
LONGEST_REST_DAYS: Final = 365
SHORTEST_GAP: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SequenceSettings:
    """A sequence as sequence.md says; None where nothing is asked.

    `about` holds slugs: who owns all of them is not, or no longer, in it. A `service` sequence is about
    a contract that its reader has, and goes to payers who are on no list too.
    """

    trigger: Trigger
    audience: str | None = None
    exits: tuple[Exit, ...] = ()
    about: tuple[str, ...] = ()
    is_service: bool = False
    nameless: str = "there"
    holdout_share: float = 0.0
    window: Hours | None = None
    rest_days: int | None = None


@dataclass(frozen=True, slots=True)
class LetterSettings:
    """One letter as its front matter says: `after` counts from the trigger, or the letter before.

    `condition` is an audience: whoever is not in it when the letter is due goes on without it.
    """

    subject: str
    after: timedelta = timedelta()
    condition: str | None = None


def read_sequence(values: Mapping[str, Any]) -> tuple[SequenceSettings | None, list[Flaw]]:
    """Return the settings, or None and everything that is wrong with them."""
    flaws = _unknown(values, KEYS, "a sequence")
    flaws += _flaws(values, CHECKS)
    if "trigger" not in values:
        flaws.append(Flaw("trigger", 'say what begins it (trigger: purchase, "quiet for 60 days")'))
    if flaws:
        return None, flaws
    settings = SequenceSettings(
        trigger=read_trigger(values["trigger"]),
        audience=values.get("audience"),
        exits=tuple(read_exit(word) for word in _words(values.get("exit"))),
        about=_words(values.get("about")),
        is_service=values.get("kind") == "service",
        nameless=values.get("nameless", "there"),
        holdout_share=float(values.get("holdout", 0)),
        window=parse_hours(values["window"]) if "window" in values else None,
        rest_days=values.get("rest_days"),
    )
    flaws = _contradictions(settings)
    return (None if flaws else settings), flaws


def read_letter(
    values: Mapping[str, Any], *, is_first: bool
) -> tuple[LetterSettings | None, list[Flaw]]:
    """Return a letter's settings, or None and everything that is wrong with them."""
    flaws = _unknown(values, LETTER_KEYS, "a letter") + _flaws(values, LETTER_CHECKS)
    if "subject" not in values:
        flaws.append(Flaw("subject", 'a letter needs a subject (subject: "Thank you")'))
    if "after" not in values and not is_first:
        flaws.append(Flaw("after", "say how long after the letter before (after: 3d)"))
    if flaws:
        return None, flaws
    after = parse_delay(values.get("after", 0))
    if after < SHORTEST_GAP and not is_first:
        return None, [Flaw("after", "only the first letter may follow within an hour")]
    return LetterSettings(values["subject"], after, values.get("if")), []


def _contradictions(settings: SequenceSettings) -> list[Flaw]:
    if not settings.is_service:
        return []
    found = []
    if settings.trigger.kind not in CONTRACT:
        known = ", ".join(CONTRACT)
        found.append(Flaw("kind", f"only news of a reader's own contract is service ({known})"))
    if settings.holdout_share:
        found.append(Flaw("holdout", "nobody is held back from news of their own contract"))
    return found


def _unknown(values: Mapping[str, Any], known: tuple[str, ...], whose: str) -> list[Flaw]:
    flaws = []
    for key in map(str, values):
        if key not in known:
            close = get_close_matches(key, known, n=1)
            meant = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
            flaws.append(Flaw(key, f"{key!r} is not a setting of {whose} ({meant})"))
    return flaws


def _flaws(values: Mapping[str, Any], checks: Mapping[str, Callable[[Any], object]]) -> list[Flaw]:
    flaws = []
    for key, check in checks.items():
        if key in values:
            try:
                check(values[key])
            except ValueError as error:
                flaws.append(Flaw(key, str(error)))
    return flaws


def _words(value: Any) -> tuple[str, ...]:
    """Return a list of words, written as one word or as a list; ValueError for anything else."""
    words = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise ValueError(f"{value!r} is neither a word nor a list of words")
    return tuple(words)


def _check_exits(value: Any) -> None:
    for word in _words(value):
        read_exit(word)


def _check_audience(value: Any) -> None:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not an audience (write all)")


def _check_kind(value: Any) -> None:
    if value not in KINDS:
        raise ValueError(f"{value!r} is not a kind of sequence ({', '.join(KINDS)})")


def _check_text(value: Any) -> None:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text")


def _check_holdout(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
        raise ValueError(f"{value!r} is not a share (write 0.1 for one in ten, or 0)")


def _check_window(value: Any) -> None:
    parse_hours(str(value))


def _check_rest_days(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is not a number of days")
    if not 0 <= value <= LONGEST_REST_DAYS:
        raise ValueError(f"{value} days of rest are not between 0 and {LONGEST_REST_DAYS}")


def _check_subject(value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("the subject must be a text in quotes")
    if len(value) > LONGEST_SUBJECT or "\n" in value:
        raise ValueError(f"the subject must be one line of at most {LONGEST_SUBJECT} characters")


CHECKS: Final[Mapping[str, Callable[[Any], object]]] = {
    "trigger": read_trigger,
    "audience": _check_audience,
    "exit": _check_exits,
    "about": _words,
    "kind": _check_kind,
    "nameless": _check_text,
    "holdout": _check_holdout,
    "window": _check_window,
    "rest_days": _check_rest_days,
}
LETTER_CHECKS: Final[Mapping[str, Callable[[Any], object]]] = {
    "subject": _check_subject,
    "after": parse_delay,
    "if": _check_audience,
}
