"""Sharing a score out among the three numbers of a purchase history.

BG/NBD and the rule see how often somebody bought, how long they have been silent and how long they
have been known, and mix the three. Each number's share is its Shapley value (Shapley, "A Value for
n-Person Games", 1953): what it adds to the log odds, averaged over all orders in which the three could
become known, where a number that is not known yet is that of 64 customers from the least to the most
likely. Shares and base add up to the score exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Final

import numpy as np

from kpay.ml.bgnbd import Histories
from kpay.ml.frames import Floats

NUMBERS: Final = ("days_bought", "recency_days", "tenure_days")
OTHERS: Final = 64
SHARE_OF_ORDERS: Final = (1 / 3, 1 / 6, 1 / 3)  # with none, one or both of the others known

Judge = Callable[[Histories], Floats]
Known = tuple[bool, bool, bool]


def shares(judge: Judge, everybody: Histories, asked: Histories) -> dict[str, Floats]:
    """Return what each of NUMBERS adds to the log odds that `judge` gives to the asked histories."""
    typical = _spread(judge, everybody)
    worth = {known: _worth(judge, typical, asked, known) for known in _every()}
    return {name: _share(worth, place) for place, name in enumerate(NUMBERS)}


def _spread(judge: Judge, everybody: Histories) -> Histories:
    """Return up to 64 customers, evenly from the least to the most likely."""
    order = np.argsort(judge(everybody), kind="stable")
    picked = order[np.linspace(0, len(order) - 1, min(OTHERS, len(order))).astype(np.int64)]
    return Histories(everybody.repeats[picked], everybody.last[picked], everybody.observed[picked])


def _every() -> list[Known]:
    return [(a, b, c) for a, b, c in product((False, True), repeat=3)]


def _worth(judge: Judge, typical: Histories, asked: Histories, known: Known) -> Floats:
    """Return the mean log odds of the asked with the unknown numbers taken from the typical."""
    shape = (len(asked.repeats), len(typical.repeats))

    def number(is_known: bool, own: Floats, theirs: Floats) -> Floats:
        chosen = own[:, None] if is_known else theirs[None, :]
        return np.broadcast_to(chosen, shape).ravel()

    repeats = number(known[0], asked.repeats, typical.repeats)
    silent = number(known[1], asked.observed - asked.last, typical.observed - typical.last)
    observed = number(known[2], asked.observed, typical.observed)
    mixed = Histories(repeats, np.maximum(observed - silent, 0.0), observed)
    return np.asarray(judge(mixed).reshape(shape).mean(axis=1))


def _share(worth: dict[Known, Floats], place: int) -> Floats:
    total = np.zeros_like(next(iter(worth.values())))
    for known in _every():
        if not known[place]:
            with_it: Known = tuple(one or at == place for at, one in enumerate(known))  # type: ignore[assignment]
            total += SHARE_OF_ORDERS[sum(known)] * (worth[with_it] - worth[known])
    return np.asarray(total)
