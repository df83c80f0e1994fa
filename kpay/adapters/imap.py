"""Reading a folder of mail on an IMAP server (RFC 3501); nothing is ever deleted or moved."""

from __future__ import annotations

import imaplib
import logging
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from kpay.domain.loopback import is_loopback
from kpay.domain.mail_reading import READ_BYTES, ArrivedMail
from kpay.errors import CredentialsMissing, RemoteProblem, SettingsInvalid

TIMEOUT_S: Final = 30.0
NEXT: Final = "kpay config imap_url"
MONTHS: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
UIDS: Final = re.compile(rb"\d+")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder on a server."""

    host: str
    port: int
    user: str
    folder: str
    is_encrypted: bool


def parse_place(url: str) -> Place:
    """Read imaps://user@host:993/FOLDER; SettingsInvalid says what is wrong.

    imap:// is for this machine only.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsInvalid(f"imap_url cannot be read: {error}", NEXT) from error
    if parts.scheme not in ("imap", "imaps") or not parts.hostname or not parts.username:
        raise SettingsInvalid("imap_url must look like imaps://user@imap.example.com/INBOX", NEXT)
    if parts.password is not None:
        raise SettingsInvalid(
            "imap_url holds a password: put it in KPAY_IMAP_PASSWORD or in secrets.toml", NEXT
        )
    if parts.scheme == "imap" and not is_loopback(parts.hostname):
        raise SettingsInvalid(
            f"mail from {parts.hostname} may not come unencrypted: write imaps://", NEXT
        )
    folder = unquote(parts.path.strip("/")) or "INBOX"
    if not folder.isascii() or not folder.isprintable() or set(folder) & set('"\\'):
        raise SettingsInvalid(
            f"imap_url names the folder {folder!r}; only plain ASCII names can be read", NEXT
        )
    is_encrypted = parts.scheme == "imaps"
    usual = 993 if is_encrypted else 143
    return Place(parts.hostname, port or usual, unquote(parts.username), folder, is_encrypted)


class ImapFolder:
    """A folder whose mails are read in the order of their arrival; see kpay.ports.Letterbox."""

    def __init__(self, url: str, find_password: Callable[[], str]) -> None:
        self._place = parse_place(url)
        self._find_password = find_password
        self._imap: imaplib.IMAP4 | None = None
        place = self._place
        self.where = f"{place.folder} of {place.user} at {place.host}:{place.port}"

    def open(self) -> str:
        """Log in, choose the folder, and return the mark under which its numbers are valid."""
        place = self._place
        log.info("reading %s, TLS %s", self.where, "implicit" if place.is_encrypted else "none")
        password = self._find_password()
        with self._translated():
            imap = self._imap = self._connected()
            try:
                imap.login(place.user, password)
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error as error:
                raise CredentialsMissing(
                    f"{place.host} refuses the user or the password",
                    "read -rs KPAY_IMAP_PASSWORD && export KPAY_IMAP_PASSWORD",
                ) from error
            self._must(imap.select(f'"{place.folder}"'))
            _, marks = imap.response("UIDVALIDITY")
        return str(marks[0], "ascii", "replace") if marks and marks[0] else ""

    def _connected(self) -> imaplib.IMAP4:
        place = self._place
        if place.is_encrypted:
            context = ssl.create_default_context()
            return imaplib.IMAP4_SSL(place.host, place.port, ssl_context=context, timeout=TIMEOUT_S)
        return imaplib.IMAP4(place.host, place.port, timeout=TIMEOUT_S)

    def mails_after(self, uid: int, since: date) -> Iterator[ArrivedMail]:
        """Yield the mails with higher numbers, or, after 0, those that came since a day.

        They stay unread. RemoteProblem when the server breaks off.
        """
        wish = (
            f"UID {uid + 1}:*"
            if uid
            else f"SINCE {since.day}-{MONTHS[since.month - 1]}-{since.year}"
        )
        with self._translated():
            lines = self._must(self._open_imap.uid("SEARCH", wish))
        found = sorted({int(one) for line in lines if line for one in UIDS.findall(line)})
        # "5:*" always has the last mail, also when its number is below 5 (RFC 3501, 6.4.8).
        for number in (one for one in found if one > uid):
            content = self._content(number)
            if content is not None:
                yield ArrivedMail(f"{self._place.folder} {number}", content, number)

    def _content(self, number: int) -> bytes | None:
        """Return the beginning of a mail, or None when it is gone by now."""
        part = f"(BODY.PEEK[]<0.{READ_BYTES}>)"
        with self._translated():
            answer = self._must(self._open_imap.uid("FETCH", str(number), part))
        return next((bytes(one[1]) for one in answer if isinstance(one, tuple)), None)

    def mark_read(self, uids: Sequence[int]) -> None:
        """Mark mails as read; the rest stays as it is."""
        if uids:
            numbers = ",".join(map(str, uids))
            with self._translated():
                self._must(self._open_imap.uid("STORE", numbers, "+FLAGS.SILENT", r"(\Seen)"))

    def close(self) -> None:
        """Log out."""
        if self._imap is not None:
            try:
                self._imap.logout()
            except (OSError, imaplib.IMAP4.error):
                with suppress(OSError):
                    self._imap.shutdown()
        self._imap = None

    @property
    def _open_imap(self) -> imaplib.IMAP4:
        if self._imap is None:
            raise RemoteProblem(f"{self.where} is not open", NEXT)
        return self._imap

    def _must(self, answer: tuple[str, list[Any]]) -> list[Any]:
        status, lines = answer
        if status != "OK":
            said = b" ".join(line for line in lines if isinstance(line, bytes))
            raise RemoteProblem(
                f"{self.where} cannot be read: {said.decode('utf-8', 'replace')[:200]}", NEXT
            )
        return lines

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ssl.SSLError as error:
            raise RemoteProblem(
                f"no encrypted connection to {self._place.host}: {error.reason or error}", NEXT
            ) from error
        except (OSError, imaplib.IMAP4.error) as error:
            raise RemoteProblem(
                f"{self.where} cannot be read: {error}", "kpay inbox --imap"
            ) from error
