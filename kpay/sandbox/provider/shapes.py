"""The constant part of each resource, in the shapes of API version 2026-10-28.endive.

After docs.stripe.com/api: since 2025-03-31 an invoice no longer names its charge (invoice_payments
does), a subscription's period stands on its items, and a discount names its coupon under `source`.
"""

from __future__ import annotations

from typing import Final

from kpay.sandbox.provider.money_shapes import MONEY_SHAPES, Shape
from kpay.sandbox.provider.sales_shapes import SALES_SHAPES

SHAPES: Final[dict[str, Shape]] = {**SALES_SHAPES, **MONEY_SHAPES}
