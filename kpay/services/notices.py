"""Messages about what somebody has paid for or has a contract on: receipts, and news of service.

They go to payers who are on no list too. Whoever sends the one kind sends what waits of the other.
"""

from __future__ import annotations

from sqlalchemy import RowMapping

from kpay.domain.enums import MailKind
from kpay.domain.sequences import read_occasion
from kpay.ports import Envelope
from kpay.services import sending, sequence_files
from kpay.services.mail_desk import MailDesk
from kpay.services.passing import PassingTime
from kpay.services.receipts import ReceiptPress
from kpay.services.sending import Advance
from kpay.services.sequence_holding import hold_back
from kpay.services.sequence_letters import Script
from kpay.store.deliveries import Purpose

NOTICES = Purpose(kind=MailKind.RECEIPT)
LOCK_WAIT_S = 30.0


def send(
    desk: MailDesk, *, passing: PassingTime, again: str, advance: Advance = lambda count: None
) -> int:
    """Send what waits; return how many failed. `again` is the command that goes on after a stop.

    Raises Refused, RemoteProblem, Busy or Interrupted; what was not sent stays queued.
    """
    mailer = desk.mailer()
    hold_back(desk, passing.now())
    press = _NoticePress(desk)
    with sending.sending_lock(desk.store, kind=MailKind.RECEIPT, wait_s=LOCK_WAIT_S):
        run = sending.Run(
            desk.store,
            mailer,
            lambda row: press.envelope(row, passing),
            purpose=NOTICES,
            rules=sending.RULES[MailKind.RECEIPT],
            passing=passing,
            again=again,
            advance=advance,
            limits=desk.limits,
        )
        run.go()
    return run.failures


class _NoticePress:
    """Writes each message as what it is: a receipt, or a letter of a sequence."""

    def __init__(self, desk: MailDesk) -> None:
        self._desk = desk
        self._receipts = ReceiptPress(desk)
        self._scripts: dict[str, Script] = {}

    def envelope(self, row: RowMapping, passing: PassingTime) -> Envelope:
        """Write the message of one delivery; ValueError when its letter is gone."""
        if row["enrolment_id"] is None:
            return self._receipts.envelope(row, passing.now())
        sequence, letter = read_occasion(row["occasion"])
        script = self._script(sequence)
        if script.written.letter(letter) is None:
            raise ValueError(f"the letter {letter} of {sequence} is not there any more")
        return script.envelope(letter, row, self._desk.letterhead, passing.now())

    def _script(self, name: str) -> Script:
        """Read a sequence anew; threads that do so at once read the same."""
        if name not in self._scripts:
            written = sequence_files.read(self._desk.reader, self._desk.home, name)
            with self._desk.store.reading() as connection:
                self._scripts[name] = Script(self._desk, connection, written)
        return self._scripts[name]
