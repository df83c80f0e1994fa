"""A report as a mail has it: as plain text, and as values of a page that mail programs can show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kpay.domain.document import Block, Chart, Document, Figures, Heading, Text
from kpay.domain.enums import OutputFormat
from kpay.presentation.output import as_text
from kpay.presentation.pages import page_values
from kpay.presentation.writers import readable


def in_words(document: Document) -> tuple[str, dict[str, Any]]:
    """Return the text of a report, and the values of `email/report.html`.

    Mail programs show no drawings: pictures are their tables, and lines that only draw the figures of
    a table beside them are left out.
    """
    shown = [_shown(block) for block in document.blocks if not isinstance(block, Chart)]
    plain = replace(document, blocks=tuple(shown))
    return as_text(document, OutputFormat.TABLE), page_values(plain)


def _shown(block: Block) -> Block:
    if isinstance(block, Heading | Text | Figures | Chart):
        return block
    return readable(block)
