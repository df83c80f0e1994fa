"""The provider's events that were acted on, as long as a sync looks back at them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, select

from kpay.domain.checkout import Account
from kpay.models import SeenEvent
from kpay.store.dialect import among, insert_missing, table_of

KEY = ["account", "livemode", "external_id"]
_events = table_of(SeenEvent)


def _of(account: Account) -> ColumnElement[bool]:
    return and_(_events.c.account == account.id, _events.c.livemode == account.livemode)


def ids(connection: Connection, account: Account) -> set[str]:
    """Return the ids of the events that are remembered."""
    return set(connection.scalars(select(_events.c.external_id).where(_of(account))))


def remember(connection: Connection, account: Account, happened: Mapping[str, datetime]) -> None:
    """Remember exactly these events; nothing is written where they are remembered already."""
    known = ids(connection, account)
    gone = known - happened.keys()
    if gone:
        connection.execute(delete(_events).where(_of(account), among(_events.c.external_id, gone)))
    rows = [
        {
            "account": account.id,
            "livemode": account.livemode,
            "external_id": external_id,
            "happened_at": at,
        }
        for external_id, at in sorted(happened.items())
        if external_id not in known
    ]
    insert_missing(connection, SeenEvent, rows, key=KEY)
