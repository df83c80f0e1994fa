"""The `stripe` library talks to the sandbox as it talks to Stripe."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import requests
import stripe

from kpay.sandbox import Sandbox
from tests.fakes.sandbox_shop import START, client, open_shop, publish

DAYS = 130
LISTS = (
    "products", "prices", "coupons", "promotion_codes", "payment_links", "checkout/sessions",
    "customers", "payment_intents", "charges", "invoices", "invoice_payments", "refunds",
    "disputes", "balance_transactions", "payouts", "events",
)  # fmt: skip


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(2, customers=250, days=DAYS, start=START) as world:
        open_shop(world)
        world.advance(DAYS)
        yield world


@pytest.fixture
def fresh() -> Iterator[Sandbox]:
    with Sandbox(5, customers=100, days=60, start=START) as world:
        yield world


def read(world: Sandbox, path: str, **params: Any) -> list[dict[str, Any]]:
    """Walk a list to its end with plain requests."""
    found: list[dict[str, Any]] = []
    headers = {"Authorization": f"Bearer {world.stripe_key}"}
    with requests.Session() as session:
        while True:
            after = {"starting_after": found[-1]["id"]} if found else {}
            answer = session.get(
                f"{world.stripe_url}/v1/{path}",
                params={"limit": 100, **after, **params},
                headers=headers,
                timeout=10,
            )
            answer.raise_for_status()
            page = answer.json()
            found += page["data"]
            if not page["has_more"]:
                return found


@pytest.mark.parametrize("path", LISTS)
def test_every_list_can_be_walked_whole_and_is_newest_first(sandbox: Sandbox, path: str) -> None:
    found = read(sandbox, path)
    assert len({row["id"] for row in found}) == len(found) > 0
    assert len(found) == sandbox.ledger().counts[path.replace("/", ".")]
    assert all(newer["created"] >= older["created"] for newer, older in pairwise(found))
    assert not any(row.get("livemode") for row in found)


def test_the_library_pages_by_itself_and_reads_objects(sandbox: Sandbox) -> None:
    charges = list(client(sandbox).v1.charges.list({"limit": 100}).auto_paging_iter())
    assert len(charges) == sandbox.ledger().counts["charges"] > 200
    one = client(sandbox).v1.charges.retrieve(charges[0].id, {"expand": ["balance_transaction"]})
    assert one.balance_transaction is None or one.balance_transaction.net < one.amount


def test_creation_times_divide_a_list_without_gap_or_overlap(sandbox: Sandbox) -> None:
    whole = [row["id"] for row in read(sandbox, "charges")]
    middle = read(sandbox, "charges")[len(whole) // 2]["created"]
    later = read(sandbox, "charges", **{"created[gte]": middle})
    earlier = read(sandbox, "charges", **{"created[lt]": middle})
    assert [row["id"] for row in later + earlier] == whole
    after = read(sandbox, "charges", **{"created[gt]": middle})
    exactly = read(sandbox, "charges", created=middle)
    assert len(after) + len(exactly) == len(later)


def test_ending_before_gives_the_page_above(sandbox: Sandbox) -> None:
    api = client(sandbox).v1
    first = api.charges.list({"limit": 7}).data
    below = api.charges.list({"limit": 7, "starting_after": first[-1].id}).data
    above = api.charges.list({"limit": 7, "ending_before": below[0].id})
    assert [charge.id for charge in above.data] == [charge.id for charge in first]
    assert not above.has_more


def test_canceled_subscriptions_are_listed_only_on_request(sandbox: Sandbox) -> None:
    shown = read(sandbox, "subscriptions")
    everything = read(sandbox, "subscriptions", status="all")
    canceled = read(sandbox, "subscriptions", status="canceled")
    assert canceled
    assert len(shown) + len(canceled) == len(everything)
    item = client(sandbox).v1.subscription_items.list({"subscription": shown[0]["id"]}).data[0]
    assert item.current_period_end > item.current_period_start


def test_every_paid_charge_has_a_transaction_and_every_sum_agrees(sandbox: Sandbox) -> None:
    charges = read(sandbox, "charges", **{"expand[]": "data.balance_transaction"})
    paid = [charge for charge in charges if charge["status"] == "succeeded"]
    assert len(paid) < len(charges)
    for charge in paid:
        assert charge["balance_transaction"]["amount"] == charge["amount"]
        assert charge["balance_transaction"]["source"] == charge["id"]
    rows = read(sandbox, "balance_transactions")
    assert all(row["net"] == row["amount"] - row["fee"] for row in rows)
    refunds = read(sandbox, "refunds")
    for currency, sums in sandbox.ledger().currencies.items():
        assert sums.gross_minor == sum(c["amount"] for c in paid if c["currency"] == currency)
        assert sums.refunds_minor == sum(r["amount"] for r in refunds if r["currency"] == currency)
        assert sums.net_minor == (
            sums.gross_minor - sums.refunds_minor - sums.disputes_minor - sums.fees_minor
        )
        balance = client(sandbox).v1.balance.retrieve()
        kept = sum(
            part.amount
            for part in (*balance.available, *balance.pending)
            if part.currency == currency
        )
        assert kept == sums.net_minor - sums.payouts_minor


def test_refunded_amounts_of_charges_are_the_sums_of_their_refunds(sandbox: Sandbox) -> None:
    given_back: dict[str, int] = {}
    for refund in read(sandbox, "refunds"):
        given_back[refund["charge"]] = given_back.get(refund["charge"], 0) + refund["amount"]
    for charge in read(sandbox, "charges"):
        assert charge["amount_refunded"] == given_back.get(charge["id"], 0)
        assert charge["refunded"] == (charge["amount_refunded"] == charge["amount"] > 0)


def test_a_payout_holds_exactly_its_transactions(sandbox: Sandbox) -> None:
    for payout in read(sandbox, "payouts"):
        members = read(sandbox, "balance_transactions", payout=payout["id"])
        assert sum(row["net"] for row in members if row["type"] != "payout") == payout["amount"]


def test_events_tell_of_the_last_thirty_days_with_the_object_as_it_was(sandbox: Sandbox) -> None:
    events = read(sandbox, "events")
    oldest = sandbox.now.timestamp() - 30 * 86_400
    assert min(event["created"] for event in events) >= oldest
    recent = read(sandbox, "charges", **{"created[gte]": int(oldest)})
    told = {
        event["data"]["object"]["id"] for event in events if event["type"].startswith("charge.")
    }
    assert {charge["id"] for charge in recent} <= told
    chosen = read(sandbox, "events", **{"types[0]": "payout.paid", "types[1]": "refund.created"})
    assert {event["type"] for event in chosen} == {"payout.paid", "refund.created"}


def test_sessions_know_what_was_bought_and_through_which_link(sandbox: Sandbox) -> None:
    sessions = read(sandbox, "checkout/sessions", **{"expand[]": "data.line_items"})
    links = {link["id"]: link for link in read(sandbox, "payment_links")}
    for session in sessions:
        (line,) = session["line_items"]["data"]
        assert line["amount_total"] == session["amount_total"]
        assert session["metadata"] == links[session["payment_link"]]["metadata"]
        assert "@" in session["customer_details"]["email"]
    guests = [s for s in sessions if s["customer"] is None and s["payment_status"] == "paid"]
    assert 0 < len(guests) < len(sessions) / 3
    lines = client(sandbox).v1.checkout.sessions.line_items.list(sessions[0]["id"])
    assert lines.data[0].id == sessions[0]["line_items"]["data"][0]["id"]


def test_the_same_key_and_wish_is_one_object_another_wish_is_refused(fresh: Sandbox) -> None:
    products = client(fresh).v1.products
    made = products.create({"name": "A"}, {"idempotency_key": "k"})
    again = products.create({"name": "A"}, {"idempotency_key": "k"})
    assert made.id == again.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        products.create({"name": "B"}, {"idempotency_key": "k"})
    assert fresh.ledger().counts["products"] == 1


def test_refusals_arrive_as_the_librarys_own_errors(fresh: Sandbox) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such product: 'prod_no'"):
        client(fresh).v1.products.retrieve("prod_no")
    stranger = stripe.StripeClient("sk_live_x", base_addresses={"api": fresh.stripe_url})
    with pytest.raises(stripe.AuthenticationError):
        stranger.v1.products.list()


@pytest.mark.parametrize("switch", ["products", "prices", "payment_links"])
def test_people_buy_only_what_is_switched_on(fresh: Sandbox, switch: str) -> None:
    publish(fresh, "ebook", "ebook", amount=900)
    fresh.advance(20)
    sold = fresh.ledger().counts["checkout.sessions"]
    assert sold > 0
    shelf = getattr(client(fresh).v1, switch)
    shelf.update(shelf.list().data[0].id, {"active": False})
    fresh.advance(20)
    assert fresh.ledger().counts["checkout.sessions"] == sold


def test_buyers_who_name_the_amount_pay_at_least_the_minimum(fresh: Sandbox) -> None:
    api = client(fresh).v1
    product = api.products.create({"name": "Tip", "metadata": {"kpay_content": "tip"}})
    price = api.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "custom_unit_amount": {"enabled": True, "minimum": 500},
        }
    )
    api.payment_links.create({"line_items": [{"price": price.id, "quantity": 1}]})
    fresh.advance(40)
    amounts = {session["amount_subtotal"] for session in read(fresh, "checkout/sessions")}
    assert min(amounts) >= 500
    assert len(amounts) > 1


def test_a_trial_in_the_link_is_given_to_everybody(fresh: Sandbox) -> None:
    api = client(fresh).v1
    product = api.products.create({"name": "Club", "metadata": {"kpay_kind": "membership"}})
    price = api.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "unit_amount": 500,
            "recurring": {"interval": "month"},
        }
    )
    line = {"price": price.id, "quantity": 1}
    api.payment_links.create({"line_items": [line], "subscription_data": {"trial_period_days": 14}})
    fresh.advance(30)
    members = read(fresh, "subscriptions", status="all")
    assert members
    assert all(m["trial_end"] - m["trial_start"] == 14 * 86_400 for m in members)


def test_stopping_the_clock_in_between_gives_the_same_account_byte_for_byte() -> None:
    digests = set()
    for steps in ([60], [13, 1, 46], [60]):
        with Sandbox(9, customers=120, days=60, start=START) as world:
            open_shop(world)
            for days in steps:
                world.advance(days)
            digests.add(world.digest())
    assert len(digests) == 1


def test_reading_changes_nothing_and_a_stopped_sandbox_answers_nobody() -> None:
    with Sandbox(9, customers=50, days=30, start=START) as world:
        publish(world, "ebook", "ebook", amount=900)
        world.advance(30)
        before, url = world.digest(), world.stripe_url
        read(world, "charges", **{"expand[]": "data.customer"})
        assert world.digest() == before
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/v1/account", timeout=5)
