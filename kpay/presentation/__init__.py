"""How kpay shows itself: the only place that prints, and the only one that knows rich."""

from __future__ import annotations

from kpay.presentation.asking import confirm, is_attended
from kpay.presentation.output import note, say, show, tell, wants_lines, warn, write_text
from kpay.presentation.waiting import progress

__all__ = [
    "confirm",
    "is_attended",
    "note",
    "progress",
    "say",
    "show",
    "tell",
    "wants_lines",
    "warn",
    "write_text",
]
