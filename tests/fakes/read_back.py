"""Reads a report back from each of its formats: rows of cells, and figures with their labels."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from html.parser import HTMLParser
from typing import Any

Rows = list[list[str]]
SHADES = str.maketrans("█▓▒░▏▎▍▌▋▊▉", " " * 11)
NUMBER = re.compile(r"([-+]?)(\D{0,4}?)([\d,]+(?:\.\d+)?)(%?)")
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC")


@dataclass
class Page(HTMLParser):
    """Rows and figures of a page, as they are seen in a browser."""

    rows: Rows = field(default_factory=list)
    figures: Rows = field(default_factory=list)
    text: str = ""
    inside: list[str] = field(default_factory=list)
    is_unseen: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    @classmethod
    def of(cls, html: str) -> Page:
        page = cls()
        page.feed(html)
        return page

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = (dict(attributes).get("class") or "").split()
        if tag in ("thead", "tbody"):
            self.is_unseen = "unseen" in names
        elif self.is_unseen:
            return
        elif tag == "tr":
            self.rows.append([])
        elif tag == "li" and "figure" in names:
            self.figures.append([])
        elif tag in ("td", "th") or (tag == "span" and {"label", "value"} & set(names)):
            self.text = ""
            self.inside.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_endtag(self, tag: str) -> None:
        if not self.inside or self.inside[-1] != tag:
            return
        self.inside.pop()
        (self.figures if tag == "span" else self.rows)[-1].append(self.text.strip())


def rows_of_markdown(text: str) -> Rows:
    """Return the cells of every row of every pipe table."""
    lines = [line for line in text.splitlines() if line.startswith("|") and " --" not in line]
    return [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in lines
    ]


def rows_of_terminal(text: str) -> Rows:
    """Return what stands apart in each line: cells that are empty cannot be seen."""
    return [re.split(r"\s{2,}", line.translate(SHADES).strip()) for line in text.splitlines()]


def rows_of_csv(text: str) -> Rows:
    """Return every row of every table."""
    return list(csv.reader(io.StringIO(text)))


def numbers_of_json(text: str) -> Iterator[float | int]:
    """Return every number in an object, however deep, without its sign."""

    def walk(value: Any) -> Iterator[float | int]:
        if isinstance(value, dict):
            for each in value.values():
                yield from walk(each)
        elif isinstance(value, list):
            for each in value:
                yield from walk(each)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield abs(value)

    return walk(json.loads(text))


def is_same(shown: str, plain: str) -> bool:
    """Say whether a cell for people and one for programs tell the same."""
    if shown in ("–", ""):
        return plain == ""
    moment = MOMENT.fullmatch(shown)
    if moment:
        return plain == "{}T{}Z".format(*moment.groups())
    number = NUMBER.fullmatch(shown)
    if number is None:
        return shown == plain or (shown, plain) in (("yes", "true"), ("no", "false"))
    try:
        exact = Decimal(plain)
    except InvalidOperation:
        return shown == plain
    sign, _, digits, percent = number.groups()
    value = Decimal(digits.replace(",", "")) * (-1 if sign == "-" else 1)
    places = Decimal(1).scaleb(-len(digits.partition(".")[2]))
    return abs(exact * (100 if percent else 1) - value) <= places / 2
