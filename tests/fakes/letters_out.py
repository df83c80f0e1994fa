"""Sequences for tests: their files, and what left because of them."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path


def write_sequence(home: Path, name: str, settings: str, **letters: str) -> None:
    """Write a sequence; letters are given like `hello="0"`: their delay, or a whole front matter."""
    folder = home / "sequences" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sequence.md").write_text(f"---\n{settings}\n---\n", encoding="utf-8")
    for number, (letter, told) in enumerate(letters.items(), 1):
        head = told if ":" in told else f"after: {told}"
        if "subject:" not in head:
            head += f'\nsubject: "{letter} for {{{{ name }}}}"'
        text = f"---\n{head}\n---\nHello {{{{ name }}}}.\n"
        (folder / f"{number}-{letter}.md").write_text(text, encoding="utf-8")


def outbox(home: Path) -> list[EmailMessage]:
    """Return every message that left, by the time at which it was written."""
    files = sorted((home / "outbox").glob("*.eml"))
    found = [
        email.message_from_bytes(one.read_bytes(), policy=email.policy.default) for one in files
    ]
    messages = [one for one in found if isinstance(one, EmailMessage)]
    return sorted(messages, key=lambda one: (one["Date"].datetime, str(one["To"])))


def letters_out(home: Path) -> list[tuple[str, str]]:
    """Return whom the letters of sequences went to, and their subjects."""
    return [
        (str(one["To"]), str(one["Subject"]))
        for one in outbox(home)
        if one["X-Kpay-Campaign"] or one["X-Kpay-Kind"] == "service"
    ]


def words(message: EmailMessage, kind: str = "plain") -> str:
    """Return one of the texts of a message."""
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())
