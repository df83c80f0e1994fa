"""Provider objects of old and of new API versions say the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kpay.domain import records
from kpay.domain.records import InvoiceRecord, SubscriptionRecord

AT = 1_780_000_000
MOMENT = datetime.fromtimestamp(AT, UTC)


def invoice(**fields: Any) -> InvoiceRecord:
    raw = {
        "id": "in_1",
        "object": "invoice",
        "created": AT,
        "customer": "cus_1",
        "status": "paid",
        "billing_reason": "subscription_cycle",
        "currency": "eur",
        "subtotal": 1210,
        "total": 1210,
        "amount_paid": 1210,
        "attempt_count": 1,
        "status_transitions": {"paid_at": AT},
        **fields,
    }
    found = records.read(raw)
    assert isinstance(found, InvoiceRecord)
    return found


NEW_LINE = {
    "amount": 1210,
    "quantity": 1,
    "description": "Club",
    "period": {"start": AT, "end": AT + 10},
    "pricing": {"price_details": {"price": "price_1", "product": "prod_1"}},
    "parent": {"subscription_item_details": {"proration": False}},
    "taxes": [{"amount": 210, "tax_behavior": "inclusive"}],
    "discount_amounts": [{"amount": 100}],
}
OLD_LINE = {
    "amount": 1210,
    "quantity": 1,
    "description": "Club",
    "period": {"start": AT, "end": AT + 10},
    "price": {
        "id": "price_1",
        "product": "prod_1",
        "currency": "eur",
        "unit_amount": 1210,
        "recurring": {"interval": "month", "interval_count": 1},
    },
    "proration": False,
    "tax_amounts": [{"amount": 210, "inclusive": True}],
    "discount_amounts": [{"amount": 100}],
}


def test_an_invoice_names_its_subscription_tax_and_lines_in_both_shapes() -> None:
    new = invoice(
        parent={
            "subscription_details": {"subscription": "sub_1", "metadata": {"kpay_content": "c"}}
        },
        total_taxes=[{"amount": 210}],
        lines={"data": [NEW_LINE]},
    )
    old = invoice(
        subscription="sub_1",
        subscription_details={"metadata": {"kpay_content": "c"}},
        tax=210,
        lines={"data": [OLD_LINE]},
    )

    for one in (new, old):
        assert (one.subscription, one.content, one.tax_minor) == ("sub_1", "c", 210)
        [line] = one.lines
        assert (line.price, line.product, line.is_proration) == ("price_1", "prod_1", False)
        assert (line.gross_minor, line.net_minor) == (1210, 1210 - 100 - 210)
        assert line.starts_at == MOMENT


def test_a_tax_on_top_is_in_the_gross_and_not_in_the_net() -> None:
    on_top = {**NEW_LINE, "taxes": [{"amount": 210, "tax_behavior": "exclusive"}]}

    [line] = invoice(lines={"data": [on_top]}).lines

    assert (line.gross_minor, line.net_minor) == (1420, 1110)


def subscription(**fields: Any) -> SubscriptionRecord:
    raw = {
        "id": "sub_1",
        "object": "subscription",
        "created": AT,
        "customer": "cus_1",
        "status": "active",
        "currency": "usd",
        "start_date": AT,
        **fields,
    }
    found = records.read(raw)
    assert isinstance(found, SubscriptionRecord)
    return found


def test_a_subscription_tells_its_period_in_both_shapes() -> None:
    price = {"id": "price_1", "product": "prod_1", "unit_amount": 900, "currency": "usd"}
    price["recurring"] = {"interval": "year", "interval_count": 1}
    period = {"current_period_start": AT, "current_period_end": AT + 99}
    new = subscription(items={"data": [{"price": price, "quantity": 2, **period}]})
    old = subscription(items={"data": [{"price": price, "quantity": 2}]}, **period)

    for one in (new, old):
        assert (one.amount_minor, one.quantity, one.interval) == (1800, 2, "year")
        assert one.period_start_at == MOMENT
        assert one.period_end_at == datetime.fromtimestamp(AT + 99, UTC)


def charge(**fields: Any) -> Any:
    raw = {
        "id": "ch_1",
        "object": "charge",
        "created": AT,
        "amount": 500,
        "currency": "jpy",
        "status": "succeeded",
        "captured": True,
        **fields,
    }
    return records.read(raw)


@pytest.mark.parametrize(
    ("fields", "is_sale", "amount"),
    [
        ({}, True, 500),
        ({"amount_captured": 300}, True, 300),
        ({"status": "failed"}, False, 500),
        ({"status": "pending"}, False, 500),
        ({"captured": False, "amount_captured": 0}, False, 500),
    ],
)
def test_a_charge_is_a_sale_when_the_money_was_taken(
    fields: dict[str, Any], is_sale: bool, amount: int
) -> None:
    assert (charge(**fields).is_sale, charge(**fields).amount_minor) == (is_sale, amount)


def test_a_reference_may_be_an_id_or_a_whole_object() -> None:
    assert charge(customer="cus_1").customer == "cus_1"
    assert charge(customer={"id": "cus_1", "object": "customer"}).customer == "cus_1"
    assert charge(customer=None).customer is None


def test_a_session_of_a_guest_tells_who_bought_and_what_was_taken_off() -> None:
    found: Any = records.read(
        {
            "id": "cs_1",
            "object": "checkout.session",
            "created": AT,
            "customer": None,
            "customer_details": {"email": "a@b.c", "name": "王芳", "address": {"country": "CN"}},
            "payment_intent": "pi_1",
            "amount_total": 800,
            "total_details": {"amount_discount": 200, "amount_tax": 80},
            "metadata": {"kpay_content": "书", "utm_source": "letter", "private": "x"},
            "line_items": {"data": [{"amount_total": 800, "amount_discount": 200, "quantity": 1}]},
        }
    )

    assert (found.email, found.name, found.country, found.customer) == ("a@b.c", "王芳", "CN", None)
    assert (found.discount_minor, found.tax_minor, found.lines[0].gross_minor) == (200, 80, 1000)
    assert (found.content, found.tracking) == ("书", {"utm_source": "letter"})


def test_an_exchange_rate_is_kept_as_it_was_written() -> None:
    found: Any = records.read(
        {
            "id": "txn_1",
            "object": "balance_transaction",
            "created": AT,
            "type": "charge",
            "amount": 100,
            "fee": 3,
            "net": 97,
            "currency": "usd",
            "exchange_rate": 1.08671,
            "source": {"id": "ch_1"},
            "available_on": AT + 1,
        }
    )

    assert (found.exchange_rate, found.source) == ("1.08671", "ch_1")


@pytest.mark.parametrize("kind", sorted(records.READERS))
def test_an_object_with_nothing_but_what_is_always_there_can_be_read(kind: str) -> None:
    bare = {"id": "x_1", "object": kind, "created": AT, "amount": 1, "net": 1, "currency": "usd"}

    assert records.read({**bare, "status": "open", "type": "charge"}).id == "x_1"


def test_a_wallet_tells_of_its_buyer_under_its_own_name() -> None:
    details = {"payer_email": "lin@example.com", "payer_name": "Lin", "country": "CN"}

    found = records.read(
        {
            "id": "ch_1",
            "object": "charge",
            "amount": 100,
            "currency": "cny",
            "status": "succeeded",
            "payment_method_details": {"type": "paypal", "paypal": details},
        }
    )

    assert isinstance(found, records.ChargeRecord)
    assert (found.payment_method, found.email, found.name, found.country) == (
        "paypal",
        "lin@example.com",
        "Lin",
        "CN",
    )


def test_what_is_metered_or_in_another_currency_is_not_taken_for_a_price() -> None:
    def item(**price: object) -> dict[str, object]:
        terms = {"id": "price_1", "product": "prod_1", "unit_amount": 1000, "currency": "usd"}
        return {"id": "si_1", "price": {**terms, "recurring": {"interval": "month"}, **price}}

    def amount(currency: str, **price: object) -> int:
        raw = {"id": "sub_1", "object": "subscription", "status": "active", "currency": currency}
        found = records.read({**raw, "items": {"data": [item(**price)]}})
        assert isinstance(found, records.SubscriptionRecord)
        return found.amount_minor

    assert amount("usd") == 1000
    assert amount("usd", recurring={"interval": "month", "usage_type": "metered"}) == 0
    assert amount("eur", currency_options={"eur": {"unit_amount": 950}}) == 950


def test_tags_are_read_from_the_checkout_or_from_where_the_buyer_returns() -> None:
    bare = {"id": "cs_1", "object": "checkout.session", "client_reference_id": ""}
    told = {**bare, "metadata": {"utm_source": "mail"}, "success_url": "https://a.b/?utm_source=x"}
    returned = {**bare, "success_url": "https://a.b/thanks?utm_campaign=launch&other=1"}

    found: list[Any] = [records.read(raw) for raw in (told, returned, bare)]

    assert [one.tracking for one in found] == [
        {"utm_source": "mail"},
        {"utm_campaign": "launch"},
        {},
    ]
    assert found[0].reference is None
