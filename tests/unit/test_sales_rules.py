"""What a sale is made of: content, money, kind; and from when a subscription costs what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kpay.domain.enums import OrderKind
from kpay.domain.known_catalogue import Catalogue, PriceTerms
from kpay.domain.phases import phase_of
from kpay.domain.records import ChargeRecord, InvoiceRecord, LineRecord, SessionRecord, read
from kpay.domain.sales import free_sale_of, sale_of

AT = datetime(2026, 6, 1, tzinfo=UTC)
CATALOGUE = Catalogue(
    prices={
        "price_guide": PriceTerms("prod_guide", 1000, None, 1),
        "price_club": PriceTerms("prod_club", 900, "month", 1),
        "price_year": PriceTerms("prod_club", 9000, "year", 1),
    },
    product_contents={"prod_guide": "guide", "prod_club": "club"},
    product_names={"prod_guide": "The guide"},
    link_contents={"plink_1": "from-link"},
)
CHARGE = ChargeRecord(
    id="ch_1",
    payment_intent="pi_1",
    invoice=None,
    customer=None,
    balance_transaction="txn_1",
    asked_minor=1000,
    amount_minor=1000,
    refunded_minor=0,
    currency="usd",
    status="succeeded",
    is_sale=True,
    failure_code=None,
    payment_method="card",
    email="card@example.com",
    name="Card",
    country="US",
    content=None,
    description="a charge",
    created_at=AT,
)
LINE = LineRecord("price_guide", None, "Guide", 1, 1000)
SESSION = SessionRecord(
    id="cs_1",
    mode="payment",
    status="complete",
    payment_status="paid",
    payment_intent="pi_1",
    invoice=None,
    subscription=None,
    customer="cus_1",
    payment_link="plink_1",
    currency="usd",
    email="typed@example.com",
    name="Typed",
    country="DE",
    total_minor=1000,
    discount_minor=0,
    tax_minor=0,
    content=None,
    reference="ref",
    tracking={},
    lines=(LINE,),
    created_at=AT,
)


def invoice(**fields: Any) -> InvoiceRecord:
    line = {
        "amount": 900,
        "description": "Club",
        "period": {"start": int(AT.timestamp())},
        "pricing": {"price_details": {"price": "price_club"}},
        **fields.pop("line", {}),
    }
    raw = {
        "id": "in_1",
        "object": "invoice",
        "created": 1,
        "currency": "usd",
        "status": "paid",
        "total": 900,
        "billing_reason": "subscription_cycle",
        "parent": {"subscription_details": {"subscription": "sub_1"}},
        "lines": {"data": [line, *fields.pop("more_lines", [])]},
        **fields,
    }
    found = read(raw)
    assert isinstance(found, InvoiceRecord)
    return found


def content(session: SessionRecord | None, charge: ChargeRecord = CHARGE, **more: Any) -> Any:
    return sale_of(charge, session, None, CATALOGUE, **more).lines[0].content


def test_content_is_taken_from_where_it_was_frozen_first() -> None:
    assert content(SESSION._replace(content="from-session")) == "from-session"
    assert content(SESSION) == "from-link"
    assert content(SESSION._replace(payment_link=None)) == "guide"


def test_a_direct_payment_names_its_content_on_charge_or_intent() -> None:
    assert content(None, CHARGE._replace(content="a")) == "a"
    assert content(None, payment_content="b") == "b"
    assert content(None) is None


def test_of_several_lines_each_is_what_its_price_says() -> None:
    lines = (LINE, LineRecord("price_club", None, "Club", 1, 900))

    sale = sale_of(
        CHARGE._replace(amount_minor=1900),
        SESSION._replace(lines=lines, content="one", total_minor=1900),
        None,
        CATALOGUE,
    )

    assert [line.content for line in sale.lines] == ["guide", "club"]


def test_the_checkout_knows_the_buyer_better_than_the_card() -> None:
    sale = sale_of(CHARGE, SESSION, None, CATALOGUE)

    assert (sale.email, sale.name, sale.country) == ("typed@example.com", "Typed", "DE")
    assert (sale.customer, sale.reference) == ("cus_1", "ref")
    alone = sale_of(CHARGE, None, None, CATALOGUE)
    assert (alone.email, alone.name, alone.country) == ("card@example.com", "Card", "US")


def test_gross_is_what_was_asked_before_the_coupon_and_tax_is_inside() -> None:
    session = SESSION._replace(total_minor=800, discount_minor=200, tax_minor=133)

    sale = sale_of(CHARGE._replace(amount_minor=800), session, None, CATALOGUE)

    assert (sale.gross_minor, sale.discount_minor, sale.total_minor) == (1000, 200, 800)
    assert sale.tax_minor == 133


def test_a_charge_of_a_part_carries_its_part_of_discount_and_tax() -> None:
    session = SESSION._replace(total_minor=800, discount_minor=200, tax_minor=101)

    sale = sale_of(CHARGE._replace(amount_minor=400), session, None, CATALOGUE)

    assert (sale.total_minor, sale.discount_minor, sale.tax_minor) == (400, 100, 50)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("subscription_create", OrderKind.SUBSCRIPTION_START),
        ("subscription_cycle", OrderKind.RENEWAL),
        ("subscription_update", OrderKind.SUBSCRIPTION_UPDATE),
        ("manual", OrderKind.ONE_TIME),
    ],
)
def test_the_invoice_tells_what_kind_of_order_it_was(reason: str, kind: OrderKind) -> None:
    bill = invoice(billing_reason=reason)

    sale = sale_of(CHARGE._replace(amount_minor=900), None, bill, CATALOGUE)

    assert (sale.kind, sale.subscription, sale.invoice) == (kind, "sub_1", "in_1")
    assert sale.lines[0].content == "club"


def test_a_changed_plan_sells_what_its_price_says_not_what_the_first_day_said() -> None:
    bill = invoice(
        parent={"subscription_details": {"subscription": "s", "metadata": {"kpay_content": "old"}}}
    )

    assert sale_of(CHARGE, None, bill, CATALOGUE).lines[0].content == "club"


def test_an_invoice_begins_a_phase_at_its_line_with_what_an_interval_costs() -> None:
    phase = phase_of(invoice(), CATALOGUE)

    assert phase
    assert (phase.subscription, phase.starts_at, phase.amount_minor) == ("sub_1", AT, 900)
    assert (phase.interval, phase.interval_count) == ("month", 1)


def test_a_phase_is_without_tax_and_after_discount() -> None:
    line = {
        "discount_amounts": [{"amount": 90}],
        "taxes": [{"amount": 135, "tax_behavior": "inclusive"}],
    }
    phase = phase_of(invoice(line=line), CATALOGUE)

    assert phase
    assert phase.amount_minor == 675


def test_a_change_in_the_middle_begins_a_phase_at_the_new_price_not_at_its_part() -> None:
    proration = {"subscription_item_details": {"proration": True}}
    upgrade = {
        "amount": 4100,
        "period": {"start": int(AT.timestamp())},
        "pricing": {"price_details": {"price": "price_year"}},
        "parent": proration,
    }
    bill = invoice(
        billing_reason="subscription_update",
        line={"amount": -450, "parent": proration},
        more_lines=[upgrade],
    )

    phase = phase_of(bill, CATALOGUE)

    assert phase
    assert (phase.amount_minor, phase.interval) == (9000, "year")


@pytest.mark.parametrize("status", ["draft", "void"])
def test_an_invoice_that_does_not_count_begins_no_phase(status: str) -> None:
    assert phase_of(invoice(status=status), CATALOGUE) is None


@pytest.mark.parametrize("paid", [1000, 500, 333, 1])
def test_the_lines_of_a_sale_add_up_to_what_was_asked_for_it(paid: int) -> None:
    charge = CHARGE._replace(amount_minor=paid)
    lines = tuple(LINE._replace(gross_minor=amount) for amount in (333, 333, 334))

    sold = sale_of(charge, SESSION._replace(lines=lines), None, CATALOGUE)

    assert sum(line.gross_minor for line in sold.lines) == sold.gross_minor == paid
    assert all(line.gross_minor >= 0 for line in sold.lines)


def test_a_bill_in_another_currency_gives_its_shares_not_its_amounts() -> None:
    bill = SESSION._replace(currency="jpy", total_minor=1000, discount_minor=250, tax_minor=100)

    sold = sale_of(CHARGE, bill, None, CATALOGUE)
    of_more = sale_of(CHARGE._replace(amount_minor=2000), bill, None, CATALOGUE)

    assert (sold.currency, sold.discount_minor, sold.tax_minor) == ("usd", 250, 100)
    assert (of_more.discount_minor, of_more.tax_minor, of_more.gross_minor) == (500, 200, 2500)


def test_a_price_that_names_its_content_says_more_than_its_product() -> None:
    catalogue = replace(CATALOGUE, price_contents={"price_guide": "signed-copy"})
    session = SESSION._replace(payment_link=None)

    assert sale_of(CHARGE, session, None, catalogue).lines[0].content == "signed-copy"


def test_what_was_bought_for_nothing_is_a_sale_known_by_its_checkout() -> None:
    session = SESSION._replace(
        payment_intent=None,
        payment_status="no_payment_required",
        total_minor=0,
        discount_minor=1000,
    )

    sold = free_sale_of(session, CATALOGUE)

    assert (sold.external_id, sold.charge, sold.gross_minor, sold.total_minor) == (
        "cs_1",
        None,
        1000,
        0,
    )
    assert sum(line.gross_minor for line in sold.lines) == 1000


def test_items_that_begin_together_cost_what_they_cost_together() -> None:
    seats = {
        "amount": 500,
        "period": {"start": int(AT.timestamp())},
        "pricing": {"price_details": {"price": "price_club"}},
    }

    phase = phase_of(invoice(more_lines=[seats]), CATALOGUE)

    assert phase
    assert phase.amount_minor == 1400
