"""Lines become orders, wherever in the file they stand; refunds find their lines again."""

from __future__ import annotations

from datetime import UTC, datetime

from kpay.domain.exported_orders import RefundedLine, refunds_on_lines
from kpay.domain.imported_orders import OrderGathering

JAN = datetime(2026, 1, 1, tzinfo=UTC)
FEB = datetime(2026, 2, 1, tzinfo=UTC)


def line(order_id: str = "1", **changes: object) -> dict[str, object]:
    return {
        "order_id": order_id, "email": "a@example.com", "ordered_at": FEB, "amount": 1000,
        "currency": "usd", **changes,
    }  # fmt: skip


def test_rows_with_one_id_are_the_lines_of_one_order() -> None:
    gathering = OrderGathering()
    rows = [line("1"), line("2"), line("1", amount=250, ordered_at=JAN, country="DE")]
    assert [gathering.add(number, row) for number, row in enumerate(rows, 2)] == [[], [], []]
    first, second = gathering.whole_orders()
    assert (first.gross_minor, first.ordered_at, first.country) == (1250, JAN, "DE")
    assert second.gross_minor == 1000


def test_one_order_has_one_currency_and_one_buyer() -> None:
    gathering = OrderGathering()
    gathering.add(2, line())
    complaints = gathering.add(3, line(currency="eur", email="b@example.com"))
    assert [column for column, _ in complaints] == ["currency", "email"]


def test_an_order_with_a_wrong_line_is_left_out_whole() -> None:
    gathering = OrderGathering()
    gathering.add(2, line("1"))
    gathering.add(3, line("2"))
    gathering.spoil("1", 4)
    assert [order.order_id for order in gathering.whole_orders()] == ["2"]
    assert list(gathering.lines_left_out()) == [(2, 4)]


def test_no_more_goes_back_than_was_paid() -> None:
    gathering = OrderGathering()
    assert gathering.add(2, line(refunded=1001))[0][0] == "refunded"
    assert gathering.add(3, line("2", refunded=True)) == []
    assert gathering.whole_orders()[0].lines[0].refunded_minor == 1000


def test_refunds_that_name_their_line_come_back_to_it() -> None:
    refunds = [("7:1", 400, JAN)]
    assert refunds_on_lines("7", refunds, [1000, 500]) == [RefundedLine(), RefundedLine(400, JAN)]


def test_other_refunds_fill_the_lines_in_order() -> None:
    refunds = [("re_1", 300, JAN), ("re_2", 900, FEB)]
    assert refunds_on_lines("7", refunds, [1000, 500]) == [
        RefundedLine(1000, FEB), RefundedLine(200, FEB),
    ]  # fmt: skip
