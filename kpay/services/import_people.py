"""Importing people: customers, and subscribers with the proof of their consent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from kpay.domain.enums import SubscriberStatus
from kpay.domain.importing import Circumstances, RowCounts
from kpay.models.people import Customer, Subscriber
from kpay.services.import_signals import last_of_each
from kpay.store import audience, subscribers
from kpay.store.imports import Target, write_rows

Record = Mapping[str, Any]
CONSENT_SOURCE = "import"
UNSUBSCRIBED = SubscriberStatus.UNSUBSCRIBED.value
UNCONFIRMED = SubscriberStatus.UNCONFIRMED.value


def import_customers(
    connection: Connection, rows: Sequence[Record], circumstances: Circumstances
) -> RowCounts:
    """Write customers by address; a cell that is empty leaves what is known."""
    blanks: dict[str, Any] = {
        "name": "",
        "country": None,
        "tags": [],
        "created_at": circumstances.now,
    }
    target = Target(Customer, ("email",), blanks)
    records = last_of_each(target, [_with_tag_list(row) for row in rows])
    return write_rows(connection, target, records, is_rehearsal=circumstances.is_rehearsal).counts


def import_subscribers(
    connection: Connection, rows: Sequence[Record], circumstances: Circumstances
) -> RowCounts:
    """Write subscribers by address; who has opted out stays so, and counts as unchanged.

    A row of status unsubscribed brings an opt-out along; no row takes one away. Where consent is
    asked for, whoever is new and comes without its source is unconfirmed.
    """
    blanks: dict[str, Any] = {
        "name": "",
        "status": SubscriberStatus.SUBSCRIBED.value,
        "consent_source": CONSENT_SOURCE,
        "consented_at": None,
        "consent_wording": None,
        "timezone": None,
        "tags": [],
        "created_at": circumstances.now,
    }
    target = Target(Subscriber, ("email",), blanks)
    records = _with_opt_outs_kept(rows, last_of_each(target, [_with_tag_list(row) for row in rows]))
    if circumstances.asks_consent:
        records = _unconfirmed_without_source(connection, records)
    gone = subscribers.opted_out_among(connection, [record["email"] for record, _ in records])
    staying = [(record, count) for record, count in records if record["email"] not in gone]
    left_alone = sum(count for record, count in records if record["email"] in gone)
    written = write_rows(connection, target, staying, is_rehearsal=circumstances.is_rehearsal)
    leaving = [record["email"] for record, _ in staying if record.get("status") == UNSUBSCRIBED]
    if leaving and not circumstances.is_rehearsal:
        audience.opt_out(connection, leaving, "unsubscribe", circumstances.now)
    return written.counts + RowCounts(unchanged=left_alone)


def _with_opt_outs_kept(
    rows: Sequence[Record], records: Sequence[tuple[Record, int]]
) -> list[tuple[Record, int]]:
    """Let the row that says unsubscribed hold, wherever in the file it stands."""
    left = {row["email"] for row in rows if row.get("status") == UNSUBSCRIBED}
    return [
        ({**record, "status": UNSUBSCRIBED} if record["email"] in left else record, count)
        for record, count in records
    ]


def _unconfirmed_without_source(
    connection: Connection, records: Sequence[tuple[Record, int]]
) -> list[tuple[Record, int]]:
    """Let those who are new, and of whom no row says how they agreed, wait until they confirm.

    Whoever is on the list already stays as they are: no import takes a proven consent away, and
    none stands in for a yes.
    """
    known = subscribers.statuses(connection, [record["email"] for record, _ in records])
    return [
        (_unproven(record, known.get(record["email"])), count)
        if not record.get("consent_source") and record.get("status") != UNSUBSCRIBED
        else (record, count)
        for record, count in records
    ]


def _unproven(record: Record, status: str | None) -> Record:
    if status is None:
        return {**record, "status": UNCONFIRMED, "consent_source": ""}
    return {**record, "status": status}


def _with_tag_list(row: Record) -> Record:
    tags = row.get("tags")
    return {**row, "tags": None if tags is None else list(tags)}
