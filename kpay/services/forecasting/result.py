"""A finished forecast, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from kpay.domain.document import Chart, Column, Document, Figure, Figures, Kind, Table, Text
from kpay.domain.money import Money, exponent
from kpay.domain.series import Step
from kpay.ml.forecasting.outlook import Backtest, Outlook, Range

FEW_FOLDS = 4
SHOWN_OCCASIONS = 5


@dataclass(frozen=True, slots=True)
class Point:
    """One day, week or month ahead: where it starts (a number where there are no dates), its range."""

    start: date | int
    range: Range


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to come. Ranges are whole units: minor units of `currency`, or 1/scale of a value."""

    currency: str | None
    scale: int
    freq: Step
    known_until: date | None
    steps_known: int
    outlook: Outlook
    points: tuple[Point, ...]
    total: Range
    as_usual: tuple[str, ...] = ()  # campaigns and launches whose days were told as usual ones
    note: str = ""

    def to_document(self) -> Document:
        """Return the total, the points and the backtest."""
        return Document(
            schema="kpay.forecast/1",
            title=f"Forecast of the next {len(self.points)} {self.freq}s",
            subtitle=self._subtitle(),
            blocks=(self._figures(), self._chart(), self._table(), *self._warnings()),
            payload=self.to_json(),
            next_steps=("kpay forecast --freq month",) if self.freq == "day" else (),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the payload of `kpay forecast --json`."""
        return {
            "currency": self.currency,
            "freq": self.freq,
            "as_of": self.known_until.isoformat() if self.known_until else None,
            "model": self.outlook.model,
            "why": self.outlook.why,
            "weights": self.outlook.weights,
            "as_usual": list(self.as_usual),
            "points": [
                {"start": _start_text(point.start), **self._keys(point.range)}
                for point in self.points
            ],
            "total": self._keys(self.total),
            "backtest": backtest_json(self.outlook.backtest),
        }

    def _keys(self, found: Range) -> dict[str, int | float]:
        """Return mean, lowN and highN under the names of cli.md."""
        suffix = "_minor" if self.currency else ""
        keys = {f"mean{suffix}": self._number(found.mean)}
        for level, (low, high) in sorted(found.bounds.items()):
            keys[f"low{level}{suffix}"] = self._number(low)
            keys[f"high{level}{suffix}"] = self._number(high)
        return keys

    def _number(self, units: int) -> int | float:
        return units if self.currency or self.scale == 1 else units / self.scale

    def _cell(self, units: int) -> Money | float:
        return Money(units, self.currency) if self.currency else units / self.scale

    def _subtitle(self) -> str:
        until = f" up to {self.known_until}" if self.known_until else ""
        return f"from {self.steps_known} values{until}; {self.outlook.model}: {self.outlook.why}"

    def _figures(self) -> Figures:
        kind: Kind = "money" if self.currency else "number"
        bounds = [
            Figure(f"{name}, {level} %", self._cell(bound), kind)
            for level, pair in sorted(self.total.bounds.items())
            for name, bound in zip(("low", "high"), pair, strict=True)
        ]
        return Figures((Figure("expected in total", self._cell(self.total.mean), kind), *bounds))

    def _chart(self) -> Chart:
        scale = 10 ** exponent(self.currency) if self.currency else self.scale
        widest = max(self.total.bounds)
        bounds = [point.range.bounds[widest] for point in self.points]
        return Chart(
            title=f"expected, with the {widest} % range",
            labels=tuple(_start_text(point.start) for point in self.points),
            values=tuple(point.range.mean / scale for point in self.points),
            low=tuple(low / scale for low, _ in bounds),
            high=tuple(high / scale for _, high in bounds),
            unit=(self.currency or "").upper(),
        )

    def _table(self) -> Table:
        kind: Kind = "money" if self.currency else "number"
        levels = sorted(self.total.bounds)
        bounds = [Column(f"{name} {level} %", kind) for level in levels for name in ("low", "high")]
        return Table(
            (Column(f"{self.freq} from"), Column("expected", kind), *bounds),
            tuple(
                (
                    _start_text(point.start),
                    self._cell(point.range.mean),
                    *(self._cell(b) for level in levels for b in point.range.bounds[level]),
                )
                for point in self.points
            ),
        )

    def _warnings(self) -> tuple[Text, ...]:
        said = [backtest_in_words(self.outlook.backtest)]
        if self.outlook.backtest.folds < FEW_FOLDS:
            said.append("Few comparable stretches are known: the range is rough.")
        if self.currency:
            said.append("No launch and no campaign is assumed.")
        if self.as_usual:
            names = ", ".join(self.as_usual[-SHOWN_OCCASIONS:])
            said.append(f"The days after them count as usual days: {names}.")
        return tuple(Text(sentence) for sentence in [*said, self.note] if sentence)


def _start_text(start: date | int) -> str:
    return str(start)


def backtest_json(found: Backtest) -> dict[str, Any]:
    """Return a backtest's keys; what could not be measured is null."""
    measured = {
        "mase": found.mase,
        "baseline_mase": found.baseline_mase,
        "coverage80": found.coverage80,
        "coverage95": found.coverage95,
        "total_error_share": found.total_error,
    }
    rounded = {name: None if x is None else round(x, 4) for name, x in measured.items()}
    return {"folds": found.folds, **rounded}


def backtest_in_words(found: Backtest) -> str:
    """Say how the recipe did before."""
    if found.mase is None or found.coverage80 is None or found.coverage95 is None:
        return "There is no past window to test this on."
    return (
        f"In {found.folds} past windows its error was {found.mase:.2f} seasonal differences "
        f"(seasonal naive {found.baseline_mase:.2f}); {found.coverage80:.0%} of the steps lay in the "
        f"80 % range and {found.coverage95:.0%} in the 95 % range."
    )
