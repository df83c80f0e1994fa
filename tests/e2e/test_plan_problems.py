"""What a plan finds wrong with its letters, through the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MAIL = {
    "KPAY_MAIL_FROM": "Ana <ana@bakery.example>",
    "KPAY_POSTAL_ADDRESS": "Hauptstraße 1, Berlin",
    "KPAY_SITE_URL": "https://bakery.example",
}
PIECE = """\
---
title: Rye at Home
kind: ebook
price: 9 usd
preview: 1
---
A loaf of rye takes two days, and anybody may read this first paragraph of the book.

But this second paragraph is only for those who paid for the book, and it goes on for quite a while
so that nobody could have written the very same words by chance in a letter of their own.
"""
Kpay = Callable[..., Any]


@pytest.fixture
def shop(business: Path, kpay: Kpay) -> Path:
    """A bakery with one book and three readers, one without a name."""
    (business / "content" / "rye.md").write_text(PIECE)
    kpay("publish", home=business, env=MAIL)
    for name in ("Ana", "Bo", ""):
        words = ("subscriber", "add", f"{name or 'cy'}@r.example".lower())
        done = kpay(*words, *(("--name", name) if name else ()), home=business)
        assert done.exit_code == 0, done.stderr
    return business


def plan_of(kpay: Kpay, home: Path, body: str, **settings: str) -> dict[str, Any]:
    """Plan a campaign with a body."""
    front = {"subject": '"Bread"', "audience": "all", "holdout": "0", **settings}
    head = "\n".join(f"{name}: {value}" for name, value in front.items())
    (home / "campaigns" / "x.md").write_text(f"---\n{head}\n---\n{body}\n", encoding="utf-8")
    done = kpay("campaign", "plan", "x", "--json", home=home, env=MAIL)
    assert done.exit_code == 0, done.stderr
    planned: dict[str, Any] = json.loads(done.stdout)
    return planned


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("[Rye at Home](https://bakery.example/c/rye-at-home.html) for $7!", "costs $9.00 today"),
        ("[Rye](https://bakery.example/c/rye.html)", "no page of a published piece"),
        ("[Rye](#)", "leads nowhere"),
        (PIECE.rpartition("\n\n")[2], "only owners of 'rye-at-home' may read"),
        ("![x](bowl.jpg)", "cannot be seen in a mail"),
    ],
)
def test_what_is_wrong_for_everyone_is_said_once(
    shop: Path, kpay: Kpay, body: str, says: str
) -> None:
    (problem,) = plan_of(kpay, shop, f"Hello.\n\n{body}")["problems"]
    assert problem["email"] is None
    assert says in problem["problem"]
    refused = kpay("campaign", "send", "x", "--yes", home=shop, env=MAIL)
    assert refused.exit_code == 4


def test_what_is_wrong_for_one_reader_names_them(shop: Path, kpay: Kpay) -> None:
    (problem,) = plan_of(kpay, shop, "Hello {{ name|default('') }}, there is bread.")["problems"]
    assert problem["email"] == "cy@r.example"
    assert "a value is blank in 'Hello ," in problem["problem"]
    planned = plan_of(kpay, shop, "Hello {{ name }}, there is bread.", nameless="friend")
    assert planned["problems"] == []


def test_a_plan_warns_of_what_mail_programs_dislike(shop: Path, kpay: Kpay) -> None:
    planned = plan_of(kpay, shop, "![](https://bakery.example/all-in-one.png)")
    assert any("have no words beside them" in text for text in planned["warnings"])


def test_an_offer_is_reckoned_with(shop: Path, kpay: Kpay) -> None:
    body = "Rye at Home for $7.20 with {{ offer.code }}: {{ offer.text }}."
    offer = '{code: SPRING, text: "20 % off"}'
    assert plan_of(kpay, shop, body, offer=offer)["problems"] == []
    dear = body.replace("$7.20", "$8.50")
    assert "says $8.50" in plan_of(kpay, shop, dear, offer=offer)["problems"][0]["problem"]
