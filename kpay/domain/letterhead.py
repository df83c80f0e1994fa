"""What stands above and below every message: who writes, where they live, how to leave the list."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from kpay.domain.message import encoded, sender_address
from kpay.domain.return_path import TOKEN_HEADER, bounce_address_problem, return_path

CACHED_NAMES = 64  # the same for every message of a campaign


@dataclass(frozen=True, slots=True)
class Letterhead:
    """The settings that mail needs. `sender` is "Ana Lee <ana@example.com>".

    `unsubscribe_url` takes one-click requests (RFC 8058); without it only a mailto is offered.
    What cannot be delivered comes back to `bounce_address`, else to the sender.
    """

    business: str
    sender: str
    postal_address: str
    unsubscribe_url: str = ""
    unsubscribe_mailto: str = ""
    site_url: str = ""
    bounce_address: str = ""

    @property
    def domain(self) -> str:
        """The sender's domain: the right-hand side of every Message-ID."""
        return sender_address(self.sender).rpartition("@")[2]

    @property
    def shown_business(self) -> str:
        """What the business is called in a message: its name, else the sender's address."""
        return self.business or self.sender

    def problem(self) -> str | None:
        """Return why no message can be written with these settings, or None."""
        if not self.sender:
            return 'mail_from is not set: it says who writes ("Ana Lee <ana@example.com>")'
        try:
            sender_address(self.sender)
        except ValueError as error:
            return f"mail_from: {error}"
        problem = bounce_address_problem(self.bounce_address) if self.bounce_address else None
        return f"bounce_address: {problem}" if problem else None

    def envelope_sender(self, message_id: str) -> str:
        """Return where a server sends what it cannot deliver of one message."""
        if self.bounce_address:
            return return_path(self.bounce_address, message_id)
        return sender_address(self.sender)

    def marketing_problems(self) -> tuple[str, ...]:
        """Return why no campaign can go out with these settings."""
        problems = [self.problem()]
        if not self.postal_address.strip():
            problems.append(
                "postal_address is not set: a campaign names the place where its sender can be found"
            )
        if self.unsubscribe_url and not self.unsubscribe_url.startswith("https://"):
            problems.append("unsubscribe_url must begin with https://")
        return tuple(problem for problem in problems if problem)

    def page_url(self, slug: str) -> str:
        """Return the address of a piece's page, or nothing without a site."""
        return f"{self.site_url.rstrip('/')}/c/{quote(slug)}.html" if self.site_url else ""

    def unsubscribe_link(self, token: str) -> str:
        """Return where a reader leaves the list: the https address, else a mail."""
        return self._one_click(token) if self.unsubscribe_url else self._mailto(token)

    def list_headers(self, campaign: str, goal: str, token: str) -> tuple[tuple[str, str], ...]:
        """Return the headers that bulk mail carries (RFC 2369, 2919, 8058; Feedback-ID).

        Each stays on one line: folding a List-Unsubscribe has broken signatures on the way.
        """
        ways = [f"<{self._mailto(token)}>"]
        one_click = []
        if self.unsubscribe_url:
            ways.insert(0, f"<{self._one_click(token)}>")
            one_click = [("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")]
        name = _quoted(campaign)
        return (
            ("List-Id", f"{_list_name(self.shown_business)} <campaigns.{self.domain}>"),
            ("List-Unsubscribe", ", ".join(ways)),
            *one_click,
            ("X-Kpay-Campaign", name),
            (TOKEN_HEADER, token),
            ("Feedback-ID", f"{name}:{goal or 'news'}:campaign:{self.domain}"),
        )

    def _one_click(self, token: str) -> str:
        joint = "&" if "?" in self.unsubscribe_url else "?"
        return f"{self.unsubscribe_url}{joint}t={token}"

    def _mailto(self, token: str) -> str:
        address = self.unsubscribe_mailto or sender_address(self.sender)
        return f"mailto:{_quoted(address)}?subject=unsubscribe%20{token}"


@lru_cache(CACHED_NAMES)
def _quoted(name: str) -> str:
    return quote(name, safe="@")


@lru_cache(CACHED_NAMES)
def _list_name(business: str) -> str:
    name = encoded(business, room=60).replace("\r\n ", " ")
    plain = name.replace("\\", "").replace('"', "'")
    return name if name.startswith("=?") else f'"{plain}"'
