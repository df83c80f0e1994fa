"""What came of asking people to confirm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AskedReport:
    """How many questions left in one run, and how many wait."""

    sent_now: int = 0
    waiting: int = 0
    failures: int = 0
    where: str = ""
    is_live: bool = False

    @property
    def is_partial(self) -> bool:
        """Whether something failed in this run, or still waits."""
        return bool(self.failures or self.waiting)

    @property
    def sentence(self) -> str:
        """Say it in one sentence, nothing where nothing happened."""
        if not self.sent_now and not self.is_partial:
            return ""
        people = "1 person was" if self.sent_now == 1 else f"{self.sent_now:,} people were"
        mode = "LIVE" if self.is_live else "TEST"
        more = f"; {self.waiting:,} wait, {self.failures:,} failed" if self.is_partial else ""
        return f"{people} asked to confirm, over {self.where} ({mode}){more}."

    def to_json(self) -> Mapping[str, int]:
        """Return the counts."""
        return {
            "confirmations_sent": self.sent_now,
            "confirmations_waiting": self.waiting,
            "confirmations_failed": self.failures,
        }
