"""What a demonstration measured, beside the truth of the simulated world, and whether it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kpay.domain.document import Cell, Column, Document, Table, Text


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the table: what kpay said, what is true, and whether that is good enough.

    `holds` is None where nothing is demanded, only shown.
    """

    measured: str
    said: str
    truth: str
    demand: str
    holds: bool | None
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Demonstration:
    """The end of a demo: the verdicts, and where the files are."""

    home: str
    seed: int
    seconds: float
    verdicts: tuple[Verdict, ...]
    next_steps: Sequence[str]

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """The verdicts that do not hold."""
        return tuple(verdict for verdict in self.verdicts if verdict.holds is False)

    def to_document(self) -> Document:
        """The table "measured against truth"."""
        marks = {True: "✓", False: "✗", None: ""}
        columns = ("measured", "kpay said", "the truth", "demanded", "")
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (item.measured, item.said, item.truth, item.demand, marks[item.holds])
            for item in self.verdicts
        )
        table = Table(tuple(Column(heading) for heading in columns), rows)
        where = f"The business of seed {self.seed} is in {self.home}; the day took {self.seconds:.0f} s."
        return Document(
            "kpay.demo/1",
            "Measured against truth",
            (table, Text(where)),
            {
                "seed": self.seed,
                "home": self.home,
                "seconds": round(self.seconds, 1),
                "holds": not self.failed,
                "verdicts": [
                    {"measured": item.measured, "holds": item.holds, **item.figures}
                    for item in self.verdicts
                ],
            },
            next_steps=self.next_steps,
        )
