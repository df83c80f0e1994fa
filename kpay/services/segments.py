"""Segments: readable predicates over people, kept by name and read anew each time they are asked."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches

from sqlalchemy import Connection, RowMapping

from kpay.domain.audience import (
    Audience,
    AudienceUnknown,
    Person,
    parse_audience,
    reason_to_leave_out,
)
from kpay.domain.audience_text import texts_compared
from kpay.domain.document import Document, done
from kpay.domain.person_fields import FIELDS, WORDS
from kpay.domain.segment_report import SegmentCount, listing, portrait
from kpay.domain.slug import is_slug, slugify
from kpay.errors import NotFound, Refused, UsageProblem
from kpay.store import audience, groups, segments
from kpay.store.engine import Store

EXAMPLES = 10
RESERVED = frozenset({*WORDS, *FIELDS})
NOTHING = frozenset[str]()


def predicate_of(connection: Connection, text: str) -> Audience:
    """Read an audience: a segment's name, or an expression that may name segments.

    Raises AudienceUnknown, which says which word is not understood and what was meant.
    """
    known = segments.predicates(connection)
    name = text.strip()
    if name in known:
        return parse_audience(f"segment({name!r})", known)
    try:
        return parse_audience(text, known)
    except AudienceUnknown as error:
        close = get_close_matches(name, known, n=1)
        if not close:
            raise
        raise AudienceUnknown(f"{error}; is the segment {close[0]!r} meant?") from None


def create(store: Store, name: str, where: str, *, replaces: bool, now: datetime) -> Document:
    """Keep a predicate under a name.

    Raises UsageProblem for a name or predicate that cannot be read, Refused for a name that is taken.
    """
    _check_name(name)
    with store.reading() as connection:
        known = segments.predicates(connection)
        ways = groups.behaviours(connection)
    _check_all({**known, name: where}, name)
    _check_behaviours(where, ways)
    if known.get(name) == where:
        return done(
            "kpay.segment.create/1",
            f"{name} says that already; nothing to do.",
            {"name": name, "where": where, "created": False, "replaced": False},
        )
    if name in known and not replaces:
        command = ["kpay", "segment", "create", name, "--where", where, "--replace"]
        raise Refused(f"there is a segment {name!r} already: {known[name]}", shlex.join(command))
    with store.writing() as connection:
        segments.keep(connection, name, where, now)
    return done(
        "kpay.segment.create/1",
        f"{name} is {'changed' if name in known else 'kept'}.",
        {"name": name, "where": where, "created": name not in known, "replaced": name in known},
        f"kpay segment show {name}",
    )


def _check_name(name: str) -> None:
    if is_slug(name) and name not in RESERVED:
        return
    better = slugify(name) or "warm"
    if better in RESERVED:
        better = f"my-{better.replace('_', '-')}"
    why = "means something else in an audience" if name in RESERVED else "is no name for a segment"
    raise UsageProblem(
        f"{name!r} {why} (write {better!r})", f'kpay segment create {better} --where "customers"'
    )


def _check_all(known: Mapping[str, str], changed: str) -> None:
    """Read every segment that the changed one may reach, so that none of them breaks."""
    for name in dict.fromkeys([changed, *known]):
        try:
            parse_audience(f"segment({name!r})", known)
        except AudienceUnknown as error:
            if name == changed:
                raise UsageProblem(f"--where: {error}", "kpay segment create --help") from None
            if changed in known[name]:
                sentence = f"the segment {name!r} could not be read any more: {error}"
                raise UsageProblem(sentence, f"kpay segment show {name}") from None


def _check_behaviours(where: str, ways: Sequence[str]) -> None:
    """Refuse a way of buying by which nobody was told apart: nobody would ever be in the segment."""
    strange = sorted(texts_compared(where, "behaviour") - {one.casefold() for one in ways})
    if not strange:
        return
    close = get_close_matches(strange[0], ways, n=1)
    meant = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(ways) or 'none yet'}"
    raise UsageProblem(f"nobody's way of buying is {strange[0]!r} ({meant})", "kpay segment groups")


def remove(store: Store, name: str) -> Document:
    """Forget a segment; NotFound without one, Refused while another segment names it."""
    with store.reading() as connection:
        known = segments.predicates(connection)
    if name not in known:
        raise _not_found(name, known)
    left = {other: where for other, where in known.items() if other != name}
    for other in left:
        try:
            parse_audience(f"segment({other!r})", left)
        except AudienceUnknown:
            if name in known[other]:
                raise Refused(
                    f"the segment {other!r} asks for {name!r}", f"kpay segment remove {other}"
                ) from None
    with store.writing() as connection:
        segments.remove(connection, name)
    return done(
        "kpay.segment.remove/1",
        f"{name} is forgotten; nobody's place on the list has changed.",
        {"name": name, "removed": True},
    )


def list_segments(store: Store, *, currency: str, now: datetime) -> Document:
    """Return every segment with the people in it now, counted in one pass."""
    with store.reading() as connection:
        counts = _counted(connection, segments.listed(connection), currency, now)
    return listing(counts)


def show_segment(store: Store, name: str, *, currency: str, now: datetime) -> Document:
    """Return one segment: what it means, its people by reason, and ten of those who may be mailed."""
    with store.reading() as connection:
        rows = [row for row in segments.listed(connection) if row["name"] == name]
        if not rows:
            raise _not_found(name, segments.predicates(connection))
        [count] = _counted(connection, rows, currency, now)
    if count.problem:
        raise Refused(f"the segment {name!r} cannot be read: {count.problem}", "kpay segment list")
    return portrait(count)


def _counted(
    connection: Connection, rows: Sequence[RowMapping], currency: str, now: datetime
) -> list[SegmentCount]:
    counts = [SegmentCount(row["name"], row["predicate"], row["created_at"]) for row in rows]
    readable: list[tuple[SegmentCount, Audience]] = []
    for count in counts:
        try:
            wanted = predicate_of(connection, count.name)
        except AudienceUnknown as error:
            count.problem = str(error)
        else:
            count.words = parse_audience(count.where, segments.predicates(connection)).words
            readable.append((count, wanted))
    asked = NOTHING.union(*(wanted.names_asked for _, wanted in readable))
    if readable:
        for person in audience.people(connection, now, currency=currency, asked=asked):
            for count, wanted in readable:
                if wanted(person):
                    _count(count, person)
    return counts


def _count(count: SegmentCount, person: Person) -> None:
    count.people += 1
    reason = reason_to_leave_out(person, NOTHING)
    if reason is not None:
        count.left_out[reason] += 1
    elif len(count.examples) < EXAMPLES:
        count.examples.append((person.email, person.name))


def _not_found(name: str, known: Mapping[str, str]) -> NotFound:
    close = get_close_matches(name, known, n=1)
    return NotFound(
        "segment", name, f"kpay segment show {close[0]}" if close else "kpay segment list"
    )
