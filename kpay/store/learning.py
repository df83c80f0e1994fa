"""What was learned: model runs, scores and forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select, update

from kpay.domain.enums import ContentStatus, OrderStatus
from kpay.models.catalog import Content
from kpay.models.learning import ForecastRun, ModelRun, Score
from kpay.models.mail import Campaign
from kpay.models.people import Customer, Subscriber
from kpay.models.sales import LineItem, Order
from kpay.store.dialect import insert_missing, table_of, upsert_rows

RUNS = table_of(ModelRun)
SCORES = table_of(Score)
CUSTOMERS = table_of(Customer)
SUBSCRIBERS = table_of(Subscriber)
ORDERS = table_of(Order)
LINES = table_of(LineItem)
CONTENT = table_of(Content)
CAMPAIGNS = table_of(Campaign)

Row = dict[str, Any]


def find_run(connection: Connection, run: str) -> Row | None:
    """Return a model run, or None."""
    return _first(connection, select(RUNS).where(RUNS.c.run == run))


def runs_starting(connection: Connection, start: str) -> list[Row]:
    """Return the model runs whose id begins with `start`."""
    query = select(RUNS).where(RUNS.c.run.startswith(start, autoescape=True)).order_by(RUNS.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def all_runs(connection: Connection) -> list[Row]:
    """Return all model runs, the newest as-of first."""
    query = select(RUNS).order_by(RUNS.c.as_of.desc(), RUNS.c.id.desc())
    return [dict(row) for row in connection.execute(query).mappings()]


def newest_run(connection: Connection, not_after: date | None = None) -> Row | None:
    """Return the run with the newest as-of, none later than `not_after`; the later trained wins."""
    query = select(RUNS).order_by(RUNS.c.as_of.desc(), RUNS.c.id.desc()).limit(1)
    if not_after is not None:
        query = query.where(RUNS.c.as_of <= not_after)
    return _first(connection, query)


def _first(connection: Connection, query: Select[Any]) -> Row | None:
    row = connection.execute(query).mappings().first()
    return None if row is None else dict(row)


def keep_run(connection: Connection, row: Row) -> bool:
    """Keep a model run, the champion if no other knows more; say whether it was new or changed."""
    newest = newest_run(connection)
    is_champion = newest is None or newest["run"] == row["run"] or newest["as_of"] <= row["as_of"]
    if is_champion:
        others = RUNS.c.is_champion.is_(True) & (RUNS.c.run != row["run"])
        connection.execute(update(RUNS).where(others).values(is_champion=False))
    kept = {**row, "is_champion": is_champion}
    return bool(upsert_rows(connection, ModelRun, [kept], key=["run"]))


def keep_scores(connection: Connection, rows: Sequence[Row]) -> int:
    """Keep the scores of people; return how many were new or changed."""
    return upsert_rows(connection, Score, rows, key=["run", "as_of", "customer_id"])


def keep_forecast(connection: Connection, row: Row) -> bool:
    """Keep a forecast as it was printed; say whether it was new."""
    return bool(insert_missing(connection, ForecastRun, [row], key=["run"]))


def emails(connection: Connection) -> dict[int, str]:
    """Return the address of each customer who has one."""
    query = select(CUSTOMERS.c.id, CUSTOMERS.c.email).where(CUSTOMERS.c.email.is_not(None))
    return {row.id: row.email for row in connection.execute(query)}


def listed_emails(connection: Connection) -> list[str]:
    """Return the addresses on the mailing list, whatever their state."""
    return list(
        connection.execute(select(SUBSCRIBERS.c.email).order_by(SUBSCRIBERS.c.id)).scalars()
    )


def pieces(connection: Connection, until: datetime) -> list[Row]:
    """Return content with what recommending needs, archived too; drafts are not shown to anybody.

    Without any content, the products that were sold before a moment stand in for it.
    """
    columns = ("slug", "title", "kind", "tags", "status", "pricing", "includes")
    shown = (ContentStatus.PUBLISHED.value, ContentStatus.ARCHIVED.value)
    query = (
        select(*(CONTENT.c[name] for name in columns))
        .where(CONTENT.c.status.in_(shown))
        .order_by(CONTENT.c.slug)
    )
    found = [dict(row) for row in connection.execute(query).mappings()]
    return found or _products_sold(connection, until)


def _products_sold(connection: Connection, until: datetime) -> list[Row]:
    query = (
        select(LINES.c.product, func.max(LINES.c.name).label("name"))
        .join(ORDERS, ORDERS.c.id == LINES.c.order_id)
        .where(
            ORDERS.c.status == OrderStatus.PAID.value,
            ORDERS.c.ordered_at < until,
            LINES.c.product != "",
        )
        .group_by(LINES.c.product)
        .order_by(LINES.c.product)
    )
    alike = {
        "kind": "",
        "tags": [],
        "status": ContentStatus.PUBLISHED.value,
        "pricing": "fixed",
        "includes": [],
    }
    return [
        {"slug": row.product, "title": row.name or row.product, **alike}
        for row in connection.execute(query)
    ]


def customer_of(connection: Connection, email: str) -> int | None:
    """Return the customer with a normalised address."""
    query = select(CUSTOMERS.c.id).where(CUSTOMERS.c.email == email)
    found: int | None = connection.execute(query).scalar()
    return found


def campaign_starts(connection: Connection, until: datetime) -> list[tuple[str, datetime]]:
    """Return name and first sending of each campaign that was sent before a moment, oldest first."""
    query = (
        select(CAMPAIGNS.c.name, CAMPAIGNS.c.first_sent_at)
        .where(CAMPAIGNS.c.first_sent_at < until)
        .order_by(CAMPAIGNS.c.first_sent_at, CAMPAIGNS.c.id)
    )
    return [(name, sent_at) for name, sent_at in connection.execute(query)]


def launches(connection: Connection, until: datetime) -> list[tuple[str, datetime]]:
    """Return slug and publication of what went on sale before a moment, oldest first."""
    query = (
        select(CONTENT.c.slug, CONTENT.c.published_at)
        .where(CONTENT.c.published_at < until, CONTENT.c.pricing != "free")
        .order_by(CONTENT.c.published_at, CONTENT.c.slug)
    )
    return [(slug, published_at) for slug, published_at in connection.execute(query)]


def busiest_currency(connection: Connection, until: datetime) -> str | None:
    """Return the currency of most paid orders before a moment, or None without any."""
    count = func.count().label("orders")
    query = (
        select(ORDERS.c.currency)
        .where(ORDERS.c.status == OrderStatus.PAID.value, ORDERS.c.ordered_at < until)
        .group_by(ORDERS.c.currency)
        .order_by(count.desc(), ORDERS.c.currency)
        .limit(1)
    )
    found: str | None = connection.execute(query).scalar()
    return found


def has_sales(connection: Connection, until: datetime, currency: str) -> bool:
    """Say whether a paid order of a currency came before a moment."""
    query = (
        select(ORDERS.c.id)
        .where(
            ORDERS.c.status == OrderStatus.PAID.value,
            ORDERS.c.currency == currency,
            ORDERS.c.ordered_at < until,
        )
        .limit(1)
    )
    return connection.execute(query).first() is not None
