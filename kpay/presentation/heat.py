"""A heat map with characters: shaded cells where the terminal has colours, shade signs elsewhere."""

from __future__ import annotations

from rich.cells import cell_len
from rich.color import Color, ColorSystem
from rich.text import Text as Styled

from kpay.domain.document import HeatMap
from kpay.presentation.cells import for_people, harmless

SHADES = " ░▒▓█"
GAP = 1
PALE, DEEP = (227, 241, 242), (11, 92, 99)
BLACK, WHITE = "#000000", "#ffffff"
EVEN_LUMINANCE = 0.179  # here black and white are as easy to read (WCAG 2.2: both 4.58 to 1)


def heat_lines(block: HeatMap, width: int, system: ColorSystem | None = None) -> list[Styled]:
    """Return a heat map in lines; what does not fit goes on below, each row with its label.

    A cell that has not come yet stays empty. Without a `system` of many colours there are signs.
    """
    texts = [[_text(block, *place) for place in _places(block, row)] for row in _rows(block)]
    margin = max((cell_len(label) for label in block.row_labels), default=0)
    widths = [
        max((cell_len(heading), *(cell_len(row[column]) for row in texts))) + 2
        for column, heading in enumerate(block.column_labels)
    ]
    lines: list[Styled] = []
    for columns in _groups(widths, width - margin):
        lines += [Styled("")] if lines else []
        lines.append(_heads(block, columns, widths, margin))
        for row, label in enumerate(block.row_labels):
            if columns[0] and not any(texts[row][column] for column in columns):
                continue  # it has been shown above, and nothing of it has come here
            line = Styled(f"{harmless(label)}{' ' * (margin - cell_len(label))}")
            for column in columns:
                line.append(" " * GAP)
                value = block.values[row][column]
                line.append_text(_cell(texts[row][column], value, widths[column], system))
            lines.append(line)
    return lines


def _rows(block: HeatMap) -> range:
    return range(len(block.row_labels))


def _places(block: HeatMap, row: int) -> list[tuple[int, int]]:
    return [(row, column) for column in range(len(block.column_labels))]


def _text(block: HeatMap, row: int, column: int) -> str:
    cell = block.cells[row][column]
    is_there = cell is not None or block.values[row][column] is not None
    return for_people(cell, block.kind) if is_there else ""


def _groups(widths: list[int], room: int) -> list[list[int]]:
    groups: list[list[int]] = [[]]
    used = 0
    for column, width in enumerate(widths):
        if groups[-1] and used + width + GAP > room:
            groups.append([])
            used = 0
        groups[-1].append(column)
        used += width + GAP
    return groups


def _heads(block: HeatMap, columns: list[int], widths: list[int], margin: int) -> Styled:
    line = Styled(" " * margin, style="bold")
    for column in columns:
        heading = block.column_labels[column]
        line.append(" " * (GAP + widths[column] - 1 - cell_len(heading)) + heading + " ")
    return line


def _cell(text: str, value: float | None, width: int, system: ColorSystem | None) -> Styled:
    padded = " " * (width - 1 - cell_len(text)) + text + " "
    if value is None:
        return Styled(padded)
    if system:
        return Styled(padded, style=colours(value, system))
    return Styled(shade(value) + padded[1:])


def shade(value: float) -> str:
    """Return the sign for a value from 0 to 1."""
    return SHADES[round(min(1.0, max(0.0, value)) * (len(SHADES) - 1))]


def colours(value: float, system: ColorSystem = ColorSystem.TRUECOLOR) -> str:
    """Return a style: from pale to deep, with the ink that is easier to read on it."""
    share = min(1.0, max(0.0, value))
    parts = (round(low + share * (high - low)) for low, high in zip(PALE, DEEP, strict=True))
    ground = Color.from_rgb(*parts).downgrade(system).get_truecolor()
    ink = WHITE if luminance(*ground) < EVEN_LUMINANCE else BLACK
    return f"{ink} on {ground.hex}"


def luminance(red: int, green: int, blue: int) -> float:
    """Return how light a colour is, from 0 to 1 (WCAG 2.2, relative luminance)."""

    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
