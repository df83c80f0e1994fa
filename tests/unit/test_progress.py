"""What is begun and not finished, and what buyers of a piece also bought."""

from __future__ import annotations

import pytest

from kpay.domain.bought_together import also_bought
from kpay.domain.progress import share_done, unfinished


@pytest.mark.parametrize(
    ("value", "share"),
    [("3/8", 0.375), ("40%", 0.4), ("8 / 8", 1.0), ("9/8", 1.0), ("1/0", None), ("", None), ("x", None)],
)  # fmt: skip
def test_progress_is_read_from_parts_and_percents(value: str, share: float | None) -> None:
    assert share_done(value) == share


def test_begun_and_not_ended_is_unfinished_where_ends_are_told() -> None:
    told = [
        (1, "course", "lesson", ""),
        (2, "course", "lesson", ""),
        (2, "course", "completed", ""),
    ]
    assert unfinished(told) == {1: ["course"]}


def test_silence_about_ends_says_nothing() -> None:
    assert unfinished([(1, "course", "lesson", ""), (2, "course", "watch", "")]) == {}


def test_progress_of_ones_own_tells_enough() -> None:
    told = [(1, "course", "progress", "2/8"), (2, "course", "progress", "2/8")]
    assert unfinished([*told, (2, "course", "progress", "100%")]) == {1: ["course"]}


def test_finishing_holds_whenever_it_was() -> None:
    told = [(1, "course", "completed", ""), (1, "course", "lesson", "")]
    assert unfinished(told) == {}


def test_buyers_of_both_are_counted_and_what_everybody_has_does_not_lead() -> None:
    pairs = [(who, "guide") for who in range(100)]
    pairs += [(who, "salt") for who in range(20)] + [(who, "sea") for who in range(8)]
    pairs += [(who, "rare") for who in range(4)]
    found = also_bought(pairs, {"guide", "salt", "sea", "rare"}, 2)
    assert found["sea"] == ["salt", "guide"]
    assert "rare" not in found
    assert found == also_bought(list(reversed(pairs)), {"rare", "sea", "salt", "guide"}, 2)


def test_only_what_is_shown_is_named() -> None:
    pairs = [(who, slug) for who in range(9) for slug in ("a", "b", "c")]
    assert also_bought(pairs, {"a", "c"}, 3) == {"a": ["c"], "c": ["a"]}


def test_one_who_buys_everything_says_nothing_about_taste() -> None:
    pairs = [(who, f"p{item}") for who in range(9) for item in range(201)]
    assert also_bought(pairs, {"p0", "p1"}, 3) == {}
