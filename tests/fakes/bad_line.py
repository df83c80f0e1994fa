"""A bad line: a proxy on loopback that cuts, resets, stalls, shortens or replaces answers.

Each answer meets a fault with a probability; which one is drawn. The request has then been answered by
the server, as on a real line: only the answer is lost.
"""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

FAULTS: Final = ("cut", "reset", "stall", "short", "html", "refuse")
HTML: Final = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


class BadLine:
    """What a line did so far: `url` to talk to, and how often which fault struck."""

    def __init__(self, target: str, share: float, seed: int, faults: tuple[str, ...]) -> None:
        self.target = urlsplit(target)
        self.struck: Counter[str] = Counter()
        self.answers = 0
        self.url = ""
        self.is_over = threading.Event()
        self._share = share
        self._faults = faults
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def draw(self, size: int) -> tuple[str | None, int]:
        """Return the fault of the next answer, if it meets one, and after how many bytes."""
        with self._lock:
            self.answers += 1
            if self._random.random() >= self._share:
                return None, size
            fault = self._random.choice(self._faults)
            self.struck[fault] += 1
            return fault, self._random.randrange(size)


@contextmanager
def bad_line(
    target: str, share: float, *, seed: int = 1, faults: tuple[str, ...] = FAULTS
) -> Iterator[BadLine]:
    """Stand between kpay and a server while the block runs."""
    line = BadLine(target, share, seed, faults)

    class Handler(_Passing):
        state = line

    server = _Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    line.url = f"http://127.0.0.1:{server.server_port}{line.target.path}"
    try:
        yield line
    finally:
        line.is_over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that hang up: that is what they do on a bad line."""


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: BadLine

    def setup(self) -> None:
        super().setup()
        target = self.state.target
        self._server = http.client.HTTPConnection(target.hostname or "", target.port)

    def finish(self) -> None:
        self._server.close()
        with suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        passed = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        self._server.request("GET", self.path, headers=passed)
        answer = self._server.getresponse()
        body = answer.read()
        fault, edge = self.state.draw(len(body))
        if fault is None:
            self._say(answer.status, body, len(body))
        elif fault == "html":
            self._say(200, HTML, len(HTML))
        elif fault == "short":
            self._say(answer.status, body[:edge], edge)
        elif fault == "refuse":
            self._hang_up(is_rude=False)
        else:
            self._say(answer.status, body[:edge], len(body))
            if fault == "stall":
                self.state.is_over.wait()
            self._hang_up(is_rude=fault == "reset")

    def _say(self, status: int, body: bytes, announced: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(announced))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _hang_up(self, *, is_rude: bool) -> None:
        self.close_connection = True
        if is_rude:  # a reset instead of an orderly end
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def log_message(self, *_: Any) -> None:
        return
