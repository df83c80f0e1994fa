"""A Document as JSON, CSV or Markdown."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

from kpay.domain.document import (
    Block,
    Calibration,
    Cell,
    Chart,
    Document,
    Fan,
    Figure,
    Figures,
    Heading,
    HeatMap,
    Table,
    Text,
    Waterfall,
)
from kpay.presentation.cells import (
    RIGHT_KINDS,
    amount_text,
    change_text,
    fan_text,
    for_people,
    for_programs,
    sparkline,
)
from kpay.presentation.flat import flat


def to_json(document: Document) -> str:
    """Return the one JSON object; a number that is not finite would be a bug and raises ValueError."""
    return json.dumps(document.to_json(), ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(document: Document) -> str:
    """Return what has rows as CSV, an empty line between; headings as people read them.

    A section of a longer document begins with its title alone in a row. Charts draw figures that the
    tables beside them hold, and sentences are for people; neither is written.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    shown = [block for block in document.blocks if not isinstance(block, Text | Chart)]
    for index, block in enumerate(shown):
        if index:
            out.write("\n")
        if isinstance(block, Heading):
            writer.writerow([for_programs(block.title)])
            continue
        table = flat(block)
        writer.writerow([column.heading for column in table.columns])
        writer.writerows([for_programs(cell) for cell in row] for row in table.rows)
    return out.getvalue()


def to_markdown(document: Document) -> str:
    """Return the document as Markdown with pipe tables."""
    parts = [f"# {document.title}"]
    if document.subtitle:
        parts.append(document.subtitle)
    level = "##"
    for block in document.blocks:
        if isinstance(block, Heading):
            level = "###"
        parts.append(_markdown(block, level))
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown(block: Block, level: str) -> str:
    if isinstance(block, Text):
        return block.text
    if isinstance(block, Heading):
        return "\n\n".join(filter(None, (f"## {block.title}", block.subtitle)))
    if isinstance(block, Chart):
        return f"**{block.title}** {sparkline(block.values)}" if block.values else ""
    if isinstance(block, Figures):
        title = [f"{level} {block.title}\n"] if block.title else []
        return "\n".join([*title, *map(_markdown_figure, block.figures)])
    return _markdown_table(readable(block), level)


def readable(block: Table | HeatMap | Waterfall | Fan | Calibration) -> Table:
    """Return the rows of a block with the numbers of a picture as they are read in it."""
    if isinstance(block, Waterfall):
        rows = tuple((step.label, amount_text(block, step)) for step in block.steps)
        return replace(flat(block), rows=rows)
    if not isinstance(block, Fan):
        return flat(block)

    def read(cell: Cell) -> Cell:
        return fan_text(block, cell) if isinstance(cell, float) else cell

    table = flat(block)
    return replace(table, rows=tuple(tuple(map(read, row)) for row in table.rows))


def _markdown_figure(figure: Figure) -> str:
    pairs = (
        (figure.change, figure.compared_with),
        (figure.second_change, figure.second_compared_with),
    )
    changes = [f"{change_text(change)} {than}" for change, than in pairs if than]
    value = for_people(figure.value, figure.kind)
    return f"- **{figure.label}** {value}" + (f" ({', '.join(changes)})" if changes else "")


def _markdown_table(table: Table, level: str) -> str:
    heads = [_escaped(column.heading) for column in table.columns]
    rules = ["---:" if column.kind in RIGHT_KINDS else "---" for column in table.columns]
    lines = [f"{level} {table.title}\n"] if table.title else []
    lines += [f"| {' | '.join(heads)} |", f"| {' | '.join(rules)} |"]
    kinds = [column.kind for column in table.columns]
    for row in table.rows:
        cells = [_escaped(for_people(cell, kind)) for cell, kind in zip(row, kinds, strict=True)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + (f"\n\n{table.note}" if table.note else "")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
