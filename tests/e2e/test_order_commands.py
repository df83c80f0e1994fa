"""`kpay order refund`, `resend`, `show` and `kpay audit`, as they are typed, against the sandbox."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from kpay.adapters.stripe_api import StripeConnection, StripeSource
from kpay.sandbox import Sandbox
from kpay.store.engine import Store
from tests.conftest import Result, run_kpay
from tests.fakes.deadly_proxy import proxying
from tests.fakes.stores import digest, rows

Kpay = Callable[..., Result]
PIECE = "---\ntitle: {slug}\nslug: {slug}\nkind: ebook\nsummary: s\nprice: {price}\n---\nText.\n"


@dataclass
class Shop:
    """A business that published a piece, sold for a month and has taken every sale in."""

    home: Path
    env: dict[str, str]
    world: Sandbox

    @property
    def store(self) -> Store:
        return Store(self.home / "kpay.db")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return rows(self.store, query)

    def sale(self, number: int = 0) -> str:
        """Return the charge of one of the newest sales that nothing happened to."""
        found = self.rows(
            "SELECT charge_id FROM orders WHERE id NOT IN (SELECT order_id FROM refund) "
            "AND id NOT IN (SELECT order_id FROM dispute) ORDER BY ordered_at DESC, id DESC"
        )
        return str(found[number][0])

    def there(self, path: str, **asked: Any) -> list[dict[str, Any]]:
        source = StripeSource(StripeConnection(self.world.stripe_key, self.world.stripe_url))
        return list(source.page(path, {"limit": 100, **asked}).objects)


@pytest.fixture
def shop(business: Path) -> Iterator[Shop]:
    (business / "content" / "guide.md").write_text(PIECE.format(slug="guide", price="9 usd"))
    with Sandbox(seed=2, customers=60, days=60, start=date(2026, 1, 1)) as world:
        env = {
            "KPAY_STRIPE_KEY": world.stripe_key,
            "KPAY_STRIPE_API_BASE": world.stripe_url,
            "KPAY_MAIL_FROM": "Ana Lee <ana@example.com>",
            "KPAY_NOW": "2026-01-01T00:00:00Z",
        }
        for words in (["publish"], ["sync"]):
            assert run_kpay(*words, home=business, env=env).exit_code == 0
        world.advance(20)
        env["KPAY_NOW"] = world.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert run_kpay("sync", home=business, env=env).exit_code == 0
        yield Shop(business, env, world)


def test_a_refund_is_asked_about_given_and_seen_everywhere(kpay: Kpay, shop: Shop) -> None:
    charge = shop.sale()
    here, there = digest(shop.store), shop.world.digest()

    asked = kpay("order", "refund", charge, home=shop.home, env=shop.env)

    assert asked.exit_code == 2
    assert "TEST refund: give $9.00 of $9.00 back to" in asked.stderr
    assert "which ends the right to guide?" in asked.stderr
    assert f"kpay order refund {charge} --yes" in asked.stderr
    assert (digest(shop.store), shop.world.digest()) == (here, there)

    done = kpay("order", "refund", charge, "--yes", home=shop.home, env=shop.env)

    assert done.exit_code == 0, done.stderr
    assert f"$9.00 of {charge} is given back (TEST, re_" in done.stdout
    assert "The right to guide has ended." in done.stdout
    [refund] = shop.there("refunds", charge=charge)
    assert (refund["amount"], refund["status"]) == (900, "succeeded")
    shown = json.loads(kpay("order", "show", charge, "--json", home=shop.home).stdout)
    fee = 56  # 2.9 % and 30: Stripe keeps it
    assert shown["state"] == "refunded"
    assert shown["settled"] == {"usd": {"amount_minor": 0, "fee_minor": fee, "net_minor": -fee}}
    assert [one["end_reason"] for one in shown["entitlements"]] == ["refund"]
    listed = kpay("order", "list", home=shop.home).stdout
    assert "refunded" in next(line for line in listed.splitlines() if charge in line)
    synced = kpay("sync", "--full", "--json", home=shop.home, env=shop.env)
    assert json.loads(synced.stdout)["resources"]["refunds"]["created"] == 0


def test_a_part_is_given_in_major_units_and_the_rest_stays(kpay: Kpay, shop: Shop) -> None:
    charge = shop.sale()
    words = ("order", "refund", charge, "--amount", "2.50", "--yes", "--json")
    words += ("--reason", "duplicate")

    for left in (650, 400):
        answer = json.loads(kpay(*words, home=shop.home, env=shop.env).stdout)
        assert (answer["amount_minor"], answer["left_minor"]) == (250, left)
        assert answer["ends"] == []

    too_much = kpay(*words[:4], "4.01", "--yes", home=shop.home, env=shop.env)
    assert too_much.exit_code == 4
    assert "more than what is left" in too_much.stderr
    made = shop.there("refunds", charge=charge)
    assert [(one["amount"], one["reason"]) for one in made] == [(250, "duplicate")] * 2


def test_a_rehearsal_needs_no_key_and_does_nothing(kpay: Kpay, shop: Shop) -> None:
    charge, here = shop.sale(), digest(shop.store)

    result = kpay(
        "order",
        "refund",
        charge,
        "--dry-run",
        home=shop.home,
        env={"KPAY_NOW": shop.env["KPAY_NOW"]},
    )

    assert result.exit_code == 0, result.stderr
    assert f"kpay order refund {charge}" in result.stdout
    assert digest(shop.store) == here


def test_the_policy_of_kpay_toml_is_kept_unless_one_insists(kpay: Kpay, shop: Shop) -> None:
    charge = shop.sale()
    with (shop.home / "kpay.toml").open("a") as settings:
        settings.write("\nrefund_days = 3\n")
    later = shop.world.now + timedelta(days=9)
    env = {**shop.env, "KPAY_NOW": later.strftime("%Y-%m-%dT%H:%M:%SZ")}
    words = ("order", "refund", charge, "--yes")

    refused = kpay(*words, home=shop.home, env=env)

    assert refused.exit_code == 4
    assert "refund_days is 3" in refused.stderr
    assert "--despite-policy" in refused.stderr
    assert kpay(*words, "--despite-policy", home=shop.home, env=env).exit_code == 0


def test_stripe_s_no_is_said_once_and_can_be_followed_up(kpay: Kpay, shop: Shop) -> None:
    """Somebody has given all back on Stripe's own pages meanwhile."""
    charge = shop.sale()
    elsewhere = StripeConnection(shop.world.stripe_key, shop.world.stripe_url)
    elsewhere.post("refunds", {"charge": charge}, "give back")

    refused = kpay("order", "refund", charge, "--yes", home=shop.home, env=shop.env)

    assert refused.exit_code == 69
    assert "already been refunded" in refused.stderr
    assert "next: kpay sync" in refused.stderr
    assert kpay("sync", home=shop.home, env=shop.env).exit_code == 0
    again = kpay("order", "refund", charge, "--yes", home=shop.home, env=shop.env)
    assert again.exit_code == 4
    assert "given back already" in again.stderr


@pytest.mark.parametrize("is_passed_on", [True, False], ids=["after it arrived", "before"])
def test_a_run_that_is_killed_while_asking_gives_back_once(
    kpay: Kpay, shop: Shop, is_passed_on: bool
) -> None:
    charge = shop.sale()
    script = str(Path(sys.executable).with_name("kpay"))
    words = ["order", "refund", charge, "--yes"]
    with proxying(shop.world.stripe_url, is_passed_on=is_passed_on) as proxy:
        env = {**os.environ, **shop.env, "KPAY_STRIPE_API_BASE": proxy.url}
        with subprocess.Popen(
            [script, *words, "--home", str(shop.home)], env=env, stdout=subprocess.PIPE
        ) as child:
            proxy.victim = child.pid
            assert child.wait(timeout=60) == -signal.SIGKILL
    assert shop.rows("SELECT count(*) FROM refund_request WHERE answered_at IS NULL") == [(1,)]
    assert len(shop.there("refunds", charge=charge)) == int(is_passed_on)

    shown = kpay("order", "show", charge, home=shop.home, env=shop.env).stdout
    assert "its answer never came" in shown
    assert f"next: kpay order refund {charge} --amount 9.00" in shown
    rehearsed = kpay("order", "refund", charge, "--dry-run", home=shop.home, env=shop.env)
    result = kpay(*words, home=shop.home, env=shop.env)

    assert "never answered" in rehearsed.stdout
    assert result.exit_code == 0, result.stderr
    [refund] = shop.there("refunds", charge=charge)
    assert refund["metadata"] == {"kpay_refund": proxy.keys[0]}
    assert shop.rows("SELECT refund_external_id FROM refund_request") == [(refund["id"],)]
    assert ("was given back already" in result.stdout) is is_passed_on
    assert kpay("audit", "verify", home=shop.home).exit_code == 0


def test_an_order_is_mailed_again_when_one_says_yes(kpay: Kpay, shop: Shop) -> None:
    charge = shop.sale()
    outbox = shop.home / "outbox"
    before = len(list(outbox.rglob("*.eml")))
    words = ("order", "resend", charge)

    asked = kpay(*words, home=shop.home, env=shop.env)
    assert asked.exit_code == 2
    assert "TEST mail: deliver guide to" in asked.stderr
    for count in (1, 2):
        sent = kpay(*words, "--yes", home=shop.home, env=shop.env)
        assert sent.exit_code == 0, sent.stderr
        assert "1 purchase delivered" in sent.stdout
        assert len(list(outbox.rglob("*.eml"))) == before + count


def test_what_was_given_back_is_not_mailed_again(kpay: Kpay, shop: Shop) -> None:
    charge = shop.sale()
    assert kpay("order", "refund", charge, "--yes", home=shop.home, env=shop.env).exit_code == 0

    result = kpay("order", "resend", charge, "--yes", home=shop.home, env=shop.env)

    assert result.exit_code == 4
    assert "has ended (refund)" in result.stderr


def test_the_audit_trail_is_listed_and_a_change_to_it_is_named(kpay: Kpay, shop: Shop) -> None:
    for number in (0, 1):
        words = ("order", "refund", shop.sale(number), "--amount", "1", "--yes")
        assert kpay(*words, home=shop.home, env=shop.env).exit_code == 0

    listed = json.loads(kpay("audit", "list", "--json", home=shop.home).stdout)
    verified = json.loads(kpay("audit", "verify", "--json", home=shop.home).stdout)

    deeds = [deed["action"] for deed in listed["deeds"]]
    assert deeds == ["refund.answered", "refund.asked"] * 2
    assert (verified["status"], verified["entries"]) == ("ok", 4)
    kept = ("audit", "verify", "--head", verified["head"])
    assert kpay(*kept, home=shop.home).exit_code == 0
    connection = sqlite3.connect(shop.home / "kpay.db")
    connection.execute("DROP TRIGGER audit_entry_no_update")
    connection.execute("UPDATE audit_entry SET detail = '{}' WHERE id = 3")
    connection.commit()
    connection.close()
    broken = kpay("audit", "verify", home=shop.home)
    assert broken.exit_code == 3
    assert "entry 3 is not as it was written" in broken.stdout


def test_an_order_shows_its_fees_its_net_and_how_it_was_paid(kpay: Kpay, shop: Shop) -> None:
    charge = shop.sale()

    shown = json.loads(kpay("order", "show", charge, "--json", home=shop.home).stdout)

    [movement] = shown["movements"]
    assert (movement["kind"], movement["amount_minor"]) == ("charge", 900)
    assert shown["settled"] == {"usd": {"amount_minor": 900, "fee_minor": 56, "net_minor": 844}}
    assert shown["payment_method"] == "card"
    assert "paid by card" in kpay("order", "show", charge, home=shop.home).stdout
