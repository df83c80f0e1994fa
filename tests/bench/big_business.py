"""A business with very many payments, written straight into its store: for timing what reads it.

Three years in one currency: single sales and monthly memberships, each payment with its charge and
balance transaction, some refunded, a mailing list as long as the list of customers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

FIRST = datetime(2023, 9, 1, tzinfo=UTC)
DAYS = 1096
LAST_DAY = (FIRST + timedelta(days=DAYS - 1)).date()
ACCOUNT = "acct_big"
A_CUSTOMER = 8  # payments
A_MEMBER = 60
PIECES = 24
REFUNDED = 0.03
MOST_RENEWALS = 30

Row = tuple[object, ...]


def fill(database: Path, payments: int, seed: int = 3) -> None:
    """Write `payments` paid orders and what belongs to them into an empty store."""
    draw = np.random.default_rng(seed)
    people, members = payments // A_CUSTOMER, payments // A_MEMBER
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        _insert(connection, "content", _CONTENT, _pieces())
        _insert(connection, "customer", _CUSTOMER, _people(people))
        _insert(connection, "subscriber", _SUBSCRIBER, _listed(people))
        started = draw.integers(0, DAYS - 40, members)
        lasting = np.minimum(draw.geometric(0.07, members), MOST_RENEWALS)
        renewals = [
            (member, start + 30 * turn, turn)
            for member, (start, length) in enumerate(zip(started, lasting, strict=True))
            for turn in range(int(length))
            if start + 30 * turn < DAYS
        ]
        _write_memberships(connection, started.tolist(), lasting.tolist(), people)
        _write_bills(connection, renewals)
        single = payments - len(renewals)
        days = np.sort(draw.integers(0, DAYS, single))
        buyers = (people * draw.random(single) ** 1.6).astype(int) + 1
        sold = [(int(d), int(b), None) for d, b in zip(days, buyers, strict=True)]
        sold += [(int(d), m % people + 1, (m, t)) for m, d, t in renewals]
        _write_payments(connection, sold, draw)
        connection.commit()


_CONTENT = (
    "id slug kind title summary language tags includes pricing amount_minor currency interval "
    "trial_days status version digest file attachments published_at created_at"
)
_CUSTOMER = "id email name country tags created_at"
_SUBSCRIBER = "id email name status consent_source consented_at tags created_at"
_ORDER = (
    "id source account livemode external_id customer_id ordered_at currency gross_minor "
    "discount_minor tax_minor total_minor status kind country charge_id subscription_id tracking"
)
_LINE = "order_id position content_id product name quantity amount_minor"
_BALANCE = (
    "account livemode external_id kind amount_minor fee_minor net_minor currency "
    "source_external_id status created_at"
)
_CHARGE = (
    "account livemode external_id amount_minor captured_minor refunded_minor currency status "
    "is_sale name description created_at"
)
_REFUND = "source account livemode external_id order_id charge_id amount_minor currency status refunded_at"
_SUBSCRIPTION = (
    "id account livemode external_id customer_id content_id status amount_minor currency interval "
    "interval_count quantity started_at current_period_end_at is_ending ended_at"
)
_PHASE = (
    "account livemode subscription_external_id invoice_external_id starts_at amount_minor interval "
    "interval_count"
)
_INVOICE = (
    "account livemode external_id customer_id subscription_external_id status currency "
    "subtotal_minor total_minor tax_minor paid_minor attempts created_at paid_at"
)


def _insert(connection: sqlite3.Connection, table: str, columns: str, rows: Iterable[Row]) -> None:
    names = columns.split()
    marks = ", ".join("?" * len(names))
    connection.executemany(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",
        rows,
    )


def _at(day: int, second: int = 0) -> str:
    return (FIRST + timedelta(days=int(day), seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _pieces() -> Iterator[Row]:
    for number in range(1, PIECES + 1):
        tags = f'["topic-{number % 5}"]'
        yield (
            number, f"piece-{number}", "ebook", f"Piece {number}", "", "en", tags, "[]", "fixed",
            1900, "usd", None, 0, "published", 1, "", "", "[]", _at(number * 30), _at(0),
        )  # fmt: skip


def _people(count: int) -> Iterator[Row]:
    for number in range(1, count + 1):
        country = ("US", "DE", "FR", "GB")[number % 4]
        yield number, f"p{number}@example.com", f"P {number}", country, "[]", _at(0)


def _listed(count: int) -> Iterator[Row]:
    for number in range(1, count + 1):
        joined = _at(number % DAYS)
        yield (
            number, f"p{number}@example.com", "", "subscribed", "shop", joined, "[]", joined,
        )  # fmt: skip


def _write_memberships(
    connection: sqlite3.Connection, started: list[int], lasting: list[int], people: int
) -> None:
    subscriptions, phases = [], []
    for member, (start, length) in enumerate(zip(started, lasting, strict=True)):
        end = start + 30 * length
        is_over = end < DAYS
        name = f"sub_{member}"
        subscriptions.append(
            (
                member + 1, ACCOUNT, 1, name, member % people + 1, 1,
                "canceled" if is_over else "active", 900, "usd", "month", 1, 1, _at(start), _at(end),
                0, _at(end) if is_over else None,
            )
        )  # fmt: skip
        phases.append((ACCOUNT, 1, name, f"in_{member}_0", _at(start), 900, "month", 1))
    _insert(connection, "subscription", _SUBSCRIPTION, subscriptions)
    _insert(connection, "subscription_phase", _PHASE, phases)


def _write_bills(connection: sqlite3.Connection, renewals: list[tuple[int, int, int]]) -> None:
    _insert(
        connection,
        "invoice",
        _INVOICE,
        (
            (
                ACCOUNT, 1, f"in_{member}_{turn}", None, f"sub_{member}", "paid", "usd", 900, 900,
                0, 900, 1, _at(day), _at(day),
            )
            for member, day, turn in renewals
        ),
    )  # fmt: skip


def _write_payments(
    connection: sqlite3.Connection,
    sold: list[tuple[int, int, tuple[int, int] | None]],
    draw: np.random.Generator,
) -> None:
    seconds = draw.integers(0, 86_400, len(sold)).tolist()
    prices = draw.choice([900, 1900, 2900, 4900], len(sold)).tolist()
    pieces = draw.integers(2, PIECES + 1, len(sold)).tolist()
    is_refunded = (draw.random(len(sold)) < REFUNDED).tolist()
    orders, lines, balance, charges, refunds = [], [], [], [], []
    for number, (day, customer, bill) in enumerate(sold, start=1):
        minor = 900 if bill else prices[number - 1]
        at, charge = _at(day, seconds[number - 1]), f"ch_{number}"
        kind = "one_time" if bill is None else "renewal" if bill[1] else "subscription_start"
        piece = 1 if bill else pieces[number - 1]
        tax = minor * 19 // 119 if customer % 4 == 1 else 0
        country = ("US", "DE", "FR", "GB")[customer % 4]
        orders.append(
            (
                number, "stripe", ACCOUNT, 1, charge, customer, at, "usd", minor, 0, tax, minor,
                "paid", kind, country, charge, f"sub_{bill[0]}" if bill else None, "{}",
            )
        )  # fmt: skip
        lines.append((number, 0, piece, f"piece-{piece}", f"Piece {piece}", 1, minor))
        fee = 30 + minor * 29 // 1000
        balance.append(
            (ACCOUNT, 1, f"txn_{number}", "charge", minor, fee, minor - fee, "usd", charge,
             "available", at)
        )  # fmt: skip
        back = minor if is_refunded[number - 1] else 0
        charges.append((ACCOUNT, 1, charge, minor, minor, back, "usd", "succeeded", 1, "", "", at))
        if back:
            later, name = _at(min(day + 5, DAYS - 1), seconds[number - 1]), f"re_{number}"
            refunds.append(
                ("stripe", ACCOUNT, 1, name, number, charge, back, "usd", "succeeded", later)
            )
            balance.append(
                (ACCOUNT, 1, f"txn_r{number}", "refund", -back, 0, -back, "usd", name, "available",
                 later)
            )  # fmt: skip
    _insert(connection, "orders", _ORDER, orders)
    _insert(connection, "line_item", _LINE, lines)
    _insert(connection, "balance_transaction", _BALANCE, balance)
    _insert(connection, "charge", _CHARGE, charges)
    _insert(connection, "refund", _REFUND, refunds)
