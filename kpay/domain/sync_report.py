"""What `kpay sync` answers: tables to a person, JSON to a program, a few lines to a log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from kpay.domain.checkout import Account
from kpay.domain.document import Block, Cell, Column, Document, Table, Text
from kpay.domain.enums import Reread, ResourceStatus
from kpay.domain.money import Money
from kpay.domain.verified import Verified

WHY_AGAIN: Final = {
    Reread.CHANGED: "for what changed",
    Reread.LOOKBACK: "looking back",
    Reread.PENDING: "for what was pending",
}


@dataclass
class Tally:
    """How one list was read; `seen` counts objects, whichever way they came."""

    status: ResourceStatus = ResourceStatus.OK
    seen: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the keys of cli.md."""
        return {
            "status": self.status.value,
            "seen": self.seen,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class NetPair:
    """The sum of balance transactions in the store and at the provider; None where it was not asked."""

    store_minor: int
    stripe_minor: int | None


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of mailing new buyers what they bought; an empty sentence when nobody was due."""

    sentence: str = ""
    is_trouble: bool = False


@dataclass(frozen=True)
class SyncReport:
    """The answer of one sync."""

    account: Account
    tallies: Mapping[str, Tally]
    net: Mapping[str, NetPair]
    requests: int
    seconds: float
    rereads: Mapping[Reread, int] = field(default_factory=dict)
    new_orders: int = 0
    entitlements: int = 0
    is_full: bool = False
    knows_changes: bool = False
    checked: Verified | None = None
    notes: tuple[str, ...] = ()
    delivered: Delivered = field(default_factory=Delivered)

    @property
    def differences(self) -> tuple[str, ...]:
        """Where store and provider do not agree, when that was asked."""
        return self.checked.differences if self.checked else ()

    @property
    def is_agreed(self) -> bool:
        """Say whether store and provider were compared and do not differ."""
        return self.checked is not None and not self.differences

    @property
    def is_partial(self) -> bool:
        """Say whether something was not read, or the money does not agree."""
        halted = (ResourceStatus.PARTIAL, ResourceStatus.FORBIDDEN)
        return bool(self.differences) or any(one.status in halted for one in self.tallies.values())

    @property
    def is_worth_saying(self) -> bool:
        """Say whether even a quiet run has to speak: something did not go as it should."""
        has_reason = any(tally.reason for tally in self.tallies.values())
        return self.is_partial or has_reason or bool(self.notes or self.delivered.is_trouble)

    @property
    def changed(self) -> int:
        """How many provider objects are new or different."""
        return sum(tally.created + tally.updated for tally in self.tallies.values())

    def to_document(self) -> Document:
        """Show what was read, and the money on both sides."""
        return Document(
            "kpay.sync/1",
            self._sentence(),
            tuple(self._blocks()),
            self._payload(),
            subtitle=self._subtitle(),
            next_steps=self._next_steps(),
        )

    def to_lines(self) -> tuple[str, ...]:
        """Say in one line what came of it, and in a further one each thing that is not as it should be."""
        cost = f"{_counted(self.requests, 'request')}, {self.seconds:.1f} s"
        parts = [f"{self._found()} ({cost})"]
        parts += ["verified: store and Stripe agree to the cent"] if self.is_agreed else []
        if self.delivered.sentence and not self.delivered.is_trouble:
            parts.append(self.delivered.sentence)
        lines = ["; ".join(parts), *self.troubles()]
        steps = self._next_steps()[: len(lines) - 1][:1]
        return (*(f"kpay sync: {line}" for line in lines), *(f"next: {step}" for step in steps))

    def _found(self) -> str:
        if self.changed == 0:
            return "nothing new, nothing to do" if not self.is_partial else "nothing new"
        orders = _counted(self.new_orders, "new order")
        return f"{_counted(self.changed, 'object')} new or changed, {orders}"

    def troubles(self) -> list[str]:
        """Return a sentence for each thing that is not as it should be."""
        refused = [
            f"{name} {one.status.value}: {one.reason}"
            for name, one in self.tallies.items()
            if one.reason
        ]
        stuck = [self.delivered.sentence] if self.delivered.is_trouble else []
        return [*refused, *self.differences, *self._all_notes(), *stuck]

    def _all_notes(self) -> tuple[str, ...]:
        return (*self.notes, *(self.checked.notes if self.checked else ()))

    def _sentence(self) -> str:
        if self.differences:
            return "The store and Stripe do not agree"
        if self.is_partial:
            return "Read in part; run it again to go on"
        if self.changed == 0:
            return "Nothing new at Stripe; nothing to do"
        orders = _counted(self.new_orders, "new order")
        return f"{_counted(self.changed, 'object')} new or changed at Stripe; {orders}"

    def _subtitle(self) -> str:
        again = ", ".join(
            f"{count:,} {WHY_AGAIN[reason]}" for reason, count in sorted(self.rereads.items())
        )
        requests = _counted(self.requests, "request") + (f" ({again})" if again else "")
        return f"{self.account.id} · {self.account.mode} · {requests} in {self.seconds:.1f} s"

    def _next_steps(self) -> tuple[str, ...]:
        if self.differences:
            return ("kpay sync --full",)
        if self.is_partial:
            return ("kpay sync",)
        if self.delivered.is_trouble:
            return ("kpay deliver",)
        return ("kpay report", "kpay order list") if self.changed else ()

    def _blocks(self) -> list[Block]:
        blocks: list[Block] = []
        rows = [
            (name, one.seen, one.created, one.updated, one.unchanged, one.status.value)
            for name, one in self.tallies.items()
            if one.created or one.updated or one.status is not ResourceStatus.OK
        ]
        if rows:
            counts = ("seen", "new", "changed", "as before")
            columns = (
                Column("resource"),
                *(Column(heading, "count") for heading in counts),
                Column("status"),
            )
            blocks.append(Table(columns, tuple(rows)))
        if self.checked:
            blocks += self.checked.blocks()
        elif self.net:
            blocks.append(self._net_table())
        blocks += [
            Text(f"{name}: {one.reason}", "warning")
            for name, one in self.tallies.items()
            if one.reason
        ]
        blocks += [Text(difference, "warning") for difference in self.differences]
        blocks += [Text(note) for note in self._all_notes()]
        if self.delivered.sentence:
            tone: Literal["plain", "warning"] = "warning" if self.delivered.is_trouble else "plain"
            blocks.append(Text(self.delivered.sentence, tone))
        if self.is_agreed:
            blocks.append(Text("Verified: store and Stripe agree to the cent.", "good"))
        return blocks

    def _net_table(self) -> Table:
        """Put both sides beside each other; the provider's only where it is known."""
        columns: tuple[Column, ...] = (Column("currency"), Column("net in store", "money"))
        is_known = any(pair.stripe_minor is not None for pair in self.net.values())
        rows = []
        for currency, pair in self.net.items():
            row: tuple[Cell, ...] = (currency.upper(), Money(pair.store_minor, currency))
            if is_known:
                there = pair.stripe_minor
                row += (None if there is None else Money(there, currency),)
            rows.append(row)
        columns += (Column("net at Stripe", "money"),) if is_known else ()
        return Table(columns, tuple(rows), title="Balance")

    def _payload(self) -> dict[str, Any]:
        return {
            "status": "partial" if self.is_partial else "ok",
            "account": self.account.id,
            "livemode": self.account.livemode,
            "requests": self.requests,
            "rereads": {one.value: self.rereads.get(one, 0) for one in Reread},
            "seconds": round(self.seconds, 3),
            "full": self.is_full,
            "new_orders": self.new_orders,
            "entitlements": self.entitlements,
            "resources": {name: tally.to_json() for name, tally in self.tallies.items()},
            "net_by_currency": {
                currency: {"store_minor": pair.store_minor, "stripe_minor": pair.stripe_minor}
                for currency, pair in self.net.items()
            },
            "verified": self.is_agreed if self.checked else None,
            "differences": list(self.differences),
            "verification": self.checked.to_json() if self.checked else None,
            "notes": list(self._all_notes()),
            "delivered": {
                "sentence": self.delivered.sentence or None,
                "is_trouble": self.delivered.is_trouble,
            },
        }


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
