"""Where the bars of a waterfall begin and end."""

from __future__ import annotations

from dataclasses import dataclass

from kpay.domain.document import Waterfall


@dataclass(frozen=True, slots=True)
class Stretch:
    """A bar from `start` to `end`; a level stands on zero."""

    start: float
    end: float

    @property
    def low(self) -> float:
        """The lower end."""
        return min(self.start, self.end)

    @property
    def high(self) -> float:
        """The upper end."""
        return max(self.start, self.end)

    @property
    def is_rise(self) -> bool:
        """It ends above where it began."""
        return self.end >= self.start


def stretches(block: Waterfall) -> list[Stretch]:
    """Return the bar of each step: a level from zero, a change from where the one before ended."""
    made: list[Stretch] = []
    at = 0.0
    for step in block.steps:
        start = 0.0 if step.is_level else at
        at = start + step.value
        made.append(Stretch(start, at))
    return made
