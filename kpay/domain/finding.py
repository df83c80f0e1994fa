"""What one check of a business found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kpay.domain.mail_dns import Verdict

MARKS: Final = {
    "ok": "✓ ok",
    "warning": "! warning",
    "broken": "✗ broken",
    "not checked": "? not checked",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and the command that mends it."""

    check: str
    verdict: Verdict
    sentence: str
    next_step: str = ""
