"""What buyers of one piece also bought: counted, for a page that everybody may read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from itertools import combinations
from math import sqrt
from typing import Final

FEWEST_TOGETHER: Final = 5  # buyers of both; fewer could point at a person
SHRINK: Final = 10.0
MOST_OF_ONE: Final = 200  # pieces of one buyer; a wholesaler says nothing about taste


def also_bought(
    bought: Iterable[tuple[int, str]], shown: Collection[str], count: int
) -> dict[str, list[str]]:
    """Return for each shown piece the others that its buyers bought most, at most `count`.

    The order is by the cosine of buyers, both / (sqrt(one x other) + 10), so that what everybody
    has does not stand under everything; equal ones stand by name.
    """
    of: dict[int, set[str]] = defaultdict(set)
    for customer, slug in bought:
        of[customer].add(slug)
    owners: Counter[str] = Counter()
    both: Counter[tuple[str, str]] = Counter()
    for slugs in of.values():
        owners.update(slugs)
        if len(slugs) <= MOST_OF_ONE:
            both.update(combinations(sorted(slugs), 2))
    near: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for (one, other), common in both.items():
        if common >= FEWEST_TOGETHER:
            likeness = common / (sqrt(owners[one] * owners[other]) + SHRINK)
            near[one].append((-likeness, other))
            near[other].append((-likeness, one))
    return {
        slug: [other for _, other in sorted(near[slug]) if other in shown][:count]
        for slug in shown
        if slug in near
    }
