"""What every RefundDesk promises: run on the fake, and on Stripe's own library at the sandbox."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import date
from uuid import uuid4

import pytest

from kpay.adapters.stripe_api import StripeConnection, StripeRefunds, StripeSource
from kpay.adapters.stripe_api.pace import Pace
from kpay.domain.refunding import REFUND_KEY, RefundAsk
from kpay.errors import CredentialsMissing, RemoteProblem
from kpay.ports import RefundDesk
from kpay.sandbox import Sandbox
from tests.fakes.refund_desk import FakeRefundDesk
from tests.fakes.sandbox_shop import open_shop
from tests.fakes.stripe_shop import DAY, START, Shop

Counter = tuple[RefundDesk, Callable[[], tuple[str, int]]]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=4, customers=40, days=30, start=date(2026, 1, 1)) as world:
        open_shop(world)
        world.advance(30)
        yield world


def hurried(url: str, key: str) -> StripeConnection:
    """The real connection, without its pauses."""
    return StripeConnection(key, url, Pace(None, sleep=lambda _seconds: None))


@pytest.fixture
def counter(request: pytest.FixtureRequest, desk: str) -> Counter:
    """A desk, and a way to the next charge that was paid and not touched: its id and amount."""
    if desk == "fake":
        shop = Shop()
        guide = shop.offer("guide", 2900)

        def sell() -> tuple[str, int]:
            return shop.sell(guide, START).charge["id"], 2900

        return FakeRefundDesk(shop.provider, START + DAY), sell
    world: Sandbox = request.getfixturevalue("sandbox")
    connection = hurried(world.stripe_url, world.stripe_key)
    page = StripeSource(connection).page("charges", {"limit": 100})
    untouched = (
        raw
        for raw in page.objects
        if raw["paid"] and not raw["amount_refunded"] and not raw["disputed"]
    )

    def take() -> tuple[str, int]:
        raw = next(untouched)
        return raw["id"], raw["amount"]

    return StripeRefunds(connection), take


def wish(charge: str, amount_minor: int, **more: str) -> RefundAsk:
    return RefundAsk(charge, amount_minor, "usd", f"kpay-refund-{uuid4().hex}", **more)


both = pytest.mark.parametrize("desk", ["fake", "stripe"])


@both
def test_a_refund_names_its_charge_its_amount_and_its_request(counter: Counter) -> None:
    desk, next_charge = counter
    charge, _ = next_charge()
    asked = wish(charge, 100, reason="duplicate")

    raw = desk.ask(asked)

    assert (raw["object"], raw["charge"], raw["amount"]) == ("refund", charge, 100)
    assert (raw["reason"], raw["status"]) == ("duplicate", "succeeded")
    assert raw["metadata"][REFUND_KEY] == asked.key


@both
def test_the_same_key_gives_the_same_refund_and_another_key_another(counter: Counter) -> None:
    desk, next_charge = counter
    charge, _ = next_charge()
    asked = wish(charge, 100)

    first, again, other = desk.ask(asked), desk.ask(asked), desk.ask(wish(charge, 100))

    assert first["id"] == again["id"] != other["id"]
    [now, *_] = desk.aftermath(other)
    assert now["amount_refunded"] == 200


@both
def test_a_request_is_found_again_by_its_key(counter: Counter) -> None:
    desk, next_charge = counter
    charge, _ = next_charge()
    lost, never_sent = wish(charge, 100), wish(charge, 100)
    desk.ask(wish(charge, 100))
    raw = desk.ask(lost)

    found = desk.made(lost)

    assert found is not None
    assert found["id"] == raw["id"]
    assert desk.made(never_sent) is None


@both
def test_what_hangs_on_a_refund_is_the_charge_and_the_movement(counter: Counter) -> None:
    desk, next_charge = counter
    charge, amount = next_charge()
    raw = desk.ask(wish(charge, amount))

    kinds = {one["object"]: one for one in desk.aftermath(raw)}

    assert kinds["charge"]["refunded"] is True
    assert kinds["balance_transaction"]["net"] == -amount
    assert kinds["balance_transaction"]["source"] == raw["id"]


@both
def test_a_no_has_a_status_of_the_four_hundreds(counter: Counter) -> None:
    desk, next_charge = counter
    charge, amount = next_charge()

    for asked in (wish(charge, amount + 1), wish("ch_nothing", 100)):
        with pytest.raises(RemoteProblem) as refusal:
            desk.ask(asked)
        assert refusal.value.details["status"] in (400, 404)
        assert desk.made(wish(charge, 1)) is None


@both
def test_a_desk_says_whose_money_it_is(counter: Counter) -> None:
    account = counter[0].account()

    assert account.id.startswith("acct_")
    assert account.livemode is False


def test_nobody_there_is_silence_and_has_no_status() -> None:
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{placeholder.getsockname()[1]}"
        desk = StripeRefunds(hurried(url, "sk_test_x"))

        with pytest.raises(RemoteProblem) as problem:
            desk.ask(wish("ch_1", 100))

    assert problem.value.details.get("status") is None


def test_a_refused_key_is_named(sandbox: Sandbox) -> None:
    desk = StripeRefunds(hurried(sandbox.stripe_url, "sk_live_x"))

    with pytest.raises(CredentialsMissing) as refusal:
        desk.ask(wish("ch_1", 100))

    assert refusal.value.details["status"] == 401
