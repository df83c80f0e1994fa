"""Putting content on sale: product, price and payment link at the provider, remembered in the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from kpay.domain.checkout import Account, Listing, Offer, RawObject
from kpay.domain.period import instant_text
from kpay.ports import CheckoutPublisher, Ensured
from kpay.services.accounts import settle
from kpay.services.intake import keep
from kpay.services.provided import unpack
from kpay.store import catalog, facts, provider
from kpay.store.engine import Store

SELLING_SINCE = "selling_since"
"""The fact that tells when kpay first put something on sale."""


def put_on_sale(
    store: Store, publisher: CheckoutPublisher, offers: Iterable[Offer], *, now: datetime
) -> list[Listing]:
    """Make every offer stand at the provider as it is, and say under which ids and addresses.

    The content of an offer must be in the store. An offer that stands already makes no request that
    changes anything; a new price takes the place of the old one, whose link is closed. Each offer is
    kept as soon as it stands, so that a run that is stopped goes on where it was. Raises Refused for
    another account's key, CredentialsMissing, RemoteProblem.
    """
    account = settle(store, publisher)
    return [_put_one(store, publisher, account, offer, now=now) for offer in offers]


def withdraw_from_sale(store: Store, publisher: CheckoutPublisher, slugs: Iterable[str]) -> int:
    """Take pieces off sale; return how many provider objects were changed."""
    account = settle(store, publisher)
    changed = 0
    for slug in slugs:
        known = _known(store, account, slug)
        steps = [
            publisher.withdraw(raw)
            for kind in ("payment_link", "price", "product")
            for raw in known[kind]
            if raw.get("active")
        ]
        _keep(store, publisher, account, steps)
        changed += len(steps)
    return changed


def _put_one(
    store: Store, publisher: CheckoutPublisher, account: Account, offer: Offer, *, now: datetime
) -> Listing:
    known = _known(store, account, offer.slug)
    product = publisher.ensure_product(offer, next(iter(known["product"]), None))
    price = publisher.ensure_price(offer, product.raw["id"], known["price"])
    link = publisher.ensure_link(offer, price.raw["id"], known["payment_link"])
    if link.changed:
        _note_selling(store, now)
    standing = {price.raw["id"], link.raw["id"]}
    replaced = [
        publisher.withdraw(raw)
        for raw in (*known["payment_link"], *known["price"])
        if raw.get("active") and raw["id"] not in standing
    ]
    steps = [product, price, link, *replaced]
    _keep(store, publisher, account, steps)
    return Listing(
        slug=offer.slug,
        product_id=product.raw["id"],
        price_id=price.raw["id"],
        link_id=link.raw["id"],
        url=link.raw["url"],
        changed=any(step.changed for step in steps),
    )


def _note_selling(store: Store, now: datetime) -> None:
    with store.reading() as connection:
        is_noted = facts.find(connection, SELLING_SINCE) is not None
    if not is_noted:
        with store.writing() as connection:
            facts.keep(connection, SELLING_SINCE, instant_text(now))


def _known(store: Store, account: Account, slug: str) -> dict[str, list[RawObject]]:
    """Return what the store remembers of a piece at the provider, by kind, on sale first."""
    with store.reading() as connection:
        ids = catalog.ids_selling(connection, account, slug)
        return {kind: _raws(connection, account, kind, some) for kind, some in ids.items()}


def _raws(
    connection: Connection, account: Account, kind: str, ids: Sequence[str]
) -> list[RawObject]:
    kept = provider.payloads(connection, account, kind, ids)
    return [unpack(kept[external_id]) for external_id in ids if external_id in kept]


def _keep(
    store: Store, publisher: CheckoutPublisher, account: Account, steps: Iterable[Ensured]
) -> None:
    keep(store, account, publisher.api_version, [step.raw for step in steps])
