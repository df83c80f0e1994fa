"""Trying an unsubscribe address as a mail provider would use it."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from kpay.adapters.http import one_click_problem


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers with the status that stands in the path, and keeps what was posted."""

    posted: list[bytes] = []  # noqa: RUF012 - the server makes the instances

    def do_POST(self) -> None:
        self.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(int(self.path.strip("/")))
        self.send_header("Location", "/200")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        return


@pytest.fixture
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_plain_success_will_do(address: str) -> None:
    assert one_click_problem(f"{address}/200") is None
    assert one_click_problem(f"{address}/202") is None
    assert Answering.posted[-1] == b"List-Unsubscribe=One-Click"


@pytest.mark.parametrize(("status", "words"), [(302, "redirects"), (404, "404"), (500, "500")])
def test_anything_else_will_not(address: str, status: int, words: str) -> None:
    problem = one_click_problem(f"{address}/{status}")
    assert problem is not None
    assert words in problem


def test_silence_will_not_either() -> None:
    problem = one_click_problem("http://127.0.0.1:9/")
    assert problem is not None
    assert "cannot be reached" in problem
