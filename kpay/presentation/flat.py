"""Figures and pictures as tables, for formats that know nothing but rows."""

from __future__ import annotations

from kpay.domain.document import (
    Calibration,
    Cell,
    Column,
    Fan,
    Figures,
    HeatMap,
    Table,
    Waterfall,
)

Flat = Table | Figures | HeatMap | Waterfall | Fan | Calibration
"""The blocks that have rows; a Chart draws figures that a table beside it holds."""


def flat(block: Flat) -> Table:
    """Return the rows of a block."""
    if isinstance(block, Figures):
        return _figures(block)
    if isinstance(block, HeatMap):
        return _heat_map(block)
    if isinstance(block, Waterfall):
        return _waterfall(block)
    if isinstance(block, Fan):
        return _fan(block)
    return _calibration(block) if isinstance(block, Calibration) else block


def _figures(block: Figures) -> Table:
    columns = [Column("figure"), Column("value"), Column("change"), Column("compared with")]
    rows = [(item.label, item.value, item.change, item.compared_with) for item in block.figures]
    if not any(item.second_compared_with for item in block.figures):
        return Table(tuple(columns), tuple(rows))
    columns += [Column("second change"), Column("second compared with")]
    second = [(item.second_change, item.second_compared_with) for item in block.figures]
    both = tuple((*first, *other) for first, other in zip(rows, second, strict=True))
    return Table(tuple(columns), both)


def _heat_map(block: HeatMap) -> Table:
    columns = (Column(""), *(Column(label, block.kind) for label in block.column_labels))
    rows = tuple(
        (label, *(_or_empty(value, cell) for value, cell in zip(values, cells, strict=True)))
        for label, values, cells in zip(block.row_labels, block.values, block.cells, strict=True)
    )
    return Table(columns, rows, block.title, block.note)


def _or_empty(value: float | None, cell: Cell) -> Cell:
    """Return a cell, or nothing to read where it has not come yet."""
    return "" if value is None and cell is None else cell


def _waterfall(block: Waterfall) -> Table:
    heading = f"Amount ({block.unit})" if block.unit else "Amount"
    rows = tuple((step.label, step.value) for step in block.steps)
    return Table((Column("Step"), Column(heading, "number")), rows, block.title)


def _fan(block: Fan) -> Table:
    unit = f" ({block.unit})" if block.unit else ""
    bands = sorted(block.bands, key=lambda band: band.level)
    columns = (
        Column("When"),
        Column(f"Past{unit}", "number"),
        Column(f"Expected{unit}", "number"),
        *(
            Column(f"{end} {band.level} %{unit}", "number")
            for band in bands
            for end in ("Low", "High")
        ),
    )
    nothing: tuple[Cell, ...] = (None,) * (2 * len(bands))
    past: list[tuple[Cell, ...]] = [
        (label, value, None, *nothing)
        for label, value in zip(block.past_labels, block.past, strict=True)
    ]
    ahead: list[tuple[Cell, ...]] = [
        (label, None, mean, *(end[at] for band in bands for end in (band.low, band.high)))
        for at, (label, mean) in enumerate(zip(block.labels, block.mean, strict=True))
    ]
    return Table(columns, (*past, *ahead), block.title)


def _calibration(block: Calibration) -> Table:
    columns = [Column("Stated", "share"), Column("Came true", "share")]
    parts: list[tuple[Cell, ...]] = [block.stated, block.came]
    if block.low and block.high:
        columns += [Column("Low", "share"), Column("High", "share")]
        parts += [block.low, block.high]
    columns.append(Column("Of how many", "count"))
    rows = tuple(zip(*parts, block.counts, strict=True))
    return Table(tuple(columns), rows, block.title, block.note)
