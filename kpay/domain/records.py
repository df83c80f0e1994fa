"""Canonical records of provider objects: one reader for each kind, for old and new API versions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from kpay.domain.checkout import RawObject
from kpay.domain.records_billing import SubscriptionRecord, read_subscription
from kpay.domain.records_cash import BalanceRecord, PayoutRecord, read_balance, read_payout
from kpay.domain.records_catalog import (
    CouponRecord,
    CustomerRecord,
    LinkRecord,
    PriceRecord,
    ProductRecord,
    PromotionRecord,
    read_coupon,
    read_customer,
    read_link,
    read_price,
    read_product,
    read_promotion,
)
from kpay.domain.records_invoices import (
    InvoicePaymentRecord,
    InvoiceRecord,
    read_invoice,
    read_invoice_payment,
)
from kpay.domain.records_returns import DisputeRecord, RefundRecord, read_dispute, read_refund
from kpay.domain.records_sales import (
    ChargeRecord,
    LineRecord,
    PaymentRecord,
    SessionRecord,
    read_charge,
    read_payment,
    read_session,
)

__all__ = [
    "READERS",
    "BalanceRecord",
    "ChargeRecord",
    "CouponRecord",
    "CustomerRecord",
    "DatedRecord",
    "DisputeRecord",
    "InvoicePaymentRecord",
    "InvoiceRecord",
    "LineRecord",
    "LinkRecord",
    "PaymentRecord",
    "PayoutRecord",
    "PriceRecord",
    "ProductRecord",
    "PromotionRecord",
    "Record",
    "RefundRecord",
    "SessionRecord",
    "SubscriptionRecord",
    "read",
]


class Record(Protocol):
    """What every record has."""

    @property
    def id(self) -> str:
        """The provider's id."""
        ...

    @property
    def belongs_to(self) -> str | None:
        """The id of the object that this one hangs on, if it hangs on one."""
        ...


class DatedRecord(Record, Protocol):
    """A record that knows when its object was made."""

    @property
    def created_at(self) -> datetime:
        """When the provider made the object."""
        ...


READERS: Final[dict[str, Callable[[RawObject], Record]]] = {
    "product": read_product,
    "price": read_price,
    "payment_link": read_link,
    "coupon": read_coupon,
    "promotion_code": read_promotion,
    "customer": read_customer,
    "checkout.session": read_session,
    "payment_intent": read_payment,
    "charge": read_charge,
    "invoice": read_invoice,
    "invoice_payment": read_invoice_payment,
    "subscription": read_subscription,
    "refund": read_refund,
    "dispute": read_dispute,
    "balance_transaction": read_balance,
    "payout": read_payout,
}


def read(raw: RawObject) -> Record:
    """Return the record of a whole provider object."""
    return READERS[raw["object"]](raw)
