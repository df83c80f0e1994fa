"""Mail as files: one .eml a message in a folder, for rehearsals and for looking at."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

from kpay.domain.delivery import Fate, MailReply
from kpay.errors import DiskProblem
from kpay.files import disk_problems, write_whole
from kpay.ports import Envelope


class OutboxMailer:
    """Writes each message to `folder`, named by its Message-ID, so that none is written twice."""

    is_live = False
    deduplicates_for: timedelta | None = timedelta.max

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.where = f"{folder.name}/"

    def connect(self) -> OutboxMailer:
        """Make sure that the folder is there; DiskProblem when it cannot be."""
        with disk_problems(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    def deliver(self, envelope: Envelope) -> MailReply:
        """Write the message whole or not at all; one that is there already is left alone."""
        path = self._folder / file_name(envelope.message_id)
        if path.exists():
            return MailReply(Fate.ACCEPTED, f"{path.name} was written before", path.name)
        try:
            write_whole(path, envelope.content)
        except DiskProblem as problem:
            return MailReply(Fate.NO_ROOM, problem.message)
        return MailReply(Fate.ACCEPTED, path.name, provider_id=path.name)

    def close(self) -> None:
        """Nothing stays open between messages."""


def file_name(message_id: str) -> str:
    """Return the file name of a message: its identity's first part where that is a plain word."""
    local = message_id.strip("<>").partition("@")[0]
    plain = local.isascii() and local.replace("-", "").isalnum()
    return f"{local if plain else hashlib.sha256(message_id.encode()).hexdigest()[:32]}.eml"
