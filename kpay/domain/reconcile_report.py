"""What reconciling has settled, and what is uncertain still."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kpay.domain.document import Column, Document, Table, Text
from kpay.domain.period import instant_text

SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class UncertainMessage:
    """A message of which nobody knows whether it arrived: when it left, to which server, and what is known."""

    email: str
    message_id: str
    began_at: datetime | None
    server: str
    words: str

    def to_json(self) -> dict[str, str | None]:
        """Return plain values."""
        return {
            "email": self.email,
            "message_id": self.message_id,
            "began_at": instant_text(self.began_at) if self.began_at else None,
            "server": self.server or None,
            "words": self.words or None,
        }


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """How many were settled as sent and how many wait again; `missing` is what a log should have held.

    `missing` are addresses whose messages the server acknowledged, but the log does not know.
    """

    campaign: str
    sent: int
    queued: int
    uncertain: tuple[UncertainMessage, ...]
    problem: str | None = None
    missing: tuple[str, ...] = ()

    @property
    def is_partial(self) -> bool:
        """Whether something is uncertain still that was to be settled."""
        return bool(self.problem)

    def to_document(self) -> Document:
        """Show what was settled and what is known of the rest."""
        blocks: list[Table | Text] = [Text(self.problem, "warning")] if self.problem else []
        if self.uncertain:
            rows = tuple(
                (one.email, one.began_at, one.server, one.words) for one in self.uncertain[:SHOWN]
            )
            more = len(self.uncertain) - SHOWN
            blocks.append(
                Table(
                    (Column("email"), Column("left", "instant"), Column("to"), Column("known")),
                    rows,
                    title="Uncertain: they may have arrived",
                    note=f"and {more:,} more" if more > 0 else "",
                )
            )
        return Document(
            "kpay.campaign.reconcile/1",
            self._title(),
            tuple(blocks),
            {
                "campaign": self.campaign,
                "sent": self.sent,
                "queued": self.queued,
                "uncertain": [one.to_json() for one in self.uncertain],
                "problem": self.problem,
                "missing": list(self.missing),
            },
            next_steps=self._next_steps(),
        )

    def _title(self) -> str:
        left = len(self.uncertain)
        if not (self.sent or self.queued):
            unsettled = f"{left:,} uncertain" if left else "nothing is uncertain; nothing to do"
            return f"{self.campaign}: {unsettled}"
        settled = f"{self.sent:,} had arrived, {self.queued:,} had not"
        return f"{self.campaign}: {settled}, {left:,} uncertain"

    def _next_steps(self) -> tuple[str, ...]:
        again = (f"kpay campaign send {self.campaign}",) if self.queued else ()
        if self.uncertain:
            return (*again, f"kpay campaign reconcile {self.campaign} --log /var/log/mail.log")
        return again or (f"kpay campaign results {self.campaign}",)
