"""Handing messages to Resend over HTTP, each under a key by which it is known again for a day.

The key is the message's own reference, so a message whose answer was lost is simply handed over once
more: what was taken before is answered again, not sent again. That holds for the same content only,
so the date of writing is left out of what is sent.
See https://resend.com/docs/api-reference/emails/send-email and .../idempotency-keys.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import requests.auth
from urllib3.exceptions import NewConnectionError

from kpay.domain.delivery import Fate, MailReply, Scope
from kpay.domain.loopback import is_loopback
from kpay.domain.return_path import reference_of
from kpay.errors import CredentialsMissing, RemoteProblem, SettingsInvalid
from kpay.ports import Envelope

API_BASE: Final = "https://api.resend.com"
CONNECT_TIMEOUT_S: Final = 10.0
NEXT: Final = "kpay config resend_api_base"
KEY_NEXT: Final = "read -rs KPAY_RESEND_KEY && export KPAY_RESEND_KEY"
WORDS_KEPT: Final = 300
LONGEST_WAIT_S: Final = 3600.0
OF_THE_ENVELOPE: Final = frozenset(
    {"from", "to", "subject", "date", "mime-version", "content-type", "content-transfer-encoding"}
)
WRONG_KEY: Final = ("missing_api_key", "invalid_api_key", "suspended_api_key")
QUOTAS: Final = ("daily_quota_exceeded", "monthly_quota_exceeded")

log = logging.getLogger(__name__)


class ResendMailer:
    """Takes mail to Resend; live unless another address on this machine stands in for it."""

    deduplicates_for: timedelta | None = timedelta(hours=23)
    """Keys are kept for 24 hours; the last one is left for clocks that differ."""

    def __init__(self, find_key: Callable[[], str], base: str = "", timeout_s: float = 30) -> None:
        self._base = _checked_base(base or API_BASE)
        self._find_key = find_key
        self._timeouts = (CONNECT_TIMEOUT_S, 4 * timeout_s)
        self._is_proven = False
        host = urlsplit(self._base).hostname or ""
        self.is_live = not is_loopback(host)
        self.where = host

    def connect(self) -> ResendConnection:
        """Open a connection; RemoteProblem when nobody answers, CredentialsMissing when refused."""
        session = requests.Session()
        session.auth = _Bearer(self._find_key())
        session.headers["User-Agent"] = "kpay"  # without one they answer 403
        connection = ResendConnection(session, self._base, self._timeouts)
        if not self._is_proven:
            try:
                connection.prove(self.where)
            except (RemoteProblem, CredentialsMissing):
                connection.close()
                raise
            self._is_proven = True
        return connection


def _checked_base(base: str) -> str:
    parts = urlsplit(base)
    fine = parts.scheme in ("http", "https") and parts.hostname
    if not fine:
        raise SettingsInvalid(f"resend_api_base {base!r} is not an https address", NEXT)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise SettingsInvalid(
            f"mail to {parts.hostname} may not go unencrypted: write https://", NEXT
        )
    return base.rstrip("/")


class _Bearer(requests.auth.AuthBase):
    """Proves who we are; set as such, so that no password of a .netrc takes its place."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class ResendConnection:
    """One session; used by one thread."""

    def __init__(self, session: requests.Session, base: str, timeouts: tuple[float, float]) -> None:
        self._session, self._base, self._timeouts = session, base, timeouts

    def prove(self, where: str) -> None:
        """Ask for something that changes nothing, so that a wrong key is found before any message."""
        try:
            answer = self._session.get(
                f"{self._base}/domains", timeout=self._timeouts, allow_redirects=False
            )
        except requests.RequestException as error:
            raise RemoteProblem(
                f"{where} does not answer ({type(error).__name__})", NEXT
            ) from error
        name, words = _said(answer)
        if _is_about_the_key(answer.status_code, name, words):
            raise CredentialsMissing(f"{where} refuses the key: {words}", KEY_NEXT)
        if answer.status_code >= 500:
            raise RemoteProblem(f"{where} answers {answer.status_code}", NEXT)

    def deliver(self, envelope: Envelope) -> MailReply:
        """Hand over one message; whatever goes wrong is a fate, not an exception."""
        key = f"kpay/{reference_of(envelope.message_id)}"
        try:
            answer = self._session.post(
                f"{self._base}/emails",
                json=as_json(envelope),
                headers={"Idempotency-Key": key},
                timeout=self._timeouts,
                allow_redirects=False,
            )
        except requests.ConnectTimeout as error:
            return MailReply(Fate.UNREACHABLE, _words_of(error))
        except requests.ConnectionError as error:
            fate = Fate.UNREACHABLE if _never_connected(error) else Fate.UNKNOWN
            return MailReply(fate, _words_of(error))
        except requests.RequestException as error:
            return MailReply(Fate.UNKNOWN, _words_of(error))
        log.info("resend answered %s", answer.status_code)
        return _reply(answer)

    def close(self) -> None:
        """Close the session."""
        self._session.close()


def as_json(envelope: Envelope) -> dict[str, Any]:
    """Return a message in the provider's form; the same message always gives the same."""
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101 - what this policy makes
    body: dict[str, Any] = {
        "from": str(message["From"]),
        "to": [envelope.recipient],
        "subject": str(message["Subject"]),
        "headers": {
            name: str(value)
            for name, value in message.items()
            if name.lower() not in OF_THE_ENVELOPE
        },
    }
    for subtype, name in (("plain", "text"), ("html", "html")):
        part = message.get_body((subtype,))
        if part is not None:
            body[name] = part.get_content().replace("\r\n", "\n")
    attachments = [_attachment(part) for part in message.iter_attachments()]
    return {**body, "attachments": attachments} if attachments else body


def _attachment(part: EmailMessage) -> dict[str, str]:
    content = part.get_payload(decode=True)
    return {
        "filename": part.get_filename() or "attachment",
        "content": base64.b64encode(content if isinstance(content, bytes) else b"").decode(),
        "content_type": part.get_content_type(),
    }


def _reply(answer: requests.Response) -> MailReply:
    """Read an answer: whose fault it is decides whether the message, or everything, waits."""
    status = answer.status_code
    if 200 <= status < 300:
        identity = _object_of(answer).get("id")
        return MailReply(Fate.ACCEPTED, f"{status} {identity}", str(identity) if identity else None)
    name, said = _said(answer)
    words = f"{status} {said}"[:WORDS_KEPT]
    if name in QUOTAS or _is_about_the_key(status, name, said) or status in (401, 403):
        return MailReply(Fate.STOPPED, words)
    if status == 429:
        wait_s = _wait_s(answer.headers)
        return MailReply(Fate.DEFERRED, words, too_fast=Scope.SERVER, wait_s=wait_s)
    if status == 409 and name == "invalid_idempotent_request":
        # Something was taken under this key, and it was not word for word this message.
        return MailReply(Fate.UNKNOWN, words)
    if status in (408, 409, 425) or status >= 500:
        return MailReply(Fate.DEFERRED, words, wait_s=_wait_s(answer.headers))
    if status in (404, 405) or 300 <= status < 400:
        return MailReply(Fate.STOPPED, f"{words} (is resend_api_base right?)")
    return MailReply(Fate.REFUSED, words)


def _said(answer: requests.Response) -> tuple[str, str]:
    """Return the name and the words of a refusal."""
    found = _object_of(answer)
    words = " ".join(str(found.get("message") or answer.reason or "").split())
    return str(found.get("name") or ""), words[:WORDS_KEPT]


def _object_of(answer: requests.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_about_the_key(status: int, name: str, words: str) -> bool:
    """Say whether the key is refused; a wrong one is answered as a wrong field too (400)."""
    return name in WRONG_KEY or (
        status in (400, 401, 403) and "api key is invalid" in words.lower()
    )


def _wait_s(headers: Mapping[str, str]) -> float:
    """Return how long we are asked to wait, in seconds."""
    try:
        asked = float(headers.get("Retry-After", "0"))
    except ValueError:
        return 0.0
    return min(max(asked, 0.0), LONGEST_WAIT_S)


def _never_connected(error: requests.ConnectionError) -> bool:
    """Say whether a connection failed before anything could be said on it."""
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", cause), NewConnectionError)


def _words_of(error: Exception) -> str:
    return f"no answer ({type(error).__name__})"
