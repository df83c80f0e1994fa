"""The provider's API on a loopback port: HTTP/1.1 with connections that stay open."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import Any

from kpay.sandbox.loopback import Loopback
from kpay.sandbox.provider.api import Api, Request
from kpay.sandbox.provider.sales_shapes import API_VERSION


class ApiServer:
    """Serves an Api on 127.0.0.1 from threads of its own while it is open."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """Return the address a client is to use; raises RuntimeError while closed."""
        if self._server is None:
            raise RuntimeError("the sandbox is not started")
        return f"http://127.0.0.1:{self._server.port}"

    def open(self) -> None:
        """Take a free port and start serving."""
        self._server = _Server(self._api)

    def close(self) -> None:
        """Stop serving and give the port back; closing twice is no error."""
        if self._server is not None:
            self._server.close()
            self._server = None


class _Server(Loopback):
    def __init__(self, api: Api) -> None:
        self.api = api
        super().__init__(_Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one packet
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode() if length else ""
        headers = {name.lower(): value for name, value in self.headers.items()}
        response = self.server.api.answer(Request(self.command, self.path, headers, body))
        self.send_response(response.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(response.body)))
        self.send_header("Stripe-Version", API_VERSION)
        if response.is_replayed:
            self.send_header("Idempotent-Replayed", "true")
        self.end_headers()
        self.wfile.write(response.body)
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Stay silent: the program that runs the sandbox owns the terminal."""
