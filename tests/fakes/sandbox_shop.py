"""A creator's shop for the sandbox: eighteen pieces published through the real `stripe` library."""

from __future__ import annotations

from datetime import date

import stripe

from kpay.sandbox import Sandbox

START = date(2025, 1, 1)
TOPICS = ("craft", "writing", "design", "money", "habits", "code", "focus", "music")
ONE_OFF = (
    ("article", 500),
    ("article", 700),
    ("ebook", 1900),
    ("ebook", 2900),
    ("ebook", 1500),
    ("course", 9900),
    ("course", 7900),
    ("course", 4900),
    ("audio", 900),
    ("audio", 1200),
    ("ebook", 2500),
    ("ebook", 2400),
    ("article", 600),
    ("course", 5900),
    ("ebook", 1900),
    ("bundle", 8900),
)
IN_EUROS = (4, 12)


def client(sandbox: Sandbox) -> stripe.StripeClient:
    """The real library, pointed at the sandbox."""
    return stripe.StripeClient(sandbox.stripe_key, base_addresses={"api": sandbox.stripe_url})


def publish(
    sandbox: Sandbox,
    slug: str,
    kind: str,
    *,
    amount: int,
    currency: str = "usd",
    topics: tuple[str, ...] = ("craft",),
    intervals: tuple[str | None, ...] = (None,),
) -> list[str]:
    """Put one piece on sale and return the ids of its payment links."""
    api = client(sandbox).v1
    metadata = {"kpay_content": slug, "kpay_kind": kind, "kpay_tags": ",".join(topics)}
    product = api.products.create({"name": f"The {slug}", "metadata": metadata})
    links = []
    for interval in intervals:
        terms = {"product": product.id, "currency": currency}
        terms["unit_amount"] = amount * 10 if interval == "year" else amount
        if interval:
            terms["recurring"] = {"interval": interval}
        price = api.prices.create(terms)
        line = {"price": price.id, "quantity": 1}
        link = api.payment_links.create({"line_items": [line], "metadata": metadata})
        links.append(link.id)
    return links


def open_shop(sandbox: Sandbox) -> None:
    """Publish sixteen one-off pieces and two memberships."""
    for place, (kind, amount) in enumerate(ONE_OFF):
        publish(
            sandbox,
            f"{kind}-{place}",
            kind,
            amount=amount,
            currency="eur" if place in IN_EUROS else "usd",
            topics=(TOPICS[place % 8], TOPICS[(place * 3 + 1) % 8]),
        )
    publish(sandbox, "圈子", "membership", amount=900, currency="eur", intervals=("month",))
    publish(sandbox, "club", "membership", amount=900, intervals=("month", "year"))
