"""A mail server on loopback that remembers what it took and misbehaves on demand.

A fault is chosen by the recipient, so that it hits the same people whatever the order. The record of
what was taken is made before the answer is sent: the sink alone can judge who really got a message.
"""

from __future__ import annotations

import socketserver
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Faults:
    """What goes wrong, by recipient. Each answer is given once a recipient, unless it is final."""

    rcpt: dict[str, str] = field(default_factory=dict)
    once: dict[str, str] = field(default_factory=dict)
    drop_before_dot: set[str] = field(default_factory=set)
    drop_at_dot: set[str] = field(default_factory=set)
    drop_after_taking: set[str] = field(default_factory=set)
    at_end: dict[str, str] = field(default_factory=dict)
    answer: str = "250 2.0.0 taken"
    most_connections: int = 1000
    messages_a_connection: int = 1_000_000
    capabilities: tuple[str, ...] = ("8BITMIME", "PIPELINING")
    on_taken: Callable[[str], None] = lambda recipient: None
    on_rcpt: Callable[[str], str | None] = lambda recipient: None
    on_end: Callable[[str], str | None] = lambda recipient: None


class SmtpSink:
    """`taken` holds (recipient, raw message) in the order of acceptance."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self.taken: list[tuple[str, bytes]] = []
        self.connections = self.open = self.most_at_once = 0
        self.lock = threading.Lock()
        self._spent: set[tuple[str, str]] = set()

    @property
    def recipients(self) -> list[str]:
        """Who got a message, once for every message."""
        return [recipient for recipient, _ in self.taken]

    @property
    def twice(self) -> list[str]:
        """Who got more than one."""
        return [who for who, count in Counter(self.recipients).items() if count > 1]

    def is_first(self, kind: str, recipient: str) -> bool:
        """Say whether a fault has not happened to a recipient yet."""
        with self.lock:
            if (kind, recipient) in self._spent:
                return False
            self._spent.add((kind, recipient))
            return True

    @contextmanager
    def serving(self, port: int = 0) -> Iterator[str]:
        """Serve on a port of this machine, a free one unless it is given; yields the smtp_url."""
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with sink.lock:
                    sink.connections += 1
                    is_full = sink.open >= sink.faults.most_connections
                    sink.open += not is_full  # whoever is turned away takes no place
                    sink.most_at_once = max(sink.most_at_once, sink.open)
                try:
                    Conversation(sink, self).hold(is_full)
                except OSError:
                    return
                finally:
                    with sink.lock:
                        sink.open -= not is_full

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        with Server(("127.0.0.1", port), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            try:
                yield f"smtp://127.0.0.1:{server.server_address[1]}?tls=none"
            finally:
                server.shutdown()
                thread.join()


class Conversation:
    """One connection."""

    def __init__(self, sink: SmtpSink, handler: socketserver.StreamRequestHandler) -> None:
        self._sink = sink
        self._read = handler.rfile
        self._write = handler.wfile
        self._recipient = ""
        self._count = 0

    def _say(self, text: str) -> None:
        self._write.write(text.encode() + b"\r\n")

    def hold(self, is_full: bool) -> None:
        """Answer until QUIT, a lost connection, or a fault that loses it."""
        if is_full:
            self._say("421 4.7.0 too many connections")
            return
        self._say("220 sink")
        while line := self._read.readline():
            verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            verb = verb.upper()
            if verb == "QUIT":
                self._say("221 bye")
                return
            if verb == "RCPT":
                self._recipient = rest.partition("<")[2].partition(">")[0]
                answer = self._answer_to_rcpt()
                self._recipient = self._recipient if answer.startswith("250") else ""
                self._say(answer)
            elif verb == "MAIL" and self._count >= self._sink.faults.messages_a_connection:
                self._say("421 4.7.0 too many messages in one connection")
                return
            elif verb == "DATA" and not self._recipient:
                self._say("554 5.5.1 no valid recipients")
            elif verb == "DATA":
                if not self._take():
                    return
            elif verb in ("EHLO", "HELO"):
                lines = ["sink", *self._sink.faults.capabilities]
                last = lines.pop()
                self._say("".join(f"250-{line}\r\n" for line in lines) + f"250 {last}")
            else:
                self._say("250 2.0.0 ok")

    def _answer_to_rcpt(self) -> str:
        faults, who = self._sink.faults, self._recipient
        refusal = faults.on_rcpt(who)
        if refusal is not None:
            return refusal
        if who in faults.once and self._sink.is_first("once", who):
            return faults.once[who]
        return faults.rcpt.get(who, "250 2.1.5 ok")

    def _take(self) -> bool:
        """Read a message; return False when the connection is lost on purpose."""
        faults, who = self._sink.faults, self._recipient
        if who in faults.drop_before_dot and self._sink.is_first("before", who):
            return False
        self._say("354 go on")
        lines = []
        while (line := self._read.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        if not line or (who in faults.drop_at_dot and self._sink.is_first("dot", who)):
            return False
        refusal = faults.on_end(who)
        if refusal is not None:
            self._say(refusal)
            return True
        if who in faults.at_end and self._sink.is_first("end", who):
            self._say(faults.at_end[who])
            return True
        with self._sink.lock:
            self._sink.taken.append((who, b"".join(lines)))
        faults.on_taken(who)
        if who in faults.drop_after_taking:
            return False
        self._count += 1
        self._say(faults.answer)
        return True
