"""How much of the revenue hangs on how few: shares of the largest, Gini's coefficient, the largest one.

Gini: 0 when all bring the same, 1 when one brings everything; from the ranks of sorted amounts
(Sen 1973, "On Economic Inequality", p. 31), with n / (n - 1) so that few customers are not flattered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

TOPS: Final = (0.01, 0.05, 0.10, 0.20)


@dataclass(frozen=True, slots=True)
class Top:
    """The largest `people_share` of all; None where that is less than one of them."""

    people_share: float
    people: int | None
    amount_minor: int | None
    revenue_share: float | None


@dataclass(frozen=True, slots=True)
class Concentration:
    """What so many brought together, and how unevenly; undefined figures are None.

    `half_people` is the smallest number that brings half of everything. `alike_people` is how many of
    one size would be as concentrated: 1 / the sum of squared shares (Herfindahl and Hirschman).
    """

    people: int
    total_minor: int
    tops: tuple[Top, ...]
    largest_share: float | None
    half_people: int | None
    alike_people: float | None
    gini: float | None


def concentration(amounts_minor: Iterable[int]) -> Concentration:
    """Measure amounts, one for each customer; what is not above nought brought nothing and is left out."""
    sizes = sorted((amount for amount in amounts_minor if amount > 0), reverse=True)
    sums = list(accumulate(sizes))
    total = sums[-1] if sums else 0
    return Concentration(
        people=len(sizes),
        total_minor=total,
        tops=tuple(_top(share, sums) for share in TOPS),
        largest_share=sizes[0] / total if sizes else None,
        half_people=next((n for n, sum_ in enumerate(sums, 1) if 2 * sum_ >= total), None),
        alike_people=total * total / sum(size * size for size in sizes) if sizes else None,
        gini=_gini(sizes, total),
    )


def _top(share: float, sums: Sequence[int]) -> Top:
    people = int(len(sums) * share + 1e-9)
    if not people:
        return Top(share, None, None, None)
    return Top(share, people, sums[people - 1], sums[people - 1] / sums[-1])


def _gini(sizes: Sequence[int], total: int) -> float | None:
    count = len(sizes)
    if count < 2:
        return None
    ranked = sum(rank * size for rank, size in enumerate(reversed(sizes), 1))
    return (2 * ranked - (count + 1) * total) / ((count - 1) * total)
