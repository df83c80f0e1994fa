"""Writing a first draft of a sequence, listing them, showing one, and measuring what it brought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, RowMapping

from kpay.domain.delays import delay_text
from kpay.domain.document import Document, done
from kpay.domain.enums import DeliveryState
from kpay.domain.experiment import Arm, effect
from kpay.domain.looks import INTERIM_LEVEL
from kpay.domain.sequence_file import SequenceSettings
from kpay.domain.sequence_triggers import SequenceGoal
from kpay.domain.sequence_views import (
    LetterLine,
    MemberLine,
    SequenceCard,
    SequenceLine,
    SequenceResults,
    list_document,
)
from kpay.domain.sequences import Enrolled, next_letter
from kpay.errors import InputInvalid, NotFound, Refused
from kpay.services import sequence_files
from kpay.services.mail_desk import MailDesk
from kpay.services.sequence_cast import enrolled_of
from kpay.services.sequence_drafts import draft
from kpay.services.sequence_files import SETTINGS, WrittenSequence
from kpay.store import enrolments

SHOWN_PEOPLE = 50
SCHEDULE = 'kpay schedule add sequences "*/15 * * * *" -- sequence run --yes'


def new(desk: MailDesk, name: str, goal: SequenceGoal) -> Document:
    """Write a whole sequence to be edited; Refused when it is there already."""
    files = sequence_files.create(desk.home, name, draft(goal))
    return done(
        "kpay.sequence.new/1",
        f"A draft in {sequence_files.FOLDER}/{name}: {', '.join(_last(file) for file in files)}",
        {"sequence": name, "for": goal.value, "files": files},
        f"$EDITOR {files[0]}",
        "kpay sequence run --dry-run",
        SCHEDULE,
    )


def _last(file: str) -> str:
    return file.rpartition("/")[2]


def listed(desk: MailDesk) -> Document:
    """List every sequence that is written, and every one that somebody was in."""
    with desk.store.reading() as connection:
        counts = _Counts.read(connection)
    names = sorted({*sequence_files.names(desk.home), *counts.ends})
    return list_document([_line(desk, name, counts) for name in names])


class _Counts:
    """How many people left each sequence for which reason, and how many letters were sent."""

    def __init__(self, ends: Mapping[str, Mapping[str, int]], sent: Mapping[str, int]) -> None:
        self.ends, self.sent = ends, sent

    @classmethod
    def read(cls, connection: Connection) -> _Counts:
        sent: Counter[str] = Counter()
        for row in enrolments.letters(connection):
            if row["state"] == DeliveryState.SENT.value:
                sent[row["sequence"]] += row["messages"]
        return cls(enrolments.ends(connection), sent)

    def line(self, name: str, trigger: str, letters: int, flaw: str = "") -> SequenceLine:
        """Return a sequence's line."""
        ended = {why: count for why, count in self.ends.get(name, {}).items() if why}
        inside = self.ends.get(name, {}).get("", 0)
        return SequenceLine(name, trigger, letters, inside, self.sent.get(name, 0), ended, flaw)


def _line(desk: MailDesk, name: str, counts: _Counts) -> SequenceLine:
    try:
        written = sequence_files.read(desk.reader, desk.home, name)
    except NotFound:
        return counts.line(name, "", 0, "removed")
    except InputInvalid as error:
        return counts.line(name, "", 0, str(error.problems[0]))
    return counts.line(name, str(written.settings.trigger), len(written.letters))


def shown(desk: MailDesk, name: str) -> Document:
    """Show one sequence and who is in it; NotFound, or InputInvalid with every mistake."""
    written = sequence_files.read(desk.reader, desk.home, name)
    with desk.store.reading() as connection:
        counts = _Counts.read(connection)
        rows = enrolments.still_in(connection, name)[:SHOWN_PEOPLE]
    letters = [
        LetterLine(
            one.name,
            delay_text(one.settings.after),
            one.settings.condition,
            one.settings.subject,
        )
        for one in written.letters
    ]
    return SequenceCard(
        line=counts.line(name, str(written.settings.trigger), len(written.letters)),
        settings=_settings(written.settings),
        letters=letters,
        members=[_member(written, enrolled_of(row)) for row in rows],
        note=written.note,
    ).to_document()


def _settings(settings: SequenceSettings) -> dict[str, str]:
    said = {
        "begins with": str(settings.trigger),
        "audience": settings.audience or "",
        "ends with": ", ".join(str(one) for one in settings.exits),
        "about": ", ".join(settings.about),
        "kind": "service" if settings.is_service else "marketing",
        "held out": f"{settings.holdout_share:.0%}" if settings.holdout_share else "",
        "letters arrive": str(settings.window) if settings.window else "",
        "days of rest": "" if settings.rest_days is None else str(settings.rest_days),
    }
    return {name: value for name, value in said.items() if value}


def _member(written: WrittenSequence, one: Enrolled) -> MemberLine:
    number = next_letter(written.letters, one.done)
    letter = None if number is None else written.letters[number].name
    return MemberLine(one.email, one.began_at, letter, one.due_at, one.is_held_out)


def results(desk: MailDesk, name: str, now: datetime, *, days: int) -> SequenceResults:
    """Compare those in a sequence with those held out of it; Refused when nobody is."""
    with desk.store.reading() as connection:
        rows = enrolments.first_of_each(connection, name)
        if not any(row["context"]["held_out"] for row in rows):
            raise _nobody_held_out(desk, connection, name)
        span = timedelta(days=days)
        old = [row for row in rows if row["began_at"] + span <= now]
        spent = _spent(connection, old, span, desk.base_currency)
    buyers, money = [], []
    for is_held_out in (False, True):
        emails = [row["email"] for row in old if row["context"]["held_out"] is is_held_out]
        paid = [spent[email] for email in emails if email in spent]
        buyers.append(Arm(len(emails), tuple(1 for _ in paid)))
        money.append(Arm(len(emails), tuple(one for one in paid if one)))
    return SequenceResults(
        sequence=name,
        currency=desk.base_currency,
        days=days,
        too_young=len(rows) - len(old),
        buyers=effect(buyers[0], buyers[1], INTERIM_LEVEL),
        money=effect(money[0], money[1], INTERIM_LEVEL),
    )


def _nobody_held_out(desk: MailDesk, connection: Connection, name: str) -> Refused:
    known = {*sequence_files.names(desk.home), *enrolments.names(connection)}
    if name not in known:
        close = get_close_matches(name, sorted(known), n=1)
        hint = f"kpay sequence results {close[0]}" if close else "kpay sequence list"
        return NotFound("sequence", name, hint)
    return Refused(
        f"nobody was held out of {name!r}, so what it brings cannot be known (holdout: 0.1)",
        f"$EDITOR {sequence_files.FOLDER}/{name}/{SETTINGS}",
    )


def _spent(
    connection: Connection, rows: list[RowMapping], span: timedelta, currency: str
) -> dict[str, int]:
    """Return what each buyer paid in one currency in the time that counts for them; else 0."""
    began = {row["email"]: row["began_at"] for row in rows}
    if not began:
        return {}
    spent: dict[str, int] = {}
    orders: list[Any] = enrolments.orders_of(connection, began, min(began.values()))
    for order in orders:
        start = began[order.email]
        if start < order.ordered_at <= start + span:
            paid = order.total_minor if order.currency == currency else 0
            spent[order.email] = spent.get(order.email, 0) + paid
    return spent
