"""A table as plain values for a page: cells as people read them, each column on its side."""

from __future__ import annotations

from typing import Any

from kpay.domain.document import Kind, Table
from kpay.presentation.cells import RIGHT_KINDS, for_people

WIDE_FROM = 8
SHORT_TEXT = 18
SUM = "together"  # what the last row of a table is called where it holds sums


def table_values(table: Table) -> dict[str, Any]:
    """Return headings and cells as people read them, each on its side; short words stay whole."""
    kinds = [column.kind for column in table.columns]
    rows = [
        [for_people(cell, kind) for cell, kind in zip(row, kinds, strict=True)]
        for row in table.rows
    ]
    sides = [_side(kind, [row[index] for row in rows]) for index, kind in enumerate(kinds)]
    return {
        "title": table.title,
        "note": table.note,
        "is_wide": len(kinds) > WIDE_FROM,
        "columns": [
            {"heading": column.heading, "side": side}
            for column, side in zip(table.columns, sides, strict=True)
        ],
        "rows": [
            {"cells": row, "is_sum": index == len(rows) - 1 and index > 0 and row[0].lower() == SUM}
            for index, row in enumerate(rows)
        ],
    }


def _side(kind: Kind, texts: list[str]) -> str:
    if kind in RIGHT_KINDS:
        return "right"
    if kind == "instant":
        return "left moment"
    are_short = kind == "day" or all(len(text) <= SHORT_TEXT for text in texts)
    return "left short" if are_short else "left"
