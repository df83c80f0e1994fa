"""What was synced, added up by SQL from the typed rows with the server gone, is what the server knew."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kpay.store.engine import Store
from tests.conftest import Result
from tests.fakes.ledger_check import differences
from tests.fakes.servers import Running, running
from tests.fakes.stores import digest

Kpay = Callable[..., Result]


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running("sandbox", 250, 270, 11) as found:
        yield found


def test_every_count_and_every_sum_by_sql_is_the_providers(
    kpay: Kpay, business: Path, server: Running
) -> None:
    result = kpay("sync", home=business, env=server.environment())

    assert result.exit_code == 0, result.stderr
    assert server.ledger["counts"]["disputes"] > 0
    assert len(server.ledger["currencies"]) == 2
    assert differences(business / "kpay.db", server.ledger) == []


def test_the_books_are_told_apart_when_a_single_row_is_gone(
    kpay: Kpay, business: Path, server: Running
) -> None:
    kpay("sync", home=business, env=server.environment())
    with Store(business / "kpay.db").writing() as connection:
        newest = "(SELECT max(created_at) FROM balance_transaction WHERE kind = 'charge')"
        query = f"DELETE FROM balance_transaction WHERE created_at = {newest}"
        connection.exec_driver_sql(query)

    found = differences(business / "kpay.db", server.ledger)

    assert any(one.startswith("balance_transactions") for one in found)
    assert any(one.startswith("net_minor") for one in found)


def test_a_second_sync_of_the_whole_account_changes_nothing_and_asks_little(
    kpay: Kpay, business: Path, server: Running
) -> None:
    env = server.environment()
    kpay("sync", home=business, env=env)
    before = digest(Store(business / "kpay.db"))

    answer = json.loads(kpay("sync", "--json", home=business, env=env).stdout)

    assert digest(Store(business / "kpay.db")) == before
    assert answer["requests"] - sum(answer["rereads"].values()) < 20


def test_rebuilding_without_the_server_changes_nothing(
    kpay: Kpay, business: Path, server: Running
) -> None:
    kpay("sync", home=business, env=server.environment())
    before = digest(Store(business / "kpay.db"))

    assert kpay("sync", "--rebuild", home=business).exit_code == 0

    assert digest(Store(business / "kpay.db")) == before
