"""Orders, their lines, refunds and disputes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, func, select, update

from kpay.domain.checkout import Account
from kpay.domain.entitlements import HOLDING_DISPUTES
from kpay.domain.enums import COUNTED_REFUNDS, OrderStatus
from kpay.domain.period import Period
from kpay.models import Content, Customer, Dispute, LineItem, Order, Refund
from kpay.store.dialect import among, table_of, upsert_rows

STRIPE = "stripe"
KEY = ["source", "account", "livemode", "external_id"]
_orders = table_of(Order)
_lines = table_of(LineItem)
_refunds = table_of(Refund)
_disputes = table_of(Dispute)
_content = table_of(Content)
_customers = table_of(Customer)

Rows = Sequence[Mapping[str, Any]]


def _ours(account: Account) -> ColumnElement[bool]:
    return and_(
        _orders.c.source == STRIPE,
        _orders.c.account == account.id,
        _orders.c.livemode == account.livemode,
    )


def ids_of(connection: Connection, account: Account, external_ids: Iterable[str]) -> dict[str, int]:
    """Return the ids of orders by their charges, or checkouts where nothing had to be paid."""
    query = select(_orders.c.external_id, _orders.c.id).where(
        _ours(account), among(_orders.c.external_id, external_ids)
    )
    return dict(connection.execute(query).all())


def count_all(connection: Connection, account: Account) -> int:
    """Return how many orders came from the provider."""
    query = select(func.count()).select_from(_orders).where(_ours(account))
    return int(connection.execute(query).scalar_one())


def save(connection: Connection, orders: Rows) -> int:
    """Upsert orders; return how many rows were written."""
    return upsert_rows(connection, Order, orders, key=KEY)


def mark_failed(connection: Connection, order_ids: Iterable[int]) -> None:
    """Note that the money of orders did not come in the end."""
    failed = OrderStatus.FAILED.value
    connection.execute(
        update(_orders)
        .where(among(_orders.c.id, order_ids), _orders.c.status != failed)
        .values(status=failed)
    )


def sold_content(connection: Connection, order_ids: Iterable[int]) -> dict[tuple[int, int], Any]:
    """Return the lines of orders by (order id, position): what was frozen at the sale."""
    query = select(
        _lines.c.order_id, _lines.c.position, _lines.c.content_id, _lines.c.product
    ).where(among(_lines.c.order_id, order_ids))
    return {(row.order_id, row.position): row for row in connection.execute(query).all()}


def save_lines(connection: Connection, lines: Rows) -> int:
    """Upsert lines; return how many rows were written."""
    return upsert_rows(connection, LineItem, lines, key=["order_id", "position"])


def drop_lines(connection: Connection, keys: Iterable[tuple[int, int]]) -> None:
    """Remove lines that an order no longer has."""
    for order_id, position in keys:
        connection.execute(
            delete(_lines).where(_lines.c.order_id == order_id, _lines.c.position == position)
        )


def adopt_content(connection: Connection) -> list[int]:
    """Tie lines that name a slug to the content that has come to exist; return their orders."""
    matching = and_(_lines.c.content_id.is_(None), _lines.c.product == _content.c.slug)
    touched = list(connection.scalars(select(_lines.c.order_id).distinct().where(matching)))
    if touched:
        found = select(_content.c.id).where(_content.c.slug == _lines.c.product).scalar_subquery()
        connection.execute(
            update(_lines)
            .where(
                _lines.c.content_id.is_(None), exists().where(_content.c.slug == _lines.c.product)
            )
            .values(content_id=found)
        )
    return sorted(touched)


def subscriptions_of(connection: Connection, order_ids: Iterable[int]) -> set[str]:
    """Return the subscriptions that some orders paid."""
    query = select(_orders.c.subscription_id).where(
        among(_orders.c.id, order_ids), _orders.c.subscription_id.is_not(None)
    )
    return set(connection.scalars(query))


def tie_to_orders(connection: Connection) -> None:
    """Tie refunds and disputes to the orders of their charges, whichever came first."""
    for table in (_refunds, _disputes):
        its_order = _order_of(table)
        connection.execute(
            update(table)
            .where(table.c.order_id.is_(None), exists(its_order))
            .values(order_id=its_order.scalar_subquery())
        )


def _order_of(table: Table) -> Any:
    return select(_orders.c.id).where(
        _orders.c.source == STRIPE,
        _orders.c.account == table.c.account,
        _orders.c.livemode == table.c.livemode,
        _orders.c.external_id == table.c.charge_id,
    )


def listed(
    connection: Connection,
    period: Period,
    *,
    email: str | None = None,
    customer_id: int | None = None,
    limit: int,
) -> list[Any]:
    """Return the newest orders of a period, with what was bought, newest first."""
    name = func.coalesce(_content.c.title, func.nullif(_lines.c.name, ""), _lines.c.product)
    names = (
        select(func.aggregate_strings(name, ", "))
        .select_from(_lines.outerjoin(_content, _content.c.id == _lines.c.content_id))
        .where(_lines.c.order_id == _orders.c.id)
        .scalar_subquery()
    )
    query = _with_money_back().add_columns(names.label("bought"))
    query = query.where(_orders.c.ordered_at >= period.start, _orders.c.ordered_at < period.end)
    if email is not None:
        query = query.where((_orders.c.email == email) | (_customers.c.email == email))
    if customer_id is not None:
        query = query.where(_orders.c.customer_id == customer_id)
    query = query.order_by(_orders.c.ordered_at.desc(), _orders.c.id.desc()).limit(limit)
    return list(connection.execute(query).all())


def _with_money_back() -> Any:
    back = (
        select(func.coalesce(func.sum(_refunds.c.amount_minor), 0))
        .where(_refunds.c.order_id == _orders.c.id, _refunds.c.status.in_(COUNTED_REFUNDS))
        .scalar_subquery()
    )
    held = (
        select(func.coalesce(func.sum(_disputes.c.amount_minor), 0))
        .where(_disputes.c.order_id == _orders.c.id, _disputes.c.status.in_(HOLDING_DISPUTES))
        .scalar_subquery()
    )
    return select(
        _orders,
        _customers.c.name.label("customer_name"),
        back.label("refunded_minor"),
        held.label("held_minor"),
    ).select_from(_orders.outerjoin(_customers, _customers.c.id == _orders.c.customer_id))


def counted(connection: Connection, period: Period, *, email: str | None) -> int:
    """Return how many orders a period has."""
    query = (
        select(func.count())
        .select_from(_orders.outerjoin(_customers, _customers.c.id == _orders.c.customer_id))
        .where(_orders.c.ordered_at >= period.start, _orders.c.ordered_at < period.end)
    )
    if email is not None:
        query = query.where((_orders.c.email == email) | (_customers.c.email == email))
    return int(connection.execute(query).scalar_one())


def named(connection: Connection, name: str) -> Any:
    """Return one order by kpay's number, or by any of its ids at the provider; None if there is none."""
    names = (
        _orders.c.external_id,
        _orders.c.payment_intent_id,
        _orders.c.session_id,
        _orders.c.invoice_id,
    )
    matches: ColumnElement[bool] = names[0] == name
    for column in names[1:]:
        matches = matches | (column == name)
    if name.isdecimal():
        matches = matches | (_orders.c.id == int(name))
    return connection.execute(_with_money_back().where(matches).order_by(_orders.c.id)).first()


def by_id(connection: Connection, order_id: int) -> Any:
    """Return one order by kpay's number; raise NoResultFound where there is none."""
    return connection.execute(_with_money_back().where(_orders.c.id == order_id)).one()


def lines_of(connection: Connection, order_id: int) -> list[Any]:
    """Return the lines of an order, with the slug of their content."""
    query = (
        select(_lines, _content.c.slug)
        .select_from(_lines.outerjoin(_content, _content.c.id == _lines.c.content_id))
        .where(_lines.c.order_id == order_id)
        .order_by(_lines.c.position)
    )
    return list(connection.execute(query).all())


def refunds_of(connection: Connection, order_id: int) -> list[Any]:
    """Return the refunds of an order, oldest first."""
    query = select(_refunds).where(_refunds.c.order_id == order_id)
    return list(connection.execute(query.order_by(_refunds.c.refunded_at, _refunds.c.id)))


def disputes_of(connection: Connection, order_id: int) -> list[Any]:
    """Return the disputes of an order, oldest first."""
    query = select(_disputes).where(_disputes.c.order_id == order_id)
    return list(connection.execute(query.order_by(_disputes.c.opened_at, _disputes.c.id)))
