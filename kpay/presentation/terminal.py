"""A Document as text: on a terminal with colour and its width, in a pipe plain and never cut."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable
from typing import IO

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text as Styled

from kpay.domain.document import Block, Chart, Document, Figures, Table, Text
from kpay.presentation.cells import RIGHT_KINDS, change_text, for_people, sparkline
from kpay.presentation.charts import chart_lines

PIPE_WIDTH = 100_000
SPARK_WIDTH = 24
ACCENT = "cyan"
TONES = {"plain": "", "good": "green", "warning": "yellow"}


def wants_colour(stream: IO[str]) -> bool:
    """Say whether a stream may be coloured: a terminal, no NO_COLOR, not a dumb one."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def console_for(stream: IO[str]) -> Console:
    """Return a rich console; outside a terminal it has no width to cut at."""
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(
        file=stream,
        width=width,
        no_color=not wants_colour(stream),
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=not stream.isatty(),
    )


def print_document(document: Document, stream: IO[str] | None = None) -> None:
    """Write a document to stdout (or a stream) as people read it."""
    stream = stream or sys.stdout
    if stream.isatty():
        console_for(stream).print(_page(document))
        return
    buffer = io.StringIO()
    console_for(buffer).print(_page(document))
    stream.write("\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n")


def _page(document: Document) -> Group:
    parts: list[RenderableType] = [Styled(document.title, style="bold")]
    if document.subtitle:
        parts.append(Styled(document.subtitle, style="dim"))
    for block in document.blocks:
        parts += ["", _block(block)]
    if document.next_steps:
        parts.append("")
        parts += [
            Styled.assemble(("next: ", "dim"), (step, ACCENT)) for step in document.next_steps
        ]
    return Group(*parts)


def _block(block: Block) -> RenderableType:
    if isinstance(block, Text):
        return Styled(block.text, style=TONES[block.tone])
    if isinstance(block, Chart):
        return Group(Styled(block.title, style="bold"), *map(Styled, chart_lines(block)))
    return _figures(block) if isinstance(block, Figures) else _table(block)


def _figures(block: Figures) -> RenderableType:
    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    for _ in range(3):
        grid.add_column(justify="right", no_wrap=True)
    grid.add_column(no_wrap=True)
    heads = [_shared(item.compared_with for item in block.figures)]
    heads.append(_shared(item.second_compared_with for item in block.figures))
    if any(heads):
        grid.add_row("", "", *(Styled(head, style="dim") for head in heads), "")
    for item in block.figures:
        grid.add_row(
            Styled(item.label, style="dim"),
            Styled(for_people(item.value, item.kind), style="bold"),
            _change(item.change, item.compared_with),
            _change(item.second_change, item.second_compared_with),
            Styled(sparkline(item.line, SPARK_WIDTH), style=ACCENT),
        )
    return Group(Styled(block.title, style="bold"), grid) if block.title else grid


def _shared(compared_with: Iterable[str]) -> str:
    """Return what all compared figures are compared with: it heads their column."""
    return ", ".join(dict.fromkeys(filter(None, compared_with)))


def _change(change: float | None, compared_with: str) -> Styled:
    style = "dim" if not change else "green" if change > 0 else "red"
    return Styled(change_text(change) if compared_with else "", style=style)


def _table(block: Table) -> RenderableType:
    grid = Grid(box=SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    for column in block.columns:
        justify: JustifyMethod = "right" if column.kind in RIGHT_KINDS else "left"
        grid.add_column(
            column.heading,
            justify=justify,
            overflow="fold",
            no_wrap=column.kind != "text",
        )
    kinds = [column.kind for column in block.columns]
    for row in block.rows:
        cells = zip(row, kinds, strict=True)
        grid.add_row(*(Styled(for_people(cell, kind)) for cell, kind in cells))
    parts: list[RenderableType] = []
    if block.title:
        parts.append(Styled(block.title, style="bold"))
    parts.append(grid)
    if block.note:
        parts.append(Padding(Styled(block.note, style="dim"), (0, 0)))
    return Group(*parts)
