"""What came of comparing the store's money with the provider's, movement by movement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kpay.domain.document import Block, Cell, Column, Table
from kpay.domain.money import Money, format_minor

MOST_NAMED = 1000
FIELDS = ("kind", "amount_minor", "fee_minor", "net_minor", "currency", "status")
WORDS = {"kind": "type", "amount_minor": "amount", "fee_minor": "fee", "net_minor": "net"}


@dataclass(frozen=True, slots=True)
class Movement:
    """A movement of the balance as one side knows it."""

    id: str
    kind: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    status: str

    @property
    def net_text(self) -> str:
        """The net as people read it."""
        return format_minor(self.net_minor, self.currency)

    def difference(self, other: Movement) -> str | None:
        """Say in which fields the provider's movement is another than this one of the store."""
        told = [
            f"{WORDS.get(name, name)} {self._told(name)} is {other._told(name)} at Stripe"
            for name in FIELDS
            if getattr(self, name) != getattr(other, name)
        ]
        return f"{self.id}: {', '.join(told)}" if told else None

    def _told(self, name: str) -> str:
        value = getattr(self, name)
        return format_minor(value, self.currency) if name.endswith("_minor") else str(value)


@dataclass(slots=True)
class Sums:
    """Movements of one currency added up on one side, in minor units."""

    movements: int = 0
    amount_minor: int = 0
    fee_minor: int = 0
    net_minor: int = 0

    def add(self, movement: Movement) -> None:
        """Count a movement."""
        self.movements += 1
        self.amount_minor += movement.amount_minor
        self.fee_minor += movement.fee_minor
        self.net_minor += movement.net_minor

    def to_json(self) -> dict[str, int]:
        """Return the sums by name."""
        return {
            "movements": self.movements,
            "amount_minor": self.amount_minor,
            "fee_minor": self.fee_minor,
            "net_minor": self.net_minor,
        }


@dataclass(slots=True)
class Differences:
    """Sentences that each name an id; beyond a thousand they are only counted."""

    named: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, sentence: str) -> None:
        """Note one difference."""
        self.count += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(sentence)

    def told(self) -> tuple[str, ...]:
        """Return the sentences, the last of them counting what is not named."""
        left = self.count - len(self.named)
        return (*self.named, f"and {left:,} differences more") if left else tuple(self.named)


@dataclass(frozen=True, slots=True)
class PayoutSums:
    """The payouts of one currency: how many reached the bank and how they are accounted for.

    `tied` were traced to their movements, whose net is `brought_minor`; `by_hand` were sent by hand,
    which Stripe never traces; `open` are not traced yet; `failed` came back.
    """

    count: int = 0
    paid_minor: int = 0
    tied: int = 0
    tied_minor: int = 0
    brought_minor: int = 0
    by_hand: int = 0
    open: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Verified:
    """Both sides' sums by currency, the payouts, every difference in words, and what is no difference."""

    here: Mapping[str, Sums]
    there: Mapping[str, Sums]
    payouts: Mapping[str, PayoutSums] = field(default_factory=dict)
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Say whether both sides agree to the cent."""
        return not self.differences

    @property
    def net_by_currency(self) -> dict[str, int]:
        """The provider's net of every currency."""
        return {code: sums.net_minor for code, sums in sorted(self.there.items())}

    def blocks(self) -> tuple[Block, ...]:
        """Show both sides beside each other, then the payouts."""
        tables = (self._movements(), self._payouts())
        return tuple(table for table in tables if table.rows)

    def _movements(self) -> Table:
        rows: list[tuple[Cell, ...]] = []
        for code in sorted(self.here.keys() | self.there.keys()):
            for side, sums in (("store", self.here.get(code)), ("Stripe", self.there.get(code))):
                known = sums or Sums()
                amounts = (known.amount_minor, known.fee_minor, known.net_minor)
                money = (Money(minor, code) for minor in amounts)
                rows.append((code.upper(), side, known.movements, *money))
        return Table(
            (
                Column("currency"),
                Column("side"),
                Column("movements", "count"),
                Column("amount", "money"),
                Column("fees", "money"),
                Column("net", "money"),
            ),
            tuple(rows),
            title="Every movement of the balance, added up",
        )

    def _payouts(self) -> Table:
        rows: list[tuple[Cell, ...]] = [
            (
                code.upper(),
                sums.count,
                Money(sums.paid_minor, code),
                sums.tied,
                Money(sums.tied_minor, code),
                Money(sums.brought_minor, code),
                sums.by_hand,
                sums.open,
                sums.failed,
            )
            for code, sums in sorted(self.payouts.items())
        ]
        return Table(
            (
                Column("currency"),
                Column("payouts", "count"),
                Column("paid out", "money"),
                Column("traced", "count"),
                Column("traced sum", "money"),
                Column("their movements", "money"),
                Column("by hand", "count"),
                Column("not traced yet", "count"),
                Column("failed", "count"),
            ),
            tuple(rows),
            title="Payouts",
        )

    def to_json(self) -> dict[str, Any]:
        """Return both sides, the payouts and the notes."""
        codes = sorted(self.here.keys() | self.there.keys())
        return {
            "currencies": {
                code: {
                    "store": self.here.get(code, Sums()).to_json(),
                    "stripe": self.there.get(code, Sums()).to_json(),
                }
                for code in codes
            },
            "payouts": {
                code: {
                    "payouts": sums.count,
                    "paid_minor": sums.paid_minor,
                    "traced": sums.tied,
                    "traced_minor": sums.tied_minor,
                    "movements_minor": sums.brought_minor,
                    "by_hand": sums.by_hand,
                    "not_traced_yet": sums.open,
                    "failed": sums.failed,
                }
                for code, sums in sorted(self.payouts.items())
            },
            "notes": list(self.notes),
        }
