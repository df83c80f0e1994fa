"""Reads the plain-text journal back, as strictly as ledger and hledger do, without either."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal

HEAD = re.compile(r"(\d{4}-\d{2}-\d{2}) \* \(([^()\s]*)\) (\S.*)?")
POSTING = re.compile(r" {4}(\S+(?: \S+)*) {2,}(-?\d+(?:\.\d+)?) ([A-Z]{3})")
ACCOUNT = re.compile(r"account (\S+)")
COMMODITY = re.compile(r"commodity ([A-Z]{3})")
COMMENT = re.compile(r" {4};.*")


class Journal:
    """Declared accounts, and transactions as (day, code, words, postings)."""

    def __init__(self, text: str) -> None:
        self.accounts: set[str] = set()
        self.commodities: set[str] = set()
        self.transactions: list[tuple[str, str, str, list[tuple[str, Decimal, str]]]] = []
        for line in text.splitlines():
            self._read(line)

    def _read(self, line: str) -> None:
        if not line or line.startswith(";") or line == "tag customer":
            return
        if match := ACCOUNT.fullmatch(line):
            self.accounts.add(match[1])
        elif match := COMMODITY.fullmatch(line):
            self.commodities.add(match[1])
        elif match := HEAD.fullmatch(line):
            self.transactions.append((match[1], match[2], match[3] or "", []))
        elif match := POSTING.fullmatch(line):
            self.transactions[-1][3].append((match[1], Decimal(match[2]), match[3]))
        elif not COMMENT.fullmatch(line):
            raise AssertionError(f"{line!r} is no line of a journal")

    def unbalanced(self) -> list[str]:
        """Return the codes of transactions that do not add up to nothing in some currency."""
        return [code for _, code, _, postings in self.transactions if any(sums(postings).values())]

    def balances(self) -> dict[tuple[str, str], Decimal]:
        """Return what each account holds of each currency."""
        found: Counter[tuple[str, str]] = Counter()
        for *_, postings in self.transactions:
            for account, amount, currency in postings:
                assert account in self.accounts
                assert currency in self.commodities
                found[account, currency] += amount  # type: ignore[assignment]
        return {key: Decimal(value) for key, value in found.items() if value}


def sums(postings: list[tuple[str, Decimal, str]]) -> dict[str, Decimal]:
    """Add up postings by currency."""
    found: dict[str, Decimal] = {}
    for _, amount, currency in postings:
        found[currency] = found.get(currency, Decimal(0)) + amount
    return found
