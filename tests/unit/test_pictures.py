"""Heat maps, waterfalls, fans and calibrations, in characters and as points of a drawing."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.color import ColorSystem

from kpay.domain.document import (
    Band,
    Block,
    Calibration,
    Chart,
    Document,
    Fan,
    Heading,
    HeatMap,
    Step,
    Text,
    Waterfall,
)
from kpay.domain.enums import OutputFormat
from kpay.presentation.charts import chart_lines
from kpay.presentation.heat import BLACK, WHITE, colours, luminance, shade
from kpay.presentation.output import as_text
from kpay.presentation.pages import page_values
from kpay.presentation.signs import within, written_in
from kpay.presentation.terminal import print_document
from kpay.presentation.text_pictures import calibration_lines, fan_lines, waterfall_lines

HEAT = HeatMap(
    "Who stayed",
    ("2026-01", "2026-02"),
    ("0", "1", "2"),
    ((1.0, 0.5, 0.25), (1.0, 0.0, None)),
    ((1.0, 0.5, 0.25), (1.0, 0.0, None)),
    note="Months since.",
)
STEPS = (
    Step("Start", 100.0, is_level=True),
    Step("New", 50.0),
    Step("Churn", -30.5),
    Step("End", 119.5, is_level=True),
)
WATERFALL = Waterfall("MRR", STEPS, "USD")
FAN = Fan(
    "Net",
    ("d1", "d2"),
    (100.0, 200.0),
    ("d3", "d4"),
    (150.0, 160.0),
    (Band(95, (50.0, 40.0), (250.0, 280.0)), Band(80, (100.0, 90.0), (200.0, 230.0))),
    "USD",
)
CALIBRATION = Calibration(
    "Came", (0.8, 0.95), (0.75, None), (40, 0), "Note.", (0.6, None), (0.86, None)
)
PICTURES = (HEAT, WATERFALL, FAN, CALIBRATION)


def said(*blocks: Block, fmt: OutputFormat = OutputFormat.TABLE) -> str:
    return as_text(Document("kpay.test/1", "Title", blocks), fmt)


def drawn(block: Block) -> dict[str, object]:
    (part,) = page_values(Document("kpay.test/1", "Title", (block,)))["parts"]
    return part["blocks"][0]  # type: ignore[no-any-return]


def test_a_heat_map_in_a_pipe_has_figures_and_signs_of_shade() -> None:
    lines = said(HEAT).splitlines()
    assert "2026-01 █100.0%  ▒50.0%  ░25.0%" in lines
    assert "2026-02 █100.0%    0.0%" in lines
    assert lines[-1] == "Months since."


def test_a_heat_map_on_a_coloured_terminal_goes_on_below_and_is_readable(monkeypatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    screen = Terminal()
    print_document(Document("kpay.test/1", "T", (HEAT,)), screen)
    assert "\x1b[38;2;255;255;255;48;2;11;92;99m" in screen.getvalue()
    plain = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
    assert all(cell_len(line.rstrip()) <= 30 for line in plain.splitlines())
    assert (plain.count("2026-01"), plain.count("2026-02")) == (2, 1)
    assert "25.0%" in plain


@pytest.mark.parametrize("value", [step / 20 for step in range(21)])
@pytest.mark.parametrize("system", [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT])
def test_the_ink_of_a_shaded_cell_stands_out_from_it(value: float, system: ColorSystem) -> None:
    ink, ground = colours(value, system).split(" on ")
    parts = [tuple(int(text[at : at + 2], 16) for at in (1, 3, 5)) for text in (ink, ground)]
    dark, light = sorted(luminance(*part) for part in parts)
    assert ink in (BLACK, WHITE)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_shades_grow_with_the_value() -> None:
    assert [shade(value) for value in (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)] == [*" ░▒▓██"]


def test_a_change_floats_from_where_the_one_before_ended() -> None:
    start, new, churn, end = waterfall_lines(WATERFALL)
    assert new.index("▓") == start.rindex("█") + 1
    assert churn.rindex("░") == new.rindex("▓")
    assert end.rindex("█") + 1 == churn.index("░")
    assert [line.split()[-1] for line in (start, new, churn, end)] == [
        "100.00",
        "+50.00",
        "-30.50",
        "119.50",
    ]


def test_a_waterfall_on_a_page_spans_the_width_from_lowest_to_highest() -> None:
    rows = drawn(WATERFALL)["rows"]
    assert [(row["tone"], row["left"], row["width"]) for row in rows] == [  # type: ignore[attr-defined]
        ("level", 0.0, 66.67),
        ("up", 66.67, 33.33),
        ("down", 79.67, 20.33),
        ("level", 0.0, 79.67),
    ]


def test_whole_steps_are_told_without_cents() -> None:
    whole = replace(WATERFALL, steps=(Step("Start", 1000.0, is_level=True), Step("New", 5.0)))
    assert [line.split()[-1] for line in waterfall_lines(whole)] == ["1,000", "+5"]


def test_a_fan_is_solid_in_the_past_and_shaded_ahead() -> None:
    lines = fan_lines(FAN)
    past, ahead = zip(*(line[8:].ljust(5).split("│") for line in lines[:8]), strict=True)
    assert "▓" not in "".join(past)
    assert "█" not in "".join(ahead)
    assert ahead[0].strip() == "░"
    assert ahead[-1].startswith("▓▓")
    assert lines[0].startswith("280 USD")
    assert lines[8].split() == ["d1", "d4"]
    assert "95 % range" in lines[9]


def test_a_fan_on_a_page_begins_where_the_past_ends() -> None:
    made = drawn(FAN)
    past, ahead = made["lines"]  # type: ignore[misc]
    assert past["points"].split()[-1] == ahead["points"].split()[0]  # type: ignore[index]
    assert [name for _, name in made["legend"]] == [  # type: ignore[attr-defined]
        "past",
        "expected (mean)",
        "95 % range",
        "80 % range",
    ]
    assert made["words"] == (
        "Past d1 to d2, last 200 USD. Expected d3 to d4: at the end 160 USD, 95 % range 40 to 280."
    )


def test_a_fan_as_rows_holds_past_mean_and_ranges() -> None:
    rows = list(csv.reader(io.StringIO(said(FAN, fmt=OutputFormat.CSV))))
    assert rows[0] == [
        "When",
        "Past (USD)",
        "Expected (USD)",
        "Low 80 % (USD)",
        "High 80 % (USD)",
        "Low 95 % (USD)",
        "High 95 % (USD)",
    ]
    assert rows[2] == ["d2", "200.0", "", "", "", "", ""]
    assert rows[3] == ["d3", "", "150.0", "100.0", "200.0", "50.0", "250.0"]


def test_a_long_fan_fits_the_terminal() -> None:
    days = tuple(f"2026-{n:03}" for n in range(300))
    band = Band(80, (1.0,) * 90, (9.0,) * 90)
    fan = Fan("N", days, (5.0,) * 300, days[:90], (5.0,) * 90, (band,))
    assert max(map(len, fan_lines(fan, 60)[:9])) <= 60


def test_a_short_past_keeps_a_column_beside_years_ahead() -> None:
    days = tuple(map(str, range(1095)))
    fan = Fan("N", ("a", "b"), (5.0, 5.0), days, (5.0,) * 1095, (), "USD")
    assert all(line[9:].startswith("█│▓▓▓") for line in fan_lines(fan, 60)[2:8])


def test_a_day_far_above_all_others_is_cut_and_told() -> None:
    past = (*(10.0 for _ in range(30)), 900.0)
    fan = replace(FAN, past_labels=("d",) * 31, past=past, mean=(10.0, 10.0))
    fan = replace(fan, bands=(Band(80, (5.0, 5.0), (20.0, 20.0)),))
    lines = fan_lines(fan)
    assert lines[0].startswith("20 USD")
    assert lines[0].index("▲") == lines[0].index("│") - 1
    assert lines[7].count("█") == 31
    assert lines[-1].endswith("▲ to 900 USD")


def test_a_calibration_marks_where_each_stated_share_should_be() -> None:
    came, due = calibration_lines(CALIBRATION)
    assert came.startswith("80.0%")
    assert came.index("│") - len("80.0%  ") == 32
    assert came.endswith("75.0% of 40  (60.0% to 86.0%)")
    assert due.endswith("– of 0  (– to –)")
    made = drawn(CALIBRATION)
    assert len(made["dots"]) == 1  # type: ignore[arg-type]
    assert [line["tone"] for line in made["lines"]] == ["chance", "ours"]  # type: ignore[attr-defined]


def test_every_picture_is_rows_in_markdown() -> None:
    text = said(*PICTURES, fmt=OutputFormat.MD)
    assert "| 2026-01 | 100.0% | 50.0% | 25.0% |" in text
    assert "| 2026-02 | 100.0% | 0.0% |  |" in text
    assert "| Churn | -30.50 |" in text
    assert "| d4 | – | 160 | 90 | 230 | 40 | 280 |" in text
    assert "| 80.0% | 75.0% | 60.0% | 86.0% | 40 |" in text


def test_headings_part_a_document_and_are_told_in_every_format() -> None:
    blocks = (Heading("One", "of two"), Text("first"), Heading("One"), WATERFALL)
    parts = page_values(Document("kpay.test/1", "T", blocks))["parts"]
    assert [(part["title"], part["anchor"]) for part in parts] == [("One", "one"), ("One", "one-2")]
    assert said(*blocks, fmt=OutputFormat.CSV).startswith("One\n\nOne\n\nStep,Amount (USD)\n")
    assert "## One\n\nof two\n\nfirst\n\n## One\n\n### MRR" in said(*blocks, fmt=OutputFormat.MD)
    assert said(*blocks).count("═" * 48) == 2


def test_bars_below_zero_lie_on_its_other_side() -> None:
    up, down = chart_lines(Chart("Net", ("a", "b"), (30.0, -10.0), style="bars"))
    assert up.index("█") > down.index("░")
    assert down.count("░") == 10


def test_columns_below_zero_hang_in_shade() -> None:
    values = (-50.0, *(100.0 for _ in range(19)))
    lines = chart_lines(Chart("Net", tuple("x" * 20), values))
    assert len(lines) == 9
    assert [line.split()[0] for line in (lines[0], lines[7])] == ["100", "-50"]
    assert "░░" in lines[6]
    assert "█" not in lines[6]
    assert "░" not in lines[0]


def test_what_an_encoding_cannot_show_is_told_in_plain_signs() -> None:
    assert within("ascii", "▁█ – €5 面") == "_# - EUR 5 ?"
    assert within("cp1252", "█ – €5") == "# – €5"
    assert written_in("ascii", '{"a":"面🍞"}\n', OutputFormat.JSON) == (
        '{"a": "\\u9762\\ud83c\\udf5e"}\n'
    )
    assert written_in("ascii", "<p>面</p>", OutputFormat.HTML) == "<p>&#38754;</p>"
    assert written_in("utf-8", "面█", OutputFormat.TABLE) == "面█"


def test_a_terminal_of_another_encoding_shows_pictures_in_plain_signs(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    class OldTerminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    raw = io.BytesIO()
    screen = OldTerminal(raw, encoding="ascii")
    print_document(Document("kpay.test/1", "T", (*PICTURES, Text("李雷"))), screen)
    screen.flush()
    shown = raw.getvalue().decode("ascii")
    assert "100.0%" in shown
    assert "??" in shown
