"""Who may be mailed: the list, the customers, what they own, and who must not be mailed again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, update

from kpay.domain.address import email_hash, normal_email
from kpay.domain.audience import Person
from kpay.domain.enums import SubscriberStatus
from kpay.domain.person_fields import GROUPS, SCORES
from kpay.models import Subscriber, Suppression
from kpay.store import person_facts
from kpay.store.dialect import chunks, insert_missing, table_of
from kpay.store.learning import busiest_currency
from kpay.store.person_facts import Exchange, Stream, days_since, set_of

SUBSCRIBER, SUPPRESSION = table_of(Subscriber), table_of(Suppression)
EMAILS_A_STATEMENT = 500


def people(
    connection: Connection,
    now: datetime,
    *,
    currency: str | None = None,
    asked: frozenset[str] | None = None,
    among: Collection[str] | None = None,
) -> Iterator[Person]:
    """Yield everyone on the list and every customer with an address, by address.

    Amounts are in `currency`, without it in that of most orders. With `asked` (the names of an
    audience) the costlier facts, scores, purchases and mails, are read only where they are asked for;
    with `among` only these addresses are looked up.
    """
    base = currency or busiest_currency(connection, now) or "usd"
    refused = frozenset(suppressions(connection))
    facts = _Facts(connection, now, base, asked, among)
    listed = Stream(connection, person_facts.subscribers(), among)
    buyers = Stream(connection, person_facts.customers(), among)
    while (email := min(filter(None, (listed.address, buyers.address)), default="")) != "":
        reader, customer = listed.take(email), buyers.take(email)
        status = reader.status if reader else None
        yield Person(
            email=email,
            name=(reader.name if reader else "") or (customer[2] if customer else ""),
            customer_id=customer[1] if customer else None,
            is_listed=reader is not None,
            has_consent=status == SubscriberStatus.SUBSCRIBED,
            is_suppressed=status == SubscriberStatus.UNSUBSCRIBED or email_hash(email) in refused,
            tags=(set_of(reader.tags) if reader else frozenset())
            | (set_of(customer[3]) if customer else frozenset()),
            country=customer[4] if customer else None,
            timezone=reader.timezone if reader else None,
            consent_source=reader.consent_source if reader else None,
            joined_days=days_since(reader.joined, now) if reader else None,
            currency=base,
            **facts.of(email),
        )


class _Facts:
    """What orders, rights, scores and mails say of the people who come by in order."""

    def __init__(
        self,
        connection: Connection,
        now: datetime,
        currency: str,
        asked: frozenset[str] | None,
        among: Collection[str] | None,
    ) -> None:
        def stream(query: Select[Any] | None, *names: str) -> Stream:
            is_wanted = not names or asked is None or not asked.isdisjoint(names)
            return Stream(connection, query if is_wanted else None, among)

        self._now = now
        self._exchange = Exchange(connection, currency, now)
        self._orders = stream(person_facts.paid_orders())
        self._owned = stream(person_facts.owned(now))
        self._bought = stream(person_facts.bought(), "bought")
        self._ending = stream(person_facts.ending(), "ends")
        self._mails = stream(person_facts.mails(), "mails", "last_mail_days")
        self._scores = stream(person_facts.scores(connection, now), *SCORES)
        self._groups = stream(person_facts.groups(), *GROUPS)

    def of(self, email: str) -> dict[str, Any]:
        """Return what is known of one person."""
        owned, bought = self._owned.take(email), self._bought.take(email)
        ending = self._ending.take(email)
        return {
            "owned": set_of(owned[1]) if owned else frozenset(),
            "bought": set_of(bought[1]) if bought else frozenset(),
            "ending": set_of(ending[1]) if ending else frozenset(),
            **self._orders_of(email),
            **self._mails_of(email),
            **self._score_of(email),
            **self._groups_of(email),
        }

    def _orders_of(self, email: str) -> dict[str, Any]:
        orders, spent_minor, last = 0, 0, None
        for _, currency, count, minor, last_at in self._orders.take_all(email):
            orders += count
            spent_minor += self._exchange.into_base(minor, currency) or 0
            last = max(last or last_at, last_at)
        return {
            "has_bought": orders > 0,
            "orders": orders,
            "spent_minor": spent_minor,
            "last_order_days": days_since(last, self._now),
        }

    def _mails_of(self, email: str) -> dict[str, Any]:
        row = self._mails.take(email)
        if row is None:
            return {}
        return {"mails": row[1], "last_mail_days": days_since(row[2], self._now)}

    def _score_of(self, email: str) -> dict[str, Any]:
        row = self._scores.take(email)
        if row is None:
            return {}
        return {
            "propensity": row[1],
            "expected_value_minor": self._exchange.into_base(row[2], row[3]),
            "decile": row[4],
        }

    def _groups_of(self, email: str) -> dict[str, Any]:
        row = self._groups.take(email)
        return {} if row is None else {"rfm": row[1], "behaviour": row[2] or None}


def suppressions(connection: Connection) -> dict[str, str]:
    """Return why each suppressed address, by its hash, must not be mailed."""
    rows = connection.execute(select(SUPPRESSION.c.email_hash, SUPPRESSION.c.reason))
    return {row.email_hash: row.reason for row in rows}


def opt_out(connection: Connection, emails: Iterable[str], reason: str, at: datetime) -> int:
    """Suppress addresses (unsubscribe, complaint, bounce) and end their place on the list.

    Returns how many were not suppressed before; the first reason and its time are kept, and an
    address that is suppressed already is not written again.
    """
    gone = sorted({normal_email(email) for email in emails})
    rows = [{"email_hash": email_hash(email), "reason": reason, "since_at": at} for email in gone]
    added = insert_missing(connection, Suppression, rows, key=["email_hash"])
    for some in chunks([{"email": email} for email in gone], EMAILS_A_STATEMENT):
        connection.execute(
            update(SUBSCRIBER)
            .where(
                SUBSCRIBER.c.email.in_([row["email"] for row in some]),
                SUBSCRIBER.c.status != SubscriberStatus.UNSUBSCRIBED.value,
            )
            .values(status=SubscriberStatus.UNSUBSCRIBED.value, unsubscribed_at=at)
        )
    return added
