"""Resend on loopback: takes messages, knows a key again for a day, and misbehaves on demand."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

DAY_S = 24 * 3600


@dataclass
class ResendServer:
    """`sent` holds each message once for each time that it would reach its reader.

    `answers` are given to the next requests instead of the usual one: (status, name, message,
    headers). `cuts` is how many of the next messages are taken without an answer.
    """

    key: str = "re_test_1"
    sent: list[dict[str, Any]] = field(default_factory=list)
    answers: list[tuple[int, str, str, dict[str, str]]] = field(default_factory=list)
    cuts: int = 0
    now_s: float = 0.0
    keys: list[str] = field(default_factory=list)
    _known: dict[str, tuple[float, Any, str]] = field(default_factory=dict)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve on a free port; yields the resend_api_base."""
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(*provider.look(self.headers.get("Authorization", "")))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = provider.take(self.headers, body)
                if answer is None:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self._answer(*answer)

            def _answer(
                self, status: int, said: dict[str, Any], headers: dict[str, str] | None = None
            ) -> None:
                content = json.dumps(said).encode()
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *words: object) -> None:
                return

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_address[1]}"
            finally:
                server.shutdown()
                thread.join()

    def look(self, authorization: str) -> tuple[int, dict[str, Any]]:
        """Answer a question that changes nothing; a sending key may not ask it."""
        if authorization != f"Bearer {self.key}":
            return 400, {"name": "validation_error", "message": "API key is invalid"}
        return 401, {"name": "restricted_api_key", "message": "only to send emails"}

    def take(self, headers: Any, body: dict[str, Any]) -> tuple[Any, ...] | None:
        """Take a message, or answer what was answered before under its key."""
        if headers.get("Authorization") != f"Bearer {self.key}":
            return 400, {"name": "validation_error", "message": "API key is invalid"}
        if self.answers:
            status, name, message, extra = self.answers.pop(0)
            return status, {"name": name, "message": message}, extra
        key = headers["Idempotency-Key"]
        self.keys.append(key)
        at, before, identity = self._known.get(key, (-2.0 * DAY_S, None, ""))
        if self.now_s - at < DAY_S:
            if before != body:
                return 409, {"name": "invalid_idempotent_request", "message": "another payload"}
            return 200, {"id": identity}
        self.sent.append(body)
        identity = f"id-{len(self.sent)}"
        self._known[key] = (self.now_s, body, identity)
        if self.cuts:
            self.cuts -= 1
            return None
        return 200, {"id": identity}
