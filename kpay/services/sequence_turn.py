"""Which letters of sequences are due now, to whom, and who goes on without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from kpay.domain.audience import Person
from kpay.domain.enums import DeliveryState, MailKind
from kpay.domain.sequence_report import LetterDue, LetterProblem
from kpay.domain.sequences import EndReason, Enrolled, due_after, next_letter, occasion
from kpay.errors import InputInvalid
from kpay.services.mail_desk import MailDesk
from kpay.services.sequence_cast import people_among, stranger
from kpay.services.sequence_files import WrittenLetter
from kpay.services.sequence_letters import Script
from kpay.store import deliveries, enrolments


@dataclass(frozen=True, slots=True)
class Step:
    """Somebody's next step: a letter with its values, or (no values) the letter that is passed over."""

    script: Script
    enrolled: Enrolled
    letter: WrittenLetter
    subject: str = ""
    context: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The sequence it is a step of."""
        return self.script.written.name

    @property
    def is_letter(self) -> bool:
        """Whether a message leaves, and not only time."""
        return self.context is not None

    def shown(self) -> LetterDue:
        """Return the letter as it is shown before it leaves."""
        enrolled = self.enrolled
        return LetterDue(
            self.name, self.letter.name, enrolled.email, self.subject, enrolled.is_held_out
        )


@dataclass(slots=True)
class Turn:
    """Everybody whose next step is due: at most one letter a person, and never sooner than asked."""

    desk: MailDesk
    connection: Connection
    now: datetime
    steps: list[Step] = field(default_factory=list)
    problems: list[LetterProblem] = field(default_factory=list)

    def take(self, cast: Sequence[tuple[Script, Sequence[Enrolled]]]) -> None:
        """Go through the people of all sequences, who is due first coming first."""
        unsettled = enrolments.unsettled(self.connection)
        waiting = {row["enrolment_id"] for row in unsettled}
        busy = {row["email"] for row in unsettled}
        due = [
            (script, one)
            for script, people in cast
            for one in people
            if one.due_at is not None and one.due_at <= self.now and one.id not in waiting
        ]
        due.sort(key=lambda pair: (pair[1].due_at, pair[1].email))
        if not due:
            return
        known = _Known.of(self.desk, self.connection, [one for _, one in due], self.now)
        wanted = []
        for script, one in due:
            person = known.person(one)
            letter = _next(script, one)
            if letter is None or one.email in busy or not self._may_go(script, one, letter, known):
                continue
            if one.is_held_out or script.holds(letter, person):
                busy.add(one.email)
                wanted.append((script, one, letter, person))
            else:
                self.steps.append(Step(script, one, letter))
        self._write(wanted)

    def _may_go(self, script: Script, one: Enrolled, letter: WrittenLetter, known: _Known) -> bool:
        """Say whether a letter's time has come: its delay is over, nobody is asleep or wants rest."""
        settings, customs = script.written.settings, self.desk.customs
        last = known.last_sent.get(one.id or 0)
        if one.due_at is None or due_after(one.due_at, last, letter.settings.after) > self.now:
            return False
        if one.is_held_out or settings.is_service:
            return True
        hours = settings.window or customs.open_hours
        zone = known.person(one).timezone or customs.timezone
        days = customs.rest_days if settings.rest_days is None else settings.rest_days
        mailed_at = known.last_mailed.get(one.email)
        is_rested = mailed_at is None or mailed_at + timedelta(days=days) <= self.now
        return is_rested and (hours is None or hours.hold(self.now, zone))

    def _write(self, wanted: Sequence[tuple[Script, Enrolled, WrittenLetter, Person]]) -> None:
        """Fill each letter; one that cannot be filled is told, and waits for its file to be mended."""
        asking = [
            one.email for script, one, letter, _ in wanted if script.asks_recommendations(letter)
        ]
        advice = self.desk.recommend(asking) if asking else {}
        for script, one, letter, person in wanted:
            context = script.context(one, person, advice.get(one.email, ()))
            try:
                filled = script.fill(letter, one.email, context)
            except InputInvalid as error:
                self.problems += [LetterProblem(one.email, str(why)) for why in error.problems]
            except ValueError as error:
                self.problems.append(LetterProblem(one.email, str(error)))
            else:
                self.steps.append(Step(script, one, letter, filled.subject, context))

    def queue(self, connection: Connection) -> None:
        """Write the letters down and move everybody on, in one transaction."""
        for kind in (MailKind.SEQUENCE, MailKind.RECEIPT):
            rows = [
                self._delivery(step)
                for step in self.steps
                if step.is_letter and _kind(step.script) is kind
            ]
            deliveries.queue_occasions(connection, kind, rows)
        enrolments.advance(connection, [self._move(step) for step in self.steps])
        held_out = [step.enrolled.id or 0 for step in self.steps if step.enrolled.is_held_out]
        if held_out:
            enrolments.end(connection, held_out, self.now, EndReason.HELD_OUT)

    def _delivery(self, step: Step) -> dict[str, Any]:
        one = step.enrolled
        name = occasion(step.name, step.letter.name, one.id or 0)
        state = DeliveryState.HELD_OUT if one.is_held_out else DeliveryState.QUEUED
        return {
            "occasion": name,
            "enrolment_id": one.id,
            "email": one.email,
            "customer_id": one.customer_id,
            "state": state.value,
            "message_id": self.desk.identity(name, one.email),
            "context": dict(step.context or {}),
            "due_at": self.now,
            "is_test": not self.desk.allows_live,
        }

    def _move(self, step: Step) -> dict[str, Any]:
        one, letters = step.enrolled, step.script.written.letters
        done = (*one.done, step.letter.name)
        following = next_letter(letters, done)
        return {
            "enrolment": one.id,
            "before": len(one.done),
            "after": len(done),
            "due_at": None if following is None else self.now + letters[following].settings.after,
            "values": {**one.context, "done": list(done)},
        }


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the people whose turn it is."""

    people: Mapping[str, Person]
    last_sent: Mapping[int, datetime]
    last_mailed: Mapping[str, datetime]

    @classmethod
    def of(
        cls, desk: MailDesk, connection: Connection, some: Sequence[Enrolled], now: datetime
    ) -> _Known:
        emails = {one.email for one in some}
        return cls(
            people_among(desk, connection, emails, now),
            enrolments.last_sent(connection, [one.id for one in some if one.id is not None]),
            enrolments.last_mailed(connection, emails),
        )

    def person(self, one: Enrolled) -> Person:
        return self.people.get(one.email) or stranger(one)


def _next(script: Script, one: Enrolled) -> WrittenLetter | None:
    number = next_letter(script.written.letters, one.done)
    return None if number is None else script.written.letters[number]


def _kind(script: Script) -> MailKind:
    """News of somebody's own contract goes out under the rules of receipts."""
    return MailKind.RECEIPT if script.written.settings.is_service else MailKind.SEQUENCE
