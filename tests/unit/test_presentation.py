from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, date, datetime

import pytest

from kpay.domain.document import Chart, Column, Document, Figure, Figures, Table, Text
from kpay.domain.enums import OutputFormat
from kpay.domain.money import Money
from kpay.presentation.cells import change_text, for_people, sparkline, without_formula
from kpay.presentation.charts import chart_lines
from kpay.presentation.output import as_text
from kpay.presentation.pages import change_tone
from kpay.presentation.terminal import print_document

WIDE = "x" * 300
TABLE = Table(
    (
        Column("content"),
        Column("sold", "count"),
        Column("gross", "money"),
        Column("share", "share"),
    ),
    (
        ("面包与盐", 12, Money(123_456, "usd"), 0.25),
        (WIDE, 3, Money(-500, "jpy"), None),
        ("=SUM(A1)", 1, None, 0.5),
    ),
    title="Top",
)
DOCUMENT = Document(
    "kpay.test/1",
    "A title",
    (
        Figures((Figure("gross", Money(100, "usd"), "money", 0.5, "last month", (1.0, 3.0, 2.0)),)),
        TABLE,
        Chart("Days", ("一月", "Feb"), (10.0, 20.0), (5.0, 15.0), (15.0, 25.0)),
        Text("In plain words."),
    ),
    {"amount_minor": 123_456, "missing": None},
    next_steps=("kpay sync",),
)


def test_a_piped_table_is_never_cut_and_lines_up_in_any_script() -> None:
    from rich.cells import cell_len

    lines = as_text(DOCUMENT, OutputFormat.TABLE).splitlines()
    assert any(WIDE in line for line in lines)
    ends = {
        cell_len(line[: line.index(text)])
        for line in lines
        for text in ("$1,234.56",)
        if text in line
    }
    short = next(line for line in lines if "-¥500" in line)
    assert ends == {cell_len(short[: short.index("-¥500")]) - len("$1,234.56") + len("-¥500")}


def test_json_is_one_object_with_its_schema_and_null_for_the_undefined() -> None:
    assert json.loads(as_text(DOCUMENT, OutputFormat.JSON)) == {
        "schema": "kpay.test/1",
        "amount_minor": 123_456,
        "missing": None,
    }


def test_a_number_that_is_not_finite_never_reaches_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_text(Document("kpay.test/1", "", payload={"x": float("nan")}), OutputFormat.JSON)


def test_csv_has_plain_numbers_and_no_formulas() -> None:
    written = as_text(DOCUMENT, OutputFormat.CSV)
    rows = list(csv.reader(io.StringIO(written.split("\n\n")[1])))
    assert rows[0] == ["content", "sold", "gross", "share"]
    assert rows[1] == ["面包与盐", "12", "1234.56", "0.25"]
    assert rows[2][1:] == ["3", "-500", ""]
    assert rows[3][0] == "'=SUM(A1)"


def test_markdown_escapes_pipes() -> None:
    table = Table((Column("a|b"),), (("c|d",),))
    text = as_text(Document("kpay.test/1", "T", (table,)), OutputFormat.MD)
    assert "| a\\|b |" in text
    assert "| c\\|d |" in text


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", " =1", "\ufeff=1"])
def test_what_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    assert without_formula(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a=1", "Ana", "面"])
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert without_formula(text) == text


def test_cells_for_people() -> None:
    assert for_people(None) == "–"
    assert for_people(1_234_567) == "1,234,567"
    assert for_people(0.1234, "share") == "12.3%"
    assert for_people(date(2026, 1, 2)) == "2026-01-02"
    assert for_people(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02 03:04:05 UTC"
    assert for_people(True) == "yes"


def test_a_sparkline_has_one_bar_a_value() -> None:
    assert sparkline((0.0, 5.0, 10.0)) == "▁▅█"
    assert sparkline((4.0, 4.0)) == "▄▄"
    assert sparkline(()) == ""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_a_terminal(document: Document, width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    screen = Terminal()
    print_document(document, screen)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
    return [line.rstrip() for line in plain.splitlines()]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_figures_and_charts_are_never_wider_than_the_terminal(width: int, monkeypatch) -> None:
    figures = Figures(
        tuple(
            Figure(label, 1_234_567, change=0.5, compared_with="vs 30 days before",
                   second_change=0.1, second_compared_with="vs year before", line=(1.0, 2.0) * 16)
            for label in ("Net revenue", "Mailing list")
        )
    )  # fmt: skip
    days = tuple(f"2026-06-{day:02}" for day in range(1, 31))
    values = tuple(float(day) for day in range(30))
    charts = (
        Chart("standing", days, values, unit="USD"),
        Chart("lying", days[:3], values[:3], values[:3], values[7:10], "bars", "USD"),
    )
    lines = on_a_terminal(Document("kpay.x/1", "Title", (figures, *charts)), width, monkeypatch)
    assert max(map(len, lines)) <= max(width, 48)
    shown = "\n".join(lines)
    assert "…" not in shown
    assert "1,234,567" in shown
    assert ("vs year before" in shown) == (width >= 60)


def test_a_word_such_as_an_address_is_not_broken(monkeypatch) -> None:
    said = "a sentence of many words that may be folded"
    rows = tuple((f"2026-06-01 number {n}", said, "somebody.with.a@example.com") for n in range(2))
    table = Table((Column("when"), Column("what"), Column("email")), rows)
    lines = on_a_terminal(Document("kpay.x/1", "Title", (table,)), 70, monkeypatch)
    assert sum("somebody.with.a@example.com" in line for line in lines) == 2


def test_numbers_behind_bars_stand_below_each_other() -> None:
    lines = chart_lines(Chart("Net", ("a", "b"), (8.0, 1017.0), style="bars"))
    assert {len(line) for line in lines} == {len(lines[0])}
    assert [line.split()[-1] for line in lines] == ["8", "1,017"]


def test_a_change_too_small_to_be_written_is_neither_up_nor_down() -> None:
    assert change_text(-0.0004) == change_text(0.0) == "0.0%"
    assert change_tone(-0.0004) == "none"
    assert change_text(-0.002) == "-0.2%"


def test_a_name_cannot_steer_the_terminal() -> None:
    name = "Bob\x1b[31m\x07\u202e"
    page = Document(
        "kpay.x/1",
        f"What {name} bought",
        (Table((Column("name"),), ((name,), ("李\u200d雷 🍞",))), Text(name)),
        subtitle=name,
        next_steps=(f"kpay customer show {name}",),
    )
    out = io.StringIO()
    print_document(page, out)
    assert not set("\x1b\x07\u202e") & set(out.getvalue())
    assert "李\u200d雷 🍞" in out.getvalue()
