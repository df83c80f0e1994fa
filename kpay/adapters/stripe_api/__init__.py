"""Stripe, met through its own library: the only place in kpay that imports it.

connection -> one account's HTTP calls, with pace, patience and translated errors
source     -> PaymentSource: lists and single objects, as they came
checkout   -> CheckoutPublisher: products, prices and payment links that are made once
refunds    -> RefundDesk: money given back once
"""

from __future__ import annotations

from kpay.adapters.stripe_api.checkout import StripeCheckout
from kpay.adapters.stripe_api.connection import StripeConnection
from kpay.adapters.stripe_api.refunds import StripeRefunds
from kpay.adapters.stripe_api.source import StripeSource

__all__ = ["StripeCheckout", "StripeConnection", "StripeRefunds", "StripeSource"]
