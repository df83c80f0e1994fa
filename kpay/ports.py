"""What kpay needs from outside, as small protocols; each has one real adapter and one fake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from kpay.domain.delivery import MailReply


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment in UTC, to the second."""
        ...


class MarkdownRenderer(Protocol):
    """Turns Markdown, of any script and from anyone, into HTML that is safe to publish."""

    def to_html(self, text: str) -> str:
        """Return a fragment of HTML: raw HTML is shown as text, only safe links survive."""
        ...


class Renderer(Protocol):
    """Fills templates. A template is found in the business's templates/ first, then the shipped."""

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        """Fill a template file ("site/page.html"); `.html` escapes what it is given.

        A value that is HTML already goes through the template's `|safe`. A name that is missing
        raises InputInvalid with the file and line.
        """
        ...

    def inline_styles(self, page: str) -> str:
        """Copy a page's styles onto its elements, as mail programs need; media queries stay."""
        ...

    def letter(self, source: LetterSource) -> Letter:
        """Compile a letter once, to be filled for each person; InputInvalid names file and line."""
        ...


@dataclass(frozen=True, slots=True)
class LetterSource:
    """What a creator wrote: a subject and a Markdown body with tags, and the layout round it.

    `layout` names two templates ("email/campaign" means .html and .txt); `values` are the same for
    everyone. `first_line` is the line of `file` on which the body starts, for error messages.
    """

    file: str
    subject: str
    body: str
    first_line: int
    layout: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FilledLetter:
    """A letter for one person."""

    subject: str
    html: str
    text: str


class Letter(Protocol):
    """A compiled letter."""

    @property
    def names(self) -> frozenset[str]:
        """The values that its subject and body ask for."""
        ...

    def fill(self, values: Mapping[str, Any]) -> FilledLetter:
        """Fill in one person's plain values; InputInvalid says what cannot be filled."""
        ...


@dataclass(frozen=True, slots=True)
class Envelope:
    """A finished message on its way: who it is from and for, its identity, and its bytes."""

    sender: str
    recipient: str
    message_id: str
    content: bytes


class MailConnection(Protocol):
    """One connection to whatever takes mail; used by one thread."""

    def deliver(self, envelope: Envelope) -> MailReply:
        """Hand over one message and say what became of it; never raises for one message."""
        ...

    def close(self) -> None:
        """End the connection politely."""
        ...


class Mailer(Protocol):
    """Takes mail. `is_live` is False when nobody outside this machine can get it."""

    is_live: bool
    where: str

    def connect(self) -> MailConnection:
        """Open a connection; RemoteProblem when nobody answers, CredentialsMissing when refused."""
        ...


class TokenSigner(Protocol):
    """Signs short texts that leave the house and come back, like an unsubscribe link's."""

    def sign(self, text: str) -> str:
        """Return a token that can stand in an address."""
        ...

    def read(self, token: str) -> str | None:
        """Return the text of a genuine token, else None."""
        ...
