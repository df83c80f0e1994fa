"""What every PaymentSource promises: run on the fake, and on Stripe's own library over loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import requests
import stripe

from kpay.adapters.stripe_api import StripeConnection, StripeSource
from kpay.adapters.stripe_api.connection import API_VERSION
from kpay.adapters.stripe_api.errors import MEANINGS, translated
from kpay.adapters.stripe_api.pace import Pace
from kpay.errors import (
    CredentialsMissing,
    RemoteProblem,
    ResourceForbidden,
    ResourceUnsupported,
    SettingsInvalid,
)
from kpay.ports import PaymentSource
from tests.fakes.provider import FakeProvider, FakeSource
from tests.fakes.stripe_server import KEY, StripeServer, serving
from tests.fakes.stripe_shop import START, Shop


@pytest.fixture
def provider() -> FakeProvider:
    shop = Shop()
    for n in range(5):
        shop.customer(f"{n}@example.com", START + n)
    return shop.provider


@pytest.fixture
def server(provider: FakeProvider) -> Iterator[StripeServer]:
    with serving(provider) as state:
        yield state


def hurried(url: str, key: str = KEY) -> StripeSource:
    """The real adapter, without its pauses."""
    return StripeSource(StripeConnection(key, url, Pace(None, sleep=lambda _seconds: None)))


@pytest.fixture(params=["fake", "stripe"])
def source(
    request: pytest.FixtureRequest, provider: FakeProvider, server: StripeServer
) -> PaymentSource:
    return FakeSource(provider) if request.param == "fake" else hurried(server.url)


# ---------------------------------------------------------------------- both


def test_lists_are_newest_first_and_paged(source: PaymentSource) -> None:
    first = source.page("customers", {"limit": 2})
    second = source.page("customers", {"limit": 9, "starting_after": first.objects[-1]["id"]})

    assert [one["created"] - START for one in (*first.objects, *second.objects)] == [4, 3, 2, 1, 0]
    assert (first.has_more, second.has_more) == (True, False)


def test_the_lower_edge_of_a_list_is_inside(source: PaymentSource) -> None:
    page = source.page("customers", {"limit": 100, "created": {"gte": START + 3}})

    assert [one["created"] - START for one in page.objects] == [4, 3]


def test_one_object_is_found_and_a_missing_one_is_none(source: PaymentSource) -> None:
    known = source.page("customers", {"limit": 1}).objects[0]

    assert source.one("customers", known["id"]) == known
    assert source.one("customers", "cus_nobody") is None


def test_the_account_is_named_and_is_a_test_account(source: PaymentSource) -> None:
    account = source.account()

    assert (account.id, account.livemode, account.mode) == ("acct_fake", False, "TEST")


def test_a_server_that_does_not_name_the_account_gets_a_stable_name(
    source: PaymentSource, provider: FakeProvider
) -> None:
    provider.account = None

    assert source.account() == source.account()
    assert source.account().id.startswith("unknown:")
    assert KEY not in source.account().id


def test_a_forbidden_list_says_so(source: PaymentSource, provider: FakeProvider) -> None:
    provider.forbidden.add("disputes")

    with pytest.raises(ResourceForbidden, match="permissions"):
        source.page("disputes", {"limit": 1})


def test_an_unknown_list_says_so(source: PaymentSource, provider: FakeProvider) -> None:
    provider.unsupported.add("disputes")

    with pytest.raises(ResourceUnsupported):
        source.page("disputes", {"limit": 1})


def test_a_request_that_the_server_does_not_take_is_not_called_an_unknown_list(
    source: PaymentSource,
) -> None:
    with pytest.raises(RemoteProblem) as caught:
        source.page("customers", {"limit": 1, "starting_after": "cus_nobody"})

    assert type(caught.value) is RemoteProblem
    assert caught.value.details["status"] == 400


def test_requests_are_counted(source: PaymentSource) -> None:
    source.page("customers", {"limit": 1})
    source.one("customers", "cus_nobody")

    assert source.requests == 2


# ---------------------------------------------------------------------- Stripe alone


@pytest.mark.parametrize("fault", [429, 500, 502, 503, 409, "html", "cut", "drop"])
def test_one_fault_is_borne_in_silence(server: StripeServer, fault: int | str) -> None:
    server.faults = [fault]

    assert len(hurried(server.url).page("customers", {"limit": 100}).objects) == 5


@pytest.mark.parametrize("fault", [429, 503, "html"])
def test_a_fault_that_stays_is_a_remote_problem(server: StripeServer, fault: int | str) -> None:
    server.faults = [fault] * 50

    with pytest.raises(RemoteProblem, match="list customers"):
        hurried(server.url).page("customers", {"limit": 1})
    assert len(server.requests) < 10


def test_a_refused_key_is_told_without_the_key(server: StripeServer) -> None:
    with pytest.raises(CredentialsMissing) as caught:
        hurried(server.url, "sk_test_wrong99999").account()

    assert KEY not in str(caught.value.to_json())
    assert "wrong99999" not in str(caught.value.to_json())


def test_a_key_that_a_server_repeats_is_cut_out_of_the_sentence() -> None:
    error = stripe.APIError(f"something about {KEY} went wrong", http_status=500)

    assert KEY not in translated(error, "list charges", "https://x").message


def test_nobody_there_is_a_remote_problem() -> None:
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{placeholder.getsockname()[1]}"

        with pytest.raises(RemoteProblem) as caught:
            hurried(url).account()

    assert str(caught.value) == (
        f"Stripe cannot be reached at {url} to name the key's account (connection refused)"
    )
    assert caught.value.hint == "kpay config stripe_api_base"


def test_a_server_that_says_nothing_is_told_in_our_own_words() -> None:
    error = stripe.APIConnectionError("If this problem persists,\nlet us know")
    error.__cause__ = requests.ReadTimeout("Read timed out.")

    told = translated(error, "list charges", stripe.DEFAULT_API_BASE)

    assert told.message == (
        "Stripe cannot be reached at https://api.stripe.com to list charges (no answer in time)"
    )
    assert told.hint == "kpay doctor"
    elsewhere = translated(error, "list charges", "https://me:secret@proxy.example/api").message
    assert "at https://proxy.example/api to" in elsewhere


def test_the_version_of_the_api_is_pinned(server: StripeServer) -> None:
    hurried(server.url).account()

    assert server.versions == {API_VERSION}


@pytest.mark.parametrize("key", ["pk_test_123", "whsec_123", "nonsense", ""])
def test_what_is_no_secret_key_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(CredentialsMissing) as caught:
        StripeConnection(key)

    assert not key or key not in caught.value.message


@pytest.mark.parametrize(
    ("key", "is_live"),
    [("sk_test_1", False), ("rk_test_1", False), ("sk_live_1", True), ("rk_live_1", True)],
)
def test_the_key_tells_the_mode(key: str, is_live: bool) -> None:
    connection = StripeConnection(key, "http://127.0.0.1:9")

    assert connection.livemode is is_live
    assert key not in repr(connection)


@pytest.mark.parametrize("base", ["http://api.example.com", "ftp://127.0.0.1", "api.stripe.com"])
def test_plain_http_beyond_this_machine_is_refused(base: str) -> None:
    with pytest.raises(SettingsInvalid):
        StripeConnection(KEY, base)


def exception_classes(base: type[Exception]) -> set[type[Exception]]:
    return {base}.union(*(exception_classes(one) for one in base.__subclasses__()))


def test_every_exception_of_the_library_has_a_meaning() -> None:
    known = exception_classes(stripe.StripeError) - {stripe.StripeError}

    unmapped = {one.__name__ for one in known if one not in MEANINGS}

    assert unmapped == set()
