"""Products, prices and payment links, and which content each of them sells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, select

from kpay.domain.checkout import Account
from kpay.models import Content, Coupon, PaymentLink, Price, Product
from kpay.store.dialect import table_of, upsert_rows

KEY = ["account", "livemode", "external_id"]
_content = table_of(Content)
_products = table_of(Product)
_prices = table_of(Price)
_links = table_of(PaymentLink)
_coupons = table_of(Coupon)

Rows = Sequence[Mapping[str, Any]]


def _ours(table: Table, account: Account) -> ColumnElement[bool]:
    return and_(table.c.account == account.id, table.c.livemode == account.livemode)


def content_ids(connection: Connection) -> dict[str, int]:
    """Return the id of each piece of content by its slug."""
    query = select(_content.c.slug, _content.c.id)
    return dict(connection.execute(query).all())


def included(connection: Connection) -> dict[int, tuple[int, ...]]:
    """Return, for each bundle, the ids of the content it includes."""
    rows = connection.execute(select(_content.c.id, _content.c.slug, _content.c.includes)).all()
    ids = {row.slug: row.id for row in rows}
    return {
        row.id: tuple(ids[slug] for slug in row.includes if slug in ids)
        for row in rows
        if row.includes
    }


def save_products(connection: Connection, rows: Rows) -> int:
    """Upsert products; return how many rows were written."""
    return upsert_rows(connection, Product, rows, key=KEY)


def save_links(connection: Connection, rows: Rows) -> int:
    """Upsert payment links; return how many rows were written."""
    return upsert_rows(connection, PaymentLink, rows, key=KEY)


def products(connection: Connection, account: Account) -> list[Any]:
    """Return every product row with the slug of its content, if it stands for one."""
    query = (
        select(_products.c.external_id, _products.c.name, _content.c.slug)
        .select_from(_products.outerjoin(_content, _content.c.id == _products.c.content_id))
        .where(_ours(_products, account))
    )
    return list(connection.execute(query).all())


def prices(connection: Connection, account: Account) -> list[Any]:
    """Return every price row."""
    return list(connection.execute(select(_prices).where(_ours(_prices, account))))


def ending_coupons(connection: Connection, account: Account) -> list[str]:
    """Return the coupons that take something off once, or for some months."""
    columns = _coupons.c
    query = select(columns.external_id).where(
        _ours(_coupons, account), columns.duration.in_(("once", "repeating"))
    )
    return list(connection.execute(query).scalars())


def links(connection: Connection, account: Account) -> list[Any]:
    """Return every payment link with the slug of its content, if it sells one."""
    query = (
        select(_links.c.external_id, _links.c.price_external_id, _content.c.slug)
        .select_from(_links.outerjoin(_content, _content.c.id == _links.c.content_id))
        .where(_ours(_links, account))
    )
    return list(connection.execute(query).all())


def ids_selling(connection: Connection, account: Account, slug: str) -> dict[str, list[str]]:
    """Return the provider ids of the products, prices and payment links of a piece of content.

    The keys are the provider's kinds; what is on sale comes first.
    """
    of_slug = select(_content.c.id).where(_content.c.slug == slug).scalar_subquery()
    products_of = select(_products.c.external_id).where(
        _ours(_products, account), _products.c.content_id == of_slug
    )
    prices_of = select(_prices.c.external_id).where(
        _ours(_prices, account), _prices.c.product_external_id.in_(products_of)
    )
    links_of = select(_links.c.external_id).where(
        _ours(_links, account), _links.c.content_id == of_slug
    )
    return {
        "product": _active_first(connection, products_of, _products),
        "price": _active_first(connection, prices_of, _prices),
        "payment_link": _active_first(connection, links_of, _links),
    }


def _active_first(connection: Connection, query: Any, table: Table) -> list[str]:
    return list(connection.scalars(query.order_by(table.c.is_active.desc(), table.c.id)))
