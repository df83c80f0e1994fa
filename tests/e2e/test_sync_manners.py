"""`kpay sync` towards a log, a script, an impatient person; --watch and --rebuild as they are typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kpay.store.engine import Store
from tests.conftest import Result
from tests.fakes.provider import FakeProvider
from tests.fakes.stores import add_content, digest, rows
from tests.fakes.stripe_server import KEY, StripeServer, serving
from tests.fakes.stripe_shop import DAY, START, Shop

Kpay = Callable[..., Result]


@pytest.fixture
def shop() -> Shop:
    found = Shop(FakeProvider())
    guide = found.offer("guide", 2900)
    for day in range(3):
        found.sell(guide, START + day * DAY, email=f"{day}@example.com")
    return found


@pytest.fixture
def server(shop: Shop) -> Iterator[StripeServer]:
    with serving(shop.provider) as state:
        yield state


@pytest.fixture
def env(server: StripeServer) -> dict[str, str]:
    return {
        "KPAY_STRIPE_KEY": KEY,
        "KPAY_STRIPE_API_BASE": server.url,
        "KPAY_MAIL_FROM": "Ana Lee <ana@example.com>",
        "KPAY_NOW": "2026-07-01T00:00:00Z",
    }


@pytest.fixture
def home(business: Path) -> Path:
    add_content(Store(business / "kpay.db"), "guide")
    return business


def test_under_cron_a_sync_is_one_line(kpay: Kpay, home: Path, env: dict[str, str]) -> None:
    first = kpay("sync", home=home, env=env)
    second = kpay("sync", home=home, env=env)

    assert first.stdout.startswith("kpay sync: ")
    assert "objects new or changed, 3 new orders (" in first.stdout
    assert second.stdout.startswith("kpay sync: nothing new, nothing to do (18 requests, ")
    assert [one.stdout.count("\n") for one in (first, second)] == [1, 1]
    assert first.stderr == second.stderr == ""


def test_under_cron_each_trouble_is_a_line(
    kpay: Kpay, home: Path, env: dict[str, str], shop: Shop
) -> None:
    shop.provider.forbidden.add("disputes")
    shop.provider.unsupported.add("coupons")

    result = kpay("sync", home=home, env=env)

    assert result.exit_code == 3
    lines = result.stdout.splitlines()
    assert [line.split(":")[1].strip() for line in lines[1:-1]] == [
        "disputes forbidden",
        "coupons unsupported",
    ]
    assert '"Disputes: read"' in lines[1]
    assert lines[-1] == "next: kpay sync"


def test_what_is_read_again_is_counted_apart(
    kpay: Kpay, home: Path, env: dict[str, str], shop: Shop
) -> None:
    kpay("sync", home=home, env=env)
    charge = min(shop.provider.objects["charge"].values(), key=lambda one: one["created"])
    shop.provider.change(charge, START + 4 * DAY, "charge.updated", description="x")

    answer = json.loads(kpay("sync", "--json", home=home, env=env).stdout)

    assert answer["rereads"] == {"lookback": 0, "pending": 0, "changed": 1}
    assert answer["requests"] == 18 + 1


def test_reading_everything_is_announced_on_stderr_at_once(
    kpay: Kpay, home: Path, env: dict[str, str]
) -> None:
    kpay("sync", home=home, env=env)

    late = kpay("sync", home=home, env={**env, "KPAY_NOW": "2026-09-01T00:00:00Z"})

    assert "everything is read again" in late.stderr
    assert "everything was read again" in late.stdout


def test_a_key_that_lacks_a_permission_does_not_make_a_quiet_shop_be_read_whole(
    kpay: Kpay, home: Path, env: dict[str, str], shop: Shop
) -> None:
    shop.provider.tell("product.created", {"id": "prod_x", "object": "product"}, START)
    shop.provider.forbidden.add("payouts")
    for month in ("07", "08"):
        kpay("sync", home=home, env={**env, "KPAY_NOW": f"2026-{month}-01T00:00:00Z"})

    late = kpay("sync", home=home, env={**env, "KPAY_NOW": "2026-08-15T00:00:00Z"})

    assert late.exit_code == 3
    assert "again" not in late.stderr


def test_reading_one_list_does_not_count_as_having_synced(
    kpay: Kpay, home: Path, env: dict[str, str], shop: Shop
) -> None:
    shop.provider.tell("product.created", {"id": "prod_x", "object": "product"}, START)
    kpay("sync", home=home, env=env)
    later = {**env, "KPAY_NOW": "2026-09-01T00:00:00Z"}

    kpay("sync", "--only", "charges", home=home, env=later)

    assert "read again" in kpay("sync", home=home, env=later).stderr


def test_rebuilding_needs_no_key_and_changes_nothing(
    kpay: Kpay, home: Path, env: dict[str, str], server: StripeServer
) -> None:
    kpay("sync", home=home, env=env)
    before, asked = digest(Store(home / "kpay.db")), len(server.requests)

    result = kpay("sync", "--rebuild", "--json", home=home)

    answer = json.loads(result.stdout)
    assert answer["schema"] == "kpay.sync.rebuild/1"
    assert answer["orders"] == 3
    assert answer["objects"] > 10
    assert digest(Store(home / "kpay.db")) == before
    assert len(server.requests) == asked


def test_rebuilding_brings_rows_back(kpay: Kpay, home: Path, env: dict[str, str]) -> None:
    kpay("sync", home=home, env=env)
    store = Store(home / "kpay.db")
    [(net,)] = rows(store, "SELECT sum(net_minor) FROM balance_transaction")
    with store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM balance_transaction")

    result = kpay("sync", "--rebuild", home=home)

    assert result.exit_code == 0
    assert "Stripe was asked nothing" in result.stdout
    assert rows(store, "SELECT sum(net_minor) FROM balance_transaction") == [(net,)]


def test_rebuilding_before_a_sync_is_refused(kpay: Kpay, home: Path) -> None:
    result = kpay("sync", "--rebuild", home=home)

    assert result.exit_code == 4
    assert "next: kpay sync" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--watch", "--full"),
        ("--watch", "--rebuild"),
        ("--rebuild", "--verify"),
        ("--watch", "--only", "charges"),
        ("--every", "60s"),
        ("--watch", "--every", "soon"),
        ("--watch", "--every", "2s"),
    ],
)
def test_what_does_not_go_together_is_refused_with_a_command_that_does(
    kpay: Kpay, home: Path, env: dict[str, str], words: tuple[str, ...]
) -> None:
    result = kpay("sync", *words, home=home, env=env)

    assert result.exit_code == 2
    assert "next: kpay sync" in result.stderr


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def start(home: Path, env: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the installed command, which is killed in the end."""
    children = []

    def run(*words: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [str(Path(sys.executable).with_name("kpay")), *words, "--home", str(home)],
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        return child

    yield run
    for child in children:
        child.kill()
        child.communicate()


def test_watching_syncs_prints_a_line_and_ends_with_ctrl_c(
    start: Callable[..., subprocess.Popen[str]], home: Path, server: StripeServer
) -> None:
    child = start("sync", "--watch", "--every", "10s")
    assert child.stdout
    line = child.stdout.readline()
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=20)

    assert "3 new orders" in line
    assert out == ""
    assert child.returncode == 130
    assert "safe to run" in err
    assert rows(Store(home / "kpay.db"), "SELECT count(*) FROM orders") == [(3,)]


def test_ctrl_c_does_not_wait_for_an_answer_that_does_not_come(
    start: Callable[..., subprocess.Popen[str]], server: StripeServer
) -> None:
    server.faults = [None, None, *["stall"] * 8]  # type: ignore[list-item]
    child = start("sync")
    wait_for(lambda: len(server.requests) >= 6)
    began = time.monotonic()

    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)

    assert child.returncode == 130
    assert time.monotonic() - began < 5
