"""Segments and double opt-in from the command line: what is printed, exited with, and asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PEOPLE = "email,name,tags,consent_source,status\n" + "".join(
    f"reader{number}@r.example,Ana,{'fair' if number % 2 else 'web'},form,\n"
    for number in range(10)
)
MAIL = {
    "KPAY_MAIL_FROM": "Ana Müller <ana@bakery.example>",
    "KPAY_POSTAL_ADDRESS": "Hauptstraße 1, Berlin",
    "KPAY_CONFIRM_URL": "https://bakery.example/yes",
}
Kpay = Callable[..., Any]


@pytest.fixture
def shop(business: Path, kpay: Kpay) -> Path:
    """A business with ten readers."""
    (business / "people.csv").write_text(PEOPLE, encoding="utf-8")
    result = kpay("import", "subscribers", str(business / "people.csv"), home=business)
    assert result.exit_code == 0, result.stderr
    return business


def answer(result: Any) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def token_in(home: Path) -> str:
    [path] = [
        path
        for path in home.glob("outbox/**/*.eml")
        if b"X-Kpay-Kind: confirmation" in path.read_bytes()
    ]
    unfolded = path.read_text(encoding="utf-8").replace("=\n", "").replace("=\r\n", "")
    found = re.search(r"yes\?t=(?:3D)?([\w.-]+)", unfolded)
    assert found is not None
    return found[1]


def test_a_segment_from_its_making_to_its_end(shop: Path, kpay: Kpay) -> None:
    where = "tag:fair and last_mail_days > 14"
    made = kpay("segment", "create", "warm", "--where", where, home=shop)
    assert (made.exit_code, made.stdout.splitlines()[0]) == (0, "warm is kept.")
    listed = answer(kpay("segment", "list", "--json", home=shop))
    [warm] = listed["segments"]
    assert (warm["name"], warm["people"], warm["mailable"]) == ("warm", 5, 5)
    shown = kpay("segment", "show", "warm", home=shop)
    assert "is tagged fair and days since the last mail above 14" in shown.stdout
    assert "reader1@r.example" in shown.stdout
    campaign = "---\nsubject: Hi\naudience: warm\nholdout: 0\n---\nHello\n"
    (shop / "campaigns" / "bread.md").write_text(campaign, encoding="utf-8")
    planned = answer(kpay("campaign", "plan", "bread", "--json", home=shop, env=MAIL))
    assert planned["recipients"] == 5
    assert kpay("segment", "remove", "warm", home=shop).exit_code == 0
    assert kpay("segment", "show", "warm", home=shop).exit_code == 4


def test_a_predicate_that_cannot_be_read_is_told_with_what_was_meant(
    shop: Path, kpay: Kpay
) -> None:
    result = kpay("segment", "create", "warm", "--where", "propensty > 0.1", home=shop)
    assert result.exit_code == 2
    assert "did you mean 'propensity'" in result.stderr
    hostile = kpay("segment", "create", "warm", "--where", "__import__('os')", home=shop)
    assert (hostile.exit_code, "Traceback" in hostile.stderr) == (2, False)


def test_help_names_every_field(shop: Path, kpay: Kpay) -> None:
    text = kpay("segment", "create", "--help", home=shop).stdout
    for field in ("propensity", "expected_value", "last_mail_days", "email_domain", "owns("):
        assert field in text


def test_a_newcomer_is_asked_says_yes_and_is_shown_with_the_proof(shop: Path, kpay: Kpay) -> None:
    words = ("subscriber", "add", "li@r.example", "--confirm")
    assert kpay(*words, "--no-input", home=shop, env=MAIL).exit_code == 2
    asked = answer(kpay(*words, "--yes", "--json", home=shop, env=MAIL))
    assert (asked["created"], asked["asked"]) == (True, True)
    again = answer(kpay(*words, "--yes", "--json", home=shop, env=MAIL))
    assert (again["created"], again["asked"]) == (False, False)
    token = token_in(shop)
    confirmed = answer(kpay("subscriber", "confirm", token, "--json", home=shop, env=MAIL))
    assert confirmed["email"] == "li@r.example"
    assert kpay("subscriber", "confirm", token, home=shop, env=MAIL).exit_code == 0
    assert kpay("subscriber", "confirm", token + "x", home=shop, env=MAIL).exit_code == 4
    shown = kpay("subscriber", "show", "li@r.example", home=shop)
    assert "May be mailed." in shown.stdout
    assert "double opt-in" in shown.stdout


def test_imported_people_are_asked_and_a_no_leaves_the_question_waiting(
    shop: Path, kpay: Kpay
) -> None:
    (shop / "new.csv").write_text("email\nli@r.example\nmo@r.example\n", encoding="utf-8")
    words = ("import", "subscribers", str(shop / "new.csv"), "--confirm")
    assert kpay(*words, "--no-input", home=shop, env=MAIL).exit_code == 2
    pending = answer(kpay("deliver", "--pending", "--json", home=shop, env=MAIL))
    assert [one["email"] for one in pending["pending"]] == ["li@r.example", "mo@r.example"]
    delivered = answer(kpay("deliver", "--yes", "--json", home=shop, env=MAIL))
    assert (delivered["confirmations"], delivered["sent_now"]) == (2, 0)
    again = answer(kpay(*words, "--yes", "--json", home=shop, env=MAIL))
    assert (again["created"], again["confirmations_queued"]) == (0, 0)
    assert "nothing to do" in kpay("subscriber", "remind", home=shop, env=MAIL).stdout
    later = {**MAIL, "KPAY_NOW": "2026-10-03T09:00:00Z"}
    reminded = answer(kpay("subscriber", "remind", "--yes", "--json", home=shop, env=later))
    assert reminded["confirmations_sent"] == 2


def test_only_subscribers_are_asked(shop: Path, kpay: Kpay) -> None:
    result = kpay("import", "orders", str(shop / "people.csv"), "--confirm", home=shop)
    assert result.exit_code == 2
    assert "--confirm asks subscribers" in result.stderr


def test_a_yes_that_comes_as_a_mail_is_taken_by_the_inbox(shop: Path, kpay: Kpay) -> None:
    by_mail = {**MAIL, "KPAY_CONFIRM_URL": ""}
    words = ("subscriber", "add", "li@r.example", "--confirm", "--yes")
    assert kpay(*words, home=shop, env=by_mail).exit_code == 0
    sent = "".join(
        path.read_text(encoding="utf-8") for path in (shop / "outbox").glob("**/*.eml")
    ).replace("=\n", "")
    found = re.search(r"subject=(?:3D)?confirm%20([\w.-]+)", sent)
    assert found is not None
    reply = (
        f"From: li@r.example\nTo: ana@bakery.example\nMessage-ID: <1@r.example>\n"
        f"Date: Thu, 01 Oct 2026 09:00:00 +0000\nSubject: confirm {found[1]}\n\n\n"
    )
    (shop / "yes.eml").write_text(reply, encoding="utf-8")
    read = kpay("inbox", str(shop / "yes.eml"), home=shop, env=by_mail)
    assert read.exit_code == 0, read.stderr
    shown = answer(kpay("subscriber", "show", "li@r.example", "--json", home=shop))
    assert (shown["status"], shown["consent_source"]) == ("subscribed", "double opt-in")
    assert shown["consent_wording"].endswith("(answered by mail)")
