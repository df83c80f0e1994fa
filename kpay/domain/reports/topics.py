"""The topics report: what is wanted beside what is on sale, and which pieces could be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from kpay.domain.document import Block, Chart, Column, Document, Metric, Table, Text
from kpay.domain.money import Money
from kpay.domain.period import Period
from kpay.domain.reports.customer_rows import share
from kpay.domain.reports.scope import Scope
from kpay.domain.reports.topic_rows import Index, Proposal, TopicLine

MOST_PROPOSALS: Final = 5
CHARTED: Final = 15
UNANSWERED: Final = 10
HOW_TO_READ: Final = (
    "Demand 1 is that of the mean piece on sale. Sales are held against how many pieces had the topic, how "
    "new they were and how much was bought at all; looks are visits a day on sale; asking are people who "
    "searched for the topic, asked about it or ticked it, against the mean topic. Ranges hold four times in five."
)


@dataclass(frozen=True)
class TopicsReport:
    """Topics, the most wanted first, and proposals; `shortage` says why there are fewer than five.

    `unanswered` are searches that no topic answers, with how many people typed them. `launches` are those
    that the proposals' ranges rest on, `launch_error` how far off they were, as a factor.
    """

    scope: Scope
    period: Period
    currency: str
    net_minor: int
    topics: tuple[TopicLine, ...]
    proposals: tuple[Proposal, ...]
    shortage: str
    unanswered: tuple[tuple[str, int], ...]
    launches: int
    launch_error: float | None

    @property
    def wanted(self) -> int:
        """How many topics are surely more wanted than the mean piece."""
        return sum(topic.demand is not None and topic.demand.low > 1 for topic in self.topics)

    def to_document(self) -> Document:
        """Show what is wanted, what could be made, and why."""
        return Document(
            "kpay.report.topics/1",
            "Topics",
            tuple(self._blocks()),
            self._payload(),
            subtitle=self.scope.subtitle(self.period),
            next_steps=self._next_steps(),
            metrics={
                "topics": Metric(len(self.topics)),
                "topics_wanted": Metric(self.wanted),
                "proposals": Metric(len(self.proposals)),
                "launches": Metric(self.launches),
            },
        )

    def _payload(self) -> dict[str, Any]:
        return {
            **self.scope.head(self.period),
            "currency": self.currency,
            "topics": [topic.to_json(self.net_minor) for topic in self.topics],
            "proposals": [one.to_json(self.currency) for one in self.proposals],
            "shortage": self.shortage or None,
            "launches": self.launches,
            "launch_error_factor": self.launch_error,
            "unanswered_searches": [
                {"search": phrase, "people": people} for phrase, people in self.unanswered
            ],
        }

    def _next_steps(self) -> tuple[str, ...]:
        if not self.topics:
            return ("kpay publish", "kpay import events FILE")
        return (f"kpay report topics --explain net:{self.topics[0].topic}",)

    def _blocks(self) -> list[Block]:
        if not self.topics:
            words = "No piece has a topic: write tags into the front matter of what you publish."
            return [Text(words), *self._searches()]
        return [
            *self._chart(),
            self._wanted(),
            Text(HOW_TO_READ),
            self._supply(),
            *self._proposed(),
            *self._searches(),
        ]

    def _chart(self) -> list[Block]:
        known = [(one.topic, one.demand) for one in self.topics if one.demand][:CHARTED]
        if not known:
            return []
        return [
            Chart(
                "Demand beside supply (100: the mean piece)",
                tuple(topic for topic, _ in known),
                tuple(100 * index.value for _, index in known),
                tuple(100 * index.low for _, index in known),
                tuple(100 * index.high for _, index in known),
                style="bars",
            )
        ]

    def _wanted(self) -> Table:
        columns = (
            Column("Topic"),
            Column("Demand", "number"),
            Column("At least", "number"),
            Column("At most", "number"),
            Column("By sales", "number"),
            Column("By looks", "number"),
            Column("By asking", "number"),
            Column("In words"),
        )
        rows = tuple(
            (
                one.topic,
                *_cells(one.demand),
                *(_cells(index)[0] for index in (one.sales, one.looks, one.asks)),
                one.verdict or None,
            )
            for one in self.topics
        )
        return Table(columns, rows, title="What is wanted")

    def _supply(self) -> Table:
        columns = (
            Column("Topic"),
            Column("Pieces", "count"),
            Column("Newest, days", "count"),
            Column("Faded", "count"),
            Column("Orders", "count"),
            Column(f"Net ({self.currency.upper()})", "money"),
            Column("Of revenue", "share"),
            Column("Looks", "count"),
            Column("People asking", "count"),
        )
        rows = tuple(
            (
                one.topic,
                one.pieces,
                one.newest_age_days,
                one.fading,
                one.orders,
                Money(one.net_minor, self.currency),
                share(one.net_minor, self.net_minor),
                one.visits,
                one.asking,
            )
            for one in self.topics
        )
        note = "a piece with several topics counts in each; orders without renewals"
        return Table(columns, rows, title="What is on sale", note=note)

    def _proposed(self) -> list[Block]:
        shortage = [Text(self.shortage)] if self.shortage else []
        if not self.proposals:
            return [*shortage]
        columns = (
            Column("Topic"),
            Column("Kind"),
            Column("Price", "money"),
            Column("Orders", "count"),
            Column("Revenue", "money"),
            Column("At least", "money"),
            Column("At most", "money"),
        )
        rows = tuple(
            (
                one.topic,
                one.kind,
                Money(one.price_minor, self.currency),
                round(one.orders),
                Money(one.mid_minor, self.currency),
                Money(one.low_minor, self.currency),
                Money(one.high_minor, self.currency),
            )
            for one in self.proposals
        )
        table = Table(
            columns,
            rows,
            title="Pieces that could be made: their first 90 days",
            note=self._ground(),
        )
        why = Table(
            (Column("Topic"), Column("Why")),
            tuple((one.topic, reason) for one in self.proposals for reason in one.reasons),
            title="What speaks for them",
        )
        return [table, why, *shortage]

    def _ground(self) -> str:
        if not self.launches:
            return (
                "four times in five within the range; the shop has launched nothing yet that is 13 weeks "
                "old, so that its width is a rule of thumb; the work of making a piece is not counted"
            )
        plural = "launch" if self.launches == 1 else "launches"
        return (
            f"four times in five within the range, by {self.launches} {plural} of this shop; "
            "the work of making a piece is not counted"
        )

    def _searches(self) -> list[Block]:
        rows = self.unanswered[:UNANSWERED]
        if not rows:
            return []
        columns = (Column("Search"), Column("People", "count"))
        return [Table(columns, rows, title="Searched for, and no piece has it")]


def _cells(index: Index | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if index is None else (index.value, index.low, index.high)
