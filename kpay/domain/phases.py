"""From an invoice to the phase of a subscription that it begins. Pure rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kpay.domain.records_billing import InvoiceLineRecord, InvoiceRecord
from kpay.domain.sales import Catalogue, PriceTerms


@dataclass(frozen=True, slots=True)
class Phase:
    """From when a subscription costs what; `amount_minor` of one interval, without tax."""

    subscription: str
    invoice: str
    starts_at: datetime
    amount_minor: int
    interval: str
    interval_count: int


def phase_of(invoice: InvoiceRecord, catalogue: Catalogue) -> Phase | None:
    """Return the phase that an invoice of a subscription begins, or None when it begins none.

    A prorated line bills a part of an interval, so the price's own amount counts there.
    """
    if not invoice.subscription or invoice.status in ("draft", "void"):
        return None
    for line in reversed(invoice.lines):
        terms = _terms(line, catalogue)
        is_credit = line.is_proration and line.net_minor < 0
        if terms is None or terms.interval is None or line.starts_at is None or is_credit:
            continue
        amount = line.net_minor
        if line.is_proration and terms.amount_minor is not None:
            amount = terms.amount_minor * line.quantity
        return Phase(
            subscription=invoice.subscription,
            invoice=invoice.id,
            starts_at=line.starts_at,
            amount_minor=amount,
            interval=terms.interval,
            interval_count=terms.interval_count,
        )
    return None


def _terms(line: InvoiceLineRecord, catalogue: Catalogue) -> PriceTerms | None:
    known = catalogue.prices.get(line.price or "")
    inline = line.inline_price
    if known or inline is None:
        return known
    return PriceTerms(inline.product, inline.amount_minor, inline.interval, inline.interval_count)
