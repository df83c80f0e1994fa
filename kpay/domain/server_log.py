"""Which messages a mail server took, by its own log: Postfix, Exim, a provider's export, any line by line.

A line that names a Message-ID is taken as "this was accepted", with two exceptions: words of refusal,
and Postfix's `message-id=` line, which is written before the message is whole. There the queue's
number stands for the message, and a later line says that it was queued or sent.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

QUEUED_UNDER: Final = re.compile(r"\b([0-9A-Za-z]{6,20}): message-id=<([^<>\s]+)>")
QUEUE_NUMBER: Final = re.compile(r"\b([0-9A-Za-z]{6,20}): ")
TAKEN_BY_POSTFIX: Final = re.compile(
    r"\(queue active\)|\bstatus=(sent|deferred|bounced)\b|: removed\b"
)
REFUSED: Final = re.compile(r"\b(reject(ed)?|dropped|discarded|NOQUEUE|refused)\b", re.IGNORECASE)
IDENTITY: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")


@dataclass(slots=True)
class ServerLog:
    """Reads a log for some Message-IDs, without their angle brackets.

    `accepted` are those it names, `doubtful` those named in words of refusal only.
    """

    wanted: Collection[str]
    accepted: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    _numbers: dict[str, str] = field(default_factory=dict)

    def read(self, lines: Iterable[str]) -> None:
        """Read lines in their order."""
        for line in lines:
            self._read_line(line)

    def _read_line(self, line: str) -> None:
        begun = QUEUED_UNDER.search(line)
        if begun is not None:
            if begun[2] in self.wanted:
                self._numbers[begun[1]] = begun[2]
            return
        if self._numbers:
            number = QUEUE_NUMBER.search(line)
            if number is not None and number[1] in self._numbers:
                if TAKEN_BY_POSTFIX.search(line):
                    self.accepted.add(self._numbers[number[1]])
                return
        if "@" not in line:
            return
        # "id=abc@example.com" is one word to the pattern, and so is a name before an "=".
        found = {
            identity
            for one in IDENTITY.findall(line)
            if (identity := one.rpartition("=")[2]) in self.wanted
        }
        is_refusal = bool(found) and REFUSED.search(IDENTITY.sub("", line)) is not None
        (self.doubtful if is_refusal else self.accepted).update(found)
