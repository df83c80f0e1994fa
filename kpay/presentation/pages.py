"""A Document as plain values for the page template: sections, cells as text, pictures as drawings."""

from __future__ import annotations

import re
from typing import Any

from kpay.domain.document import (
    Document,
    Figure,
    Figures,
    Heading,
    Table,
    Text,
)
from kpay.presentation import drawings
from kpay.presentation.cells import change_text, for_people, is_felt
from kpay.presentation.page_tables import table_values

SPARK_WIDTH, SPARK_HEIGHT = 100, 24


def page_values(document: Document) -> dict[str, Any]:
    """Return what `report/document.html` is filled with; every cell reads as on a terminal.

    A `part` is what stands between two headings; the first has no title where no heading begins it,
    and one that only says a sentence needs no sheet of its own.
    """
    parts = [_part("", "", "")]
    for index, block in enumerate(document.blocks):
        if isinstance(block, Heading):
            parts.append(_part(block.title, block.subtitle, _anchor(block.title, parts)))
        else:
            parts[-1]["blocks"].append({"id": f"b{index}", "note": "", **_block(block)})
    for part in parts:
        part["is_brief"] = all(block["kind"] == "text" for block in part["blocks"])
    return {
        "title": document.title,
        "subtitle": document.subtitle,
        "schema": document.schema,
        "parts": [part for part in parts if part["title"] or part["blocks"]],
    }


def _part(title: str, subtitle: str, anchor: str) -> dict[str, Any]:
    return {"title": title, "subtitle": subtitle, "anchor": anchor, "blocks": []}


def _anchor(title: str, parts: list[dict[str, Any]]) -> str:
    """Return a name for links within the page that no earlier part has."""
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "part"
    taken = {part["anchor"] for part in parts}
    return name if name not in taken else f"{name}-{len(parts)}"


def _block(block: Text | Figures | Table | drawings.Picture) -> dict[str, Any]:
    if isinstance(block, Text):
        return {"kind": "text", "title": "", "text": block.text, "tone": block.tone}
    if isinstance(block, Figures):
        figures = [_figure(figure) for figure in block.figures]
        return {"kind": "figures", "title": block.title, "figures": figures}
    if isinstance(block, Table):
        return {"kind": "table", **table_values(block)}
    return drawings.picture(block)


def _figure(figure: Figure) -> dict[str, Any]:
    pairs = (
        (figure.change, figure.compared_with),
        (figure.second_change, figure.second_compared_with),
    )
    return {
        "label": figure.label,
        "value": for_people(figure.value, figure.kind),
        "changes": [
            {"text": change_text(change), "tone": change_tone(change), "with": compared_with}
            for change, compared_with in pairs
            if compared_with
        ],
        "spark": _spark(figure.line),
    }


def change_tone(change: float | None) -> str:
    """Name the colour of a change."""
    if change is None or not is_felt(change):
        return "none"
    return "up" if change > 0 else "down"


def _spark(values: tuple[float, ...]) -> str:
    """Return a small line from its least to its largest value."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    share = (SPARK_HEIGHT - 2) / (high - low) if high > low else 0.0
    step = SPARK_WIDTH / (len(values) - 1)
    return " ".join(
        f"{index * step:.1f},{SPARK_HEIGHT - 2 - (value - low) * share:.1f}"
        for index, value in enumerate(values)
    )
