"""What a restricted key of Stripe has to be allowed, list by list, in the words of its own form."""

from __future__ import annotations

from typing import Final

PERMISSIONS: Final = {
    "balance_transactions": "Balance Transaction Sources",
    "charges": "Charges and Refunds",
    "checkout_sessions": "Checkout Sessions",
    "coupons": "Coupons",
    "customers": "Customers",
    "disputes": "Disputes",
    "events": "Events",
    "invoice_payments": "Invoices",
    "invoices": "Invoices",
    "payment_intents": "PaymentIntents",
    "payment_links": "Payment Links",
    "payouts": "Payouts",
    "prices": "Prices",
    "products": "Products",
    "promotion_codes": "Promotion Codes",
    "refunds": "Charges and Refunds",
    "subscriptions": "Subscriptions",
}
"""By the name of the list."""


def permission_to_read(resource: str) -> str:
    """Return the permission that reading a list takes, like "Disputes: read"."""
    return f"{PERMISSIONS.get(resource, resource)}: read"
