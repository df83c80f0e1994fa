"""First syncs over lines that cut, reset, stall, shorten and replace answers; then a clean run.

    python -m tests.soak.bad_lines [RUNS] [CUSTOMERS]

Exits 1 when what a store says differs from one that was synced over a good line. Row numbers are left
out of the comparison: a run that ended in part (exit 3) has derived what it had, so other rows came first.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from kpay.store.engine import Store
from tests.fakes.bad_line import FAULTS, bad_line
from tests.fakes.killing import Victim, new_template
from tests.fakes.natural import natural
from tests.fakes.servers import running

SHARES: Final = (0.05, 0.15, 0.3, 0.6)
TRIES: Final = 4


def synced(victim: Victim, base: str) -> tuple[int, float]:
    """Sync over a line and return the exit code and the seconds."""
    began = time.monotonic()
    child = victim.start({"KPAY_STRIPE_API_BASE": base})
    return child.wait(), time.monotonic() - began


def main(runs: int = 6, customers: int = 300) -> int:
    """Sync over so many bad lines, each worse or with another draw, and compare."""
    differ = 0
    with tempfile.TemporaryDirectory() as folder, running("sandbox", customers, 540, 7) as server:
        template = new_template(Path(folder), server.environment())
        whole = Victim(template, Path(folder) / "undisturbed", server.environment())
        whole.sync()
        expected = natural(Store(whole.store))
        print(f"{server.objects:,} objects; faults: {', '.join(FAULTS)}")
        for number in range(1, runs + 1):
            victim = Victim(template, Path(folder) / f"victim{number}", server.environment())
            share, codes, seconds = SHARES[(number - 1) % len(SHARES)], [], 0.0
            with bad_line(server.url, share, seed=number) as line:
                for _ in range(TRIES):
                    code, spent = synced(victim, line.url)
                    codes.append(code)
                    seconds += spent
                    if code == os.EX_OK:
                        break
            victim.sync()
            is_equal = natural(Store(victim.store)) == expected
            differ += not is_equal
            print(
                f"{number:3} {share:.0%} of {line.answers} answers bad {dict(line.struck)}: exit codes "
                f"{codes} in {seconds:.1f} s; after a clean run "
                f"{'equal' if is_equal else 'DIFFERENT'}",
                flush=True,
            )
    print(f"{runs} bad lines; {differ} stores differ from an undisturbed one")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
