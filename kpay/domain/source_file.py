"""A text file of the creator: settings between two --- lines, then a body in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SourceFile:
    """What a file says.

    `written` holds every value as the text that stands in the file, where YAML would make a date of
    2026-10-01, False of `no` and 1.1 of 1.10; `values` holds them as YAML reads them. `lines` says on
    which line each key stands, and `first_line` where the body begins.
    """

    name: str
    written: Mapping[str, Any]
    values: Mapping[str, Any]
    lines: Mapping[str, int]
    body: str
    first_line: int
