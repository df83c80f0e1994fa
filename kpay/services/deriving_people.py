"""Who bought: one customer a person, by provider id first, else by address; guests are people too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from kpay.domain.address import normal_email
from kpay.domain.checkout import Account
from kpay.domain.records import CustomerRecord
from kpay.store import customers, mirrors, underived
from kpay.store.dialect import chunks

PEOPLE_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Sighting:
    """Somebody who bought or subscribed, as the sale describes them."""

    provider_id: str | None
    email: str | None
    name: str
    country: str | None
    at: datetime


class People:
    """Finds the customer of each sale, adding those who are new."""

    def __init__(self, connection: Connection, account: Account) -> None:
        self._connection = connection
        self._account = account
        self._identities: dict[str, int] = {}
        self._emails: dict[str, int] = {}
        self._kept: set[str] = set()

    def whose(self, provider_id: str | None, email: str | None) -> int | None:
        """Return the customer who is meant; `meet` must have seen them."""
        if provider_id in self._identities:
            return self._identities[provider_id]
        return self._emails.get(normal_email(email)) if email else None

    def recall(self, provider_ids: Iterable[str | None]) -> None:
        """Load whom some provider ids mean, adding nobody."""
        ids = {one for one in provider_ids if one} - self._identities.keys()
        known = customers.by_identity(self._connection, self._account, ids)
        self._identities |= known
        self._kept |= known.keys()

    def meet(self, sightings: Iterable[Sighting]) -> None:
        """Make sure that everybody seen is a customer, and fill in what was not known of them.

        Earlier sightings come first, so that the same sales give the same people in any order.
        """
        seen = sorted(
            (one for one in sightings if one.provider_id or one.email),
            key=lambda one: (one.at, one.provider_id or "", one.email or ""),
        )
        objects = _customer_objects(
            self._connection, self._account, {one.provider_id for one in seen if one.provider_id}
        )
        self.recall(one.provider_id for one in seen)
        self._recall_emails(seen, objects)
        newcomers: list[dict[str, Any]] = []
        for sighting in seen:
            self._recognise(sighting, objects.get(sighting.provider_id or ""), newcomers)
        self._add(newcomers)
        self._remember_identities(seen, objects)
        self._fill_in(seen, objects)

    def _recall_emails(self, seen: Sequence[Sighting], objects: dict[str, CustomerRecord]) -> None:
        emails = {_email_of(one, objects.get(one.provider_id or "")) for one in seen}
        wanted = {email for email in emails if email} - self._emails.keys()
        self._emails |= customers.by_email(self._connection, wanted)

    def _recognise(
        self, sighting: Sighting, record: CustomerRecord | None, newcomers: list[dict[str, Any]]
    ) -> None:
        """Find the person, or note a newcomer under a number below zero until the row exists."""
        email = _email_of(sighting, record)
        person = self._identities.get(sighting.provider_id or "")
        if person is None:
            person = self._emails.get(email or "")
        if person is None:
            newcomers.append(_newcomer(sighting, record, email))
            person = -len(newcomers)
        if sighting.provider_id:
            self._identities.setdefault(sighting.provider_id, person)
        if email:
            self._emails.setdefault(email, person)

    def _add(self, newcomers: list[dict[str, Any]]) -> None:
        ids = customers.add(self._connection, newcomers)
        if ids:
            for known in (self._identities, self._emails):
                known.update({key: ids[-one - 1] for key, one in known.items() if one < 0})

    def _remember_identities(
        self, seen: Sequence[Sighting], objects: dict[str, CustomerRecord]
    ) -> None:
        new = {one.provider_id for one in seen if one.provider_id} - self._kept
        self._kept |= new
        customers.save_identities(
            self._connection,
            [
                {
                    "account": self._account.id,
                    "livemode": self._account.livemode,
                    "external_id": provider_id,
                    "customer_id": self._identities[provider_id],
                    "is_deleted": provider_id in objects and objects[provider_id].is_deleted,
                }
                for provider_id in sorted(new)
            ],
        )
        self._owe(new)

    def _owe(self, provider_ids: Iterable[str]) -> None:
        """Have what was derived before somebody was known take note of them."""
        owed = [("customer", one) for one in sorted(provider_ids)]
        if owed:
            underived.add(self._connection, self._account, owed)
            underived.add_bills_of_nobody(self._connection, self._account)

    def _fill_in(self, seen: Sequence[Sighting], objects: dict[str, CustomerRecord]) -> None:
        """Give people the address, name and country that an earlier sale did not tell.

        A sale that shows up late may be the first of all: then its name counts, unless a customer
        object has one.
        """
        ids = {self.whose(one.provider_id, one.email) for one in seen}
        before = customers.rows(self._connection, {person for person in ids if person})
        after = {person: _facts(row) for person, row in before.items()}
        for sighting in seen:
            person = self.whose(sighting.provider_id, sighting.email)
            known = after.get(person or 0)
            if known is None:
                continue
            record = objects.get(sighting.provider_id or "")
            email = _email_of(sighting, record)
            if not known["email"] and email and self._emails.get(email) == person:
                known["email"] = email
            is_first = sighting.at < known["created_at"]
            for name in ("name", "country"):
                told = getattr(sighting, name)
                known[name] = (told or known[name]) if is_first else (known[name] or told)
            known["created_at"] = min(known["created_at"], _since(sighting, record))
        _write_changes(self._connection, before, after)
        moved = [one for one, row in before.items() if after[one]["created_at"] != row.created_at]
        self._owe(customers.identities_of(self._connection, self._account, moved))


def update_people(connection: Connection, account: Account) -> None:
    """Take over what the provider's underived customers say, for those who are customers here."""
    for some in chunks(underived.ids(connection, account, "customer"), PEOPLE_AT_ONCE):
        objects = _customer_objects(connection, account, some)
        _update_some(connection, account, list(objects.values()))


def _update_some(
    connection: Connection, account: Account, touched: Sequence[CustomerRecord]
) -> None:
    people = set(customers.by_identity(connection, account, {one.id for one in touched}).values())
    known = customers.identities_of(connection, account, people)
    before = customers.rows(connection, people)
    after = {person: _facts(row) for person, row in before.items()}
    theirs = _customer_objects(connection, account, known).values()
    emails = {normal_email(one.email) for one in theirs if one.email}
    taken = customers.by_email(connection, emails)
    for record in sorted(theirs, key=lambda one: (one.created_at, one.id)):
        facts = after.get(known.get(record.id, 0))
        if facts is None or record.is_deleted:
            continue
        email = normal_email(record.email) if record.email else None
        if email and taken.setdefault(email, known[record.id]) == known[record.id]:
            facts["email"] = email
        facts["name"] = record.name or facts["name"]
        facts["country"] = record.country or facts["country"]
        facts["created_at"] = min(facts["created_at"], record.created_at)
    _write_changes(connection, before, after)


def _write_changes(
    connection: Connection, before: dict[int, Any], after: dict[int, dict[str, Any]]
) -> None:
    changed = [facts for person, facts in after.items() if facts != _facts(before[person])]
    customers.change(connection, changed)


def _customer_objects(
    connection: Connection, account: Account, ids: Iterable[str]
) -> dict[str, CustomerRecord]:
    """Return the provider's customers, read back from their mirror rows."""
    return {
        external_id: CustomerRecord(
            id=external_id,
            email=row.email,
            name=row.name,
            country=row.country,
            is_deleted=row.is_deleted,
            created_at=row.created_at,
        )
        for external_id, row in mirrors.customers(connection, account, ids).items()
    }


def _email_of(sighting: Sighting, record: CustomerRecord | None) -> str | None:
    """Return the address that identifies somebody: that of the customer object before the sale's."""
    email = (record.email if record else None) or sighting.email
    return normal_email(email) if email else None


def _newcomer(
    sighting: Sighting, record: CustomerRecord | None, email: str | None
) -> dict[str, Any]:
    return {
        "email": email,
        "name": (record.name if record else "") or sighting.name,
        "country": (record.country if record else None) or sighting.country,
        "tags": [],
        "created_at": _since(sighting, record),
    }


def _since(sighting: Sighting, record: CustomerRecord | None) -> datetime:
    return min(record.created_at, sighting.at) if record else sighting.at


def _facts(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "email": row.email,
        "name": row.name,
        "country": row.country,
        "created_at": row.created_at,
    }
