"""Luck that belongs to a person, a purpose and a day, and to nothing else.

Every number is a function of (seed, purpose, day, person), so it does not matter who was mailed,
what was for sale or where a run was stopped: the same person meets the same luck, and a world
replayed without a mail shows what that person would have done.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_GOLDEN: Final = 0x9E3779B97F4A7C15
_MASK: Final = 2**64 - 1


def _mixed(value: int) -> int:
    """Scramble 64 bits; the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    value = (value + _GOLDEN) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def _mixed_array(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scramble an array of 64-bit words the way `_mixed` scrambles one."""
    values = values + np.uint64(_GOLDEN)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _uniform(words: npt.NDArray[np.uint64]) -> FloatArray:
    """Turn 64-bit words into numbers strictly between 0 and 1."""
    return ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def name_key(text: str) -> int:
    """Return a stable 64-bit number for a name; `hash()` differs between runs of Python."""
    raw = text.encode()
    return zlib.crc32(raw) << 32 | zlib.crc32(raw[::-1] + b"/")


class Chance:
    """The luck of one world of `people` persons, drawn from counter-based generators."""

    def __init__(self, seed: int, people: int) -> None:
        self.people = people
        self._seed = _mixed(seed & _MASK)

    def generator(self, purpose: str, day: int = 0) -> np.random.Generator:
        """Return a fresh Philox generator for the purpose on the day."""
        counter = _mixed(name_key(purpose) ^ _mixed(day & _MASK))
        key = np.array([self._seed, counter], dtype=np.uint64)
        return np.random.Generator(np.random.Philox(key=key))

    def everyone(self, purpose: str, day: int) -> FloatArray:
        """Return one uniform a person."""
        return self.generator(purpose, day).random(self.people)

    def normal(self, purpose: str) -> FloatArray:
        """Return one standard normal a person, the same on every day."""
        return self.generator(purpose).standard_normal(self.people)

    def some(self, purpose: str, day: int, persons: IntArray) -> FloatArray:
        """Return the uniforms of a few persons, far cheaper than drawing everyone's."""
        return _uniform(self._words(purpose, day, persons))

    def race(self, purpose: str, day: int, persons: IntArray, keys: Sequence[int]) -> FloatArray:
        """Return uniforms of shape (persons, keys); a new key leaves all others as they were."""
        rows = self._words(purpose, day, persons)[:, None]
        columns = np.array(keys, dtype=np.uint64)[None, :]
        return _uniform(_mixed_array(rows ^ columns))

    def one(self, purpose: str, day: int, key: int = 0) -> float:
        """Return a single uniform, for what happens to the world or to one person."""
        word = _mixed(self._base(purpose, day) ^ (key & _MASK))
        return ((word >> 12) + 0.5) * 2.0**-52

    def _base(self, purpose: str, day: int) -> int:
        return _mixed(self._seed ^ _mixed(name_key(purpose) ^ _mixed(day & _MASK)))

    def _words(self, purpose: str, day: int, persons: IntArray) -> npt.NDArray[np.uint64]:
        return _mixed_array(np.uint64(self._base(purpose, day)) ^ persons.astype(np.uint64))
