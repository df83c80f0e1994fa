"""Importing what people did and what it cost: events, traffic, costs, feedback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from kpay.domain.importing import Circumstances, RowCounts
from kpay.models.signals import Cost, Event, Feedback, Traffic
from kpay.store import audience
from kpay.store.imports import Target, Written, write_rows

Record = Mapping[str, Any]

EVENTS = Target(Event, ("email", "happened_at", "kind", "content", "value"), {})
TRAFFIC = Target(Traffic, ("day", "source", "content"), {"visits": 0, "clicks": 0})
COSTS = Target(Cost, ("day", "kind", "campaign", "currency"), {"amount_minor": 0})
FEEDBACK = Target(Feedback, ("email", "at", "kind", "content"), {"rating": None, "text": ""})
OPT_OUTS = ("unsubscribe", "complaint", "bounce")


def import_events(
    connection: Connection, rows: Sequence[Record], circumstances: Circumstances
) -> RowCounts:
    """Write events; who unsubscribed, complained or bounced is not mailed any more.

    Only an event that is new has that effect, so that a file read again undoes no later consent.
    """
    written = _write(connection, EVENTS, _with_texts(rows, "content", "value"), circumstances)
    if not circumstances.is_rehearsal:
        _opt_out(connection, written)
    return written.counts


def import_traffic(
    connection: Connection, rows: Sequence[Record], circumstances: Circumstances
) -> RowCounts:
    """Write daily counts; rows of one file with the same day, source and content are added up."""
    added = _added_up(TRAFFIC, _with_texts(rows, "content"), ("visits", "clicks"))
    return write_rows(connection, TRAFFIC, added, is_rehearsal=circumstances.is_rehearsal).counts


def import_costs(
    connection: Connection, rows: Sequence[Record], circumstances: Circumstances
) -> RowCounts:
    """Write costs; rows of one file with the same day, kind, campaign and currency are added up."""
    renamed = [{**row, "amount_minor": row["amount"]} for row in _with_texts(rows, "campaign")]
    added = _added_up(COSTS, renamed, ("amount_minor",))
    return write_rows(connection, COSTS, added, is_rehearsal=circumstances.is_rehearsal).counts


def import_feedback(
    connection: Connection, rows: Sequence[Record], circumstances: Circumstances
) -> RowCounts:
    """Write ratings and texts; of two rows about the same thing the later one holds."""
    return _write(connection, FEEDBACK, _with_texts(rows, "content"), circumstances).counts


def _write(
    connection: Connection, target: Target, rows: Sequence[Record], circumstances: Circumstances
) -> Written:
    return write_rows(
        connection, target, last_of_each(target, rows), is_rehearsal=circumstances.is_rehearsal
    )


def last_of_each(target: Target, rows: Sequence[Record]) -> list[tuple[Record, int]]:
    """Merge the rows with the same key, later cells over earlier ones; with the number of rows."""
    merged: dict[tuple[Any, ...], tuple[dict[str, Any], int]] = {}
    for row in rows:
        earlier, count = merged.get(target.key_of(row), ({}, 0))
        said = {name: value for name, value in row.items() if value is not None}
        merged[target.key_of(row)] = ({**earlier, **said}, count + 1)
    return list(merged.values())


def _added_up(
    target: Target, rows: Sequence[Record], summed: Sequence[str]
) -> list[tuple[Record, int]]:
    sums: dict[tuple[Any, ...], tuple[dict[str, Any], int]] = {}
    for row in rows:
        earlier, count = sums.get(target.key_of(row), ({}, 0))
        totals = {name: earlier.get(name, 0) + (row.get(name) or 0) for name in summed}
        sums[target.key_of(row)] = ({**row, **totals}, count + 1)
    return list(sums.values())


def _with_texts(rows: Sequence[Record], *names: str) -> list[Record]:
    return [{**row, **{name: row.get(name) or "" for name in names}} for row in rows]


def _opt_out(connection: Connection, written: Written) -> None:
    leaving: dict[tuple[str, Any], list[str]] = {}
    for event in written.created:
        if event["kind"] in OPT_OUTS:
            leaving.setdefault((event["kind"], event["happened_at"]), []).append(event["email"])
    for (reason, at), emails in leaving.items():
        audience.opt_out(connection, emails, reason, at)
