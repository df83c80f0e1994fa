"""A refund as `kpay order refund` shows it: what would be done, and what was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from kpay.domain.document import Block, Document, Figure, Figures, Text
from kpay.domain.money import Money, format_major, format_minor
from kpay.domain.period import instant_text
from kpay.domain.refunding import RefundableOrder

GOES_ON: Final = "The subscription itself goes on at Stripe until it is cancelled there."
ON_ITS_WAY: Final = ("pending", "requires_action")


@dataclass(frozen=True, slots=True)
class RefundPlan:
    """What is going to be given back, to whom, and what it ends.

    `ends` are the slugs whose right ends. `unanswered` is the number of a request that was cut off
    before its answer came, asked at `unanswered_since`: it is finished, not made again.
    """

    order: RefundableOrder
    amount_minor: int
    email: str | None
    bought: str
    reason: str | None = None
    ends: tuple[str, ...] = ()
    subscription: str | None = None
    is_despite_policy: bool = False
    unanswered: int | None = None
    unanswered_since: datetime | None = None

    @property
    def amount(self) -> Money:
        """What is given back."""
        return Money(self.amount_minor, self.order.currency)

    @property
    def question(self) -> str:
        """What is asked before the money goes."""
        order = self.order
        deed = "finish giving" if self.unanswered else "give"
        ending = f", which ends the right to {', '.join(self.ends)}" if self.ends else ""
        return (
            f"{order.account.mode} refund: {deed} {self.amount} of {order.shown(order.total_minor)} "
            f"back to {self.email or 'the buyer'} for {self.bought} "
            f"({order.name}, sold {order.ordered_at:%Y-%m-%d}){ending}?"
        )

    @property
    def command(self) -> str:
        """What to type to do this."""
        amount = (
            f" --amount {format_major(self.amount_minor, self.order.currency)}"
            if self._is_part
            else ""
        )
        despite = " --despite-policy" if self.is_despite_policy else ""
        return f"kpay order refund {self.order.name}{amount}{despite}"

    @property
    def _is_part(self) -> bool:
        return self.amount_minor < self.order.left_minor

    def to_document(self) -> Document:
        """Show what would be done."""
        blocks: list[Block] = [Figures((Figure("would be given back", self.amount, "money"),))]
        if self.unanswered_since:
            asked = instant_text(self.unanswered_since)
            blocks.append(Text(f"It was asked for at {asked} and never answered: it is finished."))
        if self.subscription:
            blocks.append(Text(GOES_ON, "warning"))
        return Document(
            "kpay.order.refund/1",
            self.question,
            tuple(blocks),
            self.to_json() | {"status": "dry_run", "refund": None},
            subtitle="Nothing was asked of Stripe",
            next_steps=(self.command,),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the keys that a plan and its outcome share."""
        return {
            "order": self.order.name,
            "mode": self.order.account.mode.lower(),
            "email": self.email,
            "currency": self.order.currency,
            "amount_minor": self.amount_minor,
            "left_minor": self.order.left_minor,
            "reason": self.reason,
            "ends": list(self.ends),
            "subscription": self.subscription,
        }


@dataclass(frozen=True, slots=True)
class RefundDone:
    """What became of a refund: the provider's id and state of it, and whose right ended.

    `was_made` is whether an earlier run had made it already. `is_whole_news` is False where what
    hangs on the refund could not be read at once.
    """

    plan: RefundPlan
    refund: str
    status: str
    ended: tuple[str, ...]
    left_minor: int
    was_made: bool = False
    is_whole_news: bool = True

    def to_document(self) -> Document:
        """Say what was given back and what ended with it."""
        order = self.plan.order
        given = "was given back already" if self.was_made else "is given back"
        if self.status in ON_ITS_WAY:
            given = "is on its way back"
        title = f"{self.plan.amount} of {order.name} {given} ({order.account.mode}, {self.refund})"
        return Document(
            "kpay.order.refund/1",
            title,
            tuple(Text(sentence) for sentence in self._sentences()),
            self.plan.to_json()
            | {
                "status": self.status,
                "refund": self.refund,
                "ends": list(self.ended),
                "left_minor": self.left_minor,
            },
            next_steps=(f"kpay order show {order.name}",),
        )

    def _sentences(self) -> list[str]:
        left = format_minor(self.left_minor, self.plan.order.currency)
        said = [f"{left} of it can still be given back."] if self.left_minor else []
        if self.ended:
            said.append(f"The right to {', '.join(self.ended)} has ended.")
        if self.plan.subscription:
            said.append(GOES_ON)
        if not self.is_whole_news:
            said.append("Its fees come with the next sync.")
        return said
