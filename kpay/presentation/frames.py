"""What a drawing that stretches stands on: its axis, and the labels below it."""

from __future__ import annotations

from math import ceil, floor
from typing import Any

from kpay.presentation.plots import round_step

WIDTH, HEIGHT = 1000, 300
MOST_LABELS, MOST_SHORT_LABELS, SHORT_LABEL = 5, 13, 7
ON_A_PHONE = 3


class Frame:
    """The axis that a drawing stands on: round ends, round values between, and where zero is."""

    def __init__(self, bottom: float, top: float, step: float) -> None:
        self.bottom, self.top, self.step = bottom, top, step

    @classmethod
    def over(cls, values: tuple[float, ...]) -> Frame:
        """Return the frame that holds all values, and zero."""
        low, high = min((*values, 0.0)), max((*values, 0.0))
        step = round_step(high - low)
        bottom, top = floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step
        return cls(bottom, top if top > bottom else bottom + step, step)

    def values(self, unit: str) -> dict[str, Any]:
        """Return the keys that every drawing has."""
        count = round((self.top - self.bottom) / self.step)
        ticks = [self.top - index * self.step for index in range(count + 1)]
        return {
            "width": WIDTH,
            "height": HEIGHT,
            "unit": unit,
            "zero": self.y(0.0),
            "scale": [{"text": f"{round(tick, 9):,.10g}", "y": self.y(tick)} for tick in ticks],
        }

    def y(self, value: float) -> float:
        """Return how far below the top of the drawing a value is."""
        return round(HEIGHT * (self.top - value) / (self.top - self.bottom), 1)

    def line(self, values: tuple[float, ...], first: int = 0, count: int = 0) -> str:
        """Return the points of a line; it may begin later in a row of `count`."""
        return " ".join(f"{x:g},{y:g}" for x, y in self.points(values, first, count))

    def points(
        self, values: tuple[float, ...], first: int = 0, count: int = 0
    ) -> list[tuple[float, float]]:
        """Return where each value stands."""
        step = WIDTH / max(1, (count or len(values)) - 1)
        return [
            (round((first + index) * step, 1), self.y(value)) for index, value in enumerate(values)
        ]


def few_labels(labels: tuple[str, ...], is_line: bool) -> list[dict[str, Any]]:
    """Return short labels all, of others five from the first to the last, and where each stands (%).

    The last may be longer ("2026-07 so far"): the one before it makes room. A narrow screen shows
    only the main ones, at most three.
    """
    last = len(labels) - 1
    are_short = len(labels) <= MOST_SHORT_LABELS and all(map(_is_short, labels[:-1]))
    places = list(range(len(labels))) if are_short else _spread(last)
    if are_short and last > 1 and not _is_short(labels[-1]):
        del places[-2]
    apart = max(1, ceil(len(places) / ON_A_PHONE))
    made = []
    for index, place in enumerate(places):
        at = place / max(1, last) if is_line else (place + 0.5) / len(labels)
        side = "" if _is_short(labels[place]) else {0: "start", last: "end"}.get(place, "")
        made.append(
            {
                "text": labels[place],
                "at": {"start": 0, "end": 100}.get(side, round(100 * at, 2)),
                "side": side,
                "is_main": index % apart == 0,
            }
        )
    return made


def _spread(last: int) -> list[int]:
    """Return up to five places from the first to the last."""
    count = min(last + 1, MOST_LABELS)
    return [round(index * last / max(1, count - 1)) for index in range(count)]


def _is_short(label: str) -> bool:
    return len(label) <= SHORT_LABEL
