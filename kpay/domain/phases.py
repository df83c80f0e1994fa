"""From an invoice to the phase of a subscription that it begins. Pure rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from kpay.domain.known_catalogue import Catalogue, PriceTerms
from kpay.domain.records_invoices import InvoiceLineRecord, InvoiceRecord

FOREVER: Final = "forever"


@dataclass(frozen=True, slots=True)
class Phase:
    """From when a subscription costs what; `amount_minor` of one interval, without tax.

    `ending_discount_minor` is what of it a discount takes off that ends by itself.
    """

    subscription: str
    invoice: str
    starts_at: datetime
    amount_minor: int
    interval: str
    interval_count: int
    ending_discount_minor: int = 0


def phase_of(invoice: InvoiceRecord, catalogue: Catalogue) -> Phase | None:
    """Return the phase that an invoice of a subscription begins, or None when it begins none.

    Lines that begin together are its items, and cost what they cost together. A prorated line bills
    a part of an interval, so the price's own amount counts there. What is metered recurs with its use
    only, and no discount makes a price less than nothing.
    """
    if not invoice.subscription or invoice.status in ("draft", "void"):
        return None
    ending = _ending(invoice, catalogue)
    found = [one for line in invoice.lines if (one := _begun(line, catalogue, ending))]
    if not found:
        return None
    last = found[-1]
    together = [one for one in found if one.moment == last.moment]
    starts_at, interval, interval_count, _ = last.moment
    return Phase(
        subscription=invoice.subscription,
        invoice=invoice.id,
        starts_at=starts_at,
        amount_minor=max(0, sum(one.amount_minor for one in together)),
        interval=interval,
        interval_count=interval_count,
        ending_discount_minor=sum(one.ending_discount_minor for one in together),
    )


def _ending(invoice: InvoiceRecord, catalogue: Catalogue) -> frozenset[str]:
    """Return the discounts that end by themselves, as far as their coupons are known."""
    return frozenset(
        one.id
        for one in invoice.discounts
        if one.has_end
        or (one.duration is not None and one.duration != FOREVER)
        or (one.duration is None and one.coupon in catalogue.ending_coupons)
    )


class _Begun(NamedTuple):
    """What a line begins: when and how often it is charged, whether in a part, and its amount."""

    moment: tuple[datetime, str, int, bool]
    amount_minor: int
    ending_discount_minor: int


def _begun(line: InvoiceLineRecord, catalogue: Catalogue, ending: frozenset[str]) -> _Begun | None:
    terms = _terms(line, catalogue)
    is_credit = line.is_proration and line.net_minor < 0
    if terms is None or terms.interval is None or line.starts_at is None or is_credit:
        return None
    if line.price in catalogue.metered or (line.inline_price and line.inline_price.is_metered):
        return None
    amount, taken_off = line.net_minor, sum(off for one, off in line.discounts if one in ending)
    if line.is_proration and terms.amount_minor is not None:
        amount, taken_off = terms.amount_minor * line.quantity, 0
    moment = (line.starts_at, terms.interval, terms.interval_count, line.is_proration)
    return _Begun(moment, amount, taken_off)


def _terms(line: InvoiceLineRecord, catalogue: Catalogue) -> PriceTerms | None:
    known = catalogue.prices.get(line.price or "")
    inline = line.inline_price
    if known or inline is None:
        return known
    return PriceTerms(inline.product, inline.amount_minor, inline.interval, inline.interval_count)
