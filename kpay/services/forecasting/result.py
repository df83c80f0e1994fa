"""A finished forecast, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kpay.domain.document import (
    Band,
    Block,
    Column,
    Document,
    Fan,
    Figure,
    Figures,
    Kind,
    Metric,
    Table,
    Text,
)
from kpay.domain.money import Money, exponent
from kpay.domain.series import Step
from kpay.ml.forecasting.outlook import Backtest, Outlook, Range

FEW_FOLDS = 4
PARTLY = "(part): only some days of it are ahead; do not hold it against a whole one."
SHOWN_OCCASIONS = 5


@dataclass(frozen=True, slots=True)
class Point:
    """One day, week or month ahead: where it starts (a number where there are no dates), its range."""

    start: date | int
    range: Range
    last_day: date | None = None  # of a week or month that is gathered from days
    is_whole: bool = True

    @property
    def label(self) -> str:
        """Its first day or number; a week or month that is only partly ahead says so."""
        return str(self.start) if self.is_whole else f"{self.start} (part)"


@dataclass(frozen=True, slots=True)
class ToldPart:
    """One stream of the revenue: what it is expected to bring at each point, in minor units."""

    name: str
    label: str
    points: tuple[int, ...]

    @property
    def total(self) -> int:
        """What it brings over the whole horizon."""
        return sum(self.points)


@dataclass(frozen=True, slots=True)
class ToldPlan:
    """An occasion that is taken into account, and what it is expected to bring."""

    day: date
    name: str
    kind: str
    mean_minor: int
    sized_by: str


@dataclass(frozen=True)
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
    past: tuple[tuple[str, float], ...] = ()  # the newest known points, in whole units
    parts: tuple[ToldPart, ...] = ()
    plan: tuple[ToldPlan, ...] | None = None
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    as_usual: tuple[str, ...] = ()  # campaigns and launches whose days were told as usual ones
    note: str = ""
    more_blocks: tuple[Block, ...] = ()
    more_keys: dict[str, Any] = field(default_factory=dict)
    next_steps: tuple[str, ...] = ()

    def to_document(self) -> Document:
        """Return the total, the points, what they are made of and the backtest."""
        return Document(
            schema="kpay.forecast/1",
            title=f"Forecast of the next {len(self.points)} {self.freq}s",
            subtitle=self._subtitle(),
            blocks=(
                self._figures(),
                self._fan(),
                *self._parts_in_total(),
                *self.more_blocks,
                self._table(),
                *self._texts(),
            ),
            payload=self.to_json(),
            next_steps=self._next_steps(),
            metrics=self._metrics(),
        )

    def explained(self) -> Document:
        """Return the streams by point: the rows add up to the forecast, the columns to their totals."""
        columns = (
            Column(f"{self.freq.capitalize()} from"),
            *(Column(part.label.capitalize(), "money") for part in self.parts),
            Column("Expected", "money"),
        )
        rows = [
            (
                point.label,
                *(self._cell(part.points[at]) for part in self.parts),
                self._cell(point.range.mean),
            )
            for at, point in enumerate(self.points)
        ]
        totals = (*(self._cell(part.total) for part in self.parts), self._cell(self.total.mean))
        return Document(
            schema="kpay.forecast/1",
            title=f"What the forecast of the next {len(self.points)} {self.freq}s is made of",
            subtitle=self._subtitle(),
            blocks=(
                Table(columns, (*rows, ("Together", *totals)), "What it is made of"),
                *(Text(sentence) for sentence in self.assumptions),
            ),
            payload=self.to_json(),
            metrics=self._metrics(),
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
                {"start": str(point.start), **_span_json(point), **self._keys(point.range)}
                for point in self.points
            ],
            "total": self._keys(self.total),
            "backtest": backtest_json(self.outlook.backtest),
            **(self._streams_json() if self.currency else {}),
            "warnings": list(self.warnings),
            **self.more_keys,
        }

    def _streams_json(self) -> dict[str, Any]:
        parts = [
            {
                "name": part.name,
                "total_minor": part.total,
                "points": [
                    {"start": str(point.start), "mean_minor": minor}
                    for point, minor in zip(self.points, part.points, strict=True)
                ],
            }
            for part in self.parts
        ]
        plan = None if self.plan is None else [_plan_json(one) for one in self.plan]
        return {
            "measure": "takings_after_refunds",
            "currencies": list(self.currencies),
            "parts": parts,
            "plan": plan,
            "assumptions": list(self.assumptions),
        }

    def _keys(self, found: Range) -> dict[str, int | float]:
        """Return mean, lowN and highN under the names of cli.md."""
        suffix = "_minor" if self.currency else ""
        keys = {f"mean{suffix}": self._number(found.mean)}
        for level, (low, high) in sorted(found.bounds.items()):
            keys[f"low{level}{suffix}"] = self._number(low)
            keys[f"high{level}{suffix}"] = self._number(high)
        return keys

    def _metrics(self) -> dict[str, Metric]:
        names = {"total": self.total.mean} | {part.name: part.total for part in self.parts}
        bounds = {
            f"{name}{level}": bound
            for level, pair in self.total.bounds.items()
            for name, bound in zip(("low", "high"), pair, strict=True)
        }
        return {
            name: Metric(self._number(units), self.currency)
            for name, units in {**names, **bounds}.items()
        }

    def _number(self, units: int) -> int | float:
        return units if self.currency or self.scale == 1 else units / self.scale

    def _cell(self, units: int) -> Money | float:
        return Money(units, self.currency) if self.currency else units / self.scale

    def _subtitle(self) -> str:
        until = f" up to {self.known_until}" if self.known_until else ""
        unit = "days" if self.currency else "values"
        return f"from {self.steps_known} {unit}{until}; {self.outlook.model}: {self.outlook.why}"

    def _figures(self) -> Figures:
        kind: Kind = "money" if self.currency else "number"
        ranges = [
            Figure(f"{level} % range", f"{self._shown(low)} to {self._shown(high)}", "text")
            for level, (low, high) in sorted(self.total.bounds.items())
        ]
        return Figures((Figure("Expected in total", self._cell(self.total.mean), kind), *ranges))

    def _shown(self, units: int) -> str:
        cell = self._cell(units)
        return str(cell) if isinstance(cell, Money) else f"{cell:,.6g}"

    def _fan(self) -> Fan:
        scale = 10 ** exponent(self.currency) if self.currency else self.scale
        drawn = [point for point in self.points if point.is_whole] or list(self.points)
        bands = [
            Band(
                level,
                tuple(point.range.bounds[level][0] / scale for point in drawn),
                tuple(point.range.bounds[level][1] / scale for point in drawn),
            )
            for level in sorted(self.total.bounds, reverse=True)
        ]
        return Fan(
            title=f"{self.freq.capitalize()} by {self.freq}: what came, and what is expected",
            past_labels=tuple(label for label, _ in self.past),
            past=tuple(value for _, value in self.past),
            labels=tuple(str(point.start) for point in drawn),
            mean=tuple(point.range.mean / scale for point in drawn),
            bands=tuple(bands),
            unit=(self.currency or "").upper(),
        )

    def _parts_in_total(self) -> tuple[Table, ...]:
        if not self.parts:
            return ()
        rows = [(part.label.capitalize(), self._cell(part.total)) for part in self.parts]
        rows.append(("Together", self._cell(self.total.mean)))
        columns = (Column("Stream"), Column("Expected", "money"))
        return (Table(columns, tuple(rows), "What it is made of"), *self._plan_table())

    def _plan_table(self) -> tuple[Table, ...]:
        if not self.plan:
            return ()
        columns = (
            Column("Day", "day"),
            Column("Name"),
            Column("Brings", "money"),
            Column("Sized by"),
        )
        rows = [(one.day, one.name, self._cell(one.mean_minor), one.sized_by) for one in self.plan]
        return (Table(columns, tuple(rows), "What is planned"),)

    def _table(self) -> Table:
        kind: Kind = "money" if self.currency else "number"
        levels = sorted(self.total.bounds)
        bounds = [Column(f"{name} {level} %", kind) for level in levels for name in ("low", "high")]
        return Table(
            (Column(f"{self.freq.capitalize()} from"), Column("Expected", kind), *bounds),
            tuple(
                (
                    point.label,
                    self._cell(point.range.mean),
                    *(self._cell(b) for level in levels for b in point.range.bounds[level]),
                )
                for point in self.points
            ),
            title=f"By {self.freq}",
            note=PARTLY if any(not point.is_whole for point in self.points) else "",
        )

    def _texts(self) -> tuple[Text, ...]:
        said = [backtest_in_words(self.outlook.backtest)]
        if self.outlook.backtest.folds < FEW_FOLDS:
            said.append("Few comparable stretches are known: the range is rough.")
        said += self.assumptions
        if self.as_usual:
            names = ", ".join(self.as_usual[-SHOWN_OCCASIONS:])
            said.append(f"The days after them count as usual days: {names}.")
        plain = [Text(sentence) for sentence in [*said, self.note] if sentence]
        return (*(Text(sentence, "warning") for sentence in self.warnings), *plain)

    def _next_steps(self) -> tuple[str, ...]:
        by_month = ("kpay forecast --freq month",) if self.freq == "day" and self.currency else ()
        return (*by_month, *self.next_steps)


def _span_json(point: Point) -> dict[str, Any]:
    if point.last_day is None:
        return {}
    return {"last_day": point.last_day.isoformat(), "is_partial": not point.is_whole}


def _plan_json(one: ToldPlan) -> dict[str, Any]:
    return {
        "date": one.day.isoformat(),
        "name": one.name,
        "kind": one.kind,
        "mean_minor": one.mean_minor,
        "sized_by": one.sized_by,
    }


def backtest_json(found: Backtest) -> dict[str, Any]:
    """Return a backtest's keys; what could not be measured is null."""
    measured = {
        "mase": found.mase,
        "baseline_mase": found.baseline_mase,
        "coverage80": found.coverage80,
        "coverage95": found.coverage95,
        "total_error_share": found.total_error,
        "baseline_total_error_share": found.baseline_total_error,
    }
    rounded = {name: None if x is None else round(x, 4) for name, x in measured.items()}
    return {"folds": found.folds, **rounded}


def backtest_in_words(found: Backtest) -> str:
    """Say how the recipe did before, the sum first: that is what a creator plans with."""
    if found.mase is None or found.coverage80 is None or found.coverage95 is None:
        return "There is no past window to test this on."
    return (
        f"{_totals_in_words(found)}A single step was off by {found.mase:.2f} seasonal differences "
        f"(seasonal naive {found.baseline_mase:.2f}); {found.coverage80:.0%} of the steps lay in the "
        f"80 % range and {found.coverage95:.0%} in the 95 % range."
    )


def _totals_in_words(found: Backtest) -> str:
    if found.total_error is None or found.baseline_total_error is None:
        return ""
    return (
        f"In {found.folds} past windows the total was usually off by {found.total_error:.0%}; "
        f"the last season repeated: {found.baseline_total_error:.0%}. "
    )
