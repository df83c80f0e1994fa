"""Sharing an amount among the lines of an order, to the last minor unit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise


def allocated(total_minor: int, weights: Sequence[int]) -> list[int]:
    """Share a total in proportion to weights of at least 0; the parts always add up to it.

    The running sum is rounded (half up), so that no part is off by more than one unit. Where no weight
    is above 0 the first part takes everything.
    """
    whole = sum(weights)
    if not whole:
        return [total_minor, *[0] * (len(weights) - 1)] if weights else []
    sums = [0, *accumulate(weights)]
    cuts = [(2 * total_minor * part + whole) // (2 * whole) for part in sums]
    return [after - before for before, after in pairwise(cuts)]
