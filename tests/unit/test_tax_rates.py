"""The rate of an order, read off its amounts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpay.domain.taxing import rate_of


@pytest.mark.parametrize(
    ("net", "tax", "rate"),
    [
        (1000, 190, 190),
        (419, 80, 190),  # 4.99 with 19 % inside: 19.09 % by division
        (1000, 55, 55),
        (20000, 1775, 89),  # 8.875 % is told to the nearest tenth
        (1000, 0, 0),
        (0, 0, None),
        (300, 7, 25),
    ],
)
def test_the_roundest_rate_that_gives_the_tax_is_told(net: int, tax: int, rate: int | None) -> None:
    assert rate_of(net, tax) == rate


@given(st.integers(200, 10**7), st.integers(1, 27), st.booleans())
def test_a_whole_percent_is_found_again_whether_on_top_or_inside(
    price: int, percent: int, is_inside: bool
) -> None:
    if is_inside:
        tax = (2 * price * percent + 100 + percent) // (2 * (100 + percent))
        net = price - tax
    else:
        net, tax = price, (2 * price * percent + 100) // 200
    assert rate_of(net, tax) == percent * 10
