"""Providers in processes of their own, so that what is measured or killed shares nothing with them.

    python -m tests.fakes.servers sandbox CUSTOMERS DAYS SEED
    python -m tests.fakes.servers big OBJECTS

prints one line of JSON and serves until its standard input ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Running:
    """A server: where it is, the key it takes, the time in it, and its own books."""

    url: str
    key: str
    now: str
    objects: int
    ledger: dict[str, Any]

    def environment(self) -> Mapping[str, str]:
        """Return what kpay has to be told."""
        return {
            "KPAY_STRIPE_KEY": self.key,
            "KPAY_STRIPE_API_BASE": self.url,
            "KPAY_MAIL_FROM": "Ana Lee <ana@example.com>",
            "KPAY_NOW": self.now,
        }


@contextmanager
def running(*words: object) -> Iterator[Running]:
    """Run a server while the block runs: `running("sandbox", 500, 540, 7)` or `running("big", 10_000)`."""
    command = [sys.executable, "-m", "tests.fakes.servers", *map(str, words)]
    child = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin
    assert child.stdout
    try:
        yield Running(**json.loads(child.stdout.readline()))
    finally:
        child.stdin.close()
        child.stdout.close()
        child.wait(timeout=60)


def _sandbox(stack: ExitStack, customers: int, days: int, seed: int) -> Running:
    from kpay.sandbox import Sandbox
    from tests.fakes.sandbox_shop import open_shop

    world = stack.enter_context(
        Sandbox(seed=seed, customers=customers, days=days, start=date(2025, 1, 1))
    )
    open_shop(world)
    world.advance(days)
    ledger = asdict(world.ledger())
    objects = sum(count for kind, count in ledger["counts"].items() if kind != "events")
    now = world.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Running(world.stripe_url, world.stripe_key, now, objects, ledger)


def _big(stack: ExitStack, objects: int) -> Running:
    from kpay.sandbox.provider.http import ApiServer
    from tests.fakes.big_account import KEY, BigAccount

    account = BigAccount(objects)
    server = ApiServer(account)  # type: ignore[arg-type]
    server.open()
    stack.callback(server.close)
    return Running(server.url, KEY, "2026-10-01T00:00:00Z", account.objects, {})


def main(kind: str, *numbers: str) -> None:
    """Serve until standard input ends."""
    make = {"sandbox": _sandbox, "big": _big}[kind]
    with ExitStack() as stack:
        found = make(stack, *map(int, numbers))
        sys.stdout.write(json.dumps(asdict(found)) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
