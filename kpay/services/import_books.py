"""Importing books from elsewhere: plans, what happened to subscriptions, rates, other income."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from kpay.domain.importing import BadRow, Circumstances, RowCounts
from kpay.domain.story_telling import Complaint, tell
from kpay.domain.subscription_story import Happening, ToldEvent
from kpay.models.books import ExchangeRate, ImportedPlan, SubscriptionEvent
from kpay.models.signals import Income
from kpay.services.deriving_imported import derive_imported
from kpay.services.import_signals import last_of_each
from kpay.store import imported_books as stored
from kpay.store.imports import Target, Written, write_rows

Record = Mapping[str, Any]

PLANS = Target(
    ImportedPlan,
    ("plan",),
    {"interval": "", "interval_count": 1, "amount_minor": 0, "currency": ""},
)
EVENTS = Target(
    SubscriptionEvent,
    ("subscription", "happened_at", "event"),
    {"customer": "", "plan": "", "discount_pct": 0.0, "discount_until": None, "note": ""},
)
RATES = Target(ExchangeRate, ("first_day", "currency", "base"), {"rate": ""})
INCOME = Target(Income, ("day", "kind", "currency"), {"amount_minor": 0})


@dataclass(frozen=True, slots=True)
class Row:
    """A well-formed row of a file, and the line on which it begins."""

    line: int
    values: Record


@dataclass(frozen=True, slots=True)
class Misfits:
    """Rows that do not go together with what the store has; `hint` is what to do first."""

    bad: tuple[BadRow, ...] = ()
    hint: str | None = None


def import_plans(
    connection: Connection, rows: Sequence[Record], circumstances: Circumstances
) -> RowCounts:
    """Write plans by name; subscriptions on a plan whose price was wrong are reckoned anew."""
    records = [
        {
            **row,
            "amount_minor": row["price_ex_tax"],
            "interval_count": row.get("interval_count") or 1,
        }
        for row in rows
    ]
    written = _write(connection, PLANS, records, circumstances)
    if _is_to_derive(written, circumstances):
        derive_imported(connection, stored.on_plans(connection, {row["plan"] for row in rows}))
    return written.counts


def import_subscriptions(
    connection: Connection, rows: Sequence[Record], circumstances: Circumstances
) -> RowCounts:
    """Write events, and what the subscriptions they tell of are by them."""
    records = [{**_event_row(row), "discount_until": row.get("discount_until")} for row in rows]
    written = _write(connection, EVENTS, records, circumstances)
    if _is_to_derive(written, circumstances):
        derive_imported(connection, {row["sub_id"] for row in rows})
    return written.counts


def check_subscriptions(connection: Connection, rows: Sequence[Row]) -> Misfits:
    """Return the events that cannot have happened after those before them, and unknown plans."""
    plans = stored.plans(connection)
    by_name: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_name[row.values["sub_id"]].append(row)
    earlier = stored.events(connection, by_name)
    bad: list[BadRow] = []
    needs_plans = False
    for name, of_one in by_name.items():
        events = {(one.happened_at, one.happening): one for one in map(_told, of_one)}
        kept = [one for one in earlier[name] if (one.happened_at, one.happening) not in events]
        _, complaints = tell([*kept, *events.values()], [], plans)
        needs_plans |= any(
            event.plan and event.plan not in plans
            for event, column, _ in complaints
            if column == "plan"
        )
        bad += _left_out([row.line for row in of_one], complaints)
    hint = "kpay import plans plans.csv   # the plans come before their subscriptions"
    return Misfits(tuple(bad), hint if needs_plans else None)


def _left_out(lines: Sequence[int], complaints: Sequence[Complaint]) -> list[BadRow]:
    """Leave a subscription out whole: a part of its events would be another price."""
    if not complaints:
        return []
    wrong = {event.line or min(lines): (column, why) for event, column, why in complaints}
    first = min(wrong)
    return [
        BadRow(line, *wrong[line])
        if line in wrong
        else BadRow(line, None, f"left out: line {first} of the same subscription is wrong")
        for line in lines
    ]


def told_otherwise(rows: Sequence[Row], *names: str) -> list[BadRow]:
    """Return the rows that tell otherwise of what stands on an earlier line under the same names."""
    first: dict[tuple[Any, ...], Row] = {}
    bad = []
    for row in rows:
        earlier = first.setdefault(tuple(row.values.get(name) for name in names), row)
        if earlier.values != row.values:
            told = str(row.values[names[-1]])
            why = f"{told!r} stands on line {earlier.line} with other values"
            bad.append(BadRow(row.line, names[-1], why))
    return bad


def check_plans(_connection: Connection, rows: Sequence[Row]) -> Misfits:
    """Return the plans that stand twice with different prices."""
    return Misfits(tuple(told_otherwise(rows, "plan")))


def import_rates(
    connection: Connection, rows: Sequence[Record], circumstances: Circumstances
) -> RowCounts:
    """Write what a unit of each currency is worth in the base, month by month."""
    records = [{**row, "first_day": row["month"]} for row in rows]
    return _write(connection, RATES, records, circumstances).counts


def check_rates(_connection: Connection, rows: Sequence[Row]) -> Misfits:
    """Return the rates without a base, and those of a base that is not worth itself."""
    bad = told_otherwise(rows, "month", "base", "currency")
    for row in rows:
        base, currency, rate = (row.values.get(name) for name in ("base", "currency", "rate"))
        if base is None:
            why = "is empty (call the column of rates usd_per_unit, or say the base here)"
            bad.append(BadRow(row.line, "base", why))
        elif base == currency and rate != "1":
            bad.append(BadRow(row.line, "rate", f"one {base.upper()} is 1 {base.upper()}"))
    return Misfits(tuple(bad))


def import_income(
    connection: Connection, rows: Sequence[Record], circumstances: Circumstances
) -> RowCounts:
    """Write other income; rows of one file with the same day, kind and currency are added up."""
    sums: dict[tuple[Any, ...], tuple[dict[str, Any], int]] = {}
    for row in rows:
        before, count = sums.get(INCOME.key_of(row), ({"amount_minor": 0}, 0))
        total = before["amount_minor"] + row["amount"]
        sums[INCOME.key_of(row)] = ({**row, "amount_minor": total}, count + 1)
    written = write_rows(
        connection, INCOME, list(sums.values()), is_rehearsal=circumstances.is_rehearsal
    )
    return written.counts


def _write(
    connection: Connection, target: Target, rows: Sequence[Record], circumstances: Circumstances
) -> Written:
    return write_rows(
        connection, target, last_of_each(target, rows), is_rehearsal=circumstances.is_rehearsal
    )


def _is_to_derive(written: Written, circumstances: Circumstances) -> bool:
    changed = written.counts.created + written.counts.updated
    return bool(changed) and not circumstances.is_rehearsal


def _event_row(row: Record) -> dict[str, Any]:
    return {
        "subscription": row["sub_id"],
        "happened_at": row["ts_utc"],
        "event": row["event"],
        "customer": row["customer"],
        "plan": row.get("plan") or "",
        "discount_pct": row.get("discount_pct") or 0.0,
        "note": row.get("note") or "",
    }


def _told(row: Row) -> ToldEvent:
    values = row.values
    return ToldEvent(
        values["ts_utc"],
        Happening(values["event"]),
        values["customer"],
        values.get("plan") or "",
        values.get("discount_pct") or 0.0,
        values.get("discount_until"),
        row.line,
    )
