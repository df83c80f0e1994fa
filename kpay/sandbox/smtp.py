"""A mail server on a loopback port: takes letters, refuses dead mailboxes, relays nothing."""

from __future__ import annotations

import socketserver
from collections.abc import Callable
from threading import Lock
from typing import Final

from kpay.sandbox.letters import Letter
from kpay.sandbox.loopback import Loopback

LARGEST_BYTES: Final = 26_214_400
LONGEST_LINE: Final = 4096


class MailServer:
    """Keeps what it accepts in `letters` and hands each letter to `on_letter`."""

    def __init__(
        self, *, is_dead: Callable[[str], bool], on_letter: Callable[[Letter], None]
    ) -> None:
        self.letters: list[Letter] = []
        self.refused: list[str] = []
        self.is_dead = is_dead
        self._on_letter = on_letter
        self._lock = Lock()
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """Return the address a mailer is to use; raises RuntimeError while closed."""
        if self._server is None:
            raise RuntimeError("the sandbox is not started")
        return f"smtp://127.0.0.1:{self._server.port}?tls=none"

    def open(self) -> None:
        """Take a free port and start serving."""
        self._server = _Server(self)

    def close(self) -> None:
        """Stop serving and give the port back; closing twice is no error."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def accept(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Keep one letter for each recipient."""
        with self._lock:
            for recipient in recipients:
                letter = Letter(len(self.letters), sender, recipient, raw)
                self.letters.append(letter)
                self._on_letter(letter)

    def refuse(self, recipient: str) -> None:
        """Note a recipient that does not exist any more."""
        with self._lock:
            self.refused.append(recipient)


class _Server(Loopback):
    def __init__(self, office: MailServer) -> None:
        self.office = office
        super().__init__(_Session)


class _Session(socketserver.StreamRequestHandler):
    """One SMTP conversation after RFC 5321, with 8BITMIME, SIZE and a login that lets anybody in."""

    server: _Server
    disable_nagle_algorithm = True
    timeout = 120

    def handle(self) -> None:
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._say("220 sandbox ESMTP")
        while (line := self.rfile.readline(LONGEST_LINE)) and self._obey(line):
            pass

    def _obey(self, line: bytes) -> bool:
        """Carry out one command; return False when the conversation is over."""
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        verb, _, rest = text.partition(" ")
        match verb.upper():
            case "EHLO":
                self._say("250-sandbox", "250-8BITMIME", f"250-SIZE {LARGEST_BYTES}",
                          "250-SMTPUTF8", "250 AUTH PLAIN LOGIN")  # fmt: skip
            case "HELO" | "NOOP":
                self._say("250 ok")
            case "AUTH":
                self._log_in(rest)
            case "MAIL":
                self._begin(rest)
            case "RCPT":
                self._address(rest)
            case "DATA":
                self._take()
            case "RSET":
                self._reset()
                self._say("250 ok")
            case "QUIT":
                self._say("221 bye")
                return False
            case _:
                self._say("502 5.5.1 not implemented")
        return True

    def _begin(self, rest: str) -> None:
        if self._sender is not None:
            self._say("503 5.5.1 nested MAIL")
            return
        self._sender = _path(rest)
        self._say("250 2.1.0 ok")

    def _address(self, rest: str) -> None:
        recipient = _path(rest)
        if self._sender is None:
            self._say("503 5.5.1 MAIL first")
        elif "@" not in recipient:
            self._say("501 5.1.3 bad address")
        elif self.server.office.is_dead(recipient):
            self.server.office.refuse(recipient)
            self._say("550 5.1.1 mailbox unavailable")
        else:
            self._recipients.append(recipient)
            self._say("250 2.1.5 ok")

    def _take(self) -> None:
        if self._sender is None or not self._recipients:
            self._say("503 5.5.1 RCPT first")
            return
        self._say("354 end with .")
        raw = self._body()
        if raw is None:
            self._say("552 5.3.4 too big")
        else:
            self.server.office.accept(self._sender, self._recipients, raw)
            self._say("250 2.0.0 accepted")
        self._reset()

    def _body(self) -> bytes | None:
        """Read up to the lonely dot and undo dot-stuffing; None when it is too long."""
        lines: list[bytes] = []
        size = 0
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise ConnectionError("the client left inside a letter")
            size += len(line)
            if size <= LARGEST_BYTES:
                lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines) if size <= LARGEST_BYTES else None

    def _log_in(self, rest: str) -> None:
        mechanism, _, initial = rest.partition(" ")
        questions = {"PLAIN": [""], "LOGIN": ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"]}
        asked = questions.get(mechanism.upper(), [])
        for question in asked[1:] if initial else asked:
            self._say(f"334 {question}")
            self.rfile.readline(LONGEST_LINE)
        self._say("235 2.7.0 welcome" if asked else "504 5.5.4 unknown mechanism")

    def _reset(self) -> None:
        self._sender = None
        self._recipients = []

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


def _path(rest: str) -> str:
    """Return the address between the angle brackets of MAIL FROM and RCPT TO."""
    return rest.partition("<")[2].partition(">")[0].strip()
