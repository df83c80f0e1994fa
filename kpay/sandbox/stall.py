"""Reads the creator's provider account the way a visitor's browser does: what can be bought now."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kpay.sandbox.catalogue import Catalogue, Item, Offer
from kpay.sandbox.provider.account import Account
from kpay.sandbox.provider.shelves import Json

SHELVES: Final = ("products", "prices", "payment_links")


class Stall:
    """The catalogue as it stands in the account; the same object as long as nothing changes."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._catalogue = Catalogue()
        self._seen_version = -1

    def catalogue(self, day: int) -> Catalogue:
        """Return what is for sale; pieces seen for the first time join at the end."""
        version = sum(self._account[resource].version for resource in SHELVES)
        if version != self._seen_version:
            self._seen_version = version
            fresh = self._read(day)
            if fresh != self._catalogue:
                self._catalogue = fresh
        return self._catalogue

    def slug_by_url(self) -> dict[str, str]:
        """Return which piece each payment link sells, by the link's address."""
        links = self._account["payment_links"]
        return {
            links.field(link_id, "url"): _slug(self._product(link_id)) for link_id in links.ids()
        }

    def _read(self, day: int) -> Catalogue:
        items = {item.slug: replace(item, offers=()) for item in self._catalogue.items}
        for link_id in self._account["payment_links"].ids():
            offer = self._offer(link_id)
            if offer is None:
                continue
            product = self._account["products"].whole(offer.product_id)
            slug = _slug(product)
            known = items.get(slug)
            offers = (*known.offers, offer) if known is not None else (offer,)
            first_day = day if known is None else known.first_day
            items[slug] = Item(slug, _kind(product), _tags(product), first_day, offers)
        return Catalogue(tuple(items.values()))

    def _offer(self, link_id: str) -> Offer | None:
        """Return what a link sells, or None when any part of it is switched off."""
        account = self._account
        price_id = account.linked[link_id][0][0]
        product_id = account["prices"].field(price_id, "product")
        is_on_sale = (
            account["payment_links"].field(link_id, "active")
            and account["prices"].field(price_id, "active")
            and account["products"].field(product_id, "active")
        )
        return self._terms(link_id, account["prices"].whole(price_id)) if is_on_sale else None

    def _terms(self, link_id: str, price: Json) -> Offer:
        named, recurring = price["custom_unit_amount"], price["recurring"] or {}
        subscription = self._account["payment_links"].field(link_id, "subscription_data") or {}
        least_minor = max(named["minimum"] or 0, named["preset"] or 0) if named else 0
        return Offer(
            link_id,
            price["id"],
            price["product"],
            price["unit_amount"] if named is None else least_minor,
            price["currency"],
            recurring.get("interval"),
            recurring.get("interval_count", 1),
            subscription.get("trial_period_days"),
            named is not None,
        )

    def _product(self, link_id: str) -> Json:
        price_id = self._account.linked[link_id][0][0]
        product_id = self._account["prices"].field(price_id, "product")
        return self._account["products"].whole(product_id)


def _slug(product: Json) -> str:
    return str(product["metadata"].get("kpay_content") or product["id"])


def _kind(product: Json) -> str:
    return str(product["metadata"].get("kpay_kind") or "article")


def _tags(product: Json) -> tuple[str, ...]:
    written = str(product["metadata"].get("kpay_tags") or "")
    return tuple(tag.strip() for tag in written.split(",") if tag.strip())
