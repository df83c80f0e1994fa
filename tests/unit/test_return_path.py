"""A message is known again when something comes back, and only whoever saw it can name it."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest

from kpay.adapters.signing import Signer
from kpay.domain.message import message_id
from kpay.domain.return_path import (
    TOKEN_HEADER,
    bounce_address_problem,
    reference_of,
    references_in,
    return_path,
)
from kpay.services.letters import Press, Wording
from tests.fakes.mail_rooms import LETTERHEAD, NOW, mail_desk

IDENTITY = message_id("campaign bread", "li@readers.example", "bakery.example")


def test_the_envelope_sender_names_the_message_and_nobody() -> None:
    path = return_path("bounces@bakery.example", IDENTITY)
    assert path == f"bounces+{reference_of(IDENTITY)}@bakery.example"
    assert references_in(f"<{path.upper()}>, ana+news@bakery.example") == {reference_of(IDENTITY)}
    assert "li" not in path.partition("+")[0]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("bounces", "not one address"),
        ("bounces@localhost", "not an address"),
        ("a b@x.example", "not one address"),
        ('"a"@x.example', "not an address"),
        ("b" * 32 + "@x.example", "at most 31"),
        ("münze@x.example", "SMTPUTF8"),
    ],
)
def test_an_address_that_cannot_carry_a_reference_is_explained(address: str, words: str) -> None:
    assert words in str(bounce_address_problem(address))
    problem = replace(LETTERHEAD, bounce_address=address).problem()
    assert problem is not None
    assert problem.startswith("bounce_address: ")


def test_the_longest_address_that_can_is_taken() -> None:
    address = "b" * 31 + "@x.example"
    assert bounce_address_problem(address) is None
    assert len(return_path(address, IDENTITY).partition("@")[0]) == 64


def test_without_an_address_for_bounces_they_go_to_the_sender() -> None:
    assert LETTERHEAD.envelope_sender(IDENTITY) == "ana@bakery.example"


def test_a_token_stands_in_a_header_and_holds_no_address(tmp_path: Path) -> None:
    headers = dict(LETTERHEAD.list_headers("bread", "launch", "signed"))
    assert headers[TOKEN_HEADER] == "signed"
    signer = Signer(tmp_path, "unsubscribe")
    assert signer.read(signer.sign(reference_of(IDENTITY))) == reference_of(IDENTITY)


def test_an_identity_cannot_be_computed_without_the_key(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    desks = [mail_desk(tmp_path / name) for name in ("one", "two")]
    mine, theirs = (desk.identity("purchase 7", "li@readers.example") for desk in desks)
    assert mine != theirs
    assert mine == desks[0].identity("purchase 7", "li@readers.example")
    assert mine != message_id("purchase 7", "li@readers.example", "bakery.example")


def test_a_campaign_s_message_names_itself_in_all_three_places(tmp_path: Path) -> None:
    desk = mail_desk(tmp_path)
    letterhead = replace(LETTERHEAD, bounce_address="bounces@bakery.example")
    wording = Wording("bread", "", ("Bread",), "There is bread.", 1, {})
    press = Press(wording, letterhead, desk.renderer, desk.signer)
    envelope = press.envelope("li@readers.example", {}, NOW)
    reference = reference_of(envelope.message_id)
    assert envelope.message_id != IDENTITY  # which anybody can compute
    assert envelope.sender == f"bounces+{reference}@bakery.example"
    assert desk.signer.read(message_from_bytes(envelope.content)[TOKEN_HEADER]) == reference
    assert press.envelope("li@readers.example", {}, NOW).message_id == envelope.message_id
