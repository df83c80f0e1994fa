"""Sending the letters of sequences that are queued, the marketing ones and those of service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping

from kpay.domain.enums import MailKind
from kpay.domain.letterhead import Letterhead
from kpay.domain.sequences import read_occasion
from kpay.ports import Envelope, Mailer
from kpay.services import notices, sending
from kpay.services.mail_desk import MailDesk
from kpay.services.passing import PassingTime
from kpay.services.sending import Advance
from kpay.services.sequence_holding import hold_back
from kpay.services.sequence_letters import Script
from kpay.store import enrolments
from kpay.store.deliveries import Purpose

AGAIN = "kpay sequence run"


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of the queue: letters sent and failed now, and those that still wait."""

    sent: int = 0
    failures: int = 0
    waiting: int = 0
    where: str = ""
    is_live: bool = False


class SequencePost:
    """Carries the letters of all sequences to the mailer; call while holding the lock of sequences."""

    def __init__(self, desk: MailDesk, scripts: Sequence[Script]) -> None:
        self._desk = desk
        self._scripts = {script.written.name: script for script in scripts}

    def send(self, *, passing: PassingTime, advance: Advance) -> Posted:
        """Send what waits; raises Refused, RemoteProblem, Busy or Interrupted with all recorded."""
        with self._desk.store.reading() as connection:
            waiting = len(enrolments.unsettled(connection))
            has_lost = enrolments.has_lost(connection)
            before = enrolments.count_sent(connection)
        if not (waiting or has_lost):
            return Posted()
        mailer = self._desk.mailer()
        hold_back(self._desk, passing.now())
        failures = self._send_marketing(mailer, waiting, passing, advance)
        with self._desk.store.reading() as connection:
            owes_service = enrolments.waits_for_service(connection)
        if owes_service:
            failures += notices.send(self._desk, passing=passing, again=AGAIN, advance=advance)
        with self._desk.store.reading() as connection:
            sent = enrolments.count_sent(connection) - before
            left = len(enrolments.unsettled(connection))
        return Posted(sent, failures, left, mailer.where, mailer.is_live)

    def _send_marketing(
        self, mailer: Mailer, waiting: int, passing: PassingTime, advance: Advance
    ) -> int:
        letterhead = self._desk.proven_letterhead(mailer, waiting)

        def compose(row: RowMapping) -> Envelope:
            return self._compose(row, letterhead, passing)

        run = sending.Run(
            self._desk.store,
            mailer,
            compose,
            purpose=Purpose(kind=MailKind.SEQUENCE),
            rules=sending.RULES[MailKind.SEQUENCE],
            passing=passing,
            again=AGAIN,
            advance=advance,
            limits=self._desk.limits,
        )
        run.go()
        return run.failures

    def _compose(self, row: RowMapping, letterhead: Letterhead, passing: PassingTime) -> Envelope:
        sequence, letter = read_occasion(row["occasion"])
        script = self._scripts.get(sequence)
        if script is None or script.written.letter(letter) is None:
            raise ValueError(f"the letter {letter} of {sequence} is not there any more")
        return script.envelope(letter, row, letterhead, passing.now())
