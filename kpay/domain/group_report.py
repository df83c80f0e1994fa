"""What is shown of the groups of customers: how many, what they paid, what they mean, who moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from kpay.domain.behaviours import MOST_SAID, Difference, striking
from kpay.domain.customer_groups import NOT_YET, RFM_GROUPS
from kpay.domain.document import Column, Document, Table, Text
from kpay.domain.money import Money

MOST_MOVES: Final = 10
Matrix = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class GroupShown:
    """One group by recency, frequency and money; `share` is of all revenue, None without any."""

    name: str
    customers: int
    paid: Money
    share: float | None


@dataclass(frozen=True, slots=True)
class BehaviourShown:
    """One way of buying and what sets it apart."""

    name: str
    customers: int
    paid: Money
    share: float | None
    differences: tuple[Difference, ...]

    @property
    def words(self) -> str:
        """What sets it apart, in figures beside everybody's."""
        found = striking(self.differences)[:MOST_SAID]
        return "; ".join(one.said for one in found) or "nothing much"


@dataclass(frozen=True, slots=True)
class Movement:
    """How many customers went from which group to which between two month ends."""

    first: date
    second: date
    matrix: Matrix

    @property
    def moves(self) -> list[tuple[str, str, int]]:
        """From, to and how many, of those who changed, the most first."""
        found = [
            (source, target, count)
            for source, row in self.matrix.items()
            for target, count in row.items()
            if count and source != target
        ]
        return sorted(found, key=lambda move: (-move[2], move[0], move[1]))

    def sizes(self) -> dict[str, int]:
        """How many were in each group at the later end."""
        return {name: sum(row[name] for row in self.matrix.values()) for name in RFM_GROUPS}


@dataclass(frozen=True, slots=True)
class GroupReport:
    """All groups as of a day; `stability` and ways of buying are missing where none came out."""

    day: date
    why: str
    customers: int
    groups: tuple[GroupShown, ...]
    behaviours: tuple[BehaviourShown, ...]
    stability: float | None
    fewest_for_behaviours: int
    usual_gap_days: float
    is_gap_assumed: bool
    movements: tuple[Movement, ...]
    is_kept: bool

    def to_document(self) -> Document:
        """Show sizes, meanings and the last month's moves; the payload has every month's matrix."""
        because = f" ({self.why})" if self.why else ""
        return Document(
            "kpay.segment.groups/1",
            f"{self.customers:,} customers in groups, as of {self.day}",
            (self._rfm(), *self._gap(), *self._ways(), *self._moves(), *self._kept()),
            self._payload(),
            subtitle=f"as known at the end of {self.day}{because}",
            next_steps=self._next_steps(),
        )

    def _rfm(self) -> Table:
        rows = tuple(
            (
                one.name,
                one.customers,
                one.customers / self.customers,
                one.paid,
                one.share,
                RFM_GROUPS[one.name],
            )
            for one in self.groups
        )
        columns = (
            Column("group"),
            Column("customers", "count"),
            Column("share", "share"),
            Column("paid", "money"),
            Column("of revenue", "share"),
            Column("what it means"),
        )
        return Table(columns, rows, title="How lately, how often, for how much")

    def _gap(self) -> tuple[Text, ...]:
        gap = f"{self.usual_gap_days:.0f} days"
        if self.is_gap_assumed:
            text = f"Too few have bought twice to know the usual gap between purchases: {gap} are assumed."
        else:
            text = (
                f"The usual gap between two purchases is {gap} (half of all returning customers wait "
                "longer); each customer's own gaps count as far as they are known."
            )
        return (Text(text, "warning" if self.is_gap_assumed else "plain"),)

    def _ways(self) -> tuple[Table | Text, ...]:
        if not self.behaviours:
            few = self.customers < self.fewest_for_behaviours
            why = (
                f"{self.customers:,} customers are too few to tell ways of buying apart "
                f"(about {self.fewest_for_behaviours} are needed)."
                if few
                else "No ways of buying come out twice when other customers are asked: none are named."
            )
            return (Text(why),)
        return (
            Table(
                (
                    Column("way of buying"),
                    Column("customers", "count"),
                    Column("paid", "money"),
                    Column("of revenue", "share"),
                    Column("what sets it apart"),
                ),
                tuple(
                    (one.name, one.customers, one.paid, one.share, one.words)
                    for one in self.behaviours
                ),
                title="How they buy",
            ),
        )

    def _moves(self) -> tuple[Table | Text, ...]:
        if not self.movements:
            return (Text("There are no two month ends yet to tell who moved."),)
        last = self.movements[-1]
        ends = [one.second.isoformat() for one in self.movements]
        sizes = [one.sizes() for one in self.movements]
        moves = last.moves
        return (
            Table(
                (Column("group"), *(Column(end, "count") for end in ends)),
                tuple((name, *(each[name] for each in sizes)) for name in RFM_GROUPS),
                title="Customers in each group at the ends of months",
            ),
            Table(
                (Column("from"), Column("to"), Column("customers", "count")),
                tuple(moves[:MOST_MOVES]),
                title=f"Who moved between {last.first} and {last.second}",
                note=f"and {len(moves) - MOST_MOVES} smaller moves"
                if len(moves) > MOST_MOVES
                else "",
            ),
        )

    def _kept(self) -> tuple[Text, ...]:
        if self.is_kept:
            return ()
        return (Text("Groups of a later day are kept; segments go on asking those.", "warning"),)

    def _next_steps(self) -> tuple[str, ...]:
        rfm = """kpay segment create slipping --where "rfm == 'needs attention'\""""
        if not self.behaviours:
            return (rfm,)
        name = self.behaviours[-1].name
        return rfm, f"""kpay segment create my-buyers --where "behaviour == '{name}'\""""

    def _payload(self) -> dict[str, Any]:
        return {
            "as_of": self.day.isoformat(),
            "customers": self.customers,
            "usual_gap_days": round(self.usual_gap_days, 1),
            "usual_gap_assumed": self.is_gap_assumed,
            "kept": self.is_kept,
            "rfm": [{**_plain(one), "meaning": RFM_GROUPS[one.name]} for one in self.groups],
            "behaviours": [
                {
                    **_plain(one),
                    "differences": [
                        {
                            "trait": each.trait,
                            "standard_deviations": round(each.by, 3),
                            "mean": round(each.mean, 4),
                            "overall": round(each.overall, 4),
                        }
                        for each in striking(one.differences)
                    ],
                }
                for one in self.behaviours
            ],
            "behaviour_stability": None if self.stability is None else round(self.stability, 3),
            "movements": [
                {
                    "from": one.first.isoformat(),
                    "to": one.second.isoformat(),
                    "matrix": {name: dict(row) for name, row in one.matrix.items()},
                    "new_customers": sum(one.matrix[NOT_YET].values()),
                }
                for one in self.movements
            ],
        }


def _plain(one: GroupShown | BehaviourShown) -> dict[str, Any]:
    return {
        "name": one.name,
        "customers": one.customers,
        "paid_minor": one.paid.minor,
        "currency": one.paid.currency,
        "revenue_share": None if one.share is None else round(one.share, 6),
    }
