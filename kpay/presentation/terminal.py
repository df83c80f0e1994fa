"""A Document as text: on a terminal with colour and its width, in a pipe plain and never cut."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable
from typing import IO

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text as Styled

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
from kpay.domain.money import Money
from kpay.presentation.cells import (
    RIGHT_KINDS,
    change_text,
    for_people,
    harmless,
    is_felt,
    sparkline,
)
from kpay.presentation.charts import chart_lines
from kpay.presentation.heat import heat_lines
from kpay.presentation.signs import within
from kpay.presentation.text_pictures import calibration_lines, fan_lines, waterfall_lines

PIPE_WIDTH = 100_000
SPARK_WIDTH = 16
TEXT_WIDTH = 24  # a text column is folded at its words before another one has to go below
WORD_WIDTH = 40  # a longer word is broken
GAP, EDGE = 2, 1  # columns between columns, and after the last one
HEADING_WIDTH = 48
SHADING = {"256": ColorSystem.EIGHT_BIT, "truecolor": ColorSystem.TRUECOLOR}
"""The colours of a terminal that suffice for the cells of a heat map."""
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
    encoding = getattr(stream, "encoding", None)
    if stream.isatty():
        console = console_for(stream)
        system = None if console.no_color else SHADING.get(console.color_system or "")
        with console.capture() as drawn:
            console.print(_page(document, console.width, system), crop=False)
        stream.write(within(encoding, drawn.get()))
        return
    buffer = io.StringIO()
    console_for(buffer).print(_page(document, PIPE_WIDTH, None))
    lines = (line.rstrip() for line in buffer.getvalue().splitlines())
    stream.write(within(encoding, "\n".join(lines) + "\n"))


def _page(document: Document, width: int, system: ColorSystem | None) -> Group:
    parts: list[RenderableType] = [Styled(harmless(document.title), style="bold")]
    if document.subtitle:
        parts.append(Styled(harmless(document.subtitle), style="dim"))
    for block in document.blocks:
        parts += ["", _block(block, width, system)]
    if document.next_steps:
        parts.append("")
        parts += [
            Styled.assemble(("next: ", "dim"), (harmless(step), ACCENT))
            for step in document.next_steps
        ]
    return Group(*parts)


def _block(block: Block, width: int, system: ColorSystem | None) -> RenderableType:
    if isinstance(block, Text):
        return Styled(harmless(block.text), style=TONES[block.tone])
    if isinstance(block, Heading):
        return _heading(block, width)
    if isinstance(block, Figures):
        return _figures(block, width)
    if isinstance(block, Table):
        return table_within(block, width)
    return _picture(block, width, system)


def _heading(block: Heading, width: int) -> RenderableType:
    title = harmless(block.title)
    line = "═" * min(width, max(cell_len(title), HEADING_WIDTH))
    parts = [Styled(""), Styled(title, style="bold"), Styled(line, style=ACCENT)]
    if block.subtitle:
        parts.append(Styled(harmless(block.subtitle), style="dim"))
    return Group(*parts)


def _picture(
    block: Chart | HeatMap | Waterfall | Fan | Calibration, width: int, system: ColorSystem | None
) -> RenderableType:
    lines: list[Styled]
    if isinstance(block, HeatMap):
        lines = heat_lines(block, width, system)
    else:
        lines = [Styled(harmless(line)) for line in _drawn(block, width)]
    unit = f" ({block.unit})" if isinstance(block, Waterfall) and block.unit else ""
    note = block.note if isinstance(block, HeatMap | Calibration) else ""
    below = [Styled(harmless(note), style="dim")] if note else []
    return Group(Styled(harmless(block.title) + unit, style="bold"), *lines, *below)


def _drawn(block: Chart | Waterfall | Fan | Calibration, width: int) -> list[str]:
    if isinstance(block, Waterfall):
        return waterfall_lines(block, width)
    if isinstance(block, Fan):
        return fan_lines(block, width)
    return calibration_lines(block) if isinstance(block, Calibration) else chart_lines(block, width)


def _figures(block: Figures, width: int) -> RenderableType:
    heads = [_shared(item.compared_with for item in block.figures)]
    heads.append(_shared(item.second_compared_with for item in block.figures))
    rows = [[Styled(text, style="dim") for text in ("", "", *heads, "")]] if any(heads) else []
    rows += [_figure(item) for item in block.figures]
    grid = Grid.grid(padding=(0, GAP, 0, 0))
    shown = _that_fit(rows, width)
    for column in shown:
        grid.add_column(justify="right" if column in (1, 2, 3) else "left", no_wrap=True)
    for row in rows:
        grid.add_row(*(row[column] for column in shown))
    return Group(Styled(block.title, style="bold"), grid) if block.title else grid


def _figure(item: Figure) -> list[Styled]:
    return [
        Styled(item.label, style="dim"),
        Styled(for_people(item.value, item.kind), style="bold"),
        _change(item.change, item.compared_with),
        _change(item.second_change, item.second_compared_with),
        Styled(sparkline(item.line, SPARK_WIDTH), style=ACCENT),
    ]


def _that_fit(rows: list[list[Styled]], width: int) -> list[int]:
    """Return the columns that fit side by side: labels and values, then changes, lines last."""
    shown: list[int] = []
    used = 0
    for column in range(5):
        used += max(row[column].cell_len for row in rows) + GAP
        if used <= width or column < 2:
            shown.append(column)
    return shown


def _shared(compared_with: Iterable[str]) -> str:
    """Return what all compared figures are compared with: it heads their column."""
    return ", ".join(dict.fromkeys(filter(None, compared_with)))


def _change(change: float | None, compared_with: str) -> Styled:
    style = "dim" if not change or not is_felt(change) else "green" if change > 0 else "red"
    return Styled(change_text(change) if compared_with else "", style=style)


def table_within(block: Table, width: int) -> RenderableType:
    """Draw a table, or where it is too wide for the terminal its columns in turn, never cut."""
    parts: list[RenderableType] = [Styled(block.title, style="bold")] if block.title else []
    widths = [_least_width(block, index) for index in range(len(block.columns))]
    empty = _all_zero(block) if sum(widths) + GAP * len(widths) - EDGE > width else []
    shown = [index for index in range(len(widths)) if index not in empty]
    for index, columns in enumerate(_column_groups(shown, widths, width)):
        parts += [""] * (index > 0)
        parts.append(_grid(block, columns, width))
    left_out = ", ".join(block.columns[index].heading for index in empty)
    notes = [block.note, f"All zero, so not shown here: {left_out}." if left_out else ""]
    parts += [Padding(Styled(note, style="dim"), (0, 0)) for note in notes if note]
    return Group(*parts)


def _all_zero(block: Table) -> list[int]:
    """Return the columns of numbers that say nothing."""
    return [
        index
        for index, column in enumerate(block.columns)
        if index and column.kind in RIGHT_KINDS
        if not any(_amount(row[index]) for row in block.rows)
    ]


def _amount(cell: Cell) -> Cell:
    return cell.minor if isinstance(cell, Money) else cell


def _column_groups(shown: list[int], widths: list[int], width: int) -> list[list[int]]:
    """Share columns among as many tables as are needed; each begins with the first column."""
    groups, used = [shown[:1]], widths[0]
    for index in shown[1:]:
        if used + GAP + widths[index] + EDGE > width and len(groups[-1]) > 1:
            groups.append(shown[:1])
            used = widths[0]
        groups[-1].append(index)
        used += GAP + widths[index]
    return groups


def _least_width(block: Table, index: int) -> int:
    """Return how narrow a column may become: numbers and moments are never folded."""
    column = block.columns[index]
    words = [cell_len(word) for word in column.heading.split()]
    widest = max((_widest_cell(block, index), *words, 1))
    if column.kind != "text":
        return widest
    return min(widest, max(TEXT_WIDTH, min(WORD_WIDTH, _longest_word(block, index))))


def _longest_word(block: Table, index: int) -> int:
    cells = (for_people(row[index]) for row in block.rows)
    return max((cell_len(word) for cell in cells for word in cell.split()), default=0)


def _widest_cell(block: Table, index: int) -> int:
    kind = block.columns[index].kind
    return max((cell_len(for_people(row[index], kind)) for row in block.rows), default=0)


def _final_widths(block: Table, columns: list[int], width: int) -> list[int]:
    """Give every column its least width, then what is left over to those that could use it."""
    widths = [_least_width(block, index) for index in columns]
    left = width - EDGE - sum(widths) - GAP * (len(columns) - 1)
    for place, index in enumerate(columns):
        wished = max(_widest_cell(block, index), cell_len(block.columns[index].heading))
        more = max(0, min(left, wished - widths[place]))
        widths[place] += more
        left -= more
    return widths


def _grid(block: Table, columns: list[int], width: int) -> Grid:
    grid = Grid(
        box=SIMPLE_HEAD, header_style="bold", padding=(0, 1, 0, 0), pad_edge=False, show_edge=False
    )
    for index, fixed in zip(columns, _final_widths(block, columns, width), strict=True):
        column = block.columns[index]
        justify: JustifyMethod = "right" if column.kind in RIGHT_KINDS else "left"
        grid.add_column(column.heading, justify=justify, overflow="fold", width=fixed)
    for row in block.rows:
        cells = ((row[index], block.columns[index].kind) for index in columns)
        grid.add_row(*(Styled(for_people(cell, kind)) for cell, kind in cells))
    return grid
