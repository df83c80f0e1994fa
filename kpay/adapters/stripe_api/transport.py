"""How bytes come from the provider: whole, in time, or not at all.

The library's own client knows a timeout between two pieces of an answer only: a peer that drips a
byte now and then would hold it for ever, and a reading thread cannot be interrupted. So the socket is
read here, with an eye on both clocks and on whether anybody still waits.
"""

from __future__ import annotations

import http.client
import io
import json
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
import requests
import stripe
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

CONNECT_S = 5.0
BUFFER_BYTES = 1 << 17  # about a page; each read hands the interpreter to another thread
SLICE_S = 0.5  # how soon a reading thread notices that nobody waits any more


@dataclass
class Limits:
    """How long one answer may be silent, how long it may take in all, and whether it is still wanted."""

    silent_s: float = 15.0
    whole_s: float = 60.0
    is_unwanted: threading.Event = field(default_factory=threading.Event)


class _WatchedReads(io.RawIOBase):
    """A socket's bytes until an answer has taken too long; then TimeoutError."""

    def __init__(self, connected: socket.socket, limits: Limits) -> None:
        self._socket = connected
        self._limits = limits
        self._ends_at = time.monotonic() + limits.whole_s
        # While this is open, closing the connection leaves the socket to be read to its end.
        self._hold = connected.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        until = min(time.monotonic() + self._limits.silent_s, self._ends_at)
        while (left := until - time.monotonic()) > 0 and not self._limits.is_unwanted.is_set():
            self._socket.settimeout(min(left, SLICE_S))
            try:
                return self._socket.recv_into(buffer)
            except TimeoutError:
                continue
        raise TimeoutError("no answer in time")

    def close(self) -> None:
        self._hold.close()
        super().close()


def _session(limits: Limits, *, is_near: bool) -> requests.Session:
    """Return a session whose connections read their answers within limits.

    With a server on this machine (`is_near`) no proxy stands between, so none is looked for each time.
    """

    class Answer(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **named: Any) -> None:
            super().__init__(sock, *args, **named)
            self.fp.close()
            self.fp = io.BufferedReader(_WatchedReads(sock, limits), BUFFER_BYTES)

    class Plain(HTTPConnection):
        response_class = Answer

    class Secure(HTTPSConnection):
        response_class = Answer

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **named: Any) -> None:
            super().init_poolmanager(*args, **named)
            self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    session = requests.Session()
    session.trust_env = not is_near
    for scheme in ("http://", "https://"):
        session.mount(scheme, Adapter())
    return session


class PlainAnswers(stripe.RequestsClient):
    """Reads good answers itself, once, into plain dictionaries.

    The library would read each body into ordered ones, at twice the price, for every object of a
    list. It is handed an empty object instead; refusals it reads as ever.
    """

    def __init__(self, limits: Limits, *, is_near: bool = False) -> None:
        super().__init__(
            timeout=(CONNECT_S, limits.silent_s), session=_session(limits, is_near=is_near)
        )
        self._of_thread = threading.local()

    def request(  # type: ignore[override]  # its own subclasses differ from its base the same way
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Make one request; called by the library."""
        body, status, answered = super().request(method, url, headers, post_data)
        if status == HTTPStatus.OK:
            try:
                self._of_thread.answer = _read(body)
                return b"{}", status, answered
            except ValueError:  # a proxy's page, or garbled: the library is to complain of it
                body = b"no JSON: " + body
        # The library's log line stumbles over bytes that are no text.
        return body.decode(errors="replace").encode(), status, answered

    def taken(self) -> Any:
        """Return the answer to this thread's last request, and let go of it."""
        answer, self._of_thread.answer = self._of_thread.answer, None
        return answer


def _read(body: bytes) -> Any:
    """Read JSON quickly; what the quick reader is too strict for (half a character) the usual one reads."""
    try:
        return orjson.loads(body)
    except ValueError:
        return json.loads(body)
