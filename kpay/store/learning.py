"""What was learned: model runs, scores and forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, update

from kpay.domain.enums import OrderStatus
from kpay.models.catalog import Content
from kpay.models.learning import ForecastRun, ModelRun, Score
from kpay.models.mail import Campaign
from kpay.models.people import Customer, Subscriber
from kpay.models.sales import LineItem, Order
from kpay.store.dialect import insert_missing, table_of, upsert_rows

RUNS = table_of(ModelRun)
SCORES = table_of(Score)
FORECASTS = table_of(ForecastRun)
CUSTOMERS = table_of(Customer)
SUBSCRIBERS = table_of(Subscriber)
ORDERS = table_of(Order)
LINES = table_of(LineItem)
CONTENT = table_of(Content)
CAMPAIGNS = table_of(Campaign)
PURCHASE: Final = "purchase"

Row = dict[str, Any]


class Sold(NamedTuple):
    """How many paid orders of known people there were, and when the first came."""

    orders: int
    first_at: datetime


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


def newest_run(
    connection: Connection, not_after: date | None = None, target: str = PURCHASE
) -> Row | None:
    """Return a target's run with the newest as-of, none later than `not_after`; the later trained wins."""
    query = select(RUNS).where(RUNS.c.target == target)
    if not_after is not None:
        query = query.where(RUNS.c.as_of <= not_after)
    return _first(connection, query.order_by(RUNS.c.as_of.desc(), RUNS.c.id.desc()).limit(1))


def champion(
    connection: Connection, target: str = PURCHASE, horizon_days: int | None = None
) -> Row | None:
    """Return the champion of a target and horizon, of any horizon the one promoted last."""
    query = select(RUNS).where(RUNS.c.target == target, RUNS.c.is_champion)
    if horizon_days is not None:
        query = query.where(RUNS.c.horizon_days == horizon_days)
    latest = (RUNS.c.promoted_at.desc().nulls_last(), RUNS.c.as_of.desc(), RUNS.c.id.desc())
    return _first(connection, query.order_by(*latest).limit(1))


def _first(connection: Connection, query: Select[Any]) -> Row | None:
    row = connection.execute(query).mappings().first()
    return None if row is None else dict(row)


def keep_run(connection: Connection, row: Row) -> bool:
    """Keep a model run, no champion until it is promoted; say whether it was new or changed."""
    found = find_run(connection, row["run"])
    standing = {
        "is_champion": found["is_champion"] if found else False,
        "promoted_at": found["promoted_at"] if found else None,
    }
    return bool(upsert_rows(connection, ModelRun, [{**row, **standing}], key=["run"]))


def promote(connection: Connection, row: Row, at: datetime) -> None:
    """Make a run the champion of its target and horizon."""
    rivals = _of_same_kind(row) & RUNS.c.is_champion & (RUNS.c.run != row["run"])
    connection.execute(update(RUNS).where(rivals).values(is_champion=False))
    _set(connection, row, is_champion=True, promoted_at=at)


def promoted_before(connection: Connection, row: Row) -> Row | None:
    """Return who was champion before a run: of its kind, the one promoted last of all others."""
    query = (
        select(RUNS)
        .where(_of_same_kind(row), RUNS.c.run != row["run"], RUNS.c.promoted_at.is_not(None))
        .order_by(RUNS.c.promoted_at.desc(), RUNS.c.id.desc())
        .limit(1)
    )
    return _first(connection, query)


def give_back(connection: Connection, row: Row, before: Row) -> None:
    """Let the champion before stand again, as if this one had never been promoted."""
    _set(connection, row, is_champion=False, promoted_at=None)
    _set(connection, before, is_champion=True)


def _of_same_kind(row: Row) -> ColumnElement[bool]:
    return and_(RUNS.c.target == row["target"], RUNS.c.horizon_days == row["horizon_days"])


def _set(connection: Connection, row: Row, **values: Any) -> None:
    connection.execute(update(RUNS).where(RUNS.c.run == row["run"]).values(**values))


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


def sold_before(connection: Connection, until: datetime) -> Sold | None:
    """Return what was sold before a moment, None without a single sale."""
    query = select(func.count(), func.min(ORDERS.c.ordered_at)).where(
        ORDERS.c.status == OrderStatus.PAID.value,
        ORDERS.c.customer_id.is_not(None),
        ORDERS.c.ordered_at < until,
    )
    orders, first_at = connection.execute(query).one()
    return Sold(orders, first_at) if orders else None


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


def forecasts(connection: Connection, made_before: datetime) -> list[Row]:
    """Return the forecasts that were kept before a moment, the oldest as-of first."""
    query = (
        select(FORECASTS)
        .where(FORECASTS.c.made_at < made_before)
        .order_by(FORECASTS.c.as_of, FORECASTS.c.horizon_days, FORECASTS.c.made_at, FORECASTS.c.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]
