"""What every mail service works with: the store, the way out, templates, and the letterhead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kpay.domain.letterhead import Letterhead
from kpay.errors import Refused
from kpay.ports import Mailer, MarkdownRenderer, Renderer, SourceReader, TokenSigner
from kpay.store.engine import Store

Recommend = Callable[[Sequence[str]], Mapping[str, Sequence[Mapping[str, Any]]]]
ANONYMOUS_LIMIT = 100


@dataclass(frozen=True)
class MailDesk:
    """A business's mail room. `home` is its folder; `recommend` gives each address its next pieces.

    `allows_live` is the setting `live`.
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
    base_currency: str
    allows_live: bool

    def mailer(self, *, messages: int, is_marketing: bool) -> Mailer:
        """Return the way out, or raise Refused when real mail is not allowed now.

        Mail to this machine is a test and always allowed. Above a hundred readers a real campaign
        needs the one-click address that mail providers ask for.
        """
        mailer = self.open_mailer()
        if not mailer.is_live:
            return mailer
        if not self.allows_live:
            raise Refused(
                f"mail to {mailer.where} is real mail, and live = true is not set",
                "kpay config live",
            )
        if is_marketing and messages > ANONYMOUS_LIMIT and not self.letterhead.unsubscribe_url:
            raise Refused(
                f"a campaign to {messages} people needs unsubscribe_url (https, one click)",
                "kpay config unsubscribe_url",
            )
        return mailer
