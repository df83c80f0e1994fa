"""Reading what is new in a mail folder on a server, and remembering how far that was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import islice
from typing import Final

from kpay.domain.inbox_report import InboxEntry, Meaning
from kpay.domain.mail_reading import ArrivedMail
from kpay.ports import Letterbox
from kpay.services.inbox import MAILS_A_TRANSACTION, InboxReader
from kpay.store import facts

FIRST_LOOK_BACK: Final = timedelta(days=60)
FOR_A_PERSON: Final = frozenset({Meaning.REPLY, Meaning.OTHER})


def read_folder(box: Letterbox, reader: InboxReader) -> Iterator[InboxEntry]:
    """Read the mails that came since the last time and yield what each came to.

    What was understood and is no letter to a person is marked as read; all else stays unread.
    Where it breaks off, the next time goes on.
    """
    name = f"inbox {box.where}"
    with closing(box):
        validity = box.open()
        with reader.store.reading() as connection:
            kept = (facts.find(connection, name) or "").split(" ")
        last = int(kept[1]) if len(kept) > 1 and kept[0] == validity else 0
        mails = iter(box.mails_after(last, (reader.now - FIRST_LOOK_BACK).date()))
        while batch := list(islice(mails, MAILS_A_TRANSACTION)):
            entries = reader.take(batch)
            yield from entries
            if not reader.dry_run:
                box.mark_read(_settled(batch, entries))
                with reader.store.writing() as connection:
                    facts.keep(connection, name, f"{validity} {batch[-1].uid}")


def _settled(batch: list[ArrivedMail], entries: list[InboxEntry]) -> list[int]:
    return [
        mail.uid
        for mail, entry in zip(batch, entries, strict=True)
        if not entry.needs_eyes and entry.meaning not in FOR_A_PERSON
    ]
