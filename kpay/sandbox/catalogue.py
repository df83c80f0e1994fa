"""What is for sale, as the people see it, and how much each piece appeals to each person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.domain.money import exponent
from kpay.sandbox.chance import FloatArray, name_key
from kpay.sandbox.people import People

KIND_PULL: Final = {"membership": 1.75, "bundle": 0.7, "article": 1.15}
# How dear a unit feels to a buyer. Perception only: no amount is ever converted.
FELT_VALUE: Final = {"eur": 1.1, "gbp": 1.25, "jpy": 0.0068, "cny": 0.14, "inr": 0.012, "krw": 7e-4}


@dataclass(frozen=True, slots=True)
class Offer:
    """One payment link that sells one price; `interval` is None for a one-off sale."""

    link_id: str
    price_id: str
    product_id: str
    amount_minor: int
    currency: str
    interval: str | None = None
    interval_count: int = 1
    trial_days: int | None = None
    buyer_names_amount: bool = False

    @property
    def felt_price(self) -> float:
        """Return what the price feels like, in dollars; three periods of a membership count."""
        units: float = self.amount_minor / 10 ** exponent(self.currency)
        periods = 3 if self.interval == "month" else 1
        return units * FELT_VALUE.get(self.currency, 1.0) * periods


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of content; without offers it is no longer (or not yet again) on sale."""

    slug: str
    kind: str
    tags: tuple[str, ...]
    first_day: int
    offers: tuple[Offer, ...]

    @property
    def key(self) -> int:
        """Return the number that luck about this item is drawn from."""
        return name_key(self.slug)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All items ever seen, in the order of their first day; positions never change."""

    items: tuple[Item, ...] = ()

    @property
    def first_prices_minor(self) -> FloatArray:
        """Return the first price of each item, 0 where nothing is on sale."""
        return np.array(
            [item.offers[0].amount_minor if item.offers else 0 for item in self.items], dtype=float
        )

    def position(self, slug: str) -> int | None:
        """Return where the item stands, or None when it was never for sale."""
        for place, item in enumerate(self.items):
            if item.slug == slug:
                return place
        return None


class Appeal:
    """How much each item appeals to each person, computed once for each item's terms."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._columns: dict[Item, FloatArray] = {}
        self._tastes: dict[str, FloatArray] = {}
        self._nothing: FloatArray = np.zeros((len(people), 0))
        self._last_asked = Catalogue()
        self._last_matrix = self._nothing

    def matrix(self, catalogue: Catalogue) -> FloatArray:
        """Return the appeal, shape (people, items); 0 where nothing is on sale."""
        if catalogue is not self._last_asked:
            columns = [self._column(item) for item in catalogue.items]
            self._last_asked = catalogue
            self._last_matrix = np.column_stack(columns) if columns else self._nothing
        return self._last_matrix

    def interest(self, tag: str) -> FloatArray:
        """Return everybody's interest in a topic; 1 is the average."""
        return self._taste(f"tag {tag}")

    def _column(self, item: Item) -> FloatArray:
        if item not in self._columns:
            self._columns[item] = self._appeal(item)
        return self._columns[item]

    def _appeal(self, item: Item) -> FloatArray:
        if not item.offers:
            return np.zeros(len(self._people))
        topics = [self._taste(f"tag {tag}") for tag in item.tags] or [np.ones(len(self._people))]
        liking = np.mean(topics, axis=0) * np.sqrt(self._taste(f"kind {item.kind}"))
        liking *= np.sqrt(self._taste(f"item {item.slug}")) * KIND_PULL.get(item.kind, 1.0)
        best = [self._affordable(offer) for offer in item.offers]
        return np.asarray(liking * np.max(best, axis=0), dtype=np.float64)

    def _affordable(self, offer: Offer) -> FloatArray:
        """Return 0 to 1: how easily each person pays the price, in this currency."""
        parameters = self._people.parameters
        ease = 1 / (1 + (offer.felt_price / self._people.budget) ** 1.6)
        is_foreign = self._people.pays_eur != (offer.currency == "eur")
        return np.where(is_foreign, parameters.foreign_currency_factor, 1.0) * ease

    def _taste(self, subject: str) -> FloatArray:
        """Return log-normal interest in a subject, mean 1; drawn from the subject's own name."""
        if subject not in self._tastes:
            spread = self._people.parameters.taste_spread
            normal = self._people.chance.normal(f"taste {subject}")
            self._tastes[subject] = np.exp(spread * normal - spread**2 / 2)
        return self._tastes[subject]
