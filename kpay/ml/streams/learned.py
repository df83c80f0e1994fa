"""What the past of each stream says, as far as a day knows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kpay.ml.arrays import Flags, Floats
from kpay.ml.streams import launches, returns, starts, survival
from kpay.ml.streams.launches import Sizes
from kpay.ml.streams.ledger import Ledger
from kpay.ml.streams.returns import Rate
from kpay.ml.streams.starts import Plan
from kpay.ml.streams.survival import Experience


@dataclass(frozen=True, slots=True)
class Learned:
    """What the streams were made from: for the assumptions that are printed."""

    experience: Experience
    plans: tuple[Plan, ...]
    counted_days: int
    sizes: dict[str, Sizes]
    rate: Rate
    usual: Floats  # single sales with the days of launches told as usual ones
    is_cleaned: bool


def learn(ledger: Ledger, *, is_planned: bool) -> Learned:
    """Learn from a ledger; where the next launches are planned, frequent ones are told apart too."""
    mask = launches.touched(ledger.days, ledger.occasions, is_planned=is_planned)
    usual = launches.as_usual(ledger.single, mask)
    told = launches.as_usual(ledger.single, _all_touched(ledger))
    plans, counted = starts.plans(ledger.members, ledger.days, ~mask)
    return Learned(
        experience=survival.experience(ledger.members, ledger.days),
        plans=plans,
        counted_days=counted,
        sizes={
            kind: launches.sizes(ledger.single, told, ledger.occasions, kind)
            for kind in launches.SPANS
        },
        rate=returns.rate(ledger.sales, ledger.refunds),
        usual=usual,
        is_cleaned=bool(mask.any()),
    )


def _all_touched(ledger: Ledger) -> Flags:
    mask = np.zeros(ledger.days, dtype=bool)
    for one in ledger.occasions:
        mask[max(one.day, 0) : max(one.day + one.span, 0)] = True
    return mask


def still_running(ledger: Ledger, learned: Learned, horizon: int) -> Floats:
    """Return what launches of the last days still bring, in usual days; nothing where they are usual."""
    if not learned.is_cleaned:
        return np.zeros(horizon)
    found = [
        launches.running(ledger.single, learned.usual, ledger.occasions, size, horizon)
        for size in learned.sizes.values()
        if size.learned_from
    ]
    return np.asarray(np.sum([*found, np.zeros(horizon)], axis=0))
