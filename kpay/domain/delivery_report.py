"""What buyers are owed, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from kpay.domain.confirm_report import AskedReport
from kpay.domain.document import Column, Document, Table
from kpay.domain.enums import DeliveryState
from kpay.domain.period import instant_text

S = DeliveryState
SHOWN_ROWS = 50


@dataclass(frozen=True, slots=True)
class OwedDelivery:
    """One purchase or receipt whose mail has not gone out; `state` is new before it is queued.

    `content` is a slug; a receipt has none, and its title names the order.
    """

    email: str
    content: str
    title: str
    state: str
    due_at: datetime | None = None
    server_reply: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the plain values."""
        return {
            "email": self.email,
            "content": self.content or None,
            "title": self.title,
            "state": self.state,
            "due_at": instant_text(self.due_at) if self.due_at else None,
            "server_reply": self.server_reply,
        }


@dataclass(frozen=True, slots=True)
class PendingDeliveries:
    """Everything that is owed now."""

    owed: tuple[OwedDelivery, ...]

    def to_document(self) -> Document:
        """List it."""
        count = len(self.owed)
        rows = tuple(
            (one.email, one.title, one.state, one.server_reply) for one in self.owed[:SHOWN_ROWS]
        )
        columns = (Column("email"), Column("piece"), Column("state"), Column("server said"))
        more = f"and {count - SHOWN_ROWS} more" if count > SHOWN_ROWS else ""
        return Document(
            "kpay.deliver.pending/1",
            f"{count} purchase{'' if count == 1 else 's'} to deliver"
            if count
            else "Nobody is owed a delivery; nothing to do",
            (Table(columns, rows, note=more),) if count else (),
            {"pending": [one.to_json() for one in self.owed]},
            next_steps=("kpay deliver",) if count else (),
        )


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What one run delivered, and how all deliveries of purchases stand.

    `receipts` are those of renewals that left in this run, `questions` those to confirm a place on
    the list.
    """

    sent_now: int
    failures: int
    counts: Mapping[str, int]
    where: str
    is_live: bool
    receipts: int = 0
    receipts_waiting: int = 0
    questions: int = 0
    questions_waiting: int = 0

    @property
    def waiting(self) -> int:
        """How many wait, or wait to be tried again."""
        purchases = sum(self.counts.get(state, 0) for state in (S.QUEUED, S.RETRY, S.SENDING))
        return purchases + self.receipts_waiting + self.questions_waiting

    def with_questions(self, asked: AskedReport) -> DeliveryReport:
        """Return the report with what became of the questions to confirm."""
        return replace(
            self,
            failures=self.failures + asked.failures,
            questions=asked.sent_now,
            questions_waiting=asked.waiting,
            where=self.where or asked.where,
            is_live=self.is_live or asked.is_live,
        )

    @property
    def is_partial(self) -> bool:
        """Whether something failed in this run, or still waits."""
        return bool(self.failures or self.waiting)

    def to_document(self) -> Document:
        """Say what was delivered."""
        mode = "LIVE" if self.is_live else "TEST"
        if not (self.sent_now or self.receipts or self.questions or self.is_partial):
            return Document(
                "kpay.deliver/1",
                "Nobody is owed a delivery; nothing to do",
                payload=self._payload(),
            )
        return Document(
            "kpay.deliver/1",
            f"{self._done()} to {self.where} ({mode})",
            payload=self._payload(),
            subtitle=f"{self.waiting} waiting, {self.failures} failed" if self.is_partial else "",
            next_steps=("kpay deliver --pending",) if self.is_partial else (),
        )

    def _done(self) -> str:
        """Say what left: "2 purchases delivered, 1 receipt sent"."""
        said = []
        if self.sent_now or not (self.receipts or self.questions):
            said.append(f"{self.sent_now} purchase{'' if self.sent_now == 1 else 's'} delivered")
        if self.receipts:
            said.append(f"{self.receipts} receipt{'' if self.receipts == 1 else 's'} sent")
        if self.questions:
            said.append(f"{self.questions} asked to confirm")
        return ", ".join(said)

    def _payload(self) -> dict[str, Any]:
        return {
            "sent_now": self.sent_now,
            "sent": self.counts.get(S.SENT, 0),
            "failed": self.counts.get(S.FAILED, 0),
            "uncertain": self.counts.get(S.UNCERTAIN, 0),
            "queued": self.waiting,
            "suppressed": self.counts.get(S.SUPPRESSED, 0),
            "receipts": self.receipts,
            "confirmations": self.questions,
        }
