"""Parts of a forecast that share their futures: row n of every part belongs to one future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from kpay.ml.arrays import Floats, Ints
from kpay.ml.forecasting import paths

LARGEST_SUM: Final = float(2**53 - 1)


@dataclass(frozen=True, slots=True)
class Part:
    """One stream: the expected value of each day ahead, and its paths (draws, days) in minor units."""

    name: str
    mean: Floats
    draws: Floats

    def scaled(self, factor: float | Floats) -> Part:
        """Return the part multiplied by a factor: one number, one a day, or one a path and day."""
        by_path = np.asarray(factor, dtype=float)
        usual = by_path.mean(axis=0) if by_path.ndim == 2 else by_path
        return Part(self.name, self.mean * usual, self.draws * by_path)


@dataclass(frozen=True, slots=True)
class Parts:
    """Streams that add up: days, weeks, months and the total are sums of the same paths."""

    parts: tuple[Part, ...]

    @property
    def mean(self) -> Floats:
        """The expected sum of each day."""
        return np.asarray(np.sum([part.mean for part in self.parts], axis=0))

    @property
    def draws(self) -> Floats:
        """The sums of every path, (draws, days)."""
        return np.asarray(np.sum([part.draws for part in self.parts], axis=0))

    def named(self, name: str) -> Part | None:
        """Return the part of a name."""
        return next((part for part in self.parts if part.name == name), None)

    def with_part(self, changed: Part) -> Parts:
        """Return the parts with one of them replaced, or added where there was none of its name."""
        if self.named(changed.name) is None:
            return Parts((*self.parts, changed))
        kept = (changed if part.name == changed.name else part for part in self.parts)
        return Parts(tuple(kept))

    def widened(self, spread: float) -> Parts:
        """Return the parts with the total's log spread set to `spread`; expected values stay.

        Every path is multiplied by one number, the same for all parts, so that they still add up.
        """
        totals = self.draws.sum(axis=1)
        usual = float(self.mean.sum())
        if usual <= 0 or totals.min() <= 0:
            return self
        logs = np.log(totals)
        present = float(logs.std())
        if present <= 1e-9:
            return self
        aimed = np.exp((logs - logs.mean()) * (spread / present))
        factor = (usual * aimed / aimed.mean() / totals)[:, None]
        return Parts(tuple(replace(part, draws=part.draws * factor) for part in self.parts))


def whole_days(mean: Floats) -> Ints:
    """Round a part's days so that every running sum is the rounded running sum, to the unit."""
    running = np.rint(np.clip(np.cumsum(mean), -LARGEST_SUM, LARGEST_SUM)).astype(np.int64)
    return np.asarray(np.diff(running, prepend=0))


def bounds(
    draws: Floats, mean: int, days: Sequence[int], levels: Sequence[int]
) -> dict[int, tuple[int, int]]:
    """Return low and high of the sum over some days for each level in percent; the mean is inside."""
    sums = np.clip(draws[:, list(days)].sum(axis=1), -LARGEST_SUM, LARGEST_SUM)
    found = {}
    for level in levels:
        low, high = (float(end) for end in paths.bounds(sums, level))
        found[level] = (min(mean, int(np.floor(low))), max(mean, int(np.ceil(high))))
    return found
