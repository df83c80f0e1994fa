"""Handing messages to an SMTP server, one step of the protocol at a time.

`smtplib.sendmail` hides on which side of the final dot a connection was lost, and that side decides
whether a message may be sent again; so MAIL, RCPT and DATA are answered one by one here. Where the
server offers PIPELINING (RFC 2920) the three travel together. The text and its dot travel together
too: what could not be handed to the system whole has not left with its dot.
"""

from __future__ import annotations

import logging
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

from kpay.domain.delivery import Fate, MailReply, fate_of_reply, name_given, too_fast
from kpay.domain.loopback import is_loopback
from kpay.errors import CredentialsMissing, RemoteProblem, SettingsInvalid
from kpay.ports import Envelope

TIMEOUT_S = 30.0
PATIENCE = 4
"""The answer to the final dot may take so many times longer: giving up early makes it uncertain."""
CONNECTION_IS_OVER = 421
NEXT = "kpay config smtp_url"
WORDS_KEPT = 300

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail goes: `tls` is none, starttls or implicit."""

    host: str
    port: int
    user: str | None
    tls: str

    @property
    def is_loopback(self) -> bool:
        """Whether nobody outside this machine can be reached there."""
        return is_loopback(self.host)


def parse_server(url: str) -> Server:
    """Read smtp://user@host:port?tls=none|starttls|implicit; SettingsInvalid says what is wrong.

    Without `tls` it is none on this machine and starttls elsewhere; none elsewhere is refused.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsInvalid(f"smtp_url cannot be read: {error}", NEXT) from error
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise SettingsInvalid(
            "smtp_url must look like smtp://user@mail.example.com:587?tls=starttls", NEXT
        )
    if parts.password is not None:
        raise SettingsInvalid(
            "smtp_url holds a password: put it in KPAY_SMTP_PASSWORD or in secrets.toml", NEXT
        )
    usual = "implicit" if parts.scheme == "smtps" else _usual_tls(parts.hostname)
    tls = parse_qs(parts.query).get("tls", [usual])[-1]
    _check_tls(tls, parts.hostname)
    default_port = {"implicit": 465, "starttls": 587}.get(tls, 25)
    user = unquote(parts.username) if parts.username else None
    return Server(parts.hostname, port or default_port, user, tls)


def _usual_tls(host: str) -> str:
    return "none" if is_loopback(host) else "starttls"


def _check_tls(tls: str, host: str) -> None:
    if tls not in ("none", "starttls", "implicit"):
        raise SettingsInvalid(f"smtp_url: tls={tls} is none of none, starttls, implicit", NEXT)
    if tls == "none" and not is_loopback(host):
        raise SettingsInvalid(
            f"mail to {host} may not go unencrypted: use tls=starttls or tls=implicit", NEXT
        )


class SmtpMailer:
    """Takes mail to one server; live unless the server is this machine.

    The server has `timeout_s` seconds for every answer, and some times that after a whole message.
    """

    deduplicates_for: timedelta | None = None

    def __init__(
        self, url: str, find_password: Callable[[], str], timeout_s: float = TIMEOUT_S
    ) -> None:
        self._server = parse_server(url)
        self._find_password = find_password
        self._timeout_s = timeout_s
        self.is_live = not self._server.is_loopback
        self.where = f"{self._server.host}:{self._server.port}"

    def connect(self) -> SmtpConnection:
        """Open a connection; RemoteProblem or CredentialsMissing.

        Where the server answered with a refusal, `details["status"]` is its code: 421 when it takes
        no further connection.
        """
        return SmtpConnection(self._open, self._open(), self._timeout_s)

    def _open(self) -> smtplib.SMTP:
        server = self._server
        log.info("connecting to the mail server %s, TLS %s", self.where, server.tls)
        try:
            return self._greeted(server)
        except smtplib.SMTPAuthenticationError as error:
            raise CredentialsMissing(
                f"{self.where} refuses the user or the password ({error.smtp_code})",
                "read -rs KPAY_SMTP_PASSWORD && export KPAY_SMTP_PASSWORD",
            ) from error
        except ssl.SSLError as error:
            raise RemoteProblem(
                f"no encrypted connection to {self.where}: {error.reason or error}", NEXT
            ) from error
        except (OSError, smtplib.SMTPException) as error:
            code = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None
            raise RemoteProblem(
                f"the mail server {self.where} does not take our mail: {_words_of(error)}",
                NEXT,
                status=code,
            ) from error

    def _greeted(self, server: Server) -> smtplib.SMTP:
        if server.tls == "implicit":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host,
                server.port,
                timeout=self._timeout_s,
                context=ssl.create_default_context(),
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=self._timeout_s)
        if server.tls == "starttls":
            smtp.starttls(context=ssl.create_default_context())
        smtp.ehlo_or_helo_if_needed()
        if server.user:
            smtp.login(server.user, self._find_password())
        if smtp.sock is not None:
            # The dot leaves in a packet of its own; without this it would wait for the last one.
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return smtp


class SmtpConnection:
    """One connection, opened again when the server has closed it."""

    def __init__(
        self, open_again: Callable[[], smtplib.SMTP], smtp: smtplib.SMTP, timeout_s: float
    ) -> None:
        self._open_again, self._timeout_s = open_again, timeout_s
        self._smtp: smtplib.SMTP | None = smtp
        self._delivered = 0

    def deliver(self, envelope: Envelope) -> MailReply:
        """Hand over one message; whatever goes wrong is a fate, not an exception."""
        reply = self._attempt(envelope)
        if reply is None:  # an old connection was over before it took anything of this message
            reply = self._attempt(envelope)
        return reply or MailReply(Fate.DEFERRED, "the server closed the connection")

    def _attempt(self, envelope: Envelope) -> MailReply | None:
        """Try once; None when a connection that had served before was over."""
        is_old = self._smtp is not None and self._delivered > 0
        try:
            smtp = self._smtp = self._smtp or self._opened()
        except (RemoteProblem, CredentialsMissing) as error:
            is_full = error.details.get("status") == CONNECTION_IS_OVER
            return MailReply(Fate.SERVER_FULL if is_full else Fate.UNREACHABLE, error.message)
        try:
            refusal = _announce(smtp, envelope)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            is_over = is_old and not isinstance(error, TimeoutError)
            return None if is_over else MailReply(Fate.DEFERRED, _words_of(error))
        if refusal is not None:
            self._after_refusal(smtp, refusal)
            is_over = is_old and refusal.code == CONNECTION_IS_OVER and not refusal.of_recipient
            return None if is_over else refusal.reply
        return self._hand_over(smtp, _dot_stuffed(envelope.content))

    def _opened(self) -> smtplib.SMTP:
        self._delivered = 0
        return self._open_again()

    def _hand_over(self, smtp: smtplib.SMTP, content: bytes) -> MailReply:
        """Send the text and the dot, and read the answer."""
        try:
            smtp.send(content)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return MailReply(Fate.DEFERRED, _words_of(error))
        # From here on the server may own the message.
        try:
            if smtp.sock is not None:
                smtp.sock.settimeout(self._timeout_s * PATIENCE)
            code, words = smtp.getreply()
            if smtp.sock is not None:
                smtp.sock.settimeout(self._timeout_s)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return MailReply(Fate.UNKNOWN, _words_of(error))
        self._delivered += 1
        if code == CONNECTION_IS_OVER:
            self._drop()
        return _read(code, words)

    def _after_refusal(self, smtp: smtplib.SMTP, refusal: Refusal) -> None:
        if refusal.code == CONNECTION_IS_OVER:
            self._drop()
            return
        try:
            smtp.rset()
        except (OSError, smtplib.SMTPException):
            self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None

    def close(self) -> None:
        """Say QUIT and close."""
        if self._smtp is not None:
            try:
                self._smtp.quit()
            except (OSError, smtplib.SMTPException):
                self._smtp.close()
        self._smtp = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no before the message was taken, and whether it was said of the recipient."""

    code: int
    reply: MailReply
    of_recipient: bool


def _announce(smtp: smtplib.SMTP, envelope: Envelope) -> Refusal | None:
    """MAIL, RCPT and DATA; return the refusal of whichever was refused first."""
    lines = (
        f"MAIL FROM:<{envelope.sender}>\r\n",
        f"RCPT TO:<{envelope.recipient}>\r\n",
        "DATA\r\n",
    )
    together = smtp.has_extn("pipelining")
    if together:
        smtp.send("".join(lines))
    refusal: Refusal | None = None
    for number, line in enumerate(lines):
        if not together:
            smtp.send(line)
        code, words = smtp.getreply()
        if refusal is None and code >= (400 if number == 2 else 300):
            refusal = Refusal(code, _read(code, words, of_recipient=number == 1), number == 1)
        if refusal is not None and (not together or code == CONNECTION_IS_OVER):
            return refusal
    if refusal is not None and code == 354:  # nobody is left to get it: an empty message ends it
        smtp.send(".\r\n")
        smtp.getreply()
    return refusal


def _read(code: int, words: bytes, *, of_recipient: bool = False) -> MailReply:
    text = " ".join(words.decode("utf-8", "replace").split())
    fate = fate_of_reply(code, text)
    if fate is Fate.ACCEPTED:
        return MailReply(fate, f"{code} {text}"[:WORDS_KEPT], name_given(text))
    pace = too_fast(code, text, of_recipient=of_recipient)
    return MailReply(fate, f"{code} {text}"[:WORDS_KEPT], too_fast=pace)


def _dot_stuffed(content: bytes) -> bytes:
    """Double a dot that begins a line (RFC 5321, 4.5.2), end the last line, and add the dot."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    stuffed = b"." + stuffed if stuffed.startswith(b".") else stuffed
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")


def _words_of(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        return f"{error.smtp_code} {text}"[:WORDS_KEPT]
    return (str(error) or type(error).__name__)[:WORDS_KEPT]
