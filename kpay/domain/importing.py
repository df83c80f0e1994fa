"""What an import did: how many rows of the file were new, changed something, or were known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from kpay.domain.document import Block, Column, Document, Table, Text

SHOWN_BAD_ROWS = 50
NEXT_STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "orders": ("kpay report revenue", "kpay train"),
    "plans": ("kpay import subscriptions subscriptions.csv",),
    "subscriptions": ("kpay import payments payments.csv", "kpay report mrr"),
    "payments": ("kpay import refunds refunds.csv", "kpay report revenue"),
    "refunds": ("kpay report revenue",),
    "fx": ("kpay report mrr",),
}
STDIN = "stdin"  # what `-` is called in messages


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an import needs to know besides the rows; a rehearsal compares and writes nothing.

    With `asks_consent`, new subscribers without a source of consent are on the list unconfirmed.
    """

    now: datetime
    timezone: str
    is_rehearsal: bool = False
    asks_consent: bool = False


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not imported: where (line, column) and why."""

    line: int
    column: str | None
    problem: str

    def to_json(self) -> dict[str, Any]:
        """Return the keys of the `bad` list."""
        return {"line": self.line, "column": self.column, "problem": self.problem}


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Rows of the file by what they did to the store; the three sum to the rows that were good."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: RowCounts) -> RowCounts:
        return RowCounts(
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
        )


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The answer of `kpay import`; `totals` are extra counts such as orders and gross sums."""

    kind: str
    file: str
    rows: int
    counts: RowCounts
    bad: tuple[BadRow, ...] = ()
    unused_columns: tuple[str, ...] = ()
    totals: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    is_rehearsal: bool = False

    def to_document(self) -> Document:
        """Say what was imported, or that there was nothing to do."""
        changed = self.counts.created + self.counts.updated
        return Document(
            "kpay.import/1",
            self._sentence(changed),
            self._blocks(),
            self._payload(),
            next_steps=self._next_steps(changed),
        )

    def _sentence(self, changed: int) -> str:
        rows = f"{self.rows:,} row{'' if self.rows == 1 else 's'} of {self.kind} in {self.file}"
        if self.is_rehearsal:
            return f"{rows} were read; nothing was imported (--dry-run)."
        if not changed:
            return f"{rows}; nothing to do, nothing was changed."
        return f"{rows}: {self.counts.created:,} new, {self.counts.updated:,} changed."

    def _blocks(self) -> tuple[Block, ...]:
        blocks: list[Block] = [
            Table(
                tuple(
                    Column(name, "count") for name in ("new", "changed", "unchanged", "left out")
                ),
                (
                    (
                        self.counts.created,
                        self.counts.updated,
                        self.counts.unchanged,
                        len({bad.line for bad in self.bad}),
                    ),
                ),
            )
        ]
        if self.unused_columns:
            names = ", ".join(self.unused_columns)
            blocks.append(Text(f"Columns that were not used: {names}.", "warning"))
        if self.bad:
            blocks.append(self._bad_rows())
        return tuple(blocks)

    def _bad_rows(self) -> Table:
        shown = self.bad[:SHOWN_BAD_ROWS]
        hidden = len(self.bad) - len(shown)
        return Table(
            (Column("line", "count"), Column("column"), Column("problem")),
            tuple((bad.line, bad.column, bad.problem) for bad in shown),
            title="Left out",
            note=f"... and {hidden:,} more (--json lists all)" if hidden else "",
        )

    def _payload(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "file": self.file,
            "rows": self.rows,
            "created": self.counts.created,
            "updated": self.counts.updated,
            "unchanged": self.counts.unchanged,
            "bad": [bad.to_json() for bad in self.bad],
            "unused_columns": list(self.unused_columns),
            "dry_run": self.is_rehearsal,
            "seconds": round(self.seconds, 3),
            **self.totals,
        }

    def _next_steps(self, changed: int) -> tuple[str, ...]:
        if self.is_rehearsal:
            source = "-" if self.file == STDIN else self.file
            return (f"kpay import {self.kind} {source}",)
        return NEXT_STEPS.get(self.kind, ()) if changed else ()
