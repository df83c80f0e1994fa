"""What kpay needs from outside, as small protocols; each has one real adapter and one fake."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from kpay.domain.checkout import Account, Offer, RawObject
from kpay.domain.delivery import MailReply
from kpay.domain.mail_reading import ArrivedMail
from kpay.domain.refunding import RefundAsk
from kpay.domain.source_file import SourceFile


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment in UTC, to the second."""
        ...


class SourceReader(Protocol):
    """Reads the creator's text files: front matter, then a body."""

    def read(self, path: Path, name: str) -> SourceFile:
        """Return what a file says, called `name` in messages; InputInvalid names file and line."""
        ...

    def read_text(self, text: str, name: str) -> SourceFile:
        """Return what a text says that was such a file."""
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

    @property
    def digest(self) -> str:
        """A hash of the letter with its layout, before anyone's values."""
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
    """Takes mail. `is_live` is False when nobody outside this machine can get it.

    `deduplicates_for` is how long a message is known again by its Message-ID, so that it may be handed
    over once more; None where it would simply arrive twice.
    """

    is_live: bool
    where: str
    deduplicates_for: timedelta | None

    def connect(self) -> MailConnection:
        """Open a connection; RemoteProblem when nobody answers, CredentialsMissing when refused."""
        ...


class Letterbox(Protocol):
    """A folder of mail on a server; nothing in it is ever deleted.

    What asks raises RemoteProblem when there is no answer and CredentialsMissing when we are refused.
    """

    where: str

    def open(self) -> str:
        """Open the folder and return the mark under which the numbers of its mails are valid."""
        ...

    def mails_after(self, uid: int, since: date) -> Iterator[ArrivedMail]:
        """Yield the mails with higher numbers, or, after 0, those that came since a day."""
        ...

    def mark_read(self, uids: Sequence[int]) -> None:
        """Mark mails as read."""
        ...

    def close(self) -> None:
        """Leave the folder."""
        ...


class NameLookups(Protocol):
    """Asks name servers. A name without such a record has none; no answer is NamesUnanswered."""

    def texts(self, name: str) -> Sequence[str]:
        """Return the TXT records of a name."""
        ...

    def mail_servers(self, name: str) -> Sequence[str]:
        """Return who takes mail for a name, the first choice first."""
        ...


class TokenSigner(Protocol):
    """Signs short texts that leave the house and come back, like an unsubscribe link's."""

    def sign(self, text: str) -> str:
        """Return a token that can stand in an address."""
        ...

    def read(self, token: str) -> str | None:
        """Return the text of a genuine token, else None."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a provider's list, newest object first."""

    objects: Sequence[dict[str, Any]]
    has_more: bool


class AccountHolder(Protocol):
    """Acts on one account, and can show what is in it."""

    def account(self) -> Account:
        """Return whose account it is; where the provider does not tell, one named after the key."""
        ...

    def one(
        self, path: str, external_id: str, parameters: Mapping[str, Any] | None = None
    ) -> RawObject | None:
        """Return one object, or None when there is no such object."""
        ...


class PaymentSource(Protocol):
    """Reads what a payment provider knows; calls may come from several threads.

    What asks raises CredentialsMissing (the key is refused), ResourceForbidden (the key may not read
    this), ResourceUnsupported (the server has no such list) or RemoteProblem (no answer in the end, or a
    request that was refused: then `details["status"]` is its HTTP status).
    """

    @property
    def requests(self) -> int:
        """How many requests were made so far, repeated ones included."""
        ...

    @property
    def api_version(self) -> str:
        """The version of the API in whose shape objects are read."""
        ...

    def account(self) -> Account:
        """Return whose objects these are."""
        ...

    def page(self, path: str, parameters: Mapping[str, Any]) -> Page:
        """Return one page of a list, like `page("charges", {"limit": 100})`."""
        ...

    def one(
        self, path: str, external_id: str, parameters: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        """Return one object, or None when there is no such object."""
        ...

    def stop(self) -> None:
        """Let what other threads are asking end soon; nothing can be asked afterwards."""
        ...


class Ensured(NamedTuple):
    """A provider object that now stands as wished; `changed` is False when nothing had to be done."""

    raw: RawObject
    changed: bool


class CheckoutPublisher(AccountHolder, Protocol):
    """Puts offers on sale. Each call may be repeated: what stands already is found, never doubled.

    `known` is what the store remembers of earlier calls, so that nothing need be asked twice.
    Raises like PaymentSource. Services go through `kpay.services.selling`, which keeps the store true.
    """

    @property
    def api_version(self) -> str:
        """The version of the API in whose shape objects are answered."""
        ...

    def ensure_product(self, offer: Offer, known: RawObject | None) -> Ensured:
        """Return the product of an offer, created or brought up to date."""
        ...

    def ensure_price(self, offer: Offer, product_id: str, known: Sequence[RawObject]) -> Ensured:
        """Return the price with the offer's terms, created when no known one has them."""
        ...

    def ensure_link(self, offer: Offer, price_id: str, known: Sequence[RawObject]) -> Ensured:
        """Return the payment link that sells a price."""
        ...

    def withdraw(self, raw: RawObject) -> Ensured:
        """Take a product, price or payment link off sale; nothing is ever deleted."""
        ...


class RefundDesk(Protocol):
    """Gives money back, once for each key. Services go through `kpay.services.refunding`.

    Raises like PaymentSource; where the provider answered with a refusal, `details["status"]` of the
    error is its HTTP status, so that a no can be told from silence.
    """

    @property
    def api_version(self) -> str:
        """The version of the API in whose shape objects are answered."""
        ...

    def account(self) -> Account:
        """Return from whose account money is given back."""
        ...

    def ask(self, wish: RefundAsk) -> RawObject:
        """Give money back and return the refund; the same key gives the same refund again."""
        ...

    def made(self, wish: RefundAsk) -> RawObject | None:
        """Return the refund that an earlier request with this key made, or None."""
        ...

    def aftermath(self, refund: RawObject) -> Sequence[RawObject]:
        """Return the charge as it stands now, and the movement of the balance if there is one yet."""
        ...


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """How a job ended: its exit code, the end of what it said, and where all of that is kept."""

    exit_code: int
    said: str
    log: str


class JobRunner(Protocol):
    """Runs kpay commands by themselves."""

    def run(self, name: str, command: Sequence[str]) -> JobOutcome:
        """Run a command of this business to its end; a failure is an outcome, not an exception."""
        ...


class Timetable(Protocol):
    """Knows when cron lines are due, in the creator's zone."""

    def next_after(self, cron: str, moment: datetime) -> datetime:
        """Return when a cron line is next due after a moment; ValueError says what is wrong."""
        ...


class Ticker(Protocol):
    """Calls a function again and again."""

    def every(self, seconds: int, action: Callable[[], None]) -> None:
        """Call now, and then every so many seconds, until interrupted (KeyboardInterrupt)."""
        ...


class TextEncoder(Protocol):
    """Turns texts into vectors whose cosines say how alike they are in meaning."""

    @property
    def model(self) -> str:
        """What names its weights: others have another name."""
        ...

    def encode(self, texts: Sequence[str]) -> Any:
        """Return an array, one row for each text."""
        ...
