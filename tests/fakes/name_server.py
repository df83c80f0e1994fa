"""Name servers: a table in memory, and the same table on a loopback port."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset

from kpay.domain.mail_dns import NamesUnanswered


@dataclass
class Names:
    """`records` are texts by name, `servers` MX hosts by name; `is_silent` answers nothing.

    One that `is_closed_in` denies every name of the world outside.
    """

    records: Mapping[str, Sequence[str]] = field(default_factory=dict)
    servers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_silent: bool = False
    is_closed_in: bool = False
    asked: list[str] = field(default_factory=list)

    def texts(self, name: str) -> Sequence[str]:
        """Return the TXT records of a name."""
        return self._of(self.records, name)

    def mail_servers(self, name: str) -> Sequence[str]:
        """Return who takes mail for a name."""
        return self._of(self.servers, name)

    def _of(self, table: Mapping[str, Sequence[str]], name: str) -> Sequence[str]:
        self.asked.append(name)
        if self.is_silent:
            raise NamesUnanswered(name)
        return table.get(name, ())

    @contextmanager
    def serving(self) -> Iterator[dns.resolver.Resolver]:
        """Serve the table; yields a resolver that asks it. A name "broken." is a server's failure."""
        names = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                content, socket = self.request
                if not names.is_silent:
                    socket.sendto(names.answer(content), self.client_address)

        with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            resolver = dns.resolver.Resolver(configure=False)
            resolver.nameservers = ["127.0.0.1"]
            resolver.port = int(server.server_address[1])
            try:
                yield resolver
            finally:
                server.shutdown()
                thread.join()

    def answer(self, content: bytes) -> bytes:
        """Answer one question as a server writes it."""
        question = dns.message.from_wire(content)
        asked = question.question[0]
        name, kind = asked.name.to_text().rstrip("."), dns.rdatatype.to_text(asked.rdtype)
        self.asked.append(name)
        reply = dns.message.make_response(question)
        if name.startswith("broken"):
            reply.set_rcode(dns.rcode.SERVFAIL)
            return reply.to_wire()
        if kind == "NS":
            values = [] if self.is_closed_in else ["a.root.example."]
        elif kind == "TXT":
            values = [f'"{text[:200]}" "{text[200:]}"' for text in self.records.get(name, ())]
        else:
            values = [
                f"{10 * (1 + at)} {host}" for at, host in enumerate(self.servers.get(name, ()))
            ]
        if values:
            reply.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *values))
        elif name not in self.records and name not in self.servers:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()
