from __future__ import annotations

from datetime import timedelta

import pytest

from kpay.ml.frames import check_orders, purchases
from tests.fakes.ml_worlds import START, orders


def test_a_day_of_one_customer_is_one_occasion_with_its_lines_added() -> None:
    known = purchases(
        orders([(7, 0.1, 500, "usd", "a"), (7, 0.2, 700, "usd", "b"), (7, 3.5, 100, "usd", "a")]),
        START + timedelta(days=10),
    )
    assert known.day.tolist() == [-10, -7]
    assert known.amount_minor.tolist() == [1200, 100]
    assert known.lines.tolist() == [2, 1]
    assert known.new_contents.tolist() == [2, 0]


def test_two_currencies_of_one_day_are_never_added_and_open_one_day() -> None:
    known = purchases(
        orders([(1, 0.1, 500, "usd", ""), (1, 0.2, 900, "eur", "")]), START + timedelta(days=1)
    )
    assert dict(zip(known.currencies, known.amount_minor.tolist(), strict=True)) == {
        "eur": 900,
        "usd": 500,
    }
    assert known.opens_day.tolist() == [True, False]


def test_an_order_at_the_very_moment_of_the_as_of_is_not_known() -> None:
    frame = orders([(1, 0.0, 500, "usd", ""), (2, 1.0, 500, "usd", "")])
    assert purchases(frame, START + timedelta(days=1)).customer_ids.tolist() == [1]


def test_no_orders_give_no_purchases() -> None:
    known = purchases(orders([]), START)
    assert len(known.customer_ids) == 0
    assert known.first_day == 0


def test_a_frame_that_breaks_the_contract_is_refused_by_column() -> None:
    frame = orders([(1, 0.0, 500, "usd", "")])
    with pytest.raises(ValueError, match="currency"):
        check_orders(frame.drop(columns="currency"))
    with pytest.raises(ValueError, match=r"amount_minor is float64"):
        check_orders(frame.assign(amount_minor=[5.0]))
    with pytest.raises(ValueError, match="not an aware instant"):
        check_orders(frame.assign(at=frame["at"].dt.tz_localize(None)))
