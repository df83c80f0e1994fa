"""Every report read back from each of its formats: the same rows and the same figures."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.enums import ReportSection
from tests.conftest import run_kpay
from tests.fakes.filled_shop import fill_shop
from tests.fakes.read_back import (
    Page,
    Rows,
    is_same,
    numbers_of_json,
    rows_of_csv,
    rows_of_markdown,
    rows_of_terminal,
)

Run = Callable[..., Any]
Told = Callable[[str], str]
SECTIONS = [one for one in ReportSection if one.value not in ("all", "books")]
SPAN = ("--since", "2026-01-01", "--until", "2026-09-30", "--as-of", "2026-09-30")
FORMATS = ("html", "csv", "md", "json", "table")
MONEY = re.compile(r"-?[$€]([\d,]+)\.(\d\d)")
SHARE = re.compile(r"-?([\d,.]+)%")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A business in which every report finds something."""
    home = tmp_path_factory.mktemp("filled") / "business"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPAY_NOW", "2026-10-01T09:00:00Z")
        assert run_kpay("init", str(home)).exit_code == 0
        (home / "content" / "my-first-piece.md").unlink()
        (home / "kpay.db").unlink()
        fill_shop(run_kpay, home)
    return home


def report(shop: Path, section: str, fmt: str, now: str = "2026-10-01T09:00:00Z") -> str:
    result = run_kpay("report", section, *SPAN, "--format", fmt, home=shop, env={"KPAY_NOW": now})
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


@pytest.fixture(scope="module")
def told(shop: Path) -> Told:
    """The report of everything in a format, made once."""
    return cache(lambda fmt: report(shop, "all", fmt))


def first_missing(rows: Iterable[list[str]], longer: Rows) -> list[str] | None:
    """Return the first row that does not follow the others in a longer list."""
    rest = iter(longer)
    return next((row for row in rows if not any(row == other for other in rest)), None)


def seen(rows: Rows) -> Rows:
    """Return what can be seen of rows: the cells that are not empty."""
    shown = ([cell for cell in row if cell] for row in rows)
    return [row for row in shown if row]


def test_every_row_is_the_same_on_a_page_in_markdown_and_on_a_terminal(told: Told) -> None:
    rows = seen(Page.of(told("html")).rows)
    assert len(rows) > 100
    assert first_missing(rows, seen(rows_of_markdown(told("md")))) is None
    assert first_missing(rows, rows_of_terminal(told("table"))) is None


def test_every_row_of_a_page_is_in_the_csv_in_plain_digits(told: Told) -> None:
    plain = iter(rows_of_csv(told("csv")))
    for row in Page.of(told("html")).rows:
        is_step = len(row) == 3 and row[1] == ""  # its bar is drawn
        cells = [row[0], row[2]] if is_step else row
        assert any(
            len(other) == len(cells) and all(map(is_same, cells, other)) for other in plain
        ), cells


def test_every_figure_is_the_same_in_every_format(told: Told) -> None:
    figures = Page.of(told("html")).figures
    assert len(figures) > 20
    terminal = [row[:2] for row in rows_of_terminal(told("table"))]
    plain = rows_of_csv(told("csv"))
    for label, value in figures:
        assert [label, value] in terminal
        assert f"- **{label}** {value}" in told("md")
        assert any(row[0] == label and is_same(value, row[1]) for row in plain if len(row) > 1)


def test_amounts_and_shares_for_people_are_those_for_programs(told: Told) -> None:
    page = Page.of(told("html"))
    numbers = set(numbers_of_json(told("json")))
    shares = {f"{number:.1%}".removesuffix("%") for number in numbers}
    for row in (*page.rows, *page.figures):
        amounts = [match for cell in row if (match := MONEY.fullmatch(cell))]
        assert {each[0] for each in amounts if _minor(each) not in numbers} == set(), row
        found = [match for cell in row if (match := SHARE.fullmatch(cell))]
        assert {each[0] for each in found if each[1] not in shares} == set(), row


def _minor(amount: re.Match[str]) -> int:
    return int((amount[1] + amount[2]).replace(",", ""))


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_report_of_a_day_is_the_same_whenever_it_is_made(
    shop: Path, told: Told, fmt: str
) -> None:
    assert report(shop, "all", fmt, now="2027-11-01T09:00:00Z") == told(fmt)


def test_a_page_stands_alone_and_runs_nothing(told: Told) -> None:
    page = told("html")
    assert not re.findall(
        r"<script|<link|<img|<iframe|src=|url\(|@import|javascript:| on\w+=", page
    )
    assert set(re.findall(r'href="([^"#]*)', page)) == {""}
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_a_page_can_be_heard_and_walked(told: Told) -> None:
    page = told("html")
    assert (page.count("<h1"), page.count("<main"), page.count("<h2")) == (1, 1, len(SECTIONS))
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    named = re.findall(r'aria-labelledby="([^"]+)"', page)
    linked = re.findall(r'href="#([^"]+)"', page)
    assert set(linked) | set(" ".join(named).split()) <= set(ids)
    assert len(linked) == len(SECTIONS)
    assert all(
        'role="img"' in drawing or 'aria-hidden="true"' in drawing
        for drawing in re.findall(r"<svg[^>]*>", page)
    )
    assert page.count('role="img"') == page.count("<desc ")
    assert page.count("<table") == page.count("<caption")
    assert page.count("<th") == page.count("<th scope=") + page.count("<thead")


def test_the_report_of_everything_holds_each_section_as_it_is_alone(shop: Path, told: Told) -> None:
    answer = json.loads(told("json"))
    assert answer["schema"] == "kpay.report.all/1"
    assert sorted(answer["sections"]) == sorted(SECTIONS)
    assert list(answer["sections"])[:3] == ["summary", "revenue", "mrr"]
    for name, section in answer["sections"].items():
        assert section == json.loads(report(shop, name, "json"))
        assert section["as_of"] == answer["as_of"]


def test_sections_that_have_nothing_to_tell_say_so_in_a_line(kpay: Run, business: Path) -> None:
    shown = kpay("report", "all", "--format", "md", home=business)
    assert (shown.exit_code, shown.stderr) == (0, "")
    sections = dict(part.split("\n\n", 1) for part in shown.stdout.split("\n## ")[1:])
    assert len(sections) == len(SECTIONS)
    assert sections["Revenue"].strip() == "Nothing was sold in these days."
    page = kpay("report", "all", "--format", "html", home=business).stdout
    assert page.count('class="part brief"') >= 6


def test_without_days_everything_is_told_of_the_last_year(kpay: Run, shop: Path) -> None:
    answer = json.loads(kpay("report", "all", "--json", home=shop).stdout)
    assert answer["period"]["start"] == "2026-01-02T00:00:00Z"
    later = {"KPAY_NOW": "2027-05-20T09:00:00Z"}
    answer = json.loads(kpay("report", "all", "--json", home=shop, env=later).stdout)
    assert answer["period"]["start"] == "2026-05-01T00:00:00Z"
    assert {each["period"]["start"] for each in answer["sections"].values()} == {
        answer["period"]["start"]
    }
