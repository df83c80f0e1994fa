"""How far people have come with a course, as the tool that plays it tells in events."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

FINISHED: Final = frozenset({"completed", "finished"})
BEGUN: Final = frozenset({"lesson", "progress", "watch", "play", "listen"})
KINDS: Final = FINISHED | BEGUN
PART: Final = re.compile(r"(\d{1,6})\s*/\s*(\d{1,6})")
PERCENT: Final = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%")

Happening = tuple[int, str, str, str]


def share_done(value: str) -> float | None:
    """Return how much "3/8" or "40%" says is done, 0 to 1; None for any other text."""
    part = PART.fullmatch(value.strip())
    if part and int(part[2]) > 0:
        return min(1.0, int(part[1]) / int(part[2]))
    percent = PERCENT.fullmatch(value.strip())
    return min(1.0, float(percent[1]) / 100) if percent else None


def unfinished(happenings: Iterable[Happening]) -> dict[int, list[str]]:
    """Return what each customer has begun and not finished, from (customer, content, kind, value).

    A piece counts only where its ends are told of: somebody finished it, or the person's own
    progress says how much is left. Elsewhere silence may mean that the tool does not tell.
    """
    begun: dict[tuple[int, str], float | None] = {}
    done: set[tuple[int, str]] = set()
    for customer, content, kind, value in happenings:
        share = share_done(value)
        if kind in FINISHED or share == 1.0:
            done.add((customer, content))
        else:
            begun[customer, content] = (
                share if share is not None else begun.get((customer, content))
            )
    tells = {content for _, content in done}
    left: dict[int, list[str]] = defaultdict(list)
    for (customer, content), share in begun.items():
        if (customer, content) not in done and (share is not None or content in tells):
            left[customer].append(content)
    return dict(left)
