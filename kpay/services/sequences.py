"""Running the sequences: who comes in, who leaves, and the letters that are due.

Nothing is sent that was not written down before, each letter under a name that exists once; so a run
may be killed anywhere, and the next one goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from kpay.domain.enums import MailKind
from kpay.domain.period import instant_text, parse_instant
from kpay.domain.sequence_report import (
    LetterProblem,
    Outlook,
    SequenceMoves,
    SequenceRun,
    counted,
)
from kpay.domain.sequences import EndReason, Enrolled, next_letter
from kpay.errors import InputInvalid, SettingsInvalid
from kpay.services import sending, sequence_files
from kpay.services.mail_desk import MailDesk
from kpay.services.passing import PassingTime
from kpay.services.sending import Advance
from kpay.services.sequence_cast import Cast, Casting, enrolled_of
from kpay.services.sequence_letters import Script
from kpay.services.sequence_post import SequencePost
from kpay.services.sequence_turn import Turn
from kpay.store import enrolments, facts

SINCE = "sequence since {}"
"""The fact that says when a sequence was first seen; it begins with what happens from then on."""
LOCK_WAIT_S = 30.0


@dataclass(slots=True)
class Repertoire:
    """Every sequence that can run, what is wrong with the others, and those that are gone."""

    scripts: list[Script] = field(default_factory=list)
    problems: list[LetterProblem] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, desk: MailDesk, connection: Connection) -> Repertoire:
        """Read all files; a sequence with a mistake waits, the others go on."""
        found = cls()
        names = sequence_files.names(desk.home)
        for name in names:
            try:
                written = sequence_files.read(desk.reader, desk.home, name)
                found.scripts.append(Script(desk, connection, written))
            except InputInvalid as error:
                found.problems += [LetterProblem(None, str(one)) for one in error.problems]
        found.removed = [
            name
            for name in enrolments.names(connection)
            if name not in names and enrolments.still_in(connection, name)
        ]
        return found


def look(desk: MailDesk, now: datetime) -> Outlook:
    """Return what a run would do now; nothing is written."""
    with desk.store.reading() as connection:
        repertoire = _ready(desk, connection)
        casts = [(one, _cast(desk, connection, one, now)) for one in repertoire.scripts]
        turn = Turn(desk, connection, now)
        turn.take([(script, (*cast.staying, *cast.newcomers)) for script, cast in casts])
        moves = _moves(casts) + [_removal(connection, name) for name in repertoire.removed]
        waiting = _still_wanted(connection, casts)
    letters = [step.shown() for step in turn.steps if step.is_letter]
    return Outlook(moves, letters, [*repertoire.problems, *turn.problems], waiting)


def question(desk: MailDesk, outlook: Outlook) -> str:
    """Return what is asked before letters leave: TEST or LIVE, and how many."""
    mailer = desk.open_mailer()
    mode = "LIVE" if mailer.is_live else "TEST"
    return (
        f"{mode} mail: send {counted(outlook.to_send, 'letter')} of sequences over {mailer.where}?"
    )


def run(
    desk: MailDesk, *, passing: PassingTime, advance: Advance = lambda count: None
) -> SequenceRun:
    """Enrol, end, queue and send, once; run again it does what has become due since.

    Raises SettingsInvalid, Refused, RemoteProblem or Busy; what was not sent stays queued.
    """
    now = passing.now()
    with sending.sending_lock(desk.store, kind=MailKind.SEQUENCE, wait_s=LOCK_WAIT_S):
        with desk.store.reading() as connection:
            repertoire = _ready(desk, connection)
            casts = [(one, _cast(desk, connection, one, now)) for one in repertoire.scripts]
            removals = [_removal(connection, name) for name in repertoire.removed]
        _write_casts(desk, casts, repertoire.removed, now)
        turn = _queue_turn(desk, repertoire.scripts, now)
        post = SequencePost(desk, repertoire.scripts)
        sent = post.send(passing=passing, advance=advance)
        _finish(desk, repertoire.scripts, passing.now())
    return SequenceRun(
        moves=_moves(casts) + removals,
        problems=[*repertoire.problems, *turn.problems],
        sent=sent.sent,
        failures=sent.failures,
        waiting=sent.waiting,
        where=sent.where,
        is_live=sent.is_live,
    )


def _ready(desk: MailDesk, connection: Connection) -> Repertoire:
    """Read the sequences; SettingsInvalid when no letter of theirs could be written."""
    if sequence_files.names(desk.home):
        problems = desk.letterhead.marketing_problems()
        if problems:
            setting = problems[0].split()[0].rstrip(":")
            raise SettingsInvalid(problems[0], f"kpay config {setting}")
    return Repertoire.read(desk, connection)


def _cast(desk: MailDesk, connection: Connection, script: Script, now: datetime) -> Cast:
    kept = facts.find(connection, SINCE.format(script.written.name))
    since = parse_instant(kept) if kept else now
    return Casting(desk, connection, script.written, since, now).choose()


def _moves(casts: Sequence[tuple[Script, Cast]]) -> list[SequenceMoves]:
    return [
        SequenceMoves(
            script.written.name,
            entering=len(cast.newcomers),
            staying=len(cast.staying),
            leaving=Counter(reason.value for _, reason in cast.leaving),
            left_out=cast.left_out,
        )
        for script, cast in casts
    ]


def _removal(connection: Connection, name: str) -> SequenceMoves:
    count = len(enrolments.still_in(connection, name))
    return SequenceMoves(name, leaving={EndReason.REMOVED.value: count})


def _still_wanted(connection: Connection, casts: Sequence[tuple[Script, Cast]]) -> int:
    """Return how many letters wait for people who stay."""
    staying = {one.id for _, cast in casts for one in cast.staying}
    return sum(row["enrolment_id"] in staying for row in enrolments.unsettled(connection))


def _write_casts(
    desk: MailDesk, casts: Sequence[tuple[Script, Cast]], removed: Sequence[str], now: datetime
) -> None:
    """Write who came and who left, and since when each sequence runs; nothing where nothing moved."""
    with desk.store.reading() as connection:
        known = {script.written.name: _is_known(connection, script) for script, _ in casts}
    is_still = all(known.values()) and not removed and not any(_has_moves(one) for _, one in casts)
    if is_still:
        return
    with desk.store.writing() as connection:
        for script, cast in casts:
            name = script.written.name
            if not known[name]:
                facts.keep(connection, SINCE.format(name), instant_text(now))
            enrolments.enrol(connection, [_row(name, one, None, now) for one in cast.newcomers])
            already = EndReason.IN_IT_ALREADY
            enrolments.enrol(
                connection, [_row(name, one, already, now) for one in cast.passed_over]
            )
            _end(connection, cast.leaving, now)
        for name in removed:
            gone = [enrolled_of(row) for row in enrolments.still_in(connection, name)]
            _end(connection, [(one, EndReason.REMOVED) for one in gone], now)
            facts.forget(connection, SINCE.format(name))


def _is_known(connection: Connection, script: Script) -> bool:
    return facts.find(connection, SINCE.format(script.written.name)) is not None


def _has_moves(cast: Cast) -> bool:
    return bool(cast.newcomers or cast.passed_over or cast.leaving)


def _end(
    connection: Connection, leaving: Sequence[tuple[Enrolled, EndReason]], now: datetime
) -> None:
    for reason in EndReason:
        ids = [one.id for one, why in leaving if why is reason and one.id is not None]
        if ids:
            enrolments.end(connection, ids, now, reason)


def _row(sequence: str, one: Enrolled, reason: EndReason | None, now: datetime) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "email": one.email,
        "customer_id": one.customer_id,
        "trigger_key": one.key,
        "context": one.context,
        "began_at": one.began_at,
        "next_step": 0,
        "next_due_at": None if reason else one.due_at,
        "ended_at": now if reason else None,
        "end_reason": reason.value if reason else None,
    }


def _queue_turn(desk: MailDesk, scripts: Sequence[Script], now: datetime) -> Turn:
    with desk.store.reading() as connection:
        turn = Turn(desk, connection, now)
        turn.take([(script, _inside(connection, script)) for script in scripts])
    if turn.steps:
        if any(step.is_letter and not step.enrolled.is_held_out for step in turn.steps):
            desk.mailer()  # what may not leave is not queued either
        with desk.store.writing() as connection:
            turn.queue(connection)
    return turn


def _inside(connection: Connection, script: Script) -> list[Enrolled]:
    return [enrolled_of(row) for row in enrolments.still_in(connection, script.written.name)]


def _finish(desk: MailDesk, scripts: Sequence[Script], now: datetime) -> None:
    """End the enrolments whose last letter has left."""
    with desk.store.reading() as connection:
        waiting = {row["enrolment_id"] for row in enrolments.unsettled(connection)}
        done = [
            one
            for script in scripts
            for one in _inside(connection, script)
            if next_letter(script.written.letters, one.done) is None and one.id not in waiting
        ]
    if done:
        with desk.store.writing() as connection:
            _end(connection, [(one, EndReason.FINISHED) for one in done], now)
