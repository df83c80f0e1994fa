"""The rules of sequences: triggers, delays, what comes next, and who is held out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from kpay.domain.delays import delay_text, parse_delay
from kpay.domain.sequence_file import read_letter, read_sequence
from kpay.domain.sequence_triggers import Exit, Trigger, TriggerKind, read_exit, read_trigger
from kpay.domain.sequences import (
    Bought,
    Enrolled,
    bought_out,
    due_after,
    is_held_out,
    next_letter,
    occasion,
    read_occasion,
)

NOW = datetime(2026, 10, 1, 9, tzinfo=UTC)


class Page(NamedTuple):
    name: str


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("purchase", Trigger(TriggerKind.PURCHASE)),
        ("purchase  of rye-bread", Trigger(TriggerKind.PURCHASE, "rye-bread")),
        ("abandoned checkout of rye", Trigger(TriggerKind.ABANDONED, "rye")),
        ("ending subscription", Trigger(TriggerKind.ENDING, days=7)),
        ("ending subscription within 14 days", Trigger(TriggerKind.ENDING, days=14)),
        ("quiet for 1 day", Trigger(TriggerKind.QUIET, days=1)),
    ],
)
def test_triggers_are_read_as_they_are_said(text: str, trigger: Trigger) -> None:
    assert read_trigger(text) == trigger
    assert read_trigger(str(trigger).replace("1 days", "1 day")) == trigger


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("purchases", "did you mean 'purchase'"),
        ("quiet", "say for how long"),
        ("quiet for 0 days", "not between 1 and 730"),
        ("purchase of Rye Bread", "begins nothing"),
        ("purchase of Rye_Bread", "not the slug"),
        ("abandoned checkouts", "did you mean 'abandoned checkout'"),
        ({"on": "purchase"}, "begins nothing"),
        (None, "begins nothing"),
    ],
)
def test_what_begins_nothing_is_told(text: Any, meant: str) -> None:
    with pytest.raises(ValueError, match=meant):
        read_trigger(text)


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("3h", timedelta(hours=3)),
        ("90m", timedelta(minutes=90)),
        (" 2d ", timedelta(days=2)),
        ("1 w", timedelta(weeks=1)),
        (0, timedelta()),
    ],
)
def test_delays_are_read_and_written(text: Any, delay: timedelta) -> None:
    assert parse_delay(text) == delay
    if delay:
        assert parse_delay(delay_text(delay)) == delay


@pytest.mark.parametrize("text", ["", "2", "2 days", "-1d", "1000w", "9999d", 2, True, None])
def test_what_is_no_delay_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match=r"delay|longer"):
        parse_delay(text)


@pytest.mark.parametrize(
    ("done", "following"),
    [
        ((), "a"),
        (("a",), "b"),
        (("b",), "c"),
        (("a", "c"), None),
        (("gone",), "a"),
        (("a", "b", "gone"), "c"),
    ],
)
def test_the_next_letter_is_the_first_behind_all_that_are_done(
    done: tuple[str, ...], following: str | None
) -> None:
    letters = [Page("a"), Page("b"), Page("c")]
    number = next_letter(letters, done)
    assert (None if number is None else letters[number].name) == following


def test_a_letter_keeps_its_distance_from_the_one_before() -> None:
    day = timedelta(days=1)
    assert due_after(NOW, None, day) == NOW
    assert due_after(NOW, NOW - 3 * day, day) == NOW
    assert due_after(NOW, NOW - day / 2, day) == NOW + day / 2


def test_only_what_was_bought_afterwards_ends_it() -> None:
    enrolled = Enrolled("a@b.example", "order 1", NOW, NOW)
    later, before = NOW + timedelta(hours=1), NOW
    anything, rye = (Exit(),), (Exit("rye"),)
    assert bought_out(enrolled, anything, [Bought("a@b.example", later)])
    assert not bought_out(enrolled, anything, [Bought("a@b.example", before)])
    assert bought_out(enrolled, rye, [Bought("a@b.example", later, "rye")])
    assert not bought_out(enrolled, rye, [Bought("a@b.example", later)])
    assert not bought_out(enrolled, (), [Bought("a@b.example", later)])
    assert read_exit("purchase of rye") == Exit("rye")


def test_who_is_held_out_stays_so_and_another_sequence_draws_anew() -> None:
    emails = [f"reader{number}@r.example" for number in range(2000)]
    first = {email for email in emails if is_held_out("welcome", email, 0.1)}
    second = {email for email in emails if is_held_out("other", email, 0.1)}
    assert 150 < len(first) < 250
    assert len(first & second) < 60
    assert first < {email for email in emails if is_held_out("welcome", email, 0.2)}
    assert not any(is_held_out("welcome", email, 0.0) for email in emails)


def test_an_occasion_tells_its_sequence_and_letter() -> None:
    assert read_occasion(occasion("wel-come", "be-gin", 17)) == ("wel-come", "be-gin")


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"trigger": "purchase", "kind": "service"}, "kind"),
        ({"trigger": "failed card", "kind": "service", "holdout": 0.1}, "holdout"),
        ({"trigger": "purchase", "rest_days": -1}, "rest_days"),
        ({"trigger": "purchase", "window": "8-20"}, "window"),
        ({"trigger": "purchase", "about": [1]}, "about"),
        ({"trigger": "purchase", "audience": 3}, "audience"),
        ({}, "trigger"),
    ],
)
def test_what_cannot_be_is_named_by_its_key(values: dict[str, Any], key: str) -> None:
    settings, flaws = read_sequence(values)
    assert settings is None
    assert [flaw.key for flaw in flaws] == [key]


def test_a_later_letter_needs_a_delay() -> None:
    assert read_letter({"subject": "Hi"}, is_first=True)[0] is not None
    assert [flaw.key for flaw in read_letter({"subject": "Hi"}, is_first=False)[1]] == ["after"]
    soon = {"subject": "Hi", "after": "10m"}
    assert [flaw.key for flaw in read_letter(soon, is_first=False)[1]] == ["after"]
