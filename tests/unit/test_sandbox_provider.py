"""The provider's books: every movement of money adds up, object by object."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from threading import RLock
from typing import Any

import pytest

from kpay.sandbox.catalogue import Offer
from kpay.sandbox.happenings import (
    Amounts,
    DisputeClosed,
    Disputed,
    MembershipBilled,
    MembershipEnded,
    MembershipRecovered,
    MembershipStarted,
    Refunded,
    Sale,
)
from kpay.sandbox.people import Buyer
from kpay.sandbox.provider.account import Account
from kpay.sandbox.provider.api import Api, Request
from kpay.sandbox.provider.balance import Balance, charge_fee, read_ledger
from kpay.sandbox.provider.bookkeeping import Bookkeeper
from kpay.sandbox.provider.form import parse
from kpay.sandbox.provider.payments import Cashier

MONDAY = 1_736_121_600  # 2025-01-06T00:00:00Z
DAY = 86_400
KEY = {"authorization": "Bearer sk_test_x"}
ANN = Buyer(1, "Ann@example.org", "Ann", "DE", False)
GUEST = Buyer(2, "guest@example.org", "Gus", "US", True)


class Desk:
    """An account with one piece and one membership on sale."""

    def __init__(self) -> None:
        self.account = Account(1, MONDAY)
        balance = Balance(self.account)
        cashier = Cashier(self.account, balance)
        self.books = Bookkeeper(self.account, balance, cashier, 20, lambda checkout: None)
        self.api = Api(self.account, cashier, RLock())
        self.piece = self.offer("", 1900)
        self.club = self.offer("&recurring[interval]=month", 900)

    def offer(self, more: str, amount_minor: int) -> Offer:
        product = self.post("/v1/products", "name=Piece")["id"]
        terms = f"product={product}&currency=eur&unit_amount={amount_minor}{more}"
        price = self.post("/v1/prices", terms)["id"]
        link = self.post("/v1/payment_links", f"line_items[0][price]={price}")["id"]
        return Offer(link, price, product, amount_minor, "eur", "month" if more else None)

    def ask(self, method: str, target: str, body: str = "", **headers: str) -> tuple[int, Any]:
        response = self.api.answer(Request(method, target, {**KEY, **headers}, body))
        return response.status, json.loads(response.body)

    def get(self, target: str) -> Any:
        status, found = self.ask("GET", target)
        assert status == 200, found
        return found

    def post(self, target: str, body: str) -> Any:
        status, made = self.ask("POST", target, body)
        assert status == 200, made
        return made

    def happen(self, day: int, *happenings: Any) -> None:
        self.books.write_day(MONDAY + day * DAY, happenings)
        self.account.now = MONDAY + (day + 1) * DAY

    def sale(self, order: str = "o", buyer: Buyer = ANN, **changes: Any) -> Sale:
        terms: dict[str, Any] = {"amounts": Amounts(1900), "failures": 0, "is_paid": True} | changes
        return Sale(MONDAY + 3600, order, buyer, "piece", self.piece, **terms)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def net(desk: Desk) -> int:
    rows = desk.get("/v1/balance_transactions?limit=100")["data"]
    for row in rows:
        assert row["net"] == row["amount"] - row["fee"]
    return sum(row["net"] for row in rows)


def test_a_sale_leaves_session_intent_charge_and_fee(desk: Desk) -> None:
    desk.happen(0, desk.sale(amounts=Amounts(1900, 380, 253)))
    session = desk.get("/v1/checkout/sessions?expand[]=data.line_items")["data"][0]
    assert (session["amount_subtotal"], session["amount_total"]) == (1900, 1520)
    assert session["total_details"] == {
        "amount_discount": 380,
        "amount_shipping": 0,
        "amount_tax": 253,
    }
    assert session["line_items"]["data"][0]["amount_total"] == 1520
    assert session["customer_details"]["email"] == "Ann@example.org"
    charge = desk.get("/v1/charges?expand[]=data.balance_transaction&expand[]=data.customer")[
        "data"
    ][0]
    assert charge["payment_intent"] == session["payment_intent"]
    assert charge["balance_transaction"]["fee"] == charge_fee(1520, "eur") == 74
    assert charge["customer"]["id"] == session["customer"]
    assert session["discounts"][0]["coupon"] == desk.get("/v1/coupons")["data"][0]["id"]
    assert net(desk) == 1520 - 74


def test_a_guest_has_no_customer_object(desk: Desk) -> None:
    desk.happen(0, desk.sale(buyer=GUEST))
    assert desk.get("/v1/charges")["data"][0]["customer"] is None
    assert desk.get("/v1/customers")["data"] == []


def test_declined_attempts_cost_nothing_and_share_the_intent(desk: Desk) -> None:
    desk.happen(0, desk.sale(failures=2), desk.sale("never", is_paid=False))
    charges = desk.get("/v1/charges")["data"]
    statuses = Counter((charge["payment_intent"], charge["status"]) for charge in charges)
    assert sorted(statuses.values()) == [1, 1, 2]
    assert len(desk.get("/v1/balance_transactions")["data"]) == 1
    sessions = desk.get("/v1/checkout/sessions")["data"]
    assert {session["payment_status"] for session in sessions} == {"paid", "unpaid"}


def test_partial_refunds_by_both_sides_never_exceed_the_charge(desk: Desk) -> None:
    desk.happen(0, desk.sale())
    charge = desk.get("/v1/charges")["data"][0]["id"]
    desk.post("/v1/refunds", f"charge={charge}&amount=1000")
    desk.happen(1, Refunded(MONDAY + DAY, "o", 1900, "requested_by_customer"))
    assert [refund["amount"] for refund in desk.get("/v1/refunds")["data"]] == [900, 1000]
    assert desk.get(f"/v1/charges/{charge}")["refunded"] is True
    assert net(desk) == -charge_fee(1900, "eur")
    status, refusal = desk.ask("POST", "/v1/refunds", f"charge={charge}")
    assert (status, refusal["error"]["code"]) == (400, "charge_already_refunded")


@pytest.mark.parametrize(("is_won", "left"), [(True, 1900), (False, 0)])
def test_a_dispute_takes_the_amount_and_a_fee_and_may_give_the_amount_back(
    desk: Desk, is_won: bool, left: int
) -> None:
    desk.happen(0, desk.sale())
    desk.happen(9, Disputed(MONDAY + 9 * DAY, "o", "fraudulent"))
    assert desk.get("/v1/charges")["data"][0]["disputed"] is True
    desk.happen(30, DisputeClosed(MONDAY + 30 * DAY, "o", is_won))
    dispute = desk.get("/v1/disputes")["data"][0]
    assert dispute["status"] == ("won" if is_won else "lost")
    assert net_without_payouts(desk) == left - 1500 - charge_fee(1900, "eur")


def net_without_payouts(desk: Desk) -> int:
    return read_ledger(desk.account).currencies["eur"].net_minor


def test_money_settles_after_two_days_and_is_paid_out_on_monday(desk: Desk) -> None:
    desk.happen(0, desk.sale())
    assert desk.get("/v1/balance")["pending"][0]["amount"] == 1815
    desk.happen(2)
    assert desk.get("/v1/balance")["available"][0]["amount"] == 1815
    desk.happen(7)
    payout = desk.get("/v1/payouts")["data"][0]
    assert (payout["amount"], payout["status"]) == (1815, "in_transit")
    members = desk.get(f"/v1/balance_transactions?payout={payout['id']}")["data"]
    assert sum(row["net"] for row in members) == 0
    assert {row["type"] for row in members} == {"charge", "payout"}
    desk.happen(9)
    assert desk.get("/v1/payouts")["data"][0]["status"] == "paid"
    assert net(desk) == 0


def test_a_debt_waits_and_is_taken_out_of_the_next_payout(desk: Desk) -> None:
    desk.happen(0, desk.sale(), Refunded(MONDAY + 7200, "o", 1900, "requested_by_customer"))
    desk.happen(7)
    assert desk.get("/v1/payouts")["data"] == []
    later = replace(desk.sale("later"), at=MONDAY + 8 * DAY)
    desk.happen(8, later)
    desk.happen(14)
    fee = charge_fee(1900, "eur")
    assert [payout["amount"] for payout in desk.get("/v1/payouts")["data"]] == [1900 - 2 * fee]


def start_membership(desk: Desk, trial_end: int | None = None) -> MembershipStarted:
    return MembershipStarted(
        MONDAY,
        "m",
        "m-0",
        ANN,
        "club",
        desk.club,
        Amounts(900, 0, 150),
        trial_end,
        MONDAY + 30 * DAY,
    )


def test_an_invoice_is_tied_to_its_payment_and_its_subscription(desk: Desk) -> None:
    desk.happen(0, start_membership(desk))
    desk.happen(
        30, MembershipBilled(MONDAY + 30 * DAY, "m", "m-30", 1, desk.club, MONDAY + 60 * DAY, True)
    )
    subscription = desk.get("/v1/subscriptions")["data"][0]
    assert subscription["items"]["data"][0]["current_period_end"] == MONDAY + 60 * DAY
    invoices = desk.get(f"/v1/invoices?subscription={subscription['id']}")["data"]
    assert [invoice["billing_reason"] for invoice in invoices] == [
        "subscription_cycle",
        "subscription_create",
    ]
    assert [invoice["total_taxes"][0]["amount"] for invoice in invoices] == [150, 150]
    for invoice in invoices:
        tie = desk.get(
            f"/v1/invoice_payments?invoice={invoice['id']}&expand[]=data.payment.payment_intent"
        )
        intent = tie["data"][0]["payment"]["payment_intent"]
        assert intent["amount_received"] == invoice["amount_paid"] == 900
        line = desk.get(f"/v1/invoices/{invoice['id']}/lines")["data"][0]
        assert line["pricing"]["price_details"]["price"] == desk.club.price_id


def test_a_trial_has_an_invoice_of_nothing_and_no_charge(desk: Desk) -> None:
    desk.happen(0, start_membership(desk, MONDAY + 7 * DAY))
    assert desk.get("/v1/subscriptions")["data"][0]["status"] == "trialing"
    invoice = desk.get("/v1/invoices")["data"][0]
    assert (invoice["total"], invoice["status"]) == (0, "paid")
    assert desk.get("/v1/charges")["data"] == []
    assert desk.get("/v1/checkout/sessions")["data"][0]["payment_status"] == "no_payment_required"


def test_a_declined_renewal_is_past_due_until_it_recovers_or_is_written_off(desk: Desk) -> None:
    desk.happen(0, start_membership(desk))
    at = MONDAY + 30 * DAY
    desk.happen(30, MembershipBilled(at, "m", "m-30", 1, desk.club, MONDAY + 60 * DAY, False))
    assert desk.get("/v1/subscriptions")["data"][0]["status"] == "past_due"
    assert desk.get("/v1/invoices")["data"][0]["status"] == "open"
    desk.happen(33, MembershipRecovered(at + 3 * DAY, "m", "m-30", 1, desk.club))
    invoice = desk.get("/v1/invoices")["data"][0]
    assert (invoice["status"], invoice["amount_paid"]) == ("paid", 900)
    assert desk.get("/v1/subscriptions")["data"][0]["status"] == "active"
    later = at + 30 * DAY
    desk.happen(60, MembershipBilled(later, "m", "m-60", 1, desk.club, MONDAY + 90 * DAY, False))
    desk.happen(74, MembershipEnded(later + 14 * DAY, "m", True))
    assert desk.get("/v1/subscriptions")["data"] == []
    ended = desk.get("/v1/subscriptions?status=all")["data"][0]
    assert ended["cancellation_details"]["reason"] == "payment_failed"
    assert desk.get("/v1/invoices")["data"][0]["status"] == "uncollectible"


def test_leaving_after_a_recovery_writes_nothing_off(desk: Desk) -> None:
    desk.happen(0, start_membership(desk))
    at = MONDAY + 30 * DAY
    desk.happen(30, MembershipBilled(at, "m", "m-30", 1, desk.club, MONDAY + 60 * DAY, False))
    desk.happen(33, MembershipRecovered(at + 3 * DAY, "m", "m-30", 1, desk.club))
    desk.happen(40, MembershipEnded(at + 10 * DAY, "m", False))
    assert {invoice["status"] for invoice in desk.get("/v1/invoices")["data"]} == {"paid"}


def test_a_change_of_plan_shows_on_the_subscription_and_on_the_next_invoice(desk: Desk) -> None:
    desk.happen(0, start_membership(desk))
    yearly = desk.offer("&recurring[interval]=year", 9000)
    at = MONDAY + 30 * DAY
    desk.happen(30, MembershipBilled(at, "m", "m-30", 1, yearly, at + 365 * DAY, True))
    item = desk.get("/v1/subscriptions")["data"][0]["items"]["data"][0]
    assert item["price"]["id"] == yearly.price_id
    assert (item["created"], item["current_period_start"]) == (MONDAY, at)
    assert desk.get("/v1/invoices")["data"][0]["total"] == 9000
    change = desk.get("/v1/events?type=customer.subscription.updated")["data"][0]["data"]
    before = change["previous_attributes"]["items"]["data"][0]["price"]["id"]
    assert before == desk.club.price_id


def test_parameters_with_brackets_become_dicts_and_lists() -> None:
    assert parse("a[b]=1&c[0][d]=2&c[1][d]=3&e[]=4&e[]=5&metadata[%E5%90%8D]=%E5%80%BC") == {
        "a": {"b": "1"},
        "c": [{"d": "2"}, {"d": "3"}],
        "e": ["4", "5"],
        "metadata": {"名": "值"},
    }


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "param"),
    [
        ("POST", "/v1/products", "", 400, "name"),
        ("POST", "/v1/products", "name=a&colour=red", 400, "colour"),
        ("POST", "/v1/prices", "currency=usd&product=prod_x&unit_amount=5", 400, "product"),
        ("POST", "/v1/prices", "currency=dollars&product=prod_x&unit_amount=5", 400, "currency"),
        ("GET", "/v1/charges?limit=101", "", 400, "limit"),
        ("GET", "/v1/payment_links?created[gte]=5", "", 400, "created"),
        ("GET", "/v1/charges?starting_after=ch_nobody", "", 400, "starting_after"),
        ("GET", "/v1/charges/ch_nobody", "", 404, "id"),
        ("GET", "/v1/charges?created[after]=1", "", 400, "after"),
        ("GET", "/v1/unicorns", "", 404, None),
        ("POST", "/v1/charges", "amount=5", 404, None),
    ],
)
def test_a_wrong_wish_is_refused_in_the_providers_words(
    desk: Desk, method: str, target: str, body: str, status: int, param: str | None
) -> None:
    answered, refusal = desk.ask(method, target, body)
    assert answered == status
    assert refusal["error"]["type"] == "invalid_request_error"
    assert refusal["error"]["param"] == param


def test_what_an_object_does_not_have_cannot_be_expanded(desk: Desk) -> None:
    desk.happen(0, desk.sale())
    status, refusal = desk.ask("GET", "/v1/charges?expand[]=data.invoice")
    assert status == 400
    assert refusal["error"]["message"] == "This property cannot be expanded (invoice)."


@pytest.mark.parametrize("key", ["", "Bearer ", "Bearer sk_live_x", "Basic sk_test_x"])
def test_only_test_keys_open_the_door(desk: Desk, key: str) -> None:
    status, refusal = desk.ask("GET", "/v1/charges", authorization=key)
    assert status == 401
    assert "error" in refusal


def test_a_deleted_customer_leaves_a_stub_and_the_list(desk: Desk) -> None:
    desk.happen(0, desk.sale())
    customer = desk.get("/v1/customers")["data"][0]["id"]
    desk.ask("DELETE", f"/v1/customers/{customer}")
    stub = {"id": customer, "object": "customer", "deleted": True}
    assert desk.get("/v1/customers")["data"] == []
    assert desk.get(f"/v1/customers/{customer}") == stub
    assert desk.get("/v1/charges")["data"][0]["customer"] == customer


def test_an_update_that_changes_nothing_leaves_no_trace(desk: Desk) -> None:
    before = desk.account.digest()
    desk.post(f"/v1/products/{desk.piece.product_id}", "name=Piece&active=true")
    assert desk.account.digest() == before
    desk.post(f"/v1/products/{desk.piece.product_id}", "name=Other")
    assert desk.account.digest() != before
    event = desk.get("/v1/events?type=product.updated")["data"][0]
    assert event["data"]["previous_attributes"]["name"] == "Piece"
