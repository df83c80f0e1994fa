"""From one provider object to the row that mirrors it: nothing but the object itself is asked.

Rows that need several objects (orders, people, rights) are derived later, by `kpay.services.deriving`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Final

from sqlalchemy import Connection

from kpay.domain import records
from kpay.domain.checkout import Account
from kpay.store import mirrors, orders

Row = dict[str, Any]


def mirror(connection: Connection, account: Account, objects: Iterable[records.Record]) -> None:
    """Write the rows of some objects; those that do not differ are left alone."""
    whose = {"account": account.id, "livemode": account.livemode}
    by_kind: dict[str, list[Row]] = defaultdict(list)
    for record in objects:
        found = ROWS.get(type(record))
        if found:
            kind, rows_of = found
            by_kind[kind] += [{**whose, **row} for row in rows_of(record)]
    for kind, rows in by_kind.items():
        mirrors.save(connection, kind, rows)


def _charge(one: records.ChargeRecord) -> Iterable[Row]:
    yield {
        "external_id": one.id,
        "payment_intent_external_id": one.payment_intent,
        "invoice_external_id": one.invoice,
        "customer_external_id": one.customer,
        "balance_transaction_external_id": one.balance_transaction,
        "amount_minor": one.asked_minor,
        "captured_minor": one.amount_minor,
        "refunded_minor": one.refunded_minor,
        "currency": one.currency,
        "status": one.status,
        "is_sale": one.is_sale,
        "failure_code": one.failure_code,
        "payment_method": one.payment_method,
        "email": one.email,
        "name": one.name,
        "country": one.country,
        "content": one.content,
        "description": one.description,
        "created_at": one.created_at,
    }


def _payment(one: records.PaymentRecord) -> Iterable[Row]:
    yield {
        "external_id": one.id,
        "customer_external_id": one.customer,
        "amount_minor": one.amount_minor,
        "currency": one.currency,
        "status": one.status,
        "content": one.content,
        "created_at": one.created_at,
    }


def _session(one: records.SessionRecord) -> Iterable[Row]:
    yield {
        "external_id": one.id,
        "mode": one.mode,
        "status": one.status,
        "payment_status": one.payment_status,
        "customer_external_id": one.customer,
        "payment_intent_external_id": one.payment_intent,
        "invoice_external_id": one.invoice,
        "subscription_external_id": one.subscription,
        "payment_link_external_id": one.payment_link,
        "amount_total_minor": one.total_minor,
        "currency": one.currency,
        "email": one.email,
        "reference": one.reference,
        "created_at": one.created_at,
    }


def _invoice_payment(one: records.InvoicePaymentRecord) -> Iterable[Row]:
    yield {
        "external_id": one.id,
        "invoice_external_id": one.invoice,
        "payment_intent_external_id": one.payment_intent,
        "charge_external_id": one.charge,
        "amount_minor": one.amount_minor,
        "currency": one.currency,
        "status": one.status,
        "created_at": one.created_at,
    }


def _customer(one: records.CustomerRecord) -> Iterable[Row]:
    yield {
        "external_id": one.id,
        "email": one.email,
        "name": one.name,
        "country": one.country,
        "is_deleted": one.is_deleted,
        "created_at": one.created_at,
    }


def _price(one: records.PriceRecord) -> Iterable[Row]:
    yield {
        "external_id": one.id,
        "product_external_id": one.product,
        "amount_minor": one.amount_minor,
        "currency": one.currency,
        "interval": one.interval,
        "interval_count": one.interval_count,
        "is_active": one.is_active,
        "content": one.content,
        "created_at": one.created_at,
    }


def _coupon(one: records.CouponRecord) -> Iterable[Row]:
    yield {
        "external_id": one.id,
        "name": one.name,
        "percent_off": one.percent_off,
        "amount_off_minor": one.amount_off_minor,
        "currency": one.currency,
        "duration": one.duration,
        "duration_months": one.duration_months,
        "times_redeemed": one.times_redeemed,
        "is_valid": one.is_valid,
        "is_deleted": False,
        "created_at": one.created_at,
    }


def _promotion(one: records.PromotionRecord) -> Iterable[Row]:
    yield {
        "external_id": one.id,
        "code": one.code,
        "coupon_external_id": one.coupon,
        "times_redeemed": one.times_redeemed,
        "is_active": one.is_active,
        "created_at": one.created_at,
    }


def _items(one: records.SubscriptionRecord) -> Iterable[Row]:
    for item in one.items:
        yield {
            "external_id": item.id,
            "subscription_external_id": one.id,
            "price_external_id": item.price,
            "quantity": item.quantity,
            "amount_minor": item.amount_minor,
            "currency": item.currency,
        }


def _refund(one: records.RefundRecord) -> Iterable[Row]:
    yield {
        "source": orders.STRIPE,
        "external_id": one.id,
        "charge_id": one.charge,
        "amount_minor": one.amount_minor,
        "currency": one.currency,
        "status": one.status,
        "reason": one.reason,
        "failure_reason": one.failure_reason,
        "balance_transaction_external_id": one.balance_transaction,
        "refunded_at": one.created_at,
    }


def _dispute(one: records.DisputeRecord) -> Iterable[Row]:
    yield {
        "external_id": one.id,
        "charge_id": one.charge,
        "amount_minor": one.amount_minor,
        "currency": one.currency,
        "status": one.status,
        "reason": one.reason,
        "opened_at": one.created_at,
    }


def _movement(one: records.BalanceRecord) -> Iterable[Row]:
    yield {
        "external_id": one.id,
        "kind": one.kind,
        "amount_minor": one.amount_minor,
        "fee_minor": one.fee_minor,
        "net_minor": one.net_minor,
        "currency": one.currency,
        "source_external_id": one.source,
        "status": one.status,
        "exchange_rate": one.exchange_rate,
        "created_at": one.created_at,
        "available_at": one.available_at,
    }


def _payout(one: records.PayoutRecord) -> Iterable[Row]:
    yield {
        "external_id": one.id,
        "amount_minor": one.amount_minor,
        "currency": one.currency,
        "status": one.status,
        "created_at": one.created_at,
        "arrives_at": one.arrives_at,
        "is_automatic": one.is_automatic,
    }


# The kind of the mirror's rows, which for a subscription is that of its items, and how they are made.
ROWS: Final[dict[type, tuple[str, Callable[[Any], Iterable[Row]]]]] = {
    records.ChargeRecord: ("charge", _charge),
    records.PaymentRecord: ("payment_intent", _payment),
    records.SessionRecord: ("checkout.session", _session),
    records.InvoicePaymentRecord: ("invoice_payment", _invoice_payment),
    records.CustomerRecord: ("customer", _customer),
    records.PriceRecord: ("price", _price),
    records.CouponRecord: ("coupon", _coupon),
    records.PromotionRecord: ("promotion_code", _promotion),
    records.SubscriptionRecord: ("subscription_item", _items),
    records.RefundRecord: ("refund", _refund),
    records.DisputeRecord: ("dispute", _dispute),
    records.BalanceRecord: ("balance_transaction", _movement),
    records.PayoutRecord: ("payout", _payout),
}
