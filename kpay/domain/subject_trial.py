"""Trying several subject lines on one list: Thompson sampling in batches, on clicks.

Each line's share of people who click has a Beta(1, 1) prior (Thompson 1933; Chapelle and Li 2011). The
first batch is split evenly; afterwards every message gets a line by lot, with the probability that
this line is the best one. Opens say nothing: mail programs fetch pictures by themselves.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, lgamma, log, sqrt
from typing import Final

CERTAIN: Final = 0.95
"""How probable it must be that a line is the best one before that is said."""
REACH_SD: Final = 7.0
POINTS: Final = 120  # of each line's grid; figures are right to three digits


@dataclass(frozen=True, slots=True)
class Tally:
    """How many people were sent a line, and how many of them clicked or bought by its link."""

    sent: int = 0
    clicked: int = 0

    @property
    def mean(self) -> float:
        """The expected share of people who click."""
        return (self.clicked + 1) / (self.sent + 2)

    @property
    def spread(self) -> float:
        """The standard deviation of what is known about the share."""
        return sqrt(self.mean * (1 - self.mean) / (self.sent + 3))

    def density(self, share: float) -> float:
        """Return the posterior density of a share."""
        lost = self.sent - self.clicked
        scale = lgamma(self.sent + 2) - lgamma(self.clicked + 1) - lgamma(lost + 1)
        return exp(scale + self.clicked * log(share) + lost * log(1 - share))


@dataclass(frozen=True, slots=True)
class Standing:
    """What tallies say together: each line's chance to be the best, and what the best one's share is."""

    chances: Mapping[str, float]
    best_share: float


def plan_batches(count: int, batches: int, salt: str) -> list[int]:
    """Return each message's batch, by lot and in equal sizes; the same again for the same salt."""
    lots = sorted(range(count), key=lambda place: _lot(salt, str(place)))
    found = [0] * count
    for rank, place in enumerate(lots):
        found[place] = rank * batches // count
    return found


def split_evenly(keys: Sequence[str], labels: Sequence[str], salt: str) -> dict[str, str]:
    """Give each key a label by lot, each label to as many."""
    lots = sorted(keys, key=lambda key: _lot(salt, key))
    return {key: labels[rank % len(labels)] for rank, key in enumerate(lots)}


def match_chances(keys: Sequence[str], chances: Mapping[str, float], salt: str) -> dict[str, str]:
    """Give each key a label by lot, with the chances given."""
    luck = random.Random(salt)
    ordered = sorted(keys)
    drawn = luck.choices(list(chances), list(chances.values()), k=len(ordered))
    return dict(zip(ordered, drawn, strict=True))


def standing(tallies: Mapping[str, Tally]) -> Standing:
    """Return the chance of each line to be the best, and the expected share of the best one.

    By the trapezoid rule over the densities: the chance is the integral of one line's density times
    the distributions of all others.
    """
    grid = _grid(tallies)
    densities = {label: [one.density(at) for at in grid] for label, one in tallies.items()}
    below = {label: _running(grid, values) for label, values in densities.items()}
    chances, best = {}, 0.0
    for label, density in densities.items():
        others = [values for name, values in below.items() if name != label]
        wins = [value * _product(others, place) for place, value in enumerate(density)]
        chances[label] = _area(grid, wins)
        best += _area(grid, [at * value for at, value in zip(grid, wins, strict=True)])
    whole = sum(chances.values())
    return Standing({label: one / whole for label, one in chances.items()}, best / whole)


def lost_clicks(tallies: Mapping[str, Tally]) -> float:
    """Return how many clicks fewer are expected than if all had got the best line."""
    sent = sum(one.sent for one in tallies.values())
    expected = sum(one.sent * one.mean for one in tallies.values())
    return max(0.0, standing(tallies).best_share * sent - expected)


def lost_when_even(tallies: Mapping[str, Tally]) -> float:
    """Return how many clicks an even split of the same messages would be expected to lose."""
    sent = sum(one.sent for one in tallies.values())
    mean = sum(one.mean for one in tallies.values()) / len(tallies)
    return max(0.0, (standing(tallies).best_share - mean) * sent)


def _grid(tallies: Mapping[str, Tally]) -> list[float]:
    """Return points that lie densely where any line's share may be."""
    points = set()
    for one in tallies.values():
        low = max(one.mean - REACH_SD * one.spread, 1e-9)
        high = min(one.mean + REACH_SD * one.spread, 1 - 1e-9)
        points |= {low + (high - low) * place / POINTS for place in range(POINTS + 1)}
    return sorted(points)


def _running(grid: Sequence[float], density: Sequence[float]) -> list[float]:
    """Return the distribution at each point of the grid."""
    sums = [0.0]
    for (left, right), (low, high) in zip(pairwise(grid), pairwise(density), strict=True):
        sums.append(sums[-1] + (right - left) * (low + high) / 2)
    return [value / sums[-1] for value in sums] if sums[-1] else sums


def _area(grid: Sequence[float], values: Sequence[float]) -> float:
    return sum(
        (right - left) * (low + high) / 2
        for (left, right), (low, high) in zip(pairwise(grid), pairwise(values), strict=True)
    )


def _product(distributions: Sequence[Sequence[float]], place: int) -> float:
    found = 1.0
    for values in distributions:
        found *= values[place]
    return found


def _lot(salt: str, key: str) -> bytes:
    return hashlib.sha256(f"{salt}\0{key}".encode()).digest()
