"""Products, prices and payment links at Stripe, made once and kept as wished.

What a call would create is looked for first: in what the store remembers, then in the account's own
lists, by the metadata kpay wrote. An idempotency key made of the slug and the parameters guards the
moment between the two.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kpay.adapters.stripe_api.connection import API_VERSION, StripeConnection
from kpay.domain.checkout import (
    Account,
    Offer,
    RawObject,
    content_slug,
    link_price,
    offer_metadata,
    sells_the_same,
)
from kpay.ports import Ensured

PATHS = {"product": "products", "price": "prices", "payment_link": "payment_links"}
WITH_LINES = {"expand": ["line_items"]}


class StripeCheckout:
    """A CheckoutPublisher on Stripe's API."""

    def __init__(self, connection: StripeConnection) -> None:
        self._connection = connection
        self._products: dict[str, RawObject] | None = None
        self._links: list[RawObject] | None = None

    @property
    def api_version(self) -> str:
        """The pinned version of the API."""
        return API_VERSION

    def account(self) -> Account:
        """Return on whose account things are sold."""
        return self._connection.account()

    def one(
        self, path: str, external_id: str, parameters: Mapping[str, Any] | None = None
    ) -> RawObject | None:
        """Return one object, or None when there is no such object."""
        return self._connection.one(path, external_id, parameters)

    def ensure_product(self, offer: Offer, known: RawObject | None) -> Ensured:
        """Return the product of an offer, created or brought up to date."""
        wished: dict[str, Any] = {"name": offer.title, "metadata": offer_metadata(offer)}
        if offer.summary:
            wished["description"] = offer.summary
        standing = known or self._listed_products().get(offer.slug)
        if standing is None:
            return self._create("products", offer.slug, wished)
        return self._update("products", standing, {**wished, "active": True})

    def ensure_price(self, offer: Offer, product_id: str, known: Sequence[RawObject]) -> Ensured:
        """Return the price with the offer's terms, created when no standing one has them."""
        candidates = known or list(self._all("prices", {"product": product_id}))
        matching = [price for price in candidates if sells_the_same(price, offer)]
        if matching:
            chosen = max(matching, key=lambda price: bool(price.get("active")))
            return self._update("prices", chosen, {"active": True})
        wished: dict[str, Any] = {
            "product": product_id,
            "currency": offer.currency,
            "metadata": offer_metadata(offer),
        }
        if offer.interval:
            wished["recurring"] = {"interval": offer.interval.value}
        if offer.buyer_names_amount:
            wished["custom_unit_amount"] = {"enabled": True, "minimum": offer.amount_minor}
        else:
            wished["unit_amount"] = offer.amount_minor
        return self._create("prices", offer.slug, wished)

    def ensure_link(self, offer: Offer, price_id: str, known: Sequence[RawObject]) -> Ensured:
        """Return the payment link that sells a price, with the trial that the offer gives."""
        candidates = known or self._listed_links(offer.slug)
        matching = [
            link
            for link in candidates
            if link_price(link) == price_id and _trial_days(link) == offer.trial_days
        ]
        wished: dict[str, Any] = {"metadata": offer_metadata(offer)}
        if matching:
            chosen = max(matching, key=lambda link: bool(link.get("active")))
            return self._update("payment_links", chosen, {**wished, "active": True}, WITH_LINES)
        wished["line_items"] = [{"price": price_id, "quantity": 1}]
        if offer.interval:
            wished["subscription_data"] = {"metadata": offer_metadata(offer)}
            if offer.trial_days:
                wished["subscription_data"]["trial_period_days"] = offer.trial_days
        return self._create("payment_links", offer.slug, {**wished, **WITH_LINES})

    def withdraw(self, raw: RawObject) -> Ensured:
        """Take a product, price or payment link off sale; nothing is ever deleted."""
        extra = WITH_LINES if raw["object"] == "payment_link" else {}
        return self._update(PATHS[raw["object"]], raw, {"active": False}, extra)

    def _create(self, path: str, slug: str, parameters: Mapping[str, Any]) -> Ensured:
        key = _creation_key(path, slug, parameters)
        raw = self._connection.post(path, parameters, f"create one of its {path} for {slug}", key)
        return Ensured(raw, True)

    def _update(
        self,
        path: str,
        standing: RawObject,
        wished: Mapping[str, Any],
        extra: Mapping[str, Any] | None = None,
    ) -> Ensured:
        """Send only what differs, or nothing; without a key, for a replayed answer would be stale."""
        differing = {
            name: value for name, value in wished.items() if not _has(standing, name, value)
        }
        if not differing:
            return Ensured(standing, False)
        target = f"{path}/{standing['id']}"
        asked = {**differing, **(extra or {})}
        return Ensured(self._connection.post(target, asked, f"change {target}"), True)

    def _listed_products(self) -> Mapping[str, RawObject]:
        """Return the account's products that kpay made, by slug; read once a run."""
        if self._products is None:
            self._products = {}
            for product in self._all("products", {}):
                slug = content_slug(product)
                if slug and (slug not in self._products or product.get("active")):
                    self._products[slug] = product
        return self._products

    def _listed_links(self, slug: str) -> list[RawObject]:
        """Return the account's payment links that kpay made for a slug; read once a run."""
        if self._links is None:
            self._links = list(self._all("payment_links", {"expand": ["data.line_items"]}))
        return [link for link in self._links if content_slug(link) == slug]

    def _all(self, path: str, parameters: Mapping[str, Any]) -> Iterator[RawObject]:
        """Yield every object of a list."""
        position: dict[str, Any] = {}
        while True:
            asked = {"limit": 100, **parameters, **position}
            answer = self._connection.get(path, asked, f"list {path}")
            yield from answer["data"]
            if not answer.get("has_more") or not answer["data"]:
                return
            position = {"starting_after": answer["data"][-1]["id"]}


def _trial_days(link: RawObject) -> int:
    return (link.get("subscription_data") or {}).get("trial_period_days") or 0


def _has(standing: RawObject, name: str, wished: Any) -> bool:
    """Say whether a field stands as wished; metadata may hold more, and an empty one is not kept."""
    if name == "metadata":
        found = standing.get("metadata") or {}
        return all((found.get(key) or "") == value for key, value in wished.items())
    return bool(standing.get(name) == wished)


def _creation_key(path: str, slug: str, parameters: Mapping[str, Any]) -> str:
    text = json.dumps([path, slug, parameters], sort_keys=True, ensure_ascii=False)
    return f"kpay-{hashlib.sha256(text.encode()).hexdigest()[:40]}"
