"""A whole shop synced, its server stopped, and every count and sum compared by SQL with the server's books.

    python -m tests.soak.books [CUSTOMERS] [DAYS]

Exits 1 when anything differs, or when a second sync changes a row or asks for 20 requests or more beyond
those that it announces.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fakes.killing import Victim, new_template
from tests.fakes.ledger_check import differences
from tests.fakes.servers import Running, running

MOST_REQUESTS = 20


def asked_again(victim: Victim, server: Running) -> int:
    """Sync once more; return the requests beyond those that are announced."""
    script = str(Path(sys.executable).with_name("kpay"))
    command = [script, "sync", "--json", "--home", str(victim.home)]
    env = {**os.environ, **server.environment()}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    print(f"second sync: {answer['requests']} requests, announced again: {answer['rereads']}")
    return int(answer["requests"] - sum(answer["rereads"].values()))


def main(customers: int = 10_000, days: int = 540) -> int:
    """Sync a shop of so many customers and compare."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        with running("sandbox", customers, days, 7) as server:
            print(
                f"{server.objects:,} objects, ready in {time.monotonic() - began:.0f} s", flush=True
            )
            template = new_template(Path(folder), server.environment())
            victim = Victim(template, Path(folder) / "shop", server.environment())
            course = victim.sync()
            print(
                f"first sync: {course.end_s:.1f} s, {server.objects / course.end_s:,.0f} objects/s"
            )
            before = victim.digest()
            beyond = asked_again(victim, server)
            is_same = victim.digest() == before
        found = differences(victim.store, server.ledger)
    for one in found:
        print(one)
    for currency, sums in sorted(server.ledger["currencies"].items()):
        print(f"{currency}: {sums['charges']:,} charges, net {sums['net_minor']:,} (minor units)")
    print(
        f"{len(found)} differences; the second sync {'changed nothing' if is_same else 'CHANGED'}"
    )
    return 1 if found or not is_same or beyond >= MOST_REQUESTS else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
