"""`kpay sync` and `kpay order`, as they are typed, against the simulated provider."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kpay.sandbox import Sandbox
from kpay.store.engine import Store
from tests.conftest import Result, run_kpay
from tests.fakes.sandbox_shop import open_shop
from tests.fakes.stores import digest, rows

Kpay = Callable[..., Result]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=2, customers=60, days=90, start=date(2026, 1, 1)) as world:
        open_shop(world)
        world.advance(90)
        yield world


@pytest.fixture
def env(sandbox: Sandbox) -> dict[str, str]:
    return {
        "KPAY_STRIPE_KEY": sandbox.stripe_key,
        "KPAY_STRIPE_API_BASE": sandbox.stripe_url,
        "KPAY_MAIL_FROM": "Ana Lee <ana@example.com>",
        "KPAY_NOW": sandbox.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


@pytest.fixture
def synced(business: Path, env: dict[str, str]) -> Path:
    result = run_kpay("sync", home=business, env=env)
    assert result.exit_code == 0, result.stderr
    return business


def store(home: Path) -> Store:
    return Store(home / "kpay.db")


def test_the_ledger_is_the_provider_s_to_the_cent(
    kpay: Kpay, business: Path, env: dict[str, str], sandbox: Sandbox
) -> None:
    result = kpay("sync", "--json", home=business, env=env)

    answer = json.loads(result.stdout)
    truth = sandbox.ledger().currencies
    assert answer["schema"] == "kpay.sync/1"
    assert (answer["status"], answer["livemode"]) == ("ok", False)
    for currency, ledger in truth.items():
        net = answer["net_by_currency"][currency]
        assert net["store_minor"] == net["stripe_minor"] == ledger.net_minor - ledger.payouts_minor
        gross = f"SELECT sum(total_minor), count(*) FROM orders WHERE currency = '{currency}'"
        assert rows(store(business), gross) == [(ledger.gross_minor, ledger.charges)]
    assert answer["new_orders"] == sum(ledger.charges for ledger in truth.values())
    for name, kind in (("charges", "charges"), ("checkout_sessions", "checkout.sessions")):
        assert answer["resources"][name]["seen"] == sandbox.ledger().counts[kind]


def test_a_resource_has_the_keys_that_scripts_rely_on(
    kpay: Kpay, synced: Path, env: dict[str, str]
) -> None:
    answer = json.loads(kpay("sync", "--json", home=synced, env=env).stdout)

    assert answer["resources"]["charges"].keys() == {
        "status", "seen", "created", "updated", "unchanged", "reason",
    }  # fmt: skip
    assert {"account", "requests", "seconds", "net_by_currency"} <= answer.keys()


def test_a_second_sync_says_there_is_nothing_to_do_and_changes_nothing(
    kpay: Kpay, synced: Path, env: dict[str, str], sandbox: Sandbox
) -> None:
    here, there = digest(store(synced)), sandbox.digest()

    result = kpay("sync", home=synced, env=env)

    assert "nothing to do" in result.stdout
    assert (digest(store(synced)), sandbox.digest()) == (here, there)


def test_verifying_agrees(kpay: Kpay, synced: Path, env: dict[str, str]) -> None:
    result = kpay("sync", "--verify", home=synced, env=env)

    assert result.exit_code == 0, result.stderr
    assert "agree to the cent" in result.stdout


def test_a_quiet_sync_says_nothing_when_all_is_well(
    kpay: Kpay, synced: Path, env: dict[str, str]
) -> None:
    result = kpay("sync", "--quiet", home=synced, env=env)

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


@pytest.fixture
def selling(business: Path) -> Iterator[tuple[Path, dict[str, str], Sandbox]]:
    """A business that has published two pieces, was synced, and has sold for a week since."""
    for slug, price in (("guide", "9 usd"), ("指南", "5 eur")):
        (business / "content" / f"{slug}.md").write_text(
            f"---\ntitle: {slug}\nslug: {slug}\nkind: ebook\nsummary: s\nprice: {price}\n---\nText.\n"
        )
    with Sandbox(seed=2, customers=60, days=60, start=date(2026, 1, 1)) as world:
        env = {
            "KPAY_STRIPE_KEY": world.stripe_key,
            "KPAY_STRIPE_API_BASE": world.stripe_url,
            "KPAY_MAIL_FROM": "Ana Lee <ana@example.com>",
            "KPAY_NOW": "2026-01-01T00:00:00Z",
        }
        for words in (["publish"], ["sync"]):
            assert run_kpay(*words, home=business, env=env).exit_code == 0
        world.advance(30)
        env["KPAY_NOW"] = world.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        yield business, env, world


def test_new_buyers_are_mailed_once_what_they_bought(
    kpay: Kpay, selling: tuple[Path, dict[str, str], Sandbox]
) -> None:
    home, env, _ = selling

    first = json.loads(kpay("sync", "--json", home=home, env=env).stdout)
    mails = sorted((home / "outbox").rglob("*.eml"))
    second = json.loads(kpay("sync", "--json", home=home, env=env).stdout)

    rights = "SELECT count(*) FROM entitlement WHERE ended_at IS NULL"
    assert rows(store(home), rights) == [(len(mails),)]
    assert mails
    assert "delivered" in first["delivered"]["sentence"]
    assert second["delivered"] == {"sentence": None, "is_trouble": False}
    assert sorted((home / "outbox").rglob("*.eml")) == mails


def test_mail_that_cannot_go_out_is_told_even_quietly_and_does_not_stop_a_sync(
    kpay: Kpay, selling: tuple[Path, dict[str, str], Sandbox]
) -> None:
    home, env, _ = selling

    result = kpay("sync", "--quiet", home=home, env={**env, "KPAY_MAIL_FROM": ""})

    assert result.exit_code == 0
    assert "wait to be mailed: mail_from" in result.stdout
    assert "next: kpay deliver" in result.stdout


def test_a_sync_remembers_when_it_last_worked(synced: Path, env: dict[str, str]) -> None:
    kept = json.loads((synced / "logs" / "last-success.json").read_text())

    assert kept["sync"] == env["KPAY_NOW"]


def test_without_a_key_one_sentence_says_where_to_put_it(kpay: Kpay, business: Path) -> None:
    result = kpay("sync", home=business)

    assert result.exit_code == 78
    assert "KPAY_STRIPE_KEY" in result.stderr
    assert "next: " in result.stderr


def test_without_a_server_the_exit_code_is_69_and_nothing_is_lost(
    kpay: Kpay, synced: Path, env: dict[str, str]
) -> None:
    before = digest(store(synced))
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{placeholder.getsockname()[1]}"

        result = kpay("sync", home=synced, env={**env, "KPAY_STRIPE_API_BASE": base})

    assert result.exit_code == 69
    assert "cannot be reached" in result.stderr
    assert "next: " in result.stderr
    assert digest(store(synced)) == before


def test_a_live_key_is_refused_in_a_test_business(
    kpay: Kpay, synced: Path, env: dict[str, str]
) -> None:
    result = kpay("sync", home=synced, env={**env, "KPAY_STRIPE_KEY": "sk_live_0000000000"})

    assert result.exit_code in (4, 78)
    assert "sk_live_0000000000" not in result.stdout + result.stderr


def test_the_key_is_in_no_file_and_no_output(
    kpay: Kpay, business: Path, env: dict[str, str], sandbox: Sandbox
) -> None:
    said = kpay("sync", "--debug", "-v", home=business, env=env)
    wrong = {**env, "KPAY_STRIPE_KEY": "sk_test"}
    said_wrong = kpay("sync", "--debug", home=business, env=wrong)

    key = sandbox.stripe_key
    for text in (said.stdout, said.stderr, said_wrong.stdout, said_wrong.stderr):
        assert key not in text
    for file in business.rglob("*"):
        if file.is_file():
            assert key.encode() not in file.read_bytes(), file


def test_orders_are_listed_newest_first_and_counted(kpay: Kpay, synced: Path) -> None:
    answer = json.loads(kpay("order", "list", "-n", "5", "--json", home=synced).stdout)

    times = [order["ordered_at"] for order in answer["orders"]]
    assert times == sorted(times, reverse=True)
    assert len(times) == 5
    assert answer["count"] == rows(store(synced), "SELECT count(*) FROM orders")[0][0]


def test_orders_of_a_time_and_of_a_person_can_be_asked_for(kpay: Kpay, synced: Path) -> None:
    [(email, count)] = rows(
        store(synced),
        "SELECT email, count(*) FROM orders GROUP BY email ORDER BY count(*) DESC, email LIMIT 1",
    )
    mine: dict[str, Any] = json.loads(
        kpay("order", "list", "--customer", str(email).upper(), "--json", home=synced).stdout
    )
    day = json.loads(
        kpay(
            "order", "list", "--since", "2026-02-01", "--until", "2026-02-01", "--json", home=synced
        ).stdout
    )

    assert mine["count"] == count
    assert {order["email"] for order in mine["orders"]} == {email}
    assert all(order["ordered_at"].startswith("2026-02-01") for order in day["orders"])


def test_an_order_is_shown_with_its_lines_refunds_and_ids(kpay: Kpay, synced: Path) -> None:
    [(charge, session)] = rows(
        store(synced),
        "SELECT o.charge_id, o.session_id FROM orders o JOIN refund r ON r.order_id = o.id LIMIT 1",
    )

    by_charge = json.loads(kpay("order", "show", str(charge), "--json", home=synced).stdout)

    assert by_charge["money_back"][0]["kind"] == "refund"
    assert sum(line["amount_minor"] for line in by_charge["lines"]) == by_charge["gross_minor"]
    assert by_charge["provider"]["charge_id"] == charge
    if session:
        shown = kpay("order", "show", str(session), home=synced)
        assert str(charge) in shown.stdout


def test_an_order_that_does_not_exist_is_refused(kpay: Kpay, synced: Path) -> None:
    result = kpay("order", "show", "ch_nothing", home=synced)

    assert result.exit_code == 4
    assert "next: kpay order list" in result.stderr


def test_v_says_what_is_asked_of_the_provider_and_never_the_key(
    kpay: Kpay, business: Path, env: dict[str, str]
) -> None:
    quiet = kpay("sync", "--only", "customers", home=business, env=env)
    assert "customers" not in quiet.stderr
    said = kpay("sync", "--only", "customers", "-v", home=business, env=env).stderr
    assert "reading what is new since" in said
    assert "get customers in 0." in said
    assert env["KPAY_STRIPE_KEY"] not in said
