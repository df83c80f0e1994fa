"""Letters that wait although their files have changed: none fails for a slip of the pen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from kpay.domain.enums import DeliveryState
from kpay.domain.sequences import read_occasion
from kpay.errors import InputInvalid, NotFound
from kpay.services import sequence_files
from kpay.services.mail_desk import MailDesk
from kpay.services.sequence_letters import Script
from kpay.store import deliveries, enrolments

UNTIL_MENDED: Final = timedelta(hours=1)
GONE: Final = "the letter is not there any more"


def hold_back(desk: MailDesk, now: datetime) -> None:
    """Put letters off whose sequence cannot be read just now, and drop those that were taken away."""
    with desk.store.reading() as connection:
        rows = enrolments.unsettled(connection)
        named = {row["id"]: read_occasion(row["occasion"]) for row in rows}
        sequences = sorted({name for name, _ in named.values()})
        scripts = {name: _script(desk, connection, name) for name in sequences}
    unreadable = [one for one, (name, _) in named.items() if scripts[name] is None]
    gone = [one for one, (name, letter) in named.items() if _lacks(scripts[name], letter)]
    if not (unreadable or gone):
        return
    with desk.store.writing() as connection:
        enrolments.put_off(connection, unreadable, now + UNTIL_MENDED)
        deliveries.set_aside(connection, gone, DeliveryState.SKIPPED, GONE)


def _script(desk: MailDesk, connection: Connection, name: str) -> Script | None:
    try:
        return Script(desk, connection, sequence_files.read(desk.reader, desk.home, name))
    except (InputInvalid, NotFound):
        return None


def _lacks(script: Script | None, letter: str) -> bool:
    return script is not None and script.written.letter(letter) is None
