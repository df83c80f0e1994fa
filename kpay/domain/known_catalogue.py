"""What prices, products and payment links tell about a sale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PriceTerms:
    """What a price is for and how often it is charged."""

    product: str
    amount_minor: int | None
    interval: str | None
    interval_count: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What can be known from a price, product or payment link; contents are slugs.

    `metered` are the prices of what is used; `ending_coupons` those that do not last for ever.
    """

    prices: Mapping[str, PriceTerms] = field(default_factory=dict)
    price_contents: Mapping[str, str] = field(default_factory=dict)
    product_contents: Mapping[str, str] = field(default_factory=dict)
    product_names: Mapping[str, str] = field(default_factory=dict)
    link_contents: Mapping[str, str] = field(default_factory=dict)
    metered: frozenset[str] = frozenset()
    ending_coupons: frozenset[str] = frozenset()

    def product_of(self, price: str | None, product: str | None) -> str | None:
        """Return the product of a line."""
        terms = self.prices.get(price or "")
        return product or (terms.product if terms else None)

    def content_sold(self, price: str | None, product: str | None) -> str | None:
        """Return the content behind a price or, where it names none, its product."""
        named = self.price_contents.get(price or "")
        return named or self.product_contents.get(self.product_of(price, product) or "")

    def name_sold(self, price: str | None, product: str | None) -> str:
        """Return the name of the product behind a price."""
        return self.product_names.get(self.product_of(price, product) or "", "")
