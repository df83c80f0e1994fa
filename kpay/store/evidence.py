"""What is known of customers beside their orders: the queries behind the frames of the models.

Every query takes the moment before which things must have happened. Rows that are known by an address
count for the customer who has it; whoever is no customer is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Select,
    Table,
    Text,
    cast,
    func,
    literal,
    null,
    select,
    type_coerce,
)

from kpay.domain.enums import (
    COUNTED_REFUNDS,
    ContentStatus,
    DeliveryState,
    MailKind,
    NoticeKind,
)
from kpay.models.billing import Subscription
from kpay.models.catalog import Content, ContentVersion
from kpay.models.mail import Campaign, CampaignPlan, Delivery, MailNotice
from kpay.models.people import Customer, Subscriber
from kpay.models.sales import LineItem, Order, Refund
from kpay.models.signals import Event, Feedback
from kpay.store.dialect import table_of

CUSTOMERS, SUBSCRIBERS = table_of(Customer), table_of(Subscriber)
ORDERS, LINES, REFUNDS = table_of(Order), table_of(LineItem), table_of(Refund)
CONTENT, VERSIONS = table_of(Content), table_of(ContentVersion)
DELIVERIES, NOTICES = table_of(Delivery), table_of(MailNotice)
CAMPAIGNS, PLANS = table_of(Campaign), table_of(CampaignPlan)
EVENTS, FEEDBACK = table_of(Event), table_of(Feedback)
BILLED = table_of(Subscription)

MARKETING: Final = (MailKind.CAMPAIGN.value, MailKind.SEQUENCE.value)
LEAVING: Final = (NoticeKind.UNSUBSCRIBE.value, NoticeKind.COMPLAINT.value)
NEVER_BEGAN: Final = ("incomplete", "incomplete_expired")
SHOWN: Final = (ContentStatus.PUBLISHED.value, ContentStatus.ARCHIVED.value)
KINDS_OF_EVENT: Final = {
    **dict.fromkeys(("visit", "view", "page", "page_view", "pageview"), "visit"),
    **dict.fromkeys(("lesson", "progress", "completed", "read", "listen"), "lesson"),
    **dict.fromkeys(("watch", "play", "download"), "lesson"),
    **dict.fromkeys(("reply", "question", "comment"), "reply"),
    "click": "click",
    **dict.fromkeys(LEAVING, "unsubscribe"),
}
"""What an event's kind means to the models; every other kind is left alone."""

Marked = Select[Any]


def mails(until: datetime) -> Marked:
    """Select customer, moment, kind, content and value of marketing mails sent, and the campaign."""
    return (
        _of_customers(DELIVERIES, DELIVERIES.c.sent_at, literal("mail"), literal(""), until)
        .add_columns(DELIVERIES.c.campaign_id)
        .where(DELIVERIES.c.state == DeliveryState.SENT.value, DELIVERIES.c.kind.in_(MARKETING))
    )


def events(until: datetime) -> Marked:
    """Select customer, moment, kind as it came, content and value of the events that mean something."""
    columns = EVENTS.c
    query = _of_customers(EVENTS, columns.happened_at, columns.kind, columns.content, until)
    return query.where(columns.kind.in_(KINDS_OF_EVENT))


def comings_and_goings(until: datetime) -> list[Marked]:
    """Select who joined the mailing list and who left it, as the list and what came back say."""
    left, gone = SUBSCRIBERS.c.unsubscribed_at, literal("unsubscribe")
    noticed = _of_customers(NOTICES, NOTICES.c.noticed_at, gone, literal(""), until)
    return [
        _of_customers(SUBSCRIBERS, _joined(), literal("join"), literal(""), until),
        _of_customers(SUBSCRIBERS, left, gone, literal(""), until),
        noticed.where(NOTICES.c.kind.in_(LEAVING)),
    ]


def _joined() -> ColumnElement[Any]:
    return func.coalesce(SUBSCRIBERS.c.consented_at, SUBSCRIBERS.c.created_at)


def _of_customers(
    table: Table,
    at: ColumnElement[Any],
    kind: ColumnElement[Any],
    content: ColumnElement[Any],
    until: datetime,
) -> Marked:
    return (
        select(CUSTOMERS.c.id, type_coerce(at, Text), kind, content, literal(1.0))
        .join(table, table.c.email == CUSTOMERS.c.email)
        .where(at < until)
    )


def refunds(until: datetime) -> Marked:
    """Select the counted refunds of customers; the value is the share of the order given back."""
    share = cast(REFUNDS.c.amount_minor, Float) / func.max(ORDERS.c.total_minor, 1)
    return (
        select(
            ORDERS.c.customer_id,
            type_coerce(REFUNDS.c.refunded_at, Text),
            literal("refund"),
            func.coalesce(CONTENT.c.slug, LINES.c.product, ""),
            share,
        )
        .join(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)
        .outerjoin(LINES, (LINES.c.order_id == ORDERS.c.id) & (LINES.c.position == 0))
        .outerjoin(CONTENT, CONTENT.c.id == LINES.c.content_id)
        .where(
            REFUNDS.c.status.in_(COUNTED_REFUNDS),
            REFUNDS.c.refunded_at < until,
            ORDERS.c.customer_id.is_not(None),
        )
    )


def abouts(connection: Connection) -> dict[int, str]:
    """Return the first piece that each campaign was about, as its plan says."""
    query = select(CAMPAIGNS.c.id, PLANS.c.wording).join(
        PLANS, (PLANS.c.campaign_id == CAMPAIGNS.c.id) & (PLANS.c.hash == CAMPAIGNS.c.plan_hash)
    )
    told = {
        campaign: wording.get("shared", {}).get("contents", ())
        for campaign, wording in connection.execute(query)
    }
    return {campaign: pieces[0]["slug"] for campaign, pieces in told.items() if pieces}


def words(until: datetime) -> Select[Any]:
    """Select customer, moment, content, stars (0 to 10) and text of what customers said."""
    columns = FEEDBACK.c
    return (
        select(
            CUSTOMERS.c.id,
            type_coerce(columns.at, Text),
            columns.content,
            columns.rating,
            columns.text,
        )
        .join(FEEDBACK, columns.email == CUSTOMERS.c.email)
        .where(columns.at < until)
        .order_by(CUSTOMERS.c.id, columns.at, columns.id)
    )


def wishes(connection: Connection, until: datetime) -> Iterator[tuple[Any, ...]]:
    """Yield rows as of `words`: the topics that customers asked for when they joined the list."""
    moment = type_coerce(_joined(), Text)
    query = (
        select(CUSTOMERS.c.id, moment, literal(""), null(), SUBSCRIBERS.c.tags)
        .join(SUBSCRIBERS, SUBSCRIBERS.c.email == CUSTOMERS.c.email)
        .where(_joined() < until, SUBSCRIBERS.c.tags != [])
        .order_by(CUSTOMERS.c.id)
    )
    for *row, tags in connection.execute(query):
        yield (*row, " ".join(tags))


def subscriptions(until: datetime) -> Select[Any]:
    """Select the subscriptions that began, with their notices and ends, later ones too."""
    columns = BILLED.c
    dates = (columns.started_at, columns.trial_end_at, columns.canceled_at, columns.ended_at)
    return (
        select(
            columns.customer_id,
            func.coalesce(CONTENT.c.slug, ""),
            *(type_coerce(at, Text) for at in dates),
            columns.interval,
            columns.interval_count,
            columns.amount_minor,
            columns.currency,
        )
        .outerjoin(CONTENT, CONTENT.c.id == columns.content_id)
        .where(
            columns.customer_id.is_not(None),
            columns.started_at < until,
            columns.status.not_in(NEVER_BEGAN),
        )
        .order_by(columns.customer_id, columns.started_at, columns.id)
    )


def pieces(connection: Connection, until: datetime) -> Iterator[tuple[Any, ...]]:
    """Yield slug, first text, kind, tags, price, currency and publication of what was published."""
    columns = CONTENT.c
    moments = (
        type_coerce(columns.published_at, Text).label("published"),
        type_coerce(columns.archived_at, Text).label("archived"),
    )
    first = (VERSIONS.c.content_id == columns.id) & (VERSIONS.c.version == 1)
    query = (
        select(CONTENT, VERSIONS.c.body, VERSIONS.c.front_matter, *moments)
        .outerjoin(VERSIONS, first)
        .where(columns.status.in_(SHOWN), columns.published_at < until)
        .order_by(columns.published_at, columns.slug)
    )
    for row in connection.execute(query):
        yield (
            row.slug,
            _text(row),
            row.kind,
            tuple(row.tags),
            row.amount_minor,
            row.currency or "",
            row.published,
            row.archived,
        )


def edits(connection: Connection, until: datetime) -> Iterator[tuple[Any, ...]]:
    """Yield slug, moment and text of every later version that was published, oldest first."""
    published = type_coerce(VERSIONS.c.created_at, Text)
    query = (
        select(
            CONTENT.c.slug,
            CONTENT.c.title,
            CONTENT.c.summary,
            CONTENT.c.tags,
            VERSIONS.c.body,
            VERSIONS.c.front_matter,
            published.label("published"),
        )
        .join(VERSIONS, VERSIONS.c.content_id == CONTENT.c.id)
        .where(CONTENT.c.status.in_(SHOWN), VERSIONS.c.version > 1, VERSIONS.c.created_at < until)
        .order_by(VERSIONS.c.created_at, VERSIONS.c.id)
    )
    for row in connection.execute(query):
        yield row.slug, row.published, _text(row)


def _text(row: Any) -> str:
    """Return a version's text; title and summary are of today where it did not keep its own."""
    said = row.front_matter or {}
    title, summary = said.get("title", row.title), said.get("summary", row.summary)
    return "\n".join((title, summary, " ".join(row.tags), row.body or ""))
