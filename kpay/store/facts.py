"""Single facts about this business, by name."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from kpay.models import Fact
from kpay.store.dialect import table_of, upsert_rows

_facts = table_of(Fact)


def find(connection: Connection, name: str) -> str | None:
    """Return a fact, or None when it is not known."""
    return connection.execute(select(_facts.c.value).where(_facts.c.name == name)).scalar()


def keep(connection: Connection, name: str, value: str) -> bool:
    """Remember a fact; say whether it was new or another one before."""
    return bool(upsert_rows(connection, Fact, [{"name": name, "value": value}], key=["name"]))


def forget(connection: Connection, name: str) -> None:
    """Forget a fact."""
    connection.execute(delete(_facts).where(_facts.c.name == name))
