"""A journal as a table of postings (CSV) and as plain text for ledger and hledger."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from kpay.domain.csv_cells import escaped
from kpay.domain.journal import MEANINGS, Transaction, trial_balance
from kpay.domain.money import format_major

COLUMNS: Final = (
    "date", "transaction", "id", "description", "customer", "account", "amount", "currency",
)  # fmt: skip
UNSAFE_CODE: Final = re.compile(r"[^\w.:@/#+-]+")
UNSAFE_WORDS: Final = re.compile(r"[\s;|*!()\[\]=~%]+")
AMOUNT_COLUMN: Final = 56


class JournalTexts(Mapping[str, str]):
    """The journal in formats of its own, each written when it is asked for."""

    def __init__(self, transactions: Sequence[Transaction], heading: str) -> None:
        self._transactions, self._heading = transactions, heading

    def __getitem__(self, name: str) -> str:
        if name == "csv":
            return as_csv(self._transactions)
        if name == "ledger":
            return as_ledger(self._transactions, self._heading)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(("csv", "ledger"))

    def __len__(self) -> int:
        return 2


def as_csv(transactions: Sequence[Transaction]) -> str:
    """Write one line a posting; amounts are decimal, and no text is taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, one in enumerate(transactions, 1):
        start = (one.day.isoformat(), number, *map(escaped, (one.code, one.what, one.customer)))
        for account, minor, currency in one.postings:
            money = format_major(minor, currency)
            writer.writerow((*start, account, money, currency.upper()))
    return out.getvalue()


def as_ledger(transactions: Sequence[Transaction], heading: str) -> str:
    """Write the syntax that ledger and hledger share: accounts, transactions, and what they come to."""
    lines = [f"; {_line(heading)}", ""]
    balances = trial_balance(transactions)
    for account in sorted({name for sums in balances.values() for name in sums}):
        lines.append(f"account {account}")
        lines += [f"    ; {MEANINGS[account]}"] if account in MEANINGS else []
    lines += [f"commodity {currency.upper()}" for currency in balances]
    lines.append("tag customer")
    for one in transactions:
        lines += ["", *_transaction(one)]
    lines += ["", "; What the accounts gained"]
    for currency, sums in balances.items():
        lines += [f"; {_posting(name, minor, currency)}" for name, minor in sums.items()]
    return "\n".join(lines) + "\n"


def _transaction(one: Transaction) -> Iterator[str]:
    code = UNSAFE_CODE.sub("_", one.code)
    words = UNSAFE_WORDS.sub(" ", one.what).strip()
    yield f"{one.day.isoformat()} * ({code}) {words}"
    if one.customer:
        yield f"    ; customer: {_line(one.customer)}"
    for posting in one.postings:
        yield f"    {_posting(*posting)}"


def _posting(account: str, minor: int, currency: str) -> str:
    amount = format_major(minor, currency)
    return f"{account}  {amount.rjust(max(0, AMOUNT_COLUMN - len(account)))} {currency.upper()}"


def _line(text: str) -> str:
    """Return a text on one line, without what could end a comment or begin another."""
    return " ".join(text.replace(",", " ").split())
