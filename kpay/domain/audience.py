"""Who a campaign is for: a small language over what is known of people, and who is left out.

    expression = term { "or" term }        term = factor { "and" factor }
    factor     = "not" factor | "(" expression ")" | word
    word       = all | subscribers | customers | prospects | tag:NAME | owns:SLUG

`all` and `subscribers` are the mailing list, `customers` those who have paid for something,
`prospects` those on the list who have not. Whoever a segment names, only people on the list with
consent are ever mailed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from kpay.domain.message import wire_address

WORDS: Final = ("all", "subscribers", "customers", "prospects")
PREFIXES: Final = ("tag:", "owns:")
PIECE: Final = re.compile(r"\(|\)|[^\s()]+")
LONGEST: Final = 200
REASONS: Final = ("suppressed", "already_owns", "no_consent", "low_value", "unreachable")


class AudienceUnknown(ValueError):
    """An audience that kpay cannot read."""


@dataclass(frozen=True, slots=True)
class Person:
    """What an audience may ask of one person; `owned` are the slugs they may read today."""

    email: str
    name: str = ""
    customer_id: int | None = None
    is_listed: bool = True
    has_consent: bool = True
    is_suppressed: bool = False
    has_bought: bool = False
    tags: frozenset[str] = frozenset()
    owned: frozenset[str] = frozenset()


Predicate = Callable[[Person], bool]


@dataclass(frozen=True, slots=True)
class Division:
    """The people a campaign may mail, and how many were left out for which reason."""

    chosen: tuple[Person, ...]
    left_out: dict[str, int] = field(default_factory=dict)


def divide(people: Iterable[Person], wanted: Predicate, about: Iterable[str] = ()) -> Division:
    """Split a segment into whom to mail and whom not.

    A reason counts once a person, the gravest first: suppressed, no consent, an address that
    cannot be written to, owns it already.
    """
    items = frozenset(about)
    left_out = dict.fromkeys(REASONS, 0)
    chosen = []
    for person in people:
        if not wanted(person):
            continue
        reason = reason_to_leave_out(person, items)
        if reason:
            left_out[reason] += 1
        else:
            chosen.append(person)
    return Division(tuple(sorted(chosen, key=lambda person: person.email)), left_out)


def reason_to_leave_out(person: Person, about: frozenset[str]) -> str | None:
    """Return why a person of the segment is not mailed, or None."""
    if person.is_suppressed:
        return "suppressed"
    if not (person.is_listed and person.has_consent):
        return "no_consent"
    if not _can_be_reached(person.email):
        return "unreachable"
    return "already_owns" if about and about <= person.owned else None


def _can_be_reached(email: str) -> bool:
    """One address that no server takes must not keep everybody else from being mailed."""
    try:
        wire_address(email)
    except ValueError:
        return False
    return True


def parse_audience(text: str) -> Predicate:
    """Read an audience; AudienceUnknown says which word is not understood, and what was meant."""
    pieces = PIECE.findall(text)
    if not pieces or len(text) > LONGEST:
        raise AudienceUnknown("the audience is empty or too long (write all)")
    reader = _Reader(iter(pieces))
    predicate = reader.expression()
    if reader.now is not None:
        raise AudienceUnknown(f"{reader.now!r} is not expected there in {text!r}")
    return predicate


class _Reader:
    """Reads an expression piece by piece; `now` is the piece it stands before."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self.now: str | None = next(pieces, None)

    def _step(self) -> str:
        piece = self.now
        if piece is None:
            raise AudienceUnknown("the audience ends too early")
        self.now = next(self._pieces, None)
        return piece

    def expression(self) -> Predicate:
        options = [self._term()]
        while self.now == "or":
            self._step()
            options.append(self._term())
        return lambda person: any(option(person) for option in options)

    def _term(self) -> Predicate:
        conditions = [self._factor()]
        while self.now == "and":
            self._step()
            conditions.append(self._factor())
        return lambda person: all(condition(person) for condition in conditions)

    def _factor(self) -> Predicate:
        piece = self._step()
        if piece == "not":
            refused = self._factor()
            return lambda person: not refused(person)
        if piece == "(":
            inside = self.expression()
            if self._step() != ")":
                raise AudienceUnknown("a bracket is not closed")
            return inside
        return _word(piece)


def _word(word: str) -> Predicate:
    prefix, colon, value = word.partition(":")
    if colon and value and prefix == "tag":
        return lambda person: value in person.tags
    if colon and value and prefix == "owns":
        return lambda person: value in person.owned
    if word in ("all", "subscribers"):
        return lambda person: person.is_listed
    if word == "customers":
        return lambda person: person.has_bought
    if word == "prospects":
        return lambda person: person.is_listed and not person.has_bought
    close = get_close_matches(word, (*WORDS, *PREFIXES), n=1)
    meant = (
        f"did you mean {close[0]!r}?"
        if close
        else "known are all, customers, prospects, tag:NAME, owns:SLUG"
    )
    raise AudienceUnknown(f"{word!r} is not an audience ({meant})")
