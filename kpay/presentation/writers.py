"""A Document as JSON, CSV or Markdown."""

from __future__ import annotations

import csv
import io
import json

from kpay.domain.document import Block, Chart, Document, Figure, Figures, Table, Text
from kpay.presentation.cells import (
    RIGHT_KINDS,
    change_text,
    for_people,
    for_programs,
    sparkline,
)


def to_json(document: Document) -> str:
    """Return the one JSON object; a number that is not finite would be a bug and raises ValueError."""
    return json.dumps(document.to_json(), ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(document: Document) -> str:
    """Return figures and tables as CSV, an empty line between them; headings as people read them."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    tables = [
        _figures_table(block) if isinstance(block, Figures) else block
        for block in document.blocks
        if isinstance(block, Figures | Table)
    ]
    for index, table in enumerate(tables):
        if index:
            out.write("\n")
        writer.writerow([column.heading for column in table.columns])
        writer.writerows([for_programs(cell) for cell in row] for row in table.rows)
    return out.getvalue()


def _figures_table(block: Figures) -> Table:
    from kpay.domain.document import Column  # noqa: PLC0415 - keeps the import list short

    columns = [Column("figure"), Column("value"), Column("change"), Column("compared with")]
    rows = [(item.label, item.value, item.change, item.compared_with) for item in block.figures]
    if not any(item.second_compared_with for item in block.figures):
        return Table(tuple(columns), tuple(rows))
    columns += [Column("second change"), Column("second compared with")]
    second = [(item.second_change, item.second_compared_with) for item in block.figures]
    both = tuple((*first, *other) for first, other in zip(rows, second, strict=True))
    return Table(tuple(columns), both)


def to_markdown(document: Document) -> str:
    """Return the document as Markdown with pipe tables."""
    parts = [f"# {document.title}"]
    if document.subtitle:
        parts.append(document.subtitle)
    parts += [_markdown(block) for block in document.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown(block: Block) -> str:
    if isinstance(block, Text):
        return block.text
    if isinstance(block, Chart):
        return f"**{block.title}** {sparkline(block.values)}" if block.values else ""
    if isinstance(block, Figures):
        return "\n".join(map(_markdown_figure, block.figures))
    return _markdown_table(block)


def _markdown_figure(figure: Figure) -> str:
    pairs = (
        (figure.change, figure.compared_with),
        (figure.second_change, figure.second_compared_with),
    )
    changes = [f"{change_text(change)} {than}" for change, than in pairs if than]
    value = for_people(figure.value, figure.kind)
    return f"- **{figure.label}** {value}" + (f" ({', '.join(changes)})" if changes else "")


def _markdown_table(table: Table) -> str:
    heads = [_escaped(column.heading) for column in table.columns]
    rules = ["---:" if column.kind in RIGHT_KINDS else "---" for column in table.columns]
    lines = [f"## {table.title}\n"] if table.title else []
    lines += [f"| {' | '.join(heads)} |", f"| {' | '.join(rules)} |"]
    kinds = [column.kind for column in table.columns]
    for row in table.rows:
        cells = [_escaped(for_people(cell, kind)) for cell, kind in zip(row, kinds, strict=True)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + (f"\n\n{table.note}" if table.note else "")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
