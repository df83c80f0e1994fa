"""When a verdict may be given, so that looking often calls no more mails a success than looking once.

One send is judged once, after its window; before that there is only a range so wide (99.9 %) that
it may be watched daily (Haybittle 1971, Peto and others 1976). All sends together are judged when 5,
10, 20, 40, 80 ... of them are finished, each time the first so many, with a part of the error spent
at each look. The parts add up to 5 %, so that all looks together, however many, err at most so often
(Bonferroni's inequality). Most is kept for 10 to 40 sends, where a list of 1,500 begins to show what it can.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, takewhile
from typing import Final

INTERIM_LEVEL: Final = 0.999
"""Of the range that is shown before a window is over."""
FIRST_LOOKS: Final = ((5, 0.005), (10, 0.010), (20, 0.015), (40, 0.010))
"""How many finished sends, and which part of the error is spent there; 0.01 is left for all later ones."""


@dataclass(frozen=True, slots=True)
class Look:
    """A planned judgement of the first `sends` finished sends, at a level of its own."""

    sends: int
    error: float

    @property
    def level(self) -> float:
        """The level of this look's interval."""
        return 1 - self.error


def planned_looks() -> Iterator[Look]:
    """Yield the looks for ever: each after the first four comes at twice the sends, for half the rest."""
    yield from (Look(sends, error) for sends, error in FIRST_LOOKS)
    last, _ = FIRST_LOOKS[-1]
    left = 0.05 - sum(error for _, error in FIRST_LOOKS)
    for doubling in count(1):
        yield Look(last * 2**doubling, left / 2**doubling)


def looks_so_far(sends: int) -> tuple[Look, ...]:
    """Return the looks that so many finished sends have reached."""
    return tuple(takewhile(lambda look: look.sends <= sends, planned_looks()))


def next_look(sends: int) -> Look:
    """Return the first look that is still to come."""
    return next(look for look in planned_looks() if look.sends > sends)
