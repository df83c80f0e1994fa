"""A buy link says where it stood, and the sale gives that back."""

from __future__ import annotations

import re

import pytest

from kpay.domain.origins import (
    ON_A_PAGE,
    BuyLinks,
    Origin,
    OriginKind,
    Reference,
    carrying,
    read_reference,
)

PAGE = Origin(OriginKind.PAGE, "guide")
SHOP = "https://buy.stripe.com/abc"


def test_a_token_is_opaque_short_and_always_the_same() -> None:
    mail = Origin(OriginKind.CAMPAIGN, "Ana Lee <ana@example.com>")

    for origin in (PAGE, mail):
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,200}", origin.reference(2**40))
        assert origin.token == Origin(origin.kind, origin.name).token
        assert "ana" not in mail.token


def test_origins_of_every_kind_and_name_have_tokens_of_their_own() -> None:
    names = ("a", "b", "ä", "")
    tokens = {Origin(kind, name).token for kind in OriginKind for name in names}

    assert len(tokens) == len(OriginKind) * len(names)


@pytest.mark.parametrize("message", [None, 1, 12345678])
def test_a_reference_is_read_back(message: int | None) -> None:
    assert read_reference(PAGE.reference(message)) == Reference(PAGE.token, message)


@pytest.mark.parametrize(
    "own",
    [None, "", "customer-12", "kp12", PAGE.token.upper(), f"{PAGE.token}-", f"{PAGE.token}-0"],
)
def test_a_creators_own_reference_is_none_of_ours(own: str | None) -> None:
    assert read_reference(own) is None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (SHOP, f"{SHOP}?client_reference_id=R"),
        (f"{SHOP}?", f"{SHOP}?client_reference_id=R"),
        (
            f"{SHOP}?utm_source=x&utm_medium=y",
            f"{SHOP}?utm_source=x&utm_medium=y&client_reference_id=R",
        ),
        (f"{SHOP}?a=1#top", f"{SHOP}?a=1&client_reference_id=R#top"),
        (f"{SHOP}?client_reference_id=mine", f"{SHOP}?client_reference_id=mine"),
        (f"{SHOP}?client_reference_id=", f"{SHOP}?client_reference_id="),
    ],
)
def test_an_address_keeps_its_query_and_its_own_reference(address: str, expected: str) -> None:
    assert carrying(address, "R") == expected


def test_a_page_carries_the_reference_under_its_own_name() -> None:
    assert carrying("https://a.example/c/guide.html", "R", ON_A_PAGE).endswith("guide.html?from=R")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"[buy]({SHOP}?utm_source=n)", f"[buy]({SHOP}?utm_source=n&client_reference_id=R)"),
        (f"See {SHOP}.", f"See {SHOP}?client_reference_id=R."),
        (f"<{SHOP}>", f"<{SHOP}?client_reference_id=R>"),
        (f"({SHOP}?c={{{{ campaign }}}})", f"({SHOP}?c={{{{ campaign }}}}&client_reference_id=R)"),
        (f"{SHOP}d and {SHOP}/x", f"{SHOP}d and {SHOP}/x"),
        ("https://other.example/abc", "https://other.example/abc"),
    ],
)
def test_buy_links_in_a_text_are_found(text: str, expected: str) -> None:
    assert BuyLinks([SHOP, ""]).tagged(text, "R") == expected


def test_without_buy_links_a_text_stays() -> None:
    assert BuyLinks([]).tagged(f"see {SHOP}", "R") == f"see {SHOP}"


def test_the_longer_of_two_addresses_wins() -> None:
    links = BuyLinks([SHOP, f"{SHOP}-2"])

    assert links.tagged(f"{SHOP}-2", "R") == f"{SHOP}-2?client_reference_id=R"
