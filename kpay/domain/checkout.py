"""What is put on sale at the payment provider, and what stands there once it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kpay.domain.enums import Interval

RawObject = Mapping[str, Any]
"""A whole provider object, as its API sent it."""

CONTENT_KEY = "kpay_content"
KIND_KEY = "kpay_kind"
TAGS_KEY = "kpay_tags"


@dataclass(frozen=True, slots=True)
class Account:
    """Whose money it is: the provider's account and whether it is the live or the test side."""

    id: str
    livemode: bool

    @property
    def mode(self) -> Literal["LIVE", "TEST"]:
        """The word that people are shown before anything is charged, refunded or sent."""
        return "LIVE" if self.livemode else "TEST"


@dataclass(frozen=True, slots=True)
class Offer:
    """A piece of content as it should be on sale.

    `buyer_names_amount` sells at what the buyer chooses, at least `amount_minor`. An `interval` makes
    it a subscription, with `trial_days` free days at the beginning.
    """

    slug: str
    title: str
    kind: str
    tags: tuple[str, ...]
    amount_minor: int
    currency: str
    interval: Interval | None = None
    trial_days: int = 0
    buyer_names_amount: bool = False
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """An offer that stands at the provider; `changed` is False when it already stood so."""

    slug: str
    product_id: str
    price_id: str
    link_id: str
    url: str
    changed: bool


def offer_metadata(offer: Offer) -> dict[str, str]:
    """Return what is written on product, price and link, so that a sale can say what was bought."""
    return {
        CONTENT_KEY: offer.slug,
        KIND_KEY: offer.kind,
        TAGS_KEY: ",".join(offer.tags),
    }


def sells_the_same(price: RawObject, offer: Offer) -> bool:
    """Say whether a provider's price has the terms of an offer; prices never change, they are replaced."""
    recurring = price.get("recurring") or {}
    if (recurring.get("interval"), recurring.get("interval_count") or 1) != (offer.interval, 1):
        return False
    if price.get("currency") != offer.currency:
        return False
    chosen = price.get("custom_unit_amount") or {}
    if offer.buyer_names_amount:
        return bool(chosen.get("minimum") == offer.amount_minor)
    return not chosen and price.get("unit_amount") == offer.amount_minor


def content_slug(raw: RawObject) -> str | None:
    """Return the slug that kpay wrote on a provider's object, if it did."""
    slug = (raw.get("metadata") or {}).get(CONTENT_KEY)
    return str(slug) if slug else None


def link_price(link: RawObject) -> str | None:
    """Return the id of the price that a payment link sells, where its lines were asked for."""
    for item in (link.get("line_items") or {}).get("data") or ():
        price = item.get("price")
        return str(price["id"]) if isinstance(price, Mapping) else price
    return None
