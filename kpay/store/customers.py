"""Customers and the provider ids by which they are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update

from kpay.domain.checkout import Account
from kpay.models import Customer, CustomerIdentity
from kpay.store.dialect import among, table_of, upsert_rows

CHANGING: Final = ("email", "name", "country", "created_at")
_customers = table_of(Customer)
_identities = table_of(CustomerIdentity)


def by_identity(
    connection: Connection, account: Account, external_ids: Iterable[str]
) -> dict[str, int]:
    """Return whom each of the provider's customer ids means, as far as it is known."""
    query = select(_identities.c.external_id, _identities.c.customer_id).where(
        _identities.c.account == account.id,
        _identities.c.livemode == account.livemode,
        among(_identities.c.external_id, external_ids),
    )
    return dict(connection.execute(query).all())


def identities_of(
    connection: Connection, account: Account, people: Iterable[int]
) -> dict[str, int]:
    """Return the provider's customer ids by which some people are known, each with its person."""
    # Asked by the person alone, for else the account's whole list would be searched.
    query = select(
        _identities.c.external_id,
        _identities.c.customer_id,
        _identities.c.account,
        _identities.c.livemode,
    ).where(among(_identities.c.customer_id, people))
    return {
        row.external_id: row.customer_id
        for row in connection.execute(query).all()
        if (row.account, row.livemode) == (account.id, account.livemode)
    }


def by_email(connection: Connection, emails: Iterable[str]) -> dict[str, int]:
    """Return the customer behind each normalised address, as far as there is one."""
    query = select(_customers.c.email, _customers.c.id).where(among(_customers.c.email, emails))
    return dict(connection.execute(query).all())


def rows(connection: Connection, ids: Iterable[int]) -> dict[int, Any]:
    """Return customers by id."""
    query = select(_customers).where(among(_customers.c.id, ids))
    return {row.id: row for row in connection.execute(query).all()}


def add(connection: Connection, people: Sequence[Mapping[str, Any]]) -> list[int]:
    """Add customers and return their ids, in the same order."""
    if not people:
        return []
    statement = insert(_customers).returning(_customers.c.id, sort_by_parameter_order=True)
    return list(connection.scalars(statement, [dict(person) for person in people]))


def change(connection: Connection, people: Sequence[Mapping[str, Any]]) -> int:
    """Write CHANGING facts of customers (`id` says whose); return how many there were."""
    if people:
        statement = (
            update(_customers)
            .where(_customers.c.id == bindparam("whose"))
            .values({name: bindparam(f"new_{name}") for name in CHANGING})
        )
        connection.execute(
            statement,
            [
                {"whose": person["id"]} | {f"new_{name}": person[name] for name in CHANGING}
                for person in people
            ],
        )
    return len(people)


def save_identities(connection: Connection, identities: Sequence[Mapping[str, Any]]) -> int:
    """Remember whom provider ids mean; return how many rows were written."""
    return upsert_rows(
        connection, CustomerIdentity, identities, key=["account", "livemode", "external_id"]
    )


def mark_deleted(connection: Connection, account: Account, external_ids: Iterable[str]) -> None:
    """Note that the provider deleted some of its customers; the people stay."""
    connection.execute(
        update(_identities)
        .where(
            _identities.c.account == account.id,
            _identities.c.livemode == account.livemode,
            among(_identities.c.external_id, external_ids),
            _identities.c.is_deleted.is_(False),
        )
        .values(is_deleted=True)
    )
