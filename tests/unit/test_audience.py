"""Who a campaign is for, and who is left out."""

from __future__ import annotations

import pytest

from kpay.domain.audience import AudienceUnknown, Person, divide, parse_audience

READER = Person("reader@a.example", tags=frozenset({"bread"}))
BUYER = Person("buyer@a.example", has_bought=True, owned=frozenset({"rye"}))
STRANGER = Person("stranger@a.example", is_listed=False, has_consent=False, has_bought=True)
GONE = Person("gone@a.example", is_suppressed=True, has_bought=True, owned=frozenset({"rye"}))
WAITING = Person("waiting@a.example", has_consent=False)
EVERYONE = (READER, BUYER, STRANGER, GONE, WAITING)


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        ("all", {READER, BUYER, GONE, WAITING}),
        ("subscribers", {READER, BUYER, GONE, WAITING}),
        ("customers", {BUYER, STRANGER, GONE}),
        ("prospects", {READER, WAITING}),
        ("tag:bread or owns:rye", {READER, BUYER, GONE}),
        ("customers and not owns:rye", {STRANGER}),
        ("not (tag:bread or customers)", {WAITING}),
        ("prospects or customers and owns:rye", {READER, WAITING, BUYER, GONE}),
    ],
)
def test_a_segment_is_who_it_says(audience: str, expected: set[Person]) -> None:
    wanted = parse_audience(audience)
    assert {person for person in EVERYONE if wanted(person)} == expected


@pytest.mark.parametrize(
    ("audience", "words"),
    [
        ("custommers", "did you mean 'customers'"),
        ("all and", "too early"),
        ("(all", "too early"),
        ("all customers", "not expected"),
        ("tag:", "not an audience"),
        ("", "empty"),
        ("(" * 150 + "all", "too early"),
        ("x" * 999, "too long"),
        ("__import__('os')", "not an audience"),
    ],
)
def test_an_audience_that_cannot_be_read_is_refused(audience: str, words: str) -> None:
    with pytest.raises(AudienceUnknown, match=words):
        parse_audience(audience)


def test_only_people_who_agreed_are_chosen_and_each_is_left_out_once() -> None:
    division = divide(EVERYONE, lambda person: True, about=("rye",))
    assert [person.email for person in division.chosen] == ["reader@a.example"]
    assert division.left_out == {
        "suppressed": 1,
        "already_owns": 1,
        "no_consent": 2,
        "low_value": 0,
        "unreachable": 0,
    }


def test_whoever_owns_only_a_part_is_still_written_to() -> None:
    division = divide((BUYER,), parse_audience("all"), about=("rye", "salt"))
    assert division.chosen == (BUYER,)


def test_an_address_that_servers_do_not_take_keeps_nobody_else_from_being_mailed() -> None:
    strange = Person("jürgen@a.example")
    division = divide((strange, BUYER), parse_audience("all"))
    assert division.chosen == (BUYER,)
    assert division.left_out["unreachable"] == 1
