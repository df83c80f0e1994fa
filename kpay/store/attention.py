"""What was mailed to whom, and what people did with it: the rows the price of attention is learned from.

Moments are Julian days, which SQLite computes itself: a million of them are read in a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Text, func, select, type_coerce, union_all

from kpay.domain.address import email_hash
from kpay.domain.enums import DeliveryState, MailKind, NoticeKind
from kpay.models import Campaign, CampaignPlan, Delivery, Event, MailNotice, Subscriber
from kpay.store.audience import suppressions
from kpay.store.dialect import table_of
from kpay.store.evidence import KINDS_OF_EVENT

DELIVERY, CAMPAIGN, PLAN = table_of(Delivery), table_of(Campaign), table_of(CampaignPlan)
EVENT, NOTICE, SUBSCRIBER = table_of(Event), table_of(MailNotice), table_of(Subscriber)
MARKETING: Final = (MailKind.CAMPAIGN.value, MailKind.SEQUENCE.value)
LEAVING: Final = (NoticeKind.UNSUBSCRIBE.value, NoticeKind.COMPLAINT.value)
LOOKS: Final = ("visit", "click")
UNIX_EPOCH: Final = 2_440_587.5
Row = Sequence[Any]


def julian_day(moment: datetime) -> float:
    """Return an aware moment as these rows have it."""
    return moment.timestamp() / 86_400 + UNIX_EPOCH


def _day(column: ColumnElement[datetime]) -> ColumnElement[float]:
    return func.julianday(type_coerce(column, Text))


def mails(connection: Connection, since: datetime, until: datetime, most: int) -> Iterable[Row]:
    """Yield (address, day, campaign or None) of campaign and sequence mails, the newest `most`."""
    query = (
        select(DELIVERY.c.email, _day(DELIVERY.c.sent_at), DELIVERY.c.campaign_id)
        .where(
            DELIVERY.c.state == DeliveryState.SENT.value,
            DELIVERY.c.kind.in_(MARKETING),
            DELIVERY.c.sent_at >= since,
            DELIVERY.c.sent_at < until,
        )
        .order_by(DELIVERY.c.id.desc())
        .limit(most)
    )
    return connection.execute(query)


def subjects(connection: Connection, campaigns: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """Return the slugs that campaigns were about, as their plans say."""
    query = select(CAMPAIGN.c.id, PLAN.c.wording).join(
        PLAN, (PLAN.c.campaign_id == CAMPAIGN.c.id) & (PLAN.c.hash == CAMPAIGN.c.plan_hash)
    )
    wanted = set(campaigns)
    return {
        campaign: tuple(piece["slug"] for piece in wording.get("shared", {}).get("contents", ()))
        for campaign, wording in connection.execute(query)
        if campaign in wanted
    }


def departures(connection: Connection, until: datetime) -> Sequence[Row]:
    """Return (address, day) of everyone who left or complained; a bounce is nobody's wish."""
    told = select(EVENT.c.email, _day(EVENT.c.happened_at)).where(
        EVENT.c.kind.in_(LEAVING), EVENT.c.happened_at < until
    )
    noticed = select(NOTICE.c.email, _day(NOTICE.c.noticed_at)).where(
        NOTICE.c.kind.in_(LEAVING), NOTICE.c.noticed_at < until
    )
    left = select(SUBSCRIBER.c.email, _day(SUBSCRIBER.c.unsubscribed_at)).where(
        SUBSCRIBER.c.unsubscribed_at < until
    )
    reasons = suppressions(connection)
    by_wish = [
        row for row in connection.execute(left) if reasons.get(email_hash(row[0])) in LEAVING
    ]
    return [*connection.execute(union_all(told, noticed)), *by_wish]


def clicks(connection: Connection, until: datetime) -> Iterable[Row]:
    """Yield (address, day, slug) of every click that names a piece."""
    query = select(EVENT.c.email, _day(EVENT.c.happened_at), EVENT.c.content).where(
        EVENT.c.kind == "click", EVENT.c.content != "", EVENT.c.happened_at < until
    )
    return connection.execute(query)


def looks(connection: Connection, until: datetime) -> Iterable[Row]:
    """Yield (address, day, slug) of every look at a piece: a visit to its page, a click to it."""
    kinds = [kind for kind, means in KINDS_OF_EVENT.items() if means in LOOKS]
    query = (
        select(EVENT.c.email, _day(EVENT.c.happened_at), EVENT.c.content)
        .where(EVENT.c.kind.in_(kinds), EVENT.c.content != "", EVENT.c.happened_at < until)
        .order_by(EVENT.c.email, EVENT.c.happened_at, EVENT.c.id)
    )
    return connection.execute(query)


def topics(connection: Connection) -> dict[str, list[str]]:
    """Return the topics that people on the list asked for, also of those who have left it."""
    query = select(SUBSCRIBER.c.email, SUBSCRIBER.c.tags)
    return {email: tags for email, tags in connection.execute(query) if tags}
