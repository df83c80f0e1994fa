"""From a wish to a checkout: which offer, at what hour, at what amount, with what trouble after."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kpay.domain.money import exponent
from kpay.sandbox.catalogue import Item, Offer
from kpay.sandbox.chance import Chance, IntArray
from kpay.sandbox.clock import DAY_S
from kpay.sandbox.happenings import (
    Amounts,
    CustomerErased,
    DisputeClosed,
    Disputed,
    Happening,
    Refunded,
)
from kpay.sandbox.parameters import Parameters
from kpay.sandbox.people import People


class CheckoutLuck(NamedTuple):
    """The uniforms of one person's checkout on one day."""

    hour: float
    minute: float
    interval: float
    coupon: float
    tax: float
    generosity: float
    decline: float
    trial: float
    leaving: float


class AfterLuck(NamedTuple):
    """The uniforms of what comes after a charge."""

    trouble: float
    delay: float
    part: float
    outcome: float
    erasure: float


def draw_checkouts(luck: Chance, day: int, persons: IntArray) -> list[CheckoutLuck]:
    """Draw the luck of all of a day's buyers."""
    draws = luck.race("checkout", day, persons, range(len(CheckoutLuck._fields)))
    return [CheckoutLuck(*row) for row in draws.tolist()]


def second_of_day(people: People, person: int, luck: CheckoutLuck) -> int:
    """Return when in the day the person buys: around their usual hour."""
    hour = (float(people.usual_hour[person]) + 5 * (luck.hour + luck.minute - 1)) % 24
    return min(int(hour * 3600), DAY_S - 1)


def choose_offer(item: Item, luck: CheckoutLuck, parameters: Parameters, pays_eur: bool) -> Offer:
    """Pick among an item's offers: own currency first, then by the month or by the year."""
    own = [offer for offer in item.offers if (offer.currency == "eur") == pays_eur]
    offers = sorted(own or item.offers, key=lambda offer: offer.felt_price)
    yearly = [offer for offer in offers if offer.interval == "year"]
    other = [offer for offer in offers if offer.interval != "year"]
    if yearly and (not other or luck.interval < parameters.yearly_share):
        return yearly[0]
    return other[0]


def amounts(offer: Offer, luck: CheckoutLuck, parameters: Parameters) -> Amounts:
    """Work out what the checkout comes to; a tax is inside the price (as in the EU)."""
    subtotal_minor = offer.amount_minor
    if offer.buyer_names_amount:
        unit = 10 ** exponent(offer.currency)
        subtotal_minor += int(luck.generosity**3 * 20) * unit
    discount_minor = 0
    if luck.coupon < parameters.coupon_share:
        discount_minor = _share(subtotal_minor, parameters.coupon_percent, 100)
    total_minor = subtotal_minor - discount_minor
    is_taxed = offer.currency == "eur" and luck.tax < parameters.tax_share
    percent = parameters.tax_percent if is_taxed else 0
    return Amounts(subtotal_minor, discount_minor, _share(total_minor, percent, 100 + percent))


def _share(amount_minor: int, numerator: int, denominator: int) -> int:
    """Return the part of an amount, rounded half up, in whole minor units."""
    return (2 * amount_minor * numerator + denominator) // (2 * denominator)


def aftermath(
    luck: AfterLuck, parameters: Parameters, *, at: int, order: str, person: int, amount_minor: int
) -> list[Happening]:
    """Return what a charge leads to later: a refund, a dispute and its end, a deletion."""
    events: list[Happening] = []
    dispute_edge = parameters.refund_share + parameters.dispute_share
    if luck.trouble < parameters.refund_share:
        refund_at = at + DAY_S + int(luck.delay**2 * 24 * DAY_S)
        is_partial = luck.part < parameters.partial_refund_share
        refund_minor = max(1, amount_minor // 2) if is_partial else amount_minor
        events.append(Refunded(refund_at, order, refund_minor, "requested_by_customer"))
    elif luck.trouble < dispute_edge:
        disputed_at = at + int((5 + 35 * luck.delay) * DAY_S)
        won = luck.outcome < parameters.dispute_won_share
        reason = "product_not_received" if luck.part < 0.5 else "fraudulent"
        events.append(Disputed(disputed_at, order, reason))
        events.append(DisputeClosed(disputed_at + 21 * DAY_S, order, won))
    if luck.erasure < parameters.erased_share:
        events.append(CustomerErased(at + int((30 + 60 * luck.delay) * DAY_S), person))
    return events


def after_luck(luck: Chance, day: int, person: int) -> AfterLuck:
    """Draw what follows a charge made by the person on the day."""
    persons = np.array([person], dtype=np.int64)
    draws = luck.race("aftermath", day, persons, range(len(AfterLuck._fields)))
    return AfterLuck(*draws[0].tolist())
