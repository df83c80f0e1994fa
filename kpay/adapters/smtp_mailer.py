"""Handing messages to an SMTP server, one step of the protocol at a time.

`smtplib.sendmail` hides on which side of the final dot a connection was lost, and that side decides
whether a message may be sent again; so MAIL, RCPT, DATA, the text and the dot are taken apart here.
"""

from __future__ import annotations

import ipaddress
import logging
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from kpay.domain.delivery import Fate, MailReply, fate_of_reply
from kpay.errors import CredentialsMissing, RemoteProblem, SettingsInvalid
from kpay.ports import Envelope

TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 120.0
"""How long the answer to the final dot may take: giving up early makes a message uncertain."""
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


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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
    """Takes mail to one server; live unless the server is this machine."""

    def __init__(self, url: str, find_password: Callable[[], str]) -> None:
        self._server = parse_server(url)
        self._find_password = find_password
        self.is_live = not self._server.is_loopback
        self.where = f"{self._server.host}:{self._server.port}"

    def connect(self) -> SmtpConnection:
        """Open a connection; RemoteProblem or CredentialsMissing."""
        return SmtpConnection(self._open, self._open())

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
            raise RemoteProblem(
                f"the mail server {self.where} does not take our mail: {_words_of(error)}",
                NEXT,
            ) from error

    def _greeted(self, server: Server) -> smtplib.SMTP:
        if server.tls == "implicit":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host,
                server.port,
                timeout=TIMEOUT_S,
                context=ssl.create_default_context(),
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
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

    def __init__(self, open_again: Callable[[], smtplib.SMTP], smtp: smtplib.SMTP) -> None:
        self._open_again = open_again
        self._smtp: smtplib.SMTP | None = smtp

    def deliver(self, envelope: Envelope) -> MailReply:
        """Hand over one message; whatever goes wrong is a fate, not an exception."""
        try:
            smtp = self._smtp = self._smtp or self._open_again()
        except (RemoteProblem, CredentialsMissing) as error:
            return MailReply(Fate.UNREACHABLE, error.message)
        try:
            refusal = _announce(smtp, envelope)
            if refusal is not None:
                self._after_refusal(smtp, refusal)
                return refusal
            smtp.send(_dot_stuffed(envelope.content))
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return MailReply(Fate.DEFERRED, _words_of(error))
        return self._finish(smtp)

    def _finish(self, smtp: smtplib.SMTP) -> MailReply:
        """Send the final dot. From here on the server may own the message."""
        try:
            if smtp.sock is not None:
                smtp.sock.settimeout(ANSWER_TIMEOUT_S)
            smtp.send(b".\r\n")
            code, words = smtp.getreply()
            if smtp.sock is not None:
                smtp.sock.settimeout(TIMEOUT_S)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return MailReply(Fate.UNKNOWN, _words_of(error))
        reply = _read(code, words)
        if code == 421:
            self._drop()
        return reply

    def _after_refusal(self, smtp: smtplib.SMTP, refusal: MailReply) -> None:
        if refusal.words.startswith("421"):
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


def _announce(smtp: smtplib.SMTP, envelope: Envelope) -> MailReply | None:
    """MAIL, RCPT and DATA; return the refusal of whichever was refused."""
    steps: tuple[Callable[[], tuple[int, bytes]], ...] = (
        lambda: smtp.mail(envelope.sender),
        lambda: smtp.rcpt(envelope.recipient),
    )
    for step in steps:
        code, words = step()
        if code >= 300:
            return _read(code, words)
    code, words = smtp.docmd("DATA")
    return None if code == 354 else _read(code, words)


def _read(code: int, words: bytes) -> MailReply:
    text = " ".join(words.decode("utf-8", "replace").split())
    return MailReply(fate_of_reply(code, text), f"{code} {text}"[:WORDS_KEPT])


def _dot_stuffed(content: bytes) -> bytes:
    """Double a dot that begins a line (RFC 5321, 4.5.2), and end the last line."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    stuffed = b"." + stuffed if stuffed.startswith(b".") else stuffed
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"


def _words_of(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        return f"{error.smtp_code} {text}"[:WORDS_KEPT]
    return (str(error) or type(error).__name__)[:WORDS_KEPT]
