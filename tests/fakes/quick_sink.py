"""A mail server in a process of its own that takes everything as fast as it can, and a bare client.

    python -m tests.fakes.quick_sink PORT_FILE

writes its port into the file and takes mail until it is killed. The client says what a floor is: the same
bytes for everybody, pipelined, without a list, a letter or a store.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

END = b"\r\n.\r\n"


class Taker(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._is_message = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, received: bytes) -> None:
        """Answer every whole line and every whole message."""
        self._bytes += received
        answers = []
        while True:
            end = self._bytes.find(END if self._is_message else b"\r\n")
            if end < 0:
                break
            line = bytes(self._bytes[:4]).upper()
            del self._bytes[: end + (len(END) if self._is_message else 2)]
            answers.append(b"250 2.0.0 taken\r\n" if self._is_message else self._answer(line))
            self._is_message = not self._is_message and line == b"DATA"
        assert self._transport is not None
        self._transport.write(b"".join(answers))

    def _answer(self, verb: bytes) -> bytes:
        return {
            b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
            b"DATA": b"354 go on\r\n",
            b"QUIT": b"221 bye\r\n",
        }.get(verb, b"250 2.0.0 ok\r\n")


async def serve(port_file: Path) -> None:
    """Take mail until the end of time."""
    server = await asyncio.get_running_loop().create_server(Taker, "127.0.0.1", 0)
    port_file.write_text(str(server.sockets[0].getsockname()[1]), encoding="utf-8")
    await server.serve_forever()


@contextmanager
def quick_sink() -> Iterator[int]:
    """Run the server in a process of its own; yields its port."""
    with tempfile.TemporaryDirectory() as folder:
        port_file = Path(folder) / "port"
        server = subprocess.Popen([sys.executable, "-m", "tests.fakes.quick_sink", str(port_file)])
        try:
            while not (port_file.exists() and port_file.read_text(encoding="utf-8")):
                time.sleep(0.02)
            yield int(port_file.read_text(encoding="utf-8"))
        finally:
            server.kill()
            server.wait()


def flood(port: int, messages: int, size: int, sessions: int = 4) -> float:
    """Send the same message again and again over a few connections; return the seconds it took."""
    content = (b"x" * 76 + b"\r\n") * (size // 78) + b".\r\n"
    began = time.perf_counter()
    threads = [
        threading.Thread(target=_session, args=(port, messages // sessions, content))
        for _ in range(sessions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def _session(port: int, messages: int, content: bytes) -> None:
    head = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"
    with socket.create_connection(("127.0.0.1", port)) as line, line.makefile("rb") as answers:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers.readline()
        for _ in range(messages):
            line.sendall(head)
            for _ in range(3):
                answers.readline()
            line.sendall(content)
            answers.readline()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
