"""What people asked for: searches and questions among events and feedback, and ticked topics."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, literal, select, union_all

from kpay.domain.asked_topics import Ask
from kpay.models.people import Subscriber
from kpay.models.signals import Event, Feedback
from kpay.store.dialect import table_of

EVENTS, FEEDBACK, LIST = table_of(Event), table_of(Feedback), table_of(Subscriber)
SEARCHES = ("search", "searched", "site_search")
QUESTIONS = ("question", "request", "wish", "idea", "suggestion")


def asks(connection: Connection, since: datetime, until: datetime) -> list[Ask]:
    """Return searches and questions in [since, until), and topics ticked before `until`, by time."""
    found = [*_written(connection, since, until), *_ticked(connection, until)]
    return sorted(found, key=lambda ask: (ask.at, ask.how, ask.who, ask.text))


def _written(connection: Connection, since: datetime, until: datetime) -> list[Ask]:
    events, said = EVENTS.c, FEEDBACK.c
    inside = (events.happened_at >= since, events.happened_at < until, events.value != "")
    columns = (events.email, events.happened_at, events.value, events.content)
    both = union_all(
        select(literal("search"), *columns).where(events.kind.in_(SEARCHES), *inside),
        select(literal("question"), *columns).where(events.kind.in_(QUESTIONS), *inside),
        select(literal("question"), said.email, said.at, said.text, said.content).where(
            said.kind.in_(QUESTIONS), said.at >= since, said.at < until, said.text != ""
        ),
    )
    return [Ask(*row) for row in connection.execute(both)]


def _ticked(connection: Connection, until: datetime) -> list[Ask]:
    joined = func.coalesce(LIST.c.consented_at, LIST.c.created_at)
    query = select(LIST.c.email, joined, LIST.c.tags).where(joined < until, LIST.c.tags != [])
    return [
        Ask("wish", email, at, tag) for email, at, tags in connection.execute(query) for tag in tags
    ]
