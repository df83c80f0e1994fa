"""A FakeProvider over HTTP on loopback, with faults to order: what the real adapter has to bear.

Faults are used up, one a request: a status; "html" (a proxy's page with status 200), "cut" (fewer bytes
than announced), "short" (half of the JSON, announced as whole), "drop" (no answer), "stall" (some bytes
and then silence).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.provider import FakeProvider, Refusal

KEY = "sk_test_fake0123456789"
HTML = b"<html><body>Bad gateway</body></html>"


class StripeServer:
    """Serves a provider.

    `before` is called with each request's path before it is answered. More than `most_a_second` requests
    within a second get 429. `keys` are those that it takes.
    `says` is put into refusals.
    """

    def __init__(self, provider: FakeProvider) -> None:
        self.provider = provider
        self.faults: list[int | str | None] = []
        self.before: Callable[[str], None] = lambda path: None
        self.most_a_second: int | None = None
        self.refused = 0
        self.keys = {KEY}
        self.says: str | None = None
        self.is_over = threading.Event()
        self.requests: list[tuple[float, str]] = []
        self.versions: set[str] = set()
        self.url = ""
        self._lock = threading.Lock()
        self._taken: list[float] = []

    def count(self, path: str) -> bool:
        """Note a request; say whether it is one too many within a second."""
        now = time.monotonic()
        with self._lock:
            self.requests.append((now, path))
            if self.most_a_second is None:
                return False
            self._taken = [at for at in self._taken if at > now - 1]
            is_too_fast = len(self._taken) >= self.most_a_second
            self.refused += is_too_fast
            self._taken += [] if is_too_fast else [now]
            return is_too_fast

    def asked(self, part: str) -> list[str]:
        """Return the requests whose path holds a text, in the order they came."""
        return [path for _, path in self.requests if part in path]


@contextmanager
def serving(provider: FakeProvider) -> Iterator[StripeServer]:
    """Serve while the block runs."""
    state = StripeServer(provider)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            is_too_fast = state.count(self.path)
            state.versions.add(self.headers.get("Stripe-Version", ""))
            state.before(self.path)
            fault = state.faults.pop(0) if state.faults else None
            if is_too_fast:
                self._say(429, _error("Too many requests"))
            elif fault is not None:
                self._fail(fault)
            else:
                self._answer()

        def _fail(self, fault: int | str) -> None:
            half = b'{"object": "list", "da'
            if isinstance(fault, int):
                self._say(fault, _error("a fault to order"))
                return
            if fault == "html":
                self._say(200, HTML)
            elif fault == "short":
                self._say(200, half)
            elif fault in ("cut", "stall"):
                self._say(200, half, length=5000)
            if fault == "stall":
                state.is_over.wait(60)
            self.close_connection = fault != "html"

        def _answer(self) -> None:
            key = self.headers.get("Authorization", "").removeprefix("Bearer ")
            if key not in state.keys:
                self._say(401, _error(f"Invalid API Key provided: {key}"))
                return
            parts = urlsplit(self.path)
            try:
                self._say(200, json.dumps(_found(provider, parts.path, parts.query)).encode())
            except Refusal as refusal:
                self._say(refusal.status, _error(state.says or str(refusal)))

        def _say(self, status: int, body: bytes, length: int | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(length or len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        state.is_over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _error(message: str) -> bytes:
    return json.dumps({"error": {"type": "invalid_request_error", "message": message}}).encode()


def _found(provider: FakeProvider, path: str, query: str) -> dict[str, Any]:
    """Route: /v1/account, /v1/<list>, /v1/<list>/<id>."""
    name = path.removeprefix("/v1/")
    if name == "account":
        if provider.account is None:
            raise Refusal(404, "Unrecognized request URL")
        return {"id": provider.account, "object": "account"}
    asked: dict[str, Any] = {}
    for key, value in parse_qsl(query):
        if key.startswith("created["):
            asked.setdefault("created", {})[key[8:-1]] = value
        else:
            asked[key] = value
    folder, _, last = name.rpartition("/")
    if "_" in last and folder and name not in ("checkout/sessions",):
        return provider.one(folder, last)
    page = provider.page(name, asked)
    return {"object": "list", "data": list(page.objects), "has_more": page.has_more}
