"""Readers who click on subjects with known chances, mailed in batches as kpay mails them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from kpay.domain.subject_trial import Tally, match_chances, plan_batches, split_evenly, standing


def share_of_even_loss(
    people: int, shares: Sequence[float], *, batches: int, runs: int, seed: int = 0
) -> float:
    """Return the mean of clicks lost against the best subject, as a part of an even split's."""
    luck, lost = np.random.default_rng([people, seed]), 0.0
    for run in range(runs):
        found = _mailed(people, shares, batches, luck, f"{seed} {run}")
        best = max(shares)
        lost += sum(one.sent * (best - share) for one, share in zip(found, shares, strict=True))
    even = people * (max(shares) - sum(shares) / len(shares))
    return lost / runs / even


def _mailed(
    people: int, shares: Sequence[float], batches: int, luck: np.random.Generator, salt: str
) -> list[Tally]:
    """Mail one list; everyone who clicks has done so before the next batch is due."""
    true = dict(zip("ABCDE", shares, strict=False))
    tallies = dict.fromkeys(true, Tally())
    sizes = Counter(plan_batches(people, batches, salt))
    for batch, size in sorted(sizes.items()):
        keys, lot = [str(number) for number in range(size)], f"{salt} {batch}"
        chances = standing(tallies).chances
        drawn = match_chances(keys, chances, lot) if batch else split_evenly(keys, [*true], lot)
        for label, sent in Counter(drawn.values()).items():
            clicks = int(luck.binomial(sent, true[label]))
            old = tallies[label]
            tallies[label] = Tally(old.sent + sent, old.clicked + clicks)
    return list(tallies.values())
