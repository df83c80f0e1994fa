"""The books of a period: a double-entry journal, and what each account gained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kpay.domain.document import Block, Cell, Column, Document, Metric, Table, Text
from kpay.domain.journal import MEANINGS, Transaction, trial_balance
from kpay.domain.journal_text import JournalTexts
from kpay.domain.money import Money
from kpay.domain.period import Period
from kpay.domain.reports.scope import Scope


@dataclass(frozen=True)
class BooksReport:
    """The transactions of a period, oldest first; each balances in every currency."""

    scope: Scope
    period: Period
    transactions: tuple[Transaction, ...]

    def to_document(self) -> Document:
        """Show the trial balance; CSV and ledger have every posting."""
        heading = f"kpay books, {self.scope.subtitle(self.period)}"
        count = len(self.transactions)
        return Document(
            "kpay.report.books/1",
            "Books",
            tuple(self._blocks()),
            self._payload(),
            subtitle=self.scope.subtitle(self.period),
            next_steps=(
                ("kpay report books --format csv", "kpay report books --format ledger")
                if count
                else ("kpay sync", "kpay import payments FILE")
            ),
            metrics={"transactions": Metric(count), "postings": Metric(self._postings())},
            texts=JournalTexts(self.transactions, heading),
        )

    @cached_property
    def balances(self) -> dict[str, dict[str, int]]:
        """What each account gained, by currency."""
        return trial_balance(self.transactions)

    def _postings(self) -> int:
        return sum(len(one.postings) for one in self.transactions)

    def _blocks(self) -> list[Block]:
        if not self.transactions:
            return [Text("Nothing moved money in these days.")]
        balances = self.balances
        names = sorted({name for sums in balances.values() for name in sums})
        columns = (
            Column("Account"),
            *(Column(code.upper(), "money") for code in balances),
            Column("What it is"),
        )
        rows: list[tuple[Cell, ...]] = [
            (
                name,
                *(
                    Money(sums[name], code) if name in sums else None
                    for code, sums in balances.items()
                ),
                MEANINGS.get(name, ""),
            )
            for name in names
        ]
        zero = (Money(sum(sums.values()), code) for code, sums in balances.items())
        together: tuple[Cell, ...] = ("Together", *zero, "")
        count = f"{len(self.transactions):,} transactions, {self._postings():,} postings."
        note = (
            "What each account gained; income and what is owed are negative, as in all such books."
        )
        table = Table(columns, (*rows, together), title="Trial balance", note=note)
        return [table, Text(count)]

    def _payload(self) -> dict[str, Any]:
        return {
            **self.scope.head(self.period),
            "trial_balance": {
                code: {name: {"amount_minor": minor} for name, minor in sums.items()}
                for code, sums in self.balances.items()
            },
            "transactions": [
                {
                    "day": one.day.isoformat(),
                    "id": one.code,
                    "description": one.what,
                    "customer": one.customer or None,
                    "postings": [
                        {"account": account, "amount_minor": minor, "currency": currency}
                        for account, minor, currency in one.postings
                    ],
                }
                for one in self.transactions
            ],
        }
