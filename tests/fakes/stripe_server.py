"""A FakeProvider over HTTP on loopback, with faults to order: what the real adapter has to bear."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.provider import FakeProvider, Refusal

KEY = "sk_test_fake0123456789"
HTML = b"<html><body>Bad gateway</body></html>"


class StripeServer:
    """Serves a provider; `faults` are used up, one a request: a status, "html", "cut" or "drop"."""

    def __init__(self, provider: FakeProvider) -> None:
        self.provider = provider
        self.faults: list[int | str] = []
        self.requests: list[tuple[float, str]] = []
        self.versions: set[str] = set()
        self.url = ""


@contextmanager
def serving(provider: FakeProvider) -> Iterator[StripeServer]:
    """Serve while the block runs."""
    state = StripeServer(provider)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            state.requests.append((time.monotonic(), self.path))
            state.versions.add(self.headers.get("Stripe-Version", ""))
            fault = state.faults.pop(0) if state.faults else None
            if isinstance(fault, int):
                self._say(fault, _error("a fault to order"))
            elif fault == "html":
                self._say(200, HTML)
            elif fault == "cut":
                self._say(200, b'{"object": "list", "da', length=5000)
                self.close_connection = True
            elif fault == "drop":
                self.close_connection = True
            else:
                self._answer()

        def _answer(self) -> None:
            if self.headers.get("Authorization") != f"Bearer {KEY}":
                self._say(401, _error(f"Invalid API Key provided: {KEY}"))
                return
            parts = urlsplit(self.path)
            try:
                self._say(200, json.dumps(_found(provider, parts.path, parts.query)).encode())
            except Refusal as refusal:
                self._say(refusal.status, _error(str(refusal)))

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
