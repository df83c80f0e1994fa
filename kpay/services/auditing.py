"""The audit trail: noting a deed in the transaction that does it, and proving that none was unsaid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from kpay.domain.audit import BEGINNING, AuditCheck, AuditTrail, Deed, check, seal
from kpay.store import audit
from kpay.store.engine import Store


def note(
    connection: Connection,
    action: str,
    subject: str,
    detail: Mapping[str, str | int | bool | None],
    *,
    at: datetime,
) -> None:
    """Add a deed to the trail; it is kept if and only if the transaction is.

    `action` is like "refund.asked". Neither subject nor detail names a person: an order's id does.
    """
    before = audit.last(connection)
    deed = Deed((before.id if before else 0) + 1, at, action, subject, detail)
    chain = seal(audit.key(connection), before.chain if before else BEGINNING, deed)
    audit.add(connection, replace(deed, chain=chain))


def verify(store: Store, head: str | None = None) -> AuditCheck:
    """Follow the chain of all deeds; `head` is an earlier one that must still be part of it."""
    with store.reading() as connection:
        if not audit.count(connection):
            return check("", (), head)
        return check(audit.key(connection), audit.oldest_first(connection), head)


def trail(store: Store, limit: int) -> AuditTrail:
    """Return the newest deeds."""
    with store.reading() as connection:
        return AuditTrail(audit.newest(connection, limit), audit.count(connection))
