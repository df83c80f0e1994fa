"""The whole story of one order, as `kpay order show` tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kpay.domain.document import Block, Column, Document, Figure, Figures, Table, Text
from kpay.domain.money import format_major
from kpay.domain.order_papers import OrderPapers
from kpay.domain.order_views import OrderFacts
from kpay.domain.period import instant_text


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One position of an order."""

    content: str | None
    name: str
    quantity: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class MoneyBackFacts:
    """A refund or a dispute of an order."""

    kind: str
    external_id: str
    at: datetime
    status: str
    reason: str | None
    amount_minor: int


@dataclass(frozen=True, slots=True)
class RightFacts:
    """A right that an order granted."""

    content: str
    granted_at: datetime
    ended_at: datetime | None
    end_reason: str | None


@dataclass(frozen=True, slots=True)
class UnansweredRefund:
    """A refund that was asked for and whose answer never came."""

    amount_minor: int
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class OrderStory:
    """The answer of `kpay order show`: everything known about one order, with the provider's ids."""

    order: OrderFacts
    lines: Sequence[LineFacts]
    money_back: Sequence[MoneyBackFacts]
    rights: Sequence[RightFacts]
    provider_ids: dict[str, str]
    papers: OrderPapers
    unanswered: UnansweredRefund | None = None

    def to_document(self) -> Document:
        """Show the order, its lines, what was given back, and the rights it granted."""
        order = self.order
        return Document(
            "kpay.order.show/1",
            f"Order {order.external_id}",
            tuple(self._blocks()),
            self._payload(),
            subtitle=" · ".join(
                part
                for part in (
                    instant_text(order.ordered_at),
                    order.name,
                    order.email,
                    order.country,
                    order.kind.replace("_", " "),
                    order.state.replace("_", " "),
                    *self.papers.words(),
                )
                if part
            ),
            next_steps=self._next_steps(),
        )

    def _next_steps(self) -> tuple[str, ...]:
        steps = []
        if self.unanswered:
            amount = format_major(self.unanswered.amount_minor, self.order.currency)
            steps.append(f"kpay order refund {self.order.external_id} --amount {amount}")
        if self.order.email:
            steps.append(f"kpay customer show {self.order.email}")
        return tuple(steps)

    def _unanswered(self) -> list[Block]:
        if self.unanswered is None:
            return []
        amount = self.order.money(self.unanswered.amount_minor)
        asked = instant_text(self.unanswered.asked_at)
        said = f"A refund of {amount} was asked for at {asked}, and its answer never came."
        return [Text(said, "warning")]

    def _blocks(self) -> list[Block]:
        order = self.order
        amounts = {
            "gross": order.gross_minor,
            "discount": order.discount_minor,
            "total": order.total_minor,
            "tax inside": order.tax_minor,
            "given back": order.refunded_minor,
            "held by the bank": order.held_minor,
        }
        blocks: list[Block] = [
            Figures(
                tuple(
                    Figure(label, order.money(minor), "money")
                    for label, minor in amounts.items()
                    if minor or label in ("gross", "total")
                )
            ),
            *self._unanswered(),
            self._line_table(),
        ]
        blocks += [self._money_back_table()] if self.money_back else []
        blocks += self.papers.blocks()
        blocks += [self._right_table()] if self.rights else []
        return [*blocks, self._id_table()]

    def _line_table(self) -> Table:
        columns = (
            Column("content"),
            Column("name"),
            Column("quantity", "count"),
            Column("amount", "money"),
        )
        rows = tuple(
            (line.content, line.name, line.quantity, self.order.money(line.amount_minor))
            for line in self.lines
        )
        return Table(columns, rows, title="Bought")

    def _money_back_table(self) -> Table:
        headings = ("kind", "id", "status", "reason")
        columns = (
            Column("at", "instant"),
            *(Column(heading) for heading in headings),
            Column("amount", "money"),
        )
        rows = tuple(
            (
                one.at,
                one.kind,
                one.external_id,
                one.status,
                one.reason,
                self.order.money(one.amount_minor),
            )
            for one in self.money_back
        )
        return Table(columns, rows, title="Given back")

    def _right_table(self) -> Table:
        columns = (
            Column("content"),
            Column("since", "instant"),
            Column("until", "instant"),
            Column("why it ended"),
        )
        rows = tuple(
            (right.content, right.granted_at, right.ended_at, right.end_reason)
            for right in self.rights
        )
        return Table(columns, rows, title="May read")

    def _id_table(self) -> Table:
        rows = tuple((name.replace("_", " "), one) for name, one in self.provider_ids.items())
        return Table((Column("at the provider"), Column("id")), rows)

    def _payload(self) -> dict[str, Any]:
        return {
            **self.order.to_json(),
            "lines": [
                {
                    "content": line.content,
                    "name": line.name,
                    "quantity": line.quantity,
                    "amount_minor": line.amount_minor,
                }
                for line in self.lines
            ],
            "money_back": [
                {
                    "kind": one.kind,
                    "id": one.external_id,
                    "at": instant_text(one.at),
                    "status": one.status,
                    "reason": one.reason,
                    "amount_minor": one.amount_minor,
                }
                for one in self.money_back
            ],
            "entitlements": [
                {
                    "content": right.content,
                    "granted_at": instant_text(right.granted_at),
                    "ended_at": instant_text(right.ended_at) if right.ended_at else None,
                    "end_reason": right.end_reason,
                }
                for right in self.rights
            ],
            "unanswered_refund_minor": self.unanswered.amount_minor if self.unanswered else None,
            "provider": self.provider_ids,
            **self.papers.to_json(),
        }
