"""Card testing: strangers try stolen cards on the cheapest piece, and a few go through."""

from __future__ import annotations

from kpay.sandbox.catalogue import Catalogue, Item, Offer
from kpay.sandbox.chance import Chance
from kpay.sandbox.clock import DAY_S
from kpay.sandbox.happenings import (
    Amounts,
    DisputeClosed,
    Disputed,
    Happening,
    Refunded,
    Sale,
)
from kpay.sandbox.parameters import Parameters
from kpay.sandbox.people import DAYS_A_YEAR, Buyer

CHECKOUTS_A_BURST = 6
STRANGER = -1


def burst(
    luck: Chance, parameters: Parameters, day: int, midnight_s: int, catalogue: Catalogue
) -> tuple[list[Sale], list[Happening]]:
    """Return the day's fraudulent checkouts, mostly none, and what they lead to later."""
    target = _cheapest(catalogue)
    if target is None or luck.one("fraud", day) >= parameters.fraud_bursts_a_year / DAYS_A_YEAR:
        return [], []
    begins_at = midnight_s + int(luck.one("fraud hour", day) * 20 * 3600)
    sales = [
        _attempt(luck, day, begins_at + 300 * number, number, target)
        for number in range(CHECKOUTS_A_BURST)
    ]
    consequences = [
        later for sale in sales if sale.is_paid for later in _consequences(luck, day, sale)
    ]
    return sales, consequences


def _cheapest(catalogue: Catalogue) -> tuple[Item, Offer] | None:
    one_off = [
        (item, offer)
        for item in catalogue.items
        for offer in item.offers
        if offer.interval is None and offer.amount_minor > 0
    ]
    return min(one_off, key=lambda pair: (pair[1].felt_price, pair[0].slug), default=None)


def _attempt(luck: Chance, day: int, at: int, number: int, target: tuple[Item, Offer]) -> Sale:
    item, offer = target
    draw = luck.one("fraud card", day, number)
    email = f"q{int(draw * 1e9):x}@example.net"
    return Sale(
        at=at,
        order=f"fraud-{day}-{number}",
        buyer=Buyer(STRANGER, email, f"Test {number}", "US", is_guest=True),
        slug=item.slug,
        offer=offer,
        amounts=Amounts(offer.amount_minor),
        failures=8 + int(12 * luck.one("fraud tries", day, number)),
        is_paid=number == 0 or draw < 0.4,
    )


def _consequences(luck: Chance, day: int, sale: Sale) -> list[Happening]:
    """Most of what went through is noticed and refunded; the rest comes back as a dispute."""
    if luck.one("fraud noticed", day, int(sale.order.rsplit("-", 1)[1])) < 0.6:
        return [Refunded(sale.at + DAY_S, sale.order, sale.amounts.total_minor, "fraudulent")]
    disputed_at = sale.at + 12 * DAY_S
    return [
        Disputed(disputed_at, sale.order, "fraudulent"),
        DisputeClosed(disputed_at + 21 * DAY_S, sale.order, is_won=False),
    ]
