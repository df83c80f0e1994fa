"""A way to the provider that kills whoever asks for a refund, before or after the request arrives."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import Request, urlopen

PASSED_ON = ("Authorization", "Content-Type", "Stripe-Version", "Idempotency-Key")


class DeadlyProxy:
    """Passes requests on; `victim` is the process that dies of its first POST to /v1/refunds."""

    def __init__(self, target: str, *, is_passed_on: bool) -> None:
        self.target = target
        self.is_passed_on = is_passed_on
        self.victim: int | None = None
        self.keys: list[str] = []
        self.url = ""

    def forward(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        """Ask the provider and return its answer."""
        known = {name: headers[name] for name in PASSED_ON if headers.get(name)}
        request = Request(self.target + path, body or None, known, method=method)
        with urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()

    def kill(self) -> None:
        """End the victim as a power cut would."""
        if self.victim is not None:
            os.kill(self.victim, signal.SIGKILL)


@contextmanager
def proxying(target: str, *, is_passed_on: bool) -> Iterator[DeadlyProxy]:
    """Serve while the block runs."""
    proxy = DeadlyProxy(target, is_passed_on=is_passed_on)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._say(*proxy.forward("GET", self.path, self.headers, b""))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            proxy.keys.append(self.headers["Idempotency-Key"])
            if proxy.is_passed_on:
                proxy.forward("POST", self.path, self.headers, body)
            proxy.kill()
            self.close_connection = True

        def _say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
