"""Text cells of CSV files that a spreadsheet must not run as a formula.

A cell that begins with = + - @ tab, return or NUL gets an apostrophe in front, and so does one that
already looks escaped; reading takes exactly one away. Numbers are written as they are.
"""

from __future__ import annotations

import re
from typing import Final

_START: Final = "[ \ufeff]*[=+\\-@\t\r\x00]"
DANGEROUS: Final = re.compile(f"'*{_START}")
ESCAPED: Final = re.compile(f"'+{_START}")


def escaped(text: str) -> str:
    """Return a text as a CSV cell that no spreadsheet takes for a formula (OWASP ASVS 5.0, 1.2.10)."""
    return f"'{text}" if DANGEROUS.match(text) else text


def unescaped(cell: str) -> str:
    """Return the text that `escaped` was given; any other cell comes back as it is."""
    return cell[1:] if cell[:1] == "'" and ESCAPED.match(cell) else cell
