"""Keeping the mailing list: adding, listing, taking off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from kpay.domain.address import normal_email
from kpay.domain.document import Column, Document, Table, done
from kpay.domain.enums import SubscriberStatus
from kpay.domain.import_values import read_email, read_tags, read_zone
from kpay.domain.period import instant_text
from kpay.domain.subscriber_card import subscriber_card
from kpay.errors import NotFound, Refused, UsageProblem
from kpay.store import audience, subscribers
from kpay.store.engine import Store


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Someone to be put on the list, as the command line says it."""

    email: str
    name: str = ""
    consent_source: str = ""
    timezone: str | None = None
    tags: str = ""


def add_subscriber(store: Store, newcomer: Newcomer, now: datetime) -> Document:
    """Put someone on the list with the proof of consent.

    Raises Refused for an address that opted out: only its owner can undo that.
    """
    row = row_of(newcomer, now)
    email = row["email"]
    with store.reading() as connection:
        check_not_gone(connection, email)
        known = subscribers.find(connection, email)
    if known is not None:
        return done(
            "kpay.subscriber.add/1",
            f"{email} is on the list already; nothing to do.",
            {"email": email, "created": False},
        )
    with store.writing() as connection:
        subscribers.add(connection, row)
    return done(
        "kpay.subscriber.add/1",
        f"{email} is on the list.",
        {"email": email, "created": True},
        "kpay subscriber list",
    )


def check_not_gone(connection: Connection, email: str) -> None:
    """Raise Refused for an address that opted out or must not be mailed."""
    if subscribers.opted_out_among(connection, [email]):
        reason = subscribers.reason_not_to_mail(connection, email)
        raise Refused(
            f"{email} must not be mailed ({reason or 'unsubscribe'}); only its owner can undo that",
            "kpay subscriber list --status unsubscribed",
        )


def remove_subscriber(store: Store, email: str, now: datetime) -> Document:
    """Take an address off the list and never mail it again."""
    wanted = normal_email(email)
    with store.reading() as connection:
        known = subscribers.find(connection, wanted)
        left = subscribers.opted_out_among(connection, [wanted])
    if known is None and not left:
        raise NotFound("subscriber", wanted, "kpay subscriber list")
    if left:
        return done(
            "kpay.subscriber.remove/1",
            f"{wanted} is off the list already; nothing to do.",
            {"email": wanted, "removed": False},
        )
    with store.writing() as connection:
        audience.opt_out(connection, [wanted], "unsubscribe", now)
    return done(
        "kpay.subscriber.remove/1",
        f"{wanted} is off the list and will not be mailed again.",
        {"email": wanted, "removed": True},
    )


def list_subscribers(store: Store, status: SubscriberStatus | None) -> Document:
    """Return the list, by address."""
    with store.reading() as connection:
        rows = subscribers.listed(connection, status)
    columns = (
        Column("email"),
        Column("name"),
        Column("status"),
        Column("consent"),
        Column("since", "day"),
        Column("tags"),
    )
    table = Table(
        columns,
        tuple(
            (
                row["email"],
                row["name"],
                row["status"],
                row["consent_source"],
                (row["consented_at"] or row["created_at"]).date(),
                ", ".join(row["tags"]),
            )
            for row in rows
        ),
    )
    title = f"{len(rows):,} subscriber{'' if len(rows) == 1 else 's'}"
    return Document(
        "kpay.subscriber.list/1",
        title if rows else "Nobody is on the list yet.",
        (table,) if rows else (),
        {"subscribers": _to_json(rows)},
        next_steps=() if rows else ("kpay import subscribers FILE", "kpay subscriber add EMAIL"),
    )


def show_subscriber(store: Store, email: str) -> Document:
    """Return one place on the list with the proof of consent; NotFound without one."""
    wanted = normal_email(email)
    with store.reading() as connection:
        row = subscribers.find(connection, wanted)
        reason = subscribers.reason_not_to_mail(connection, wanted)
    if row is None and reason is None:
        raise NotFound("subscriber", wanted, "kpay subscriber list")
    return subscriber_card(wanted, row, reason)


def row_of(newcomer: Newcomer, now: datetime) -> dict[str, Any]:
    """Return a newcomer as a row of the list; UsageProblem says what cannot be read."""
    try:
        return {
            "email": read_email(newcomer.email),
            "name": newcomer.name.strip(),
            "status": SubscriberStatus.SUBSCRIBED.value,
            "consent_source": newcomer.consent_source or "added by hand",
            "consented_at": now,
            "timezone": read_zone(newcomer.timezone) if newcomer.timezone else None,
            "tags": list(read_tags(newcomer.tags)),
            "created_at": now,
        }
    except ValueError as error:
        raise UsageProblem(str(error), "kpay subscriber add --help") from None


def _to_json(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "email": row["email"],
            "name": row["name"],
            "status": row["status"],
            "consent_source": row["consent_source"],
            "consented_at": instant_text(row["consented_at"]) if row["consented_at"] else None,
            "timezone": row["timezone"],
            "tags": row["tags"],
        }
        for row in rows
    ]
