"""What is sold and to whom, as the provider keeps it: products, prices, payment links, customers."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from kpay.domain.checkout import RawObject
from kpay.domain.records_base import content_of, created, id_of, listed, part


class ProductRecord(NamedTuple):
    """A product; `content` is the slug in its metadata."""

    id: str
    name: str
    is_active: bool
    content: str | None
    created_at: datetime
    belongs_to: None = None


def read_product(raw: RawObject) -> ProductRecord:
    """Read a product."""
    return ProductRecord(
        id=raw["id"],
        name=raw.get("name") or "",
        is_active=bool(raw.get("active", True)) and not raw.get("deleted"),
        content=content_of(raw.get("metadata")),
        created_at=created(raw),
    )


class PriceRecord(NamedTuple):
    """A price; `amount_minor` is None where the buyer chooses or it goes by tiers.

    `content` is the slug in its metadata, which may say more than the product's.
    """

    id: str
    product: str
    amount_minor: int | None
    currency: str
    interval: str | None
    interval_count: int
    is_active: bool
    content: str | None
    created_at: datetime
    is_metered: bool = False

    @property
    def belongs_to(self) -> str:
        """The product."""
        return self.product


def read_price(raw: RawObject) -> PriceRecord:
    """Read a price, or the plan that older objects carry in its place."""
    recurring = raw.get("recurring") or raw
    return PriceRecord(
        id=raw["id"],
        product=id_of(raw.get("product")) or "",
        amount_minor=raw.get("unit_amount", raw.get("amount")),
        currency=raw.get("currency") or "usd",
        interval=recurring.get("interval"),
        interval_count=recurring.get("interval_count") or 1,
        is_active=bool(raw.get("active", True)) and not raw.get("deleted"),
        content=content_of(raw.get("metadata")),
        created_at=created(raw),
        is_metered=recurring.get("usage_type") == "metered",
    )


class LinkRecord(NamedTuple):
    """A payment link; one link sells many times, and is not the sale."""

    id: str
    price: str | None
    content: str | None
    url: str
    is_active: bool
    belongs_to: None = None


def read_link(raw: RawObject) -> LinkRecord:
    """Read a payment link; its price is known where `line_items` were asked for."""
    prices = [id_of(item.get("price")) for item in listed(raw.get("line_items"))]
    return LinkRecord(
        id=raw["id"],
        price=prices[0] if prices else None,
        content=content_of(raw.get("metadata")),
        url=raw.get("url") or "",
        is_active=bool(raw.get("active", True)),
    )


class CustomerRecord(NamedTuple):
    """A provider's customer; a deleted one has nothing but its id."""

    id: str
    email: str | None
    name: str
    country: str | None
    is_deleted: bool
    created_at: datetime
    belongs_to: None = None


def read_customer(raw: RawObject) -> CustomerRecord:
    """Read a customer."""
    return CustomerRecord(
        id=raw["id"],
        email=raw.get("email") or None,
        name=raw.get("name") or "",
        country=part(raw, "address", "country") or part(raw, "shipping", "address", "country"),
        is_deleted=bool(raw.get("deleted")),
        created_at=created(raw),
    )


class CouponRecord(NamedTuple):
    """What takes a share or an amount off; `percent_off` is the provider's number as text."""

    id: str
    name: str
    percent_off: str | None
    amount_off_minor: int | None
    currency: str | None
    duration: str | None
    duration_months: int | None
    times_redeemed: int
    is_valid: bool
    created_at: datetime
    belongs_to: None = None


def read_coupon(raw: RawObject) -> CouponRecord:
    """Read a coupon."""
    percent = raw.get("percent_off")
    return CouponRecord(
        id=raw["id"],
        name=raw.get("name") or "",
        percent_off=None if percent is None else str(percent),
        amount_off_minor=raw.get("amount_off"),
        currency=raw.get("currency"),
        duration=raw.get("duration"),
        duration_months=raw.get("duration_in_months"),
        times_redeemed=raw.get("times_redeemed") or 0,
        is_valid=bool(raw.get("valid", True)),
        created_at=created(raw),
    )


class PromotionRecord(NamedTuple):
    """The word that a buyer types to get a coupon."""

    id: str
    code: str
    coupon: str | None
    times_redeemed: int
    is_active: bool
    created_at: datetime

    @property
    def belongs_to(self) -> str | None:
        """The coupon."""
        return self.coupon


def read_promotion(raw: RawObject) -> PromotionRecord:
    """Read a promotion code; its coupon moved below `promotion` with API 2025-09-30."""
    return PromotionRecord(
        id=raw["id"],
        code=raw.get("code") or "",
        coupon=id_of(part(raw, "promotion", "coupon")) or id_of(raw.get("coupon")),
        times_redeemed=raw.get("times_redeemed") or 0,
        is_active=bool(raw.get("active", True)),
        created_at=created(raw),
    )
