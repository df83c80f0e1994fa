"""Slugs are stable and CSV cells come back, whatever the text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kpay.domain.csv_cells import escaped, unescaped
from kpay.domain.exported_orders import shared_out
from kpay.domain.slug import slugify


@given(st.text())
def test_a_slug_of_a_slug_is_itself(text: str) -> None:
    slug = slugify(text)
    assert slugify(slug) == slug


@given(st.text())
def test_a_slug_never_leaves_its_folder(text: str) -> None:
    assert not set(slugify(text)) & set("/\\.: \x00%?#&\"'<>")


@given(st.one_of(st.text(), st.from_regex(r"'*[=+\-@]?\w*")))
def test_an_escaped_cell_comes_back_and_is_no_formula(text: str) -> None:
    assert unescaped(escaped(text)) == text
    assert escaped(text).lstrip(" \ufeff")[:1] not in ("=", "+", "-", "@", "\t", "\r")


@given(
    st.integers(min_value=0, max_value=10**9),
    st.lists(st.integers(min_value=0, max_value=10**7), min_size=1, max_size=8),
)
def test_a_total_is_shared_out_to_the_last_minor_unit(total: int, lines: list[int]) -> None:
    shares = shared_out(total, lines)
    assert sum(shares) == total
    assert len(shares) == len(lines)
    assert min(shares) >= 0
