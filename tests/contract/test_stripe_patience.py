"""What the real adapter does on a bad line: how long it waits, how often it asks, when it gives up."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from kpay.adapters.stripe_api import StripeConnection
from kpay.adapters.stripe_api.connection import LOOPBACK
from kpay.adapters.stripe_api.pace import REQUESTS_A_SECOND, Pace
from kpay.adapters.stripe_api.patience import TRIES, TRIES_NOBODY_THERE
from kpay.adapters.stripe_api.transport import Limits
from kpay.errors import RemoteProblem

BODY = b'{"object": "list", "data": [], "has_more": false}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
GOOD = HEAD % len(BODY) + BODY
Answer = Callable[[socket.socket], None]


class Line:
    """A server of bytes: each request is answered by the next script, the last one for ever."""

    def __init__(self) -> None:
        self.scripts: list[Answer] = []
        self.peers: list[int] = []
        self.is_over = threading.Event()
        self.url = ""

    def serve(self, client: socket.socket, peer: int) -> None:
        with client:
            while not self.is_over.is_set():
                if not client.recv(65536):
                    return
                self.peers.append(peer)
                script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                script(client)


@contextmanager
def listening() -> Iterator[Line]:
    line = Line()
    with socket.create_server(("127.0.0.1", 0)) as server:
        line.url = f"http://127.0.0.1:{server.getsockname()[1]}"

        def accept() -> None:
            while not line.is_over.is_set():
                try:
                    client, (_, peer) = server.accept()
                except OSError:
                    return
                threading.Thread(target=line.serve, args=(client, peer), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield line
        finally:
            line.is_over.set()
            server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def line() -> Iterator[Line]:
    with listening() as found:
        yield found


def connect(line: Line, silent_s: float = 0.2, whole_s: float = 0.6) -> StripeConnection:
    pace = Pace(None, sleep=lambda _seconds: None)
    return StripeConnection("sk_test_x", line.url, pace, Limits(silent_s, whole_s))


def ask(connection: StripeConnection) -> dict[str, object]:
    return connection.get("charges", {}, "list charges")


def good(client: socket.socket) -> None:
    client.sendall(GOOD)


def refusing(status: int, *headers: str) -> Answer:
    body = b'{"error": {"type": "api_error", "message": "no"}}'
    head = [f"HTTP/1.1 {status} No", f"Content-Length: {len(body)}", *headers, "", ""]
    return lambda client: client.sendall("\r\n".join(head).encode() + body)


def stalling(line: Line) -> Answer:
    def stall(client: socket.socket) -> None:
        client.sendall(GOOD[:-10])
        line.is_over.wait(20)

    return stall


def dripping(line: Line) -> Answer:
    def drip(client: socket.socket) -> None:
        for byte in GOOD:
            if line.is_over.wait(0.02):
                return
            try:
                client.sendall(bytes([byte]))
            except OSError:
                return

    return drip


def test_a_stalled_answer_is_asked_for_again_on_a_fresh_connection(line: Line) -> None:
    line.scripts = [stalling(line), good]

    assert ask(connect(line))["data"] == []
    assert len(set(line.peers)) == 2


def test_good_answers_share_a_connection(line: Line) -> None:
    line.scripts = [good]
    connection = connect(line)

    for _ in range(3):
        ask(connection)

    assert len(set(line.peers)) == 1


def test_an_answer_that_drips_is_given_up_although_it_never_falls_silent(line: Line) -> None:
    line.scripts = [dripping(line), good]
    began = time.monotonic()

    assert ask(connect(line, silent_s=5, whole_s=0.5))["data"] == []
    assert time.monotonic() - began < 2


def test_a_line_that_stalls_for_good_is_asked_no_more_than_patience_lasts(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kpay.adapters.stripe_api.patience.PATIENCE_S", 0.3)
    line.scripts = [stalling(line)]

    with pytest.raises(RemoteProblem, match="no answer in time"):
        ask(connect(line))

    assert len(line.peers) == 2


def test_when_the_line_is_dead_other_requests_do_not_find_out_for_themselves(line: Line) -> None:
    line.scripts = [stalling(line)]
    connection = connect(line, silent_s=0.05)
    with pytest.raises(RemoteProblem):
        ask(connection)
    asked = connection.requests
    assert asked == TRIES

    with pytest.raises(RemoteProblem, match="to show ch_1"):
        connection.get("charges/ch_1", {}, "show ch_1")

    assert connection.requests == asked


def test_a_dead_line_is_tried_again_after_a_while(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kpay.adapters.stripe_api.patience.DEAD_LINE_S", 0.1)
    line.scripts = [*[stalling(line)] * TRIES, good]
    connection = connect(line, silent_s=0.05)
    with pytest.raises(RemoteProblem):
        ask(connection)
    time.sleep(0.15)

    assert ask(connection)["data"] == []


def test_one_list_that_always_fails_does_not_make_the_line_dead(line: Line) -> None:
    line.scripts = [*[refusing(500)] * TRIES, good]
    connection = connect(line)
    with pytest.raises(RemoteProblem):
        ask(connection)

    assert ask(connection)["data"] == []


def test_a_cut_answer_is_worth_six_tries_and_nobody_there_three(line: Line) -> None:
    def cut(client: socket.socket) -> None:
        client.sendall(GOOD[:-10])
        client.shutdown(socket.SHUT_RDWR)

    line.scripts = [cut]
    connection = connect(line)
    with pytest.raises(RemoteProblem):
        ask(connection)
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        line.url = f"http://127.0.0.1:{placeholder.getsockname()[1]}"
        nobody = connect(line)
        with pytest.raises(RemoteProblem, match="connection refused"):
            ask(nobody)

    assert (connection.requests, nobody.requests) == (TRIES, TRIES_NOBODY_THERE) == (6, 3)


@pytest.mark.parametrize("status", ["200 OK", "500 No"])
def test_a_garbled_answer_is_asked_for_again(line: Line, status: str) -> None:
    body = b'{"data": "\xff\xfe"}'
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"
    line.scripts = [lambda client: client.sendall(head.encode() + body), good]

    assert ask(connect(line))["data"] == []


def test_the_server_s_advice_is_minded_where_it_can_be_meant(line: Line) -> None:
    no = "Stripe-Should-Retry: false"
    line.scripts = [refusing(500, no), good]
    with pytest.raises(RemoteProblem):
        connect(line).post("products", {}, "create a product")

    line.scripts = [refusing(500, no), good]
    assert ask(connect(line))["data"] == []  # a read is never replayed to us
    line.scripts = [refusing(429, no), good]
    assert connect(line).post("products", {}, "create a product")["data"] == []
    line.scripts = [refusing(400, "Stripe-Should-Retry: true"), good]
    assert ask(connect(line))["data"] == []


def test_stopping_ends_what_other_threads_wait_for(line: Line) -> None:
    line.scripts = [stalling(line)]
    connection = connect(line, silent_s=20, whole_s=20)
    problems: list[RemoteProblem] = []

    def wait() -> None:
        with pytest.raises(RemoteProblem) as caught:
            ask(connection)
        problems.append(caught.value)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.1)
    connection.stop()
    waiting.join(3)

    assert not waiting.is_alive()
    assert problems


@pytest.mark.parametrize("base", ["", "https://stripe.example.com"])
@pytest.mark.parametrize("key", ["sk_test_1", "rk_live_1"])
def test_everywhere_but_on_this_machine_there_is_one_pace_in_either_mode(
    base: str, key: str
) -> None:
    connection = StripeConnection(key, base)

    assert connection.per_second == REQUESTS_A_SECOND == 20.0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_on_this_machine_there_is_no_limit(host: str) -> None:
    assert host.strip("[]") in LOOPBACK
    assert StripeConnection("sk_test_1", f"http://{host}:1").per_second is None
