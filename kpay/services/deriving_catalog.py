"""Typed rows of products, prices and payment links, and the catalogue that sales are read with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from kpay.domain.checkout import Account
from kpay.domain.known_catalogue import Catalogue, PriceTerms
from kpay.domain.records import LinkRecord, ProductRecord
from kpay.services.provided import Provided
from kpay.store import catalog, underived
from kpay.store.dialect import chunks

AT_ONCE = 2000


def derive_catalog(connection: Connection, account: Account, provided: Provided) -> None:
    """Write the rows of underived products and payment links."""
    contents = catalog.content_ids(connection)
    for some in chunks(underived.ids(connection, account, "product"), AT_ONCE):
        found = provided.records("product", some).values()
        catalog.save_products(connection, [_product_row(account, one, contents) for one in found])
    for some in chunks(underived.ids(connection, account, "payment_link"), AT_ONCE):
        behind = read_catalogue(connection, account)
        links = provided.records("payment_link", some).values()
        catalog.save_links(connection, [_link_row(account, one, contents, behind) for one in links])


def read_catalogue(connection: Connection, account: Account) -> Catalogue:
    """Return what prices, products and payment links tell about a sale."""
    products = catalog.products(connection, account)
    prices = catalog.prices(connection, account)
    links = catalog.links(connection, account)
    return Catalogue(
        prices={
            price.external_id: PriceTerms(
                price.product_external_id, price.amount_minor, price.interval, price.interval_count
            )
            for price in prices
        },
        price_contents={one.external_id: one.content for one in prices if one.content},
        product_contents={one.external_id: one.slug for one in products if one.slug},
        product_names={one.external_id: one.name for one in products},
        link_contents={one.external_id: one.slug for one in links if one.slug},
        ending_coupons=frozenset(catalog.ending_coupons(connection, account)),
    )


def _product_row(
    account: Account, product: ProductRecord, contents: dict[str, int]
) -> dict[str, Any]:
    return {
        "account": account.id,
        "livemode": account.livemode,
        "external_id": product.id,
        "content_id": contents.get(product.content or ""),
        "name": product.name,
        "is_active": product.is_active,
        "created_at": product.created_at,
    }


def _link_row(
    account: Account, link: LinkRecord, contents: dict[str, int], behind: Catalogue
) -> dict[str, Any]:
    slug = link.content or behind.content_sold(link.price, None)
    return {
        "account": account.id,
        "livemode": account.livemode,
        "external_id": link.id,
        "price_external_id": link.price,
        "content_id": contents.get(slug or ""),
        "url": link.url,
        "is_active": link.is_active,
    }
