"""Who a campaign is for, and who of them is left out.

Whoever an audience names, only people on the list with consent are ever mailed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from kpay.domain.audience_language import Audience, parse_audience
from kpay.domain.audience_text import AudienceUnknown
from kpay.domain.message import wire_address
from kpay.domain.person import Person
from kpay.domain.person_fields import Predicate

__all__ = [
    "REASONS",
    "Audience",
    "AudienceUnknown",
    "Division",
    "Person",
    "Predicate",
    "divide",
    "parse_audience",
    "reason_to_leave_out",
]
REASONS: Final = ("suppressed", "already_owns", "no_consent", "low_value", "unreachable")


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
