from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpay.ml.families import FAMILIES, Family, toward
from kpay.ml.frames import purchases
from kpay.ml.gathering import gather
from kpay.ml.history import History
from tests.fakes.evidence import START, Evidence
from tests.fakes.ml_worlds import orders

NOW_DAY, CUTOFF_DAY = 200, 100
CUTOFF = CUTOFF_DAY - NOW_DAY
SLUGS = ("bread", "面包", "knots", "club")
TEXTS = (
    "How to bake bread",
    "用面包学烘焙，入门",
    "Knots for sailors, and bread",
    "A club of bakers",
)
SAID = ("Too thin for the price.", "讲得很清楚，强烈推荐。", "I want more knots!")
EVERY_FAMILY = (*FAMILIES, toward("bread"))

customers = st.integers(1, 4)
days = st.floats(0, NOW_DAY - 1, allow_nan=False).map(lambda day: round(day, 3))
slugs = st.sampled_from(SLUGS)
kinds = ("refund", "mail", "click", "reply", "join", "unsubscribe", "visit", "lesson")
moments = st.none() | days
PARTS: dict[str, Any] = {
    "orders": st.tuples(customers, days, st.integers(0, 9000), st.sampled_from(["usd", "eur"]), slugs),
    "marks": st.tuples(customers, days, st.sampled_from(kinds), slugs | st.just(""), st.just(1.0)),
    "words": st.tuples(customers, days, slugs, st.none() | st.integers(1, 5), st.sampled_from(SAID)),
    "wishes": st.tuples(customers, days, st.just(""), st.none(), st.sampled_from(["baking", "sailing"])),
    "subscriptions": st.tuples(customers, slugs, days, moments, moments, moments),
    "edits": st.tuples(slugs, days, st.sampled_from(TEXTS)),
}  # fmt: skip
DAY_AT = {"orders": 1, "marks": 1, "words": 1, "wishes": 1, "subscriptions": 2, "edits": 1}


@st.composite
def everything(draw: st.DrawFn) -> Evidence:
    parts = {name: draw(st.lists(rows, max_size=12)) for name, rows in PARTS.items()}
    parts["orders"] += draw(st.lists(PARTS["orders"], min_size=2, max_size=5))
    parts["edits"].sort(key=lambda row: row[1])
    pieces = [
        (slug, text, "membership" if slug == "club" else "ebook", ("baking",), 900, "usd",
         draw(days), draw(moments))
        for slug, text in zip(SLUGS, TEXTS, strict=True)
    ]  # fmt: skip
    return Evidence(**parts, pieces=pieces)


def columns(evidence: Evidence) -> pd.DataFrame:
    known = gather(evidence.frames(), START + timedelta(days=NOW_DAY)).before(CUTOFF)
    customer = np.unique(known.purchases.customer)
    found = {}
    for family in EVERY_FAMILY:
        read = family.read(known, customer, CUTOFF)
        assert tuple(read) == family.columns
        found |= read
    return pd.DataFrame(found, index=known.purchases.customer_ids[customer])


def earlier(evidence: Evidence) -> dict[str, list[Any]]:
    return {
        name: [row for row in getattr(evidence, name) if row[at] < CUTOFF_DAY]
        for name, at in DAY_AT.items()
    }


def with_another_future(evidence: Evidence, other: Evidence) -> Evidence:
    """Keep what came before the cutoff; what came after is that of another business."""
    past, later = earlier(evidence), earlier(other)
    joined = {
        name: past[name] + [row for row in getattr(other, name) if row not in later[name]]
        for name in DAY_AT
    }
    ends = [_later(row[3:], CUTOFF_DAY + 7) for row in past["subscriptions"]]
    joined["subscriptions"][: len(ends)] = [
        (*row[:3], *end) for row, end in zip(past["subscriptions"], ends, strict=True)
    ]
    new = [
        ("new", "A new piece about bread", "ebook", ("baking",), 100, "usd", CUTOFF_DAY + 3.0, None)
    ]
    pieces = [
        (*row[:6], row[6] if row[6] < CUTOFF_DAY else CUTOFF_DAY + 50.0, *_later(row[7:], 150.0))
        for row in evidence.pieces
    ]
    return replace(evidence, **joined, pieces=pieces + new)


def _later(moments: tuple[float | None, ...], day: float) -> tuple[float | None, ...]:
    """Keep what is known at the cutoff; a trial's end is known when it begins, so it is kept too."""
    if len(moments) == 1:
        return tuple(m if m is not None and m < CUTOFF_DAY else day for m in moments)
    trial, *ends = moments
    return (trial, *(m if m is not None and m < CUTOFF_DAY else day for m in ends))


@settings(max_examples=30, deadline=None)
@given(evidence=everything(), other=everything())
def test_no_family_sees_what_comes_after_the_cutoff(evidence: Evidence, other: Evidence) -> None:
    before = columns(evidence)
    assert not np.isinf(before.to_numpy(float)).any()
    pd.testing.assert_frame_equal(
        before, columns(with_another_future(evidence, other)), check_exact=True
    )


@pytest.mark.parametrize("family", EVERY_FAMILY, ids=lambda family: family.name)
def test_a_family_without_evidence_still_gives_its_columns(family: Family) -> None:
    known = History(purchases(orders([(1, 3.0, 900, "usd", "")]), START + timedelta(days=9)))
    if family.name != "piece":
        found = family.read(known, np.array([0]), 0)
        assert tuple(found) == family.columns
    assert not family.is_known(known)


def test_names_of_columns_are_used_once() -> None:
    names = [name for family in (*FAMILIES, toward("x")) for name in family.columns]
    assert len(names) == len(set(names))
