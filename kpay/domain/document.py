"""What a command has to say, before anyone decides how it looks.

A service's result turns itself into one Document; the writers of kpay.presentation and the report
templates make a table, JSON, CSV, Markdown or HTML of it, so that the figures agree in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from kpay.domain.money import Money

Kind = Literal["text", "count", "money", "share", "number", "day", "instant"]
Cell = str | int | float | bool | Money | date | datetime | None


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and what stands below it; kinds other than text, day and instant align right."""

    heading: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; None is shown as a dash and is null in JSON."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number to look at first, with its change and a small line of how it came to be.

    `change` is a share of the earlier value (0.1 = ten per cent more); None where there is none.
    A second change may stand beside it, against another time.
    """

    label: str
    value: Cell
    kind: Kind = "count"
    change: float | None = None
    compared_with: str = ""
    line: tuple[float, ...] = ()
    second_change: float | None = None
    second_compared_with: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """A first row of figures."""

    figures: tuple[Figure, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """One line or row of bars over labels, with an optional band (low, high) round it."""

    title: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    style: Literal["line", "bars"] = "line"
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph in plain words; `tone` colours it on a terminal."""

    text: str
    tone: Literal["plain", "good", "warning"] = "plain"


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Cells coloured by their value: cohorts. None is a cell that has not come yet.

    `values` are (rows, columns), 0 to 1 of the darkest colour; `cells` are what is written in them.
    """

    title: str
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    cells: tuple[tuple[Cell, ...], ...]
    kind: Kind = "share"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of a waterfall: a change, or where it stands (`is_level`)."""

    label: str
    value: float
    is_level: bool = False


@dataclass(frozen=True, slots=True)
class Waterfall:
    """From one level to another by the changes between them, in whole units of `unit`."""

    title: str
    steps: tuple[Step, ...]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """A range round a line: its level in percent, and one low and high a label ahead."""

    level: int
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Fan:
    """A past that is known and a future in ranges, widest band first; `past` ends where `mean` begins."""

    title: str
    past_labels: tuple[str, ...]
    past: tuple[float, ...]
    labels: tuple[str, ...]
    mean: tuple[float, ...]
    bands: tuple[Band, ...]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was promised against what came: of `counts` cases each, the stated and the real share.

    A share that came is None where nothing could be counted yet; `low` and `high` are the ends of
    the interval that chance alone leaves it, where they are known.
    """

    title: str
    stated: tuple[float, ...]
    came: tuple[float | None, ...]
    counts: tuple[int, ...]
    note: str = ""
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """Where a new section of a longer document begins; on paper, a new page."""

    title: str
    subtitle: str = ""


Block = Table | Figures | Chart | Text | HeatMap | Waterfall | Fan | Calibration | Heading


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure by its name: what --fail-if compares and --explain opens.

    Money is in minor units of `currency`, which only money has; None is not defined.
    """

    value: int | float | None
    currency: str | None = None


@dataclass(frozen=True)
class Document:
    """Everything one command answers: `payload` is the JSON object without its schema key.

    `texts` are formats (by name) that it has texts of its own for, instead of what writers make.
    """

    schema: str
    title: str
    blocks: tuple[Block, ...] = ()
    payload: Mapping[str, Any] = field(default_factory=dict)
    subtitle: str = ""
    next_steps: Sequence[str] = ()
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the object of `--json`."""
        return {"schema": self.schema, **self.payload}

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables, in order: what CSV writes."""
        return tuple(block for block in self.blocks if isinstance(block, Table))


def done(schema: str, sentence: str, payload: Mapping[str, Any], *next_steps: str) -> Document:
    """A document of one sentence: what changed, and what comes next."""
    return Document(schema, sentence, payload=payload, next_steps=next_steps)
