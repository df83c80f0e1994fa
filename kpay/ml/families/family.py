"""What a family of features is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kpay.ml.frames import Floats, Ints
from kpay.ml.history import History

Read = Callable[[History, Ints, int], dict[str, Floats]]


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of evidence.

    `read` takes a history that ends before the cutoff, the customers asked about in ascending order and
    the cutoff, and returns exactly `columns`, one value a customer, NaN where undefined. `is_known` says
    whether there is anything to read at all.
    """

    name: str
    columns: tuple[str, ...]
    is_known: Callable[[History], bool]
    read: Read
