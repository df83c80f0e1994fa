"""Content and its versions: what is published, and where it can be bought."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, update

from kpay.domain.enums import ContentStatus, OrderStatus
from kpay.models.catalog import Content, ContentVersion, PaymentLink
from kpay.models.sales import LineItem, Order
from kpay.store.dialect import table_of

CONTENT = table_of(Content)
VERSION = table_of(ContentVersion)
LINK = table_of(PaymentLink)
LINE = table_of(LineItem)
ORDER = table_of(Order)

Row = dict[str, Any]


def everything(connection: Connection) -> list[Row]:
    """Return all content, newest first."""
    query = select(CONTENT).order_by(CONTENT.c.published_at.desc(), CONTENT.c.slug)
    return [dict(row) for row in connection.execute(query).mappings()]


def by_slug(connection: Connection, slug: str) -> Row | None:
    """Return one piece of content."""
    query = select(CONTENT).where(CONTENT.c.slug == slug)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def save(connection: Connection, row: Mapping[str, Any], version: Mapping[str, Any] | None) -> None:
    """Write a piece of content by its slug, and its new version if there is one."""
    existing = by_slug(connection, row["slug"])
    if existing is None:
        done = connection.execute(insert(CONTENT).values(**row))
        content_id = (done.inserted_primary_key or (None,))[0]
    else:
        content_id = existing["id"]
        changed = {name: value for name, value in row.items() if existing[name] != value}
        if changed:
            connection.execute(update(CONTENT).where(CONTENT.c.id == content_id).values(**changed))
    if version is not None:
        connection.execute(insert(VERSION).values(content_id=content_id, **version))


def archive(connection: Connection, slug: str, moment: datetime) -> None:
    """Say that a piece of content is archived, and since when."""
    archived = {"status": ContentStatus.ARCHIVED.value, "archived_at": moment}
    connection.execute(update(CONTENT).where(CONTENT.c.slug == slug).values(**archived))


def versions(connection: Connection, content_id: int) -> list[Row]:
    """Return the versions of a piece, newest first, without their text."""
    query = (
        select(VERSION.c.version, VERSION.c.created_at, VERSION.c.digest)
        .where(VERSION.c.content_id == content_id)
        .order_by(VERSION.c.version.desc())
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def published_texts(connection: Connection) -> list[Row]:
    """Return everything that is published, with the text of its present version, newest first."""
    query = (
        select(CONTENT, VERSION.c.body, VERSION.c.preview, VERSION.c.front_matter)
        .join(
            VERSION,
            and_(VERSION.c.content_id == CONTENT.c.id, VERSION.c.version == CONTENT.c.version),
        )
        .where(CONTENT.c.status == ContentStatus.PUBLISHED.value)
        .order_by(CONTENT.c.published_at.desc(), CONTENT.c.slug)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def open_links(connection: Connection) -> dict[int, str]:
    """Return, by content, the address at which it can be bought."""
    query = (
        select(LINK.c.content_id, LINK.c.url)
        .where(LINK.c.is_active, LINK.c.content_id.is_not(None))
        .order_by(LINK.c.id)
    )
    return {row.content_id: row.url for row in connection.execute(query)}


def buy_addresses(connection: Connection) -> list[str]:
    """Return every address at which anything can be bought."""
    return list(connection.scalars(select(LINK.c.url).where(LINK.c.is_active).distinct()))


def closed_links(connection: Connection) -> dict[str, str]:
    """Return the addresses at which nothing is sold any more, with the title of what was."""
    selling = select(LINK.c.url).where(LINK.c.is_active)
    query = (
        select(LINK.c.url, CONTENT.c.title)
        .join(CONTENT, CONTENT.c.id == LINK.c.content_id, isouter=True)
        .where(LINK.c.is_active.is_(False), LINK.c.url.not_in(selling))
        .order_by(LINK.c.id)
    )
    return {row.url: row.title or "" for row in connection.execute(query)}


def sales(connection: Connection) -> dict[int, dict[str, tuple[int, int]]]:
    """Return, by content and currency, how many lines of paid orders it has and their sum."""
    query = (
        select(
            LINE.c.content_id,
            ORDER.c.currency,
            func.count().label("lines"),
            func.sum(LINE.c.amount_minor).label("amount_minor"),
        )
        .join(ORDER, ORDER.c.id == LINE.c.order_id)
        .where(LINE.c.content_id.is_not(None), ORDER.c.status == OrderStatus.PAID.value)
        .group_by(LINE.c.content_id, ORDER.c.currency)
        .order_by(ORDER.c.currency)
    )
    found: dict[int, dict[str, tuple[int, int]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.content_id, {})[row.currency] = (row.lines, row.amount_minor)
    return found
