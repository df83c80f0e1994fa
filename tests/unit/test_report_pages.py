"""What the page template is filled with, and long lines on a terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from kpay.domain.document import Chart, Column, Document, Figure, Figures, Table, Text
from kpay.domain.money import Money
from kpay.presentation.charts import chart_lines
from kpay.presentation.frames import Frame
from kpay.presentation.pages import page_values
from kpay.presentation.terminal import table_within


def block_of(block: Chart | Figures | Table | Text) -> dict[str, object]:
    (part,) = page_values(Document("kpay.test/1", "Title", (block,)))["parts"]
    return part["blocks"][0]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ((3.0, 37_230.0), ["40,000", "30,000", "20,000", "10,000", "0"]),
        ((0.2, 0.93), ["1", "0.8", "0.6", "0.4", "0.2", "0"]),
        ((-40.0, 100.0), ["100", "50", "0", "-50"]),
        ((-7.0, -3.0), ["0", "-2", "-4", "-6", "-8"]),
        ((0.0, 0.0), ["1", "0"]),
        ((), ["1", "0"]),
    ],
)
def test_an_axis_has_round_ticks_and_holds_zero(
    values: tuple[float, ...], ticks: list[str]
) -> None:
    made = Frame.over(values).values("")
    assert [tick["text"] for tick in made["scale"]] == ticks
    assert (made["scale"][0]["y"], made["scale"][-1]["y"]) == (0.0, 300.0)


def test_bars_stand_on_zero_and_hang_below_it() -> None:
    chart = block_of(Chart("Net", ("a", "b"), (50.0, -50.0), style="bars", unit="USD"))
    up, down = chart["bars"]  # type: ignore[misc]
    assert chart["zero"] == 150.0
    assert (up["y"], up["height"]) == (25.0, 125.0)
    assert (down["y"], down["height"]) == (150.0, 125.0)
    assert up["text"] == "a: 50.00 USD"


def test_a_band_goes_forth_above_and_back_below_the_line() -> None:
    chart = block_of(Chart("F", ("a", "b"), (5.0, 5.0), low=(0.0, 2.5), high=(10.0, 10.0)))
    assert chart["lines"] == [{"tone": "past", "points": "0,150 1000,150"}]
    assert chart["bands"] == ["0,0 1000,0 1000,225 0,300"]


def test_many_labels_are_thinned_but_keep_both_ends() -> None:
    labels = tuple(f"2026-01-{day:02}" for day in range(1, 31))
    chart = block_of(Chart("D", labels, (1.0,) * 30))
    shown = [(label["text"][-2:], label["is_main"]) for label in chart["labels"]]  # type: ignore[attr-defined]
    assert shown == [("01", True), ("08", False), ("15", True), ("23", False), ("30", True)]


def test_the_months_of_a_year_are_all_named_and_three_of_them_on_a_phone() -> None:
    labels = tuple(f"2026-{month:02}" for month in range(1, 13))
    chart = block_of(Chart("D", labels, (1.0,) * 12, style="bars"))
    assert [label["text"] for label in chart["labels"]] == list(labels)  # type: ignore[attr-defined]
    main = [label["text"] for label in chart["labels"] if label["is_main"]]  # type: ignore[attr-defined]
    assert main == ["2026-01", "2026-05", "2026-09"]


def test_the_way_to_a_month_that_is_not_whole_is_dashed_and_its_bar_pale() -> None:
    chart = Chart("D", ("2026-01", "2026-02", "2026-03 (part)"), (1.0, 2.0, 1.0))
    assert block_of(chart)["lines"] == [
        {"tone": "past", "points": "0,150 500,0"},
        {"tone": "past part", "points": "500,0 1000,150"},
    ]
    bars = block_of(replace(chart, style="bars"))["bars"]
    assert [bar["is_part"] for bar in bars] == [False, False, True]  # type: ignore[attr-defined]


def test_few_bars_do_not_fill_the_page() -> None:
    (bar,) = block_of(Chart("D", ("2026",), (1.0,), style="bars"))["bars"]  # type: ignore[misc]
    assert (bar["x"], bar["width"]) == (445.0, 110.0)


def test_a_month_that_is_not_over_is_named_at_the_end_of_standing_bars() -> None:
    labels = (*(f"2026-{month:02}" for month in range(1, 7)), "2026-07 so far")
    chart = block_of(Chart("D", labels, (1.0,) * 7, style="bars"))
    assert chart["kind"] == "chart"
    shown = [(label["text"], label["side"]) for label in chart["labels"]]  # type: ignore[attr-defined]
    assert shown[-2:] == [("2026-05", ""), ("2026-07 so far", "end")]


def test_a_label_stands_below_the_middle_of_its_bar() -> None:
    chart = block_of(Chart("D", ("a", "b"), (1.0, 2.0), style="bars"))
    assert [label["at"] for label in chart["labels"]] == [25, 75]  # type: ignore[attr-defined]


def test_bars_with_long_names_lie_between_name_and_value() -> None:
    made = block_of(Chart("Net", ("A letter about bread", "b"), (60.0, -20.0), style="bars"))
    up, down = made["rows"]  # type: ignore[misc]
    assert (up["text"], up["tone"], up["left"], up["width"]) == ("60", "up", 25.0, 75.0)
    assert (down["text"], down["tone"], down["left"], down["width"]) == ("-20", "down", 0.0, 25.0)


def test_bars_have_the_range_of_each_through_their_middle() -> None:
    chart = Chart("D", ("a", "b"), (2.0, 4.0), (1.0, 2.0), (3.0, 8.0), "bars")
    made = block_of(chart)
    assert made["bands"] == []
    assert [each["x"] for each in made["ranges"]] == [250.0, 750.0]  # type: ignore[attr-defined]
    assert [name for _, name in made["legend"]] == ["D", "range"]  # type: ignore[attr-defined]
    lying = block_of(replace(chart, labels=("A long name", "b")))
    assert [(row["text"], row["ends"]) for row in lying["rows"]] == [  # type: ignore[attr-defined]
        ("2 (1 to 3)", [12.5, 37.5]),
        ("4 (2 to 8)", [25.0, 100.0]),
    ]


def test_cells_read_as_on_a_terminal() -> None:
    table = Table(
        (Column("What"), Column("Paid", "money"), Column("Share", "share")),
        (("tea", Money(-123456, "eur"), None),),
    )
    made = block_of(table)
    assert [row["cells"] for row in made["rows"]] == [["tea", "-€1,234.56", "–"]]  # type: ignore[attr-defined]
    assert [column["side"] for column in made["columns"]] == ["left short", "right", "right"]  # type: ignore[attr-defined]


def test_the_sums_of_a_table_stand_out_and_long_words_may_be_folded() -> None:
    rows = (("a piece with a long title", 1), ("Together", 1))
    made = block_of(Table((Column("What"), Column("Sold", "count")), rows))
    assert [row["is_sum"] for row in made["rows"]] == [False, True]  # type: ignore[attr-defined]
    assert made["columns"][0]["side"] == "left"  # type: ignore[index]


def test_a_figure_carries_both_changes_and_its_line() -> None:
    figure = Figure("MRR", Money(900, "usd"), "money", 0.1, "vs May", (1.0, 3.0), -0.2, "vs 2025")
    (made,) = block_of(Figures((figure,)))["figures"]  # type: ignore[misc]
    assert [(each["text"], each["tone"]) for each in made["changes"]] == [
        ("+10.0%", "up"),
        ("-20.0%", "down"),
    ]
    assert made["spark"] == "0.0,22.0 100.0,0.0"


def test_a_long_line_stands_in_eight_rows_over_its_first_and_last_label() -> None:
    labels = tuple(f"2026-03-{day:02}" for day in range(1, 31))
    lines = chart_lines(Chart("Net", labels, tuple(float(day) for day in range(30))))
    assert len(lines) == 9
    assert lines[0].startswith("29 ")
    assert lines[0].rstrip().endswith("██")
    assert lines[-1].split() == ["2026-03-01", "2026-03-30"]
    assert all(len(line) <= 80 for line in lines)


def test_a_band_shades_what_lies_above_a_long_line() -> None:
    count = 90
    chart = Chart("F", ("a",) * count, (4.0,) * count, low=(2.0,) * count, high=(8.0,) * count)
    lines = chart_lines(chart)
    assert "░" in lines[0]
    assert "█" in lines[-2]
    assert "░" not in lines[-2]


def drawn(table: Table, width: int) -> list[str]:
    """A table as it is drawn on a terminal of so many columns."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, no_color=True)
    console.print(table_within(table, width), crop=False)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue())  # type: ignore[attr-defined]
    return [line.rstrip() for line in plain.splitlines()]


def wide_table() -> Table:
    columns = (Column("Month"), *(Column(f"Amount {n}", "money") for n in range(8)))
    row = ("2026-03", *(Money(12345678 * (n != 2), "usd") for n in range(8)))
    return Table(columns, (row,))


def test_a_table_too_wide_for_the_terminal_goes_on_below_and_cuts_no_figure() -> None:
    lines = drawn(wide_table(), 60)
    assert all(len(line) <= 60 for line in lines)
    assert "\n".join(lines).count("$123,456.78") == 7
    assert len([line for line in lines if line.startswith("2026-03")]) == 2
    assert lines[-1] == "All zero, so not shown here: Amount 2."


def test_a_table_that_fits_shows_every_column_in_one() -> None:
    lines = drawn(wide_table(), 140)
    assert "$0.00" in lines[-1]
    assert lines[-1].count("$123,456.78") == 7
