"""An IMAP server on loopback with one folder, just large enough for reading it (RFC 3501)."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class ImapServer:
    """`mails` are by number; `said` keeps every command, `seen` what was marked as read."""

    mails: dict[int, bytes] = field(default_factory=dict)
    validity: int = 7
    password: str = "pa55word"
    said: list[str] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    breaks_at: int | None = None

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve on a free port; yields the imap_url."""
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"* OK ready\r\n")
                for line in self.rfile:
                    tag, _, command = line.decode().strip().partition(" ")
                    server.said.append(command)
                    answer = server.answer(command)
                    if answer is None:
                        return
                    untagged, ending = answer
                    self.wfile.write(untagged + f"{tag} {ending}\r\n".encode())

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        with Server(("127.0.0.1", 0), Handler) as listening:
            thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            try:
                yield f"imap://ana%40bakery.example@127.0.0.1:{listening.server_address[1]}/Bounces"
            finally:
                listening.shutdown()
                thread.join()

    def answer(self, command: str) -> tuple[bytes, str] | None:
        """Return what is said before the tagged answer, and that; None to break off."""
        verb, _, rest = command.partition(" ")
        if verb == "CAPABILITY":
            return b"* CAPABILITY IMAP4rev1\r\n", "OK done"
        if verb == "LOGIN":
            return b"", "OK in" if f'"{self.password}"' in rest else "NO [AUTHENTICATIONFAILED] no"
        if verb == "SELECT":
            if rest != '"Bounces"':
                return b"", "NO no such folder"
            head = f"* {len(self.mails)} EXISTS\r\n* OK [UIDVALIDITY {self.validity}] valid\r\n"
            return head.encode(), "OK [READ-WRITE] selected"
        if verb == "LOGOUT":
            return b"* BYE\r\n", "OK bye"
        return self._by_number(rest) if verb == "UID" else (b"", "BAD what")

    def _by_number(self, command: str) -> tuple[bytes, str] | None:
        verb, _, rest = command.partition(" ")
        if verb == "SEARCH":
            first = re.search(r"UID (\d+):\*", rest)
            low = int(first.group(1)) if first else 0
            # "n:*" has the last mail in it even when n is above its number.
            found = [one for one in self.mails if one >= low] or list(self.mails)[-1:]
            return f"* SEARCH {' '.join(map(str, found))}\r\n".encode(), "OK found"
        if verb == "STORE":
            self.seen |= {int(one) for one in rest.split(" ")[0].split(",")}
            return b"", "OK stored"
        number = int(rest.split(" ")[0])
        if number == self.breaks_at:
            return None
        content = self.mails[number][:1_000_000]
        head = f"* 1 FETCH (UID {number} BODY[]<0> {{{len(content)}}}\r\n".encode()
        return head + content + b")\r\n", "OK fetched"
