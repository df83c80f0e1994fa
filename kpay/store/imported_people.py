"""The customers of imported books: found by address, or by what a file calls them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, update

from kpay.domain.address import is_plausible
from kpay.domain.checkout import Account
from kpay.models.people import Customer
from kpay.store import customers
from kpay.store.dialect import insert_missing, table_of, update_many

ELSEWHERE: Final = Account("", False)
"""The account under which everything stands that no provider told."""

CUSTOMER = table_of(Customer)


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody as a file names them: an address or another text, and when they were first seen."""

    text: str
    seen_at: datetime
    country: str | None = None


def known(connection: Connection, texts: Iterable[str]) -> dict[str, int]:
    """Return the customer of each text of a file, as far as there is one."""
    names = set(texts)
    emails = {name for name in names if is_plausible(name)}
    by_email = customers.by_email(connection, emails)
    return by_email | customers.by_identity(connection, ELSEWHERE, names - emails)


def called(connection: Connection, people: Iterable[int]) -> dict[int, str]:
    """Return what the files call customers who came without an address."""
    found = customers.identities_of(connection, ELSEWHERE, people)
    return {person: text for text, person in sorted(found.items(), reverse=True)}


def meet(connection: Connection, seen: Iterable[Named]) -> dict[str, int]:
    """Make sure that everybody is a customer; return whom each text means.

    Who is seen earlier than was known has been a customer since then.
    """
    first = _first_seen(seen)
    there = known(connection, first)
    _add(connection, [person for text, person in first.items() if text not in there])
    found = known(connection, first)
    rows = customers.rows(connection, there.values())
    earlier = [
        {"whose": person, "since": first[text].seen_at}
        for text, person in there.items()
        if first[text].seen_at < rows[person].created_at
    ]
    _move_back(connection, earlier)
    return found


def _first_seen(seen: Iterable[Named]) -> dict[str, Named]:
    first: dict[str, Named] = {}
    for person in sorted(seen, key=lambda person: (person.seen_at, person.text)):
        kept = first.setdefault(person.text, person)
        if kept.country is None and person.country is not None:
            first[person.text] = Named(kept.text, kept.seen_at, person.country)
    return first


def _add(connection: Connection, people: Sequence[Named]) -> None:
    with_address = [_row(person) for person in people if is_plausible(person.text)]
    insert_missing(connection, Customer, with_address, key=["email"])
    others = [person for person in people if not is_plausible(person.text)]
    ids = customers.add(connection, [_row(person) for person in others])
    identities = [
        {
            "account": ELSEWHERE.id,
            "livemode": ELSEWHERE.livemode,
            "external_id": person.text,
            "customer_id": customer_id,
            "is_deleted": False,
        }
        for person, customer_id in zip(others, ids, strict=True)
    ]
    customers.save_identities(connection, identities)


def _row(person: Named) -> dict[str, Any]:
    has_address = is_plausible(person.text)
    return {
        "email": person.text if has_address else None,
        "name": "" if has_address else person.text,
        "country": person.country,
        "tags": [],
        "created_at": person.seen_at,
    }


def _move_back(connection: Connection, people: Sequence[Mapping[str, Any]]) -> None:
    columns = CUSTOMER.c
    statement = (
        update(CUSTOMER)
        .where(columns.id == bindparam("whose"))
        .values(created_at=bindparam("since", type_=columns.created_at.type))
    )
    update_many(connection, statement, people)
