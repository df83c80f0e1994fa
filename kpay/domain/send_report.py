"""What a campaign's sending has come to, over all its runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kpay.domain.document import Column, Document, Table, Text
from kpay.domain.enums import DeliveryState
from kpay.domain.period import instant_text

S = DeliveryState
MEANING = {
    "sent": "the server took it",
    "failed": "refused for good",
    "uncertain": "the connection was lost before the answer; never sent again by itself",
    "queued": "waits, or waits to be tried again",
    "suppressed": "opted out, bought or cancelled since the plan",
    "held_out": "deliberately not mailed, to measure with",
}


@dataclass(frozen=True, slots=True)
class SendReport:
    """Counts of the whole campaign. `sent_now` and `failures` are those of this run.

    `failures` leaves out addresses that do not exist: those are settled, nothing is left to do.
    `stopped_by` says why a run ended early; `goes_on_at` when the next message may leave.
    """

    campaign: str
    counts: Mapping[str, int]
    sent_now: int
    failures: int
    seconds: float
    where: str
    is_live: bool
    stopped_by: str | None = None
    goes_on_at: datetime | None = None

    @classmethod
    def of(
        cls,
        campaign: str,
        before: Mapping[str, int],
        after: Mapping[str, int],
        *,
        failures: int,
        seconds: float,
        where: str,
        is_live: bool,
        stopped_by: str | None = None,
        goes_on_at: datetime | None = None,
    ) -> SendReport:
        """Make the report from how many deliveries stood in each state before and after a run."""
        waiting = sum(after.get(s, 0) for s in (S.QUEUED, S.RETRY, S.CLAIMED, S.SENDING))
        counts = {
            "sent": after.get(S.SENT, 0),
            "failed": after.get(S.FAILED, 0),
            "uncertain": after.get(S.UNCERTAIN, 0),
            "queued": waiting,
            "suppressed": after.get(S.SUPPRESSED, 0) + after.get(S.SKIPPED, 0),
            "held_out": after.get(S.HELD_OUT, 0),
        }
        return cls(
            campaign,
            counts,
            sent_now=after.get(S.SENT, 0) - before.get(S.SENT, 0),
            failures=failures,
            seconds=seconds,
            where=where,
            is_live=is_live,
            stopped_by=stopped_by,
            goes_on_at=goes_on_at if waiting else None,
        )

    @property
    def is_partial(self) -> bool:
        """Whether something failed in this run, is uncertain, or still waits."""
        unsettled = self.counts["uncertain"] or self.counts["queued"]
        return bool(self.failures or unsettled or self.stopped_by)

    def to_document(self) -> Document:
        """Show the counts with what they mean."""
        rows = tuple(
            (name.replace("_", " "), count, MEANING[name]) for name, count in self.counts.items()
        )
        blocks: list[Table | Text] = [
            Table((Column("state"), Column("messages", "count"), Column("meaning")), rows)
        ]
        blocks += [Text(words, "warning") for words in self._warnings()]
        at = self.goes_on_at
        return Document(
            "kpay.campaign.send/1",
            self._title(),
            tuple(blocks),
            {
                "campaign": self.campaign,
                **self.counts,
                "seconds": round(self.seconds, 3),
                "stopped_by": self.stopped_by,
                "goes_on_at": instant_text(at) if at else None,
            },
            next_steps=self._next_steps(),
        )

    def _warnings(self) -> list[str]:
        words = []
        if self.stopped_by:
            words.append(f"Stopped, for the campaign was {self.stopped_by}.")
        if self.counts["uncertain"]:
            words.append("Uncertain messages may have arrived. The server's own log can tell.")
        if self.goes_on_at is not None:
            words.append(f"The next message may leave at {instant_text(self.goes_on_at)}.")
        return words

    def _title(self) -> str:
        if not self.sent_now and not self.is_partial:
            return f"{self.campaign}: everything was sent before; nothing to do"
        mode = "LIVE" if self.is_live else "TEST"
        speed = f" in {self.seconds:.1f} s" if self.sent_now else ""
        return f"{self.campaign}: {self.sent_now:,} sent to {self.where}{speed} ({mode})"

    def _next_steps(self) -> tuple[str, ...]:
        settle = (f"kpay campaign reconcile {self.campaign}",) if self.counts["uncertain"] else ()
        if self.stopped_by and self.stopped_by.startswith("paused"):
            return (f"kpay campaign resume {self.campaign}", *settle)
        if self.counts["queued"]:
            return (f"kpay campaign send {self.campaign}", *settle)
        return (*settle, f"kpay campaign results {self.campaign}")
