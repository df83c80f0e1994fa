"""`kill -9` at random moments of a first `kpay sync`; a clean run after each must leave no trace of it.

    python -m tests.soak.kills [KILLS] [CUSTOMERS]

Prints where each kill fell. Exits 1 when a store differs from an undisturbed one, or when too few kills
fell between the first objects and the last commit to prove anything.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from tests.fakes.killing import Victim, new_template
from tests.fakes.servers import running

SEED: Final = 20260101
ENOUGH: Final = 0.75


def main(kills: int = 20, customers: int = 500) -> int:
    """Kill so many first syncs and compare what is left in the end."""
    draw, found, differ = random.Random(SEED), Counter[str](), 0
    with tempfile.TemporaryDirectory() as folder, running("sandbox", customers, 540, 7) as server:
        template = new_template(Path(folder), server.environment())
        whole = Victim(template, Path(folder) / "undisturbed", server.environment())
        course = whole.sync()
        expected = whole.digest()
        print(
            f"{server.objects:,} objects; undisturbed: first objects {course.first_commit_s:.2f} s, "
            f"last commit {course.last_commit_s:.2f} s, end {course.end_s:.2f} s"
        )
        for number in range(1, kills + 1):
            home = Path(folder) / f"victim{number}"
            victim = Victim(template, home, server.environment())
            moment = draw.uniform(course.first_commit_s, course.last_commit_s)
            victim.kill_after(moment)
            fell, kept = victim.where(expected), victim.objects()
            victim.sync()
            is_equal = victim.digest() == expected
            found[fell] += 1
            differ += not is_equal
            print(
                f"{number:3} killed after {moment:5.2f} s: {fell:<7} {kept:>6,} objects kept; "
                f"after a clean run {'equal' if is_equal else 'DIFFERENT'}",
                flush=True,
            )
            shutil.rmtree(home)
    print(f"{kills} kills, {dict(found)}; {differ} stores differ from an undisturbed one")
    return 1 if differ or found["between"] < ENOUGH * kills else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
