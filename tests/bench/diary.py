"""What a creator's store would hold, written down as it happens in a simulated business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from kpay.ml.gathering import Frames
from kpay.sandbox.happenings import (
    Happening,
    MembershipBilled,
    MembershipEnded,
    MembershipRecovered,
    MembershipStarted,
    NoticeGiven,
    Refunded,
    Sale,
    Trace,
    taking,
)
from kpay.store import frames

ORDER_LINES, SUBSCRIPTIONS = tuple(frames.ORDER_LINES), tuple(frames.SUBSCRIPTIONS)
MARKS, WORDS, EDITS = tuple(frames.MARKS), tuple(frames.WORDS), tuple(frames.EDITS)
PIECES = tuple(frames.PIECES)
KIND_OF_TRACE = {"complaint": "unsubscribe"}


@dataclass
class Diary:
    """Rows as kpay's store would have them, in the order in which they happened."""

    lines: list[tuple[Any, ...]] = field(default_factory=list)
    marks: list[tuple[Any, ...]] = field(default_factory=list)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: dict[str, tuple[int, int, str]] = field(default_factory=dict)  # person, total, slug

    def note(self, happening: Happening) -> None:
        """Write down what the provider would have recorded."""
        taken = taking(happening)
        if taken is not None and taken.person >= 0:
            self._sold(happening, taken.amount_minor, taken.currency)
        match happening:
            case MembershipStarted():
                self._began(happening)
            case NoticeGiven():
                self._dated(happening.membership, "notice_at", happening.at)
            case MembershipEnded():
                self._dated(happening.membership, "ended_at", happening.at)
            case Refunded() if happening.order in self.orders:
                person, total_minor, slug = self.orders[happening.order]
                share = min(1.0, happening.amount_minor / total_minor)
                self.mark(happening.at, person, "refund", slug, share)

    def mark(self, at: int, person: int, kind: str, slug: str = "", value: float = 1.0) -> None:
        """Write down what somebody did, or what was done to them."""
        self.marks.append((person, at, kind, slug, value))

    def see(self, trace: Trace) -> None:
        """Write down what a tracker or a mail server noted."""
        kind = KIND_OF_TRACE.get(trace.kind, trace.kind)
        if kind != "bounce":
            self.mark(trace.at, trace.person, kind, trace.content)

    def frames(self) -> Frames:
        """Return everything written down as the store's frames; nothing of what nobody wrote down."""
        return Frames(
            orders=self.order_lines(),
            marks=framed(self.marks, MARKS, ("at",)),
            words=framed([], WORDS, ("at",)),
            wishes=framed([], WORDS, ("at",)),
            subscriptions=self.memberships(),
            pieces=framed([], PIECES, PIECES[-2:]),
            edits=framed([], EDITS, ("at",)),
        )

    def order_lines(self) -> pd.DataFrame:
        """Return every paid order, as `kpay.store.frames.order_lines` would."""
        return framed(sorted(self.lines, key=lambda row: row[1]), ORDER_LINES, ("at",))

    def memberships(self) -> pd.DataFrame:
        """Return every membership that began, with its end where it has one."""
        rows = [tuple(one.values()) for one in self.subscriptions.values()]
        frame = framed(rows, SUBSCRIPTIONS, SUBSCRIPTIONS[2:6])
        return frame.sort_values(["customer", "started_at"], kind="stable").reset_index(drop=True)

    def _sold(self, happening: Any, amount_minor: int, currency: str) -> None:
        if isinstance(happening, Sale | MembershipStarted):
            person, slug = happening.buyer.person, happening.slug
        else:
            assert isinstance(happening, MembershipBilled | MembershipRecovered)
            began = self.subscriptions[happening.membership]
            person, slug = happening.person, began["content"]
        self.orders[happening.order] = (person, amount_minor, slug)
        self.lines.append((person, happening.at, amount_minor, currency, slug, len(self.lines)))

    def _began(self, started: MembershipStarted) -> None:
        self.subscriptions[started.membership] = {
            "customer": started.buyer.person,
            "content": started.slug,
            "started_at": started.at,
            "trial_end_at": started.trial_end,
            "notice_at": None,
            "ended_at": None,
            "interval": started.offer.interval,
            "interval_count": started.offer.interval_count,
            "amount_minor": started.offer.amount_minor,
            "currency": started.offer.currency,
        }

    def _dated(self, membership: str, name: str, at: int) -> None:
        row = self.subscriptions[membership]
        row[name] = at
        # The provider says of every ended subscription when it was cancelled, at the latest as it ends.
        row["notice_at"] = row["notice_at"] or at


def framed(
    rows: Sequence[tuple[Any, ...]], columns: Sequence[str], moments: Sequence[str]
) -> pd.DataFrame:
    """Return rows as a frame; moments come as Unix seconds."""
    frame = pd.DataFrame.from_records(rows, columns=list(columns))
    for name in moments:
        seconds = pd.to_datetime(frame[name].astype("float64"), unit="s", utc=True)
        frame[name] = seconds.astype("datetime64[us, UTC]")
    return frame
