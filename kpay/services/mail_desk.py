"""What every mail service works with: the store, the way out, templates, and the letterhead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection

from kpay.domain.letterhead import Letterhead
from kpay.domain.mail_customs import MailCustoms
from kpay.domain.message import message_id
from kpay.domain.pacing import USUAL_LIMITS, MailLimits
from kpay.domain.person import Person
from kpay.domain.uplift_report import Aim
from kpay.errors import Refused
from kpay.ports import Mailer, MarkdownRenderer, Renderer, SourceReader, TokenSigner
from kpay.store.engine import Store

Probe = Callable[[str], str | None]
Recommend = Callable[[Sequence[str]], Mapping[str, Sequence[Mapping[str, Any]]]]


class Weighed(Protocol):
    """Who is not worth one more mail, and what else is known about that as plain values."""

    @property
    def low_value(self) -> frozenset[str]:
        """The addresses of those who are not."""
        ...

    def to_plain(self) -> dict[str, Any]:
        """Return what a plan keeps of it."""
        ...


Weigh = Callable[[Connection, Sequence[Person], Sequence[str], datetime], Weighed]
"""`services.attention.worth`: who is worth a mail about some pieces. It learns, so it loads much."""
Persuade = Callable[[Connection, Sequence[Person], float, datetime], Aim]
"""`services.uplift.aim`: whom a mail moves enough, for a price in mails. It reads everything there is."""
MAILTO_LIMIT = 100
UNKNOWN_DOMAIN = "kpay.invalid"


@dataclass(frozen=True)
class MailDesk:
    """A business's mail room. `home` is its folder; `recommend` gives each address its next pieces.

    `weigh` says who is worth a mail, `persuade` whom one moves; `one_click_problem` tries an unsubscribe address; `allows_live` is the setting `live`; `customs`
    are the rules that hold where a campaign names none, `limits` say how fast mail may leave.
    """

    store: Store
    home: Path
    letterhead: Letterhead
    renderer: Renderer
    markdown: MarkdownRenderer
    reader: SourceReader
    signer: TokenSigner
    open_mailer: Callable[[], Mailer]
    recommend: Recommend
    weigh: Weigh
    persuade: Persuade
    one_click_problem: Probe
    base_currency: str
    allows_live: bool
    customs: MailCustoms = field(default_factory=MailCustoms)
    limits: MailLimits = USUAL_LIMITS

    def mailer(self) -> Mailer:
        """Return the way out, or raise Refused when real mail is not allowed.

        Mail to this machine is a test and always allowed.
        """
        mailer = self.open_mailer()
        if mailer.is_live and not self.allows_live:
            raise Refused(
                f"mail to {mailer.where} is real mail, and live = true is not set",
                "kpay config live",
            )
        return mailer

    def identity(self, purpose: str, email: str) -> str:
        """Return the Message-ID of the one message of a purpose to an address.

        The purpose is signed, so that nobody can work out the identity of a message they never saw.
        """
        domain = UNKNOWN_DOMAIN if self.letterhead.problem() else self.letterhead.domain
        return message_id(self.signer.sign(purpose), email, domain)

    def proven_letterhead(self, mailer: Mailer, messages: int) -> Letterhead:
        """Return the letterhead as it may be used: one click is offered only where it works.

        Real mail to more than a hundred readers needs it, because their providers ask for it;
        raises Refused without. A test keeps what is set, since nobody outside sees it.
        """
        if not mailer.is_live:
            return self.letterhead
        problem = self._one_click_problem()
        if problem and messages > MAILTO_LIMIT:
            raise Refused(
                f"a campaign to {messages:,} people needs one-click unsubscribing: {problem}",
                "kpay config unsubscribe_url",
            )
        return replace(self.letterhead, unsubscribe_url="") if problem else self.letterhead

    def _one_click_problem(self) -> str | None:
        url = self.letterhead.unsubscribe_url
        if not url:
            return "unsubscribe_url is not set"
        problem = self.one_click_problem(self.letterhead.unsubscribe_link(self.signer.sign("test")))
        return f"unsubscribe_url was tried, and {problem}" if problem else None
