"""The files the sandbox hands out, and the vital signs of its world."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from kpay.sandbox import Sandbox
from tests.contract.test_sandbox_stripe import read
from tests.fakes.sandbox_shop import START, open_shop

CUSTOMERS, DAYS = 400, 540


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(1, customers=CUSTOMERS, days=DAYS, start=START) as world:
        open_shop(world)
        world.advance(DAYS)
        yield world


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_list_has_everyone_who_joined_with_consent_in_their_own_script(
    sandbox: Sandbox,
) -> None:
    listed = rows(sandbox.subscribers_csv())
    assert list(listed[0]) == [
        "email",
        "name",
        "consent_source",
        "consented_at",
        "timezone",
        "tags",
    ]
    assert len({row["email"] for row in listed}) == len(listed) > CUSTOMERS
    assert all(row["email"] == row["email"].lower() for row in listed)
    assert all(datetime.fromisoformat(row["consented_at"]) <= sandbox.now for row in listed)
    assert any("\u4e00" <= letter <= "\u9fff" for row in listed for letter in row["name"])


def test_events_and_traffic_tell_the_past_and_only_the_days_asked_for(sandbox: Sandbox) -> None:
    since, until = START + timedelta(100), START + timedelta(110)
    events = rows(sandbox.events_csv(since, until))
    assert list(events[0]) == ["email", "happened_at", "kind", "content", "value"]
    assert {datetime.fromisoformat(row["happened_at"]).date() for row in events} == {
        since + timedelta(day) for day in range(10)
    }
    assert {row["kind"] for row in events} == {"visit"}
    traffic = rows(sandbox.traffic_csv(since, until))
    assert list(traffic[0]) == ["day", "source", "content", "visits", "clicks"]
    assert {row["day"] for row in traffic} == {
        (since + timedelta(n)).isoformat() for n in range(10)
    }
    assert all(0 <= int(row["clicks"]) <= int(row["visits"]) for row in traffic)
    assert rows(sandbox.events_csv(since=sandbox.today)) == []
    assert rows(sandbox.traffic_csv(since=sandbox.today, until=sandbox.today + timedelta(9))) == []


def test_feedback_comes_from_buyers_in_their_own_language(sandbox: Sandbox) -> None:
    said = rows(sandbox.feedback_csv())
    assert list(said[0]) == ["email", "at", "kind", "content", "rating", "text"]
    assert {row["rating"] for row in said} == {"1", "2", "3", "4", "5"}
    assert any("\u4e00" <= letter <= "\u9fff" for row in said for letter in row["text"])
    bought = {s["customer_details"]["email"].lower() for s in read(sandbox, "checkout/sessions")}
    assert {row["email"] for row in said} <= bought


def test_the_world_has_the_vital_signs_of_a_small_business(sandbox: Sandbox) -> None:
    sessions = [s for s in read(sandbox, "checkout/sessions") if s["payment_status"] == "paid"]
    charges = [c for c in read(sandbox, "charges") if c["status"] == "succeeded"]
    orders = Counter(charge["billing_details"]["email"].lower() for charge in charges)
    assert CUSTOMERS <= len(orders) <= 1.3 * CUSTOMERS
    assert 4.5 < len(charges) / len(orders) < 7
    assert 0.4 < sum(count > 1 for count in orders.values()) / len(orders) < 0.85
    counts = sandbox.ledger().counts
    assert 0.01 < counts["refunds"] / len(charges) < 0.06
    assert counts["disputes"] > 0
    assert {charge["currency"] for charge in charges} == {"usd", "eur"}
    assert any(s["total_details"]["amount_discount"] for s in sessions)
    assert any(s["total_details"]["amount_tax"] for s in sessions)
    assert any(
        s["customer_details"]["email"] != s["customer_details"]["email"].lower() for s in sessions
    )
    assert counts["charges"] - len(charges) > 20  # declined cards and card testing
    undone = {r["charge"] for r in read(sandbox, "refunds") if r["reason"] == "fraudulent"}
    assert undone & {charge["id"] for charge in charges if charge["customer"] is None}


def test_memberships_live_through_everything_a_membership_can(sandbox: Sandbox) -> None:
    members = read(sandbox, "subscriptions", status="all")
    statuses = Counter(member["status"] for member in members)
    assert statuses["active"] > 20
    assert statuses["canceled"] > 20
    reasons = Counter(member["cancellation_details"]["reason"] for member in members)
    assert reasons["payment_failed"] > 0
    assert reasons["cancellation_requested"] > reasons["payment_failed"]
    assert any(member["trial_end"] for member in members)
    assert any(member["cancel_at_period_end"] for member in members)
    intervals = {member["items"]["data"][0]["price"]["recurring"]["interval"] for member in members}
    assert intervals == {"month", "year"}


def test_the_clock_cannot_go_back(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="cannot go back"):
        sandbox.advance(-1)
