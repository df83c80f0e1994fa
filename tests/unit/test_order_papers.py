"""What hangs on an order: what reached the balance, and what took something off."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kpay.domain.order_papers import CouponFacts, MovementFacts, OrderPapers, discounts_of

AT = datetime(2026, 6, 1, tzinfo=UTC)


def moved(kind: str, amount: int, fee: int, currency: str = "usd") -> MovementFacts:
    return MovementFacts(AT, kind, "ch_1", amount, fee, amount - fee, currency, "1.08", "available")


def test_fees_and_net_are_summed_for_each_currency_of_settlement_alone() -> None:
    papers = OrderPapers(
        [
            moved("charge", 2900, 114),
            moved("adjustment", -2900, 1500),
            moved("charge", 1000, 50, "eur"),
        ]
    )

    assert papers.settled() == {"eur": (1000, 50, 950), "usd": (0, 1614, -1614)}
    assert papers.to_json()["settled"]["usd"] == {
        "amount_minor": 0,
        "fee_minor": 1614,
        "net_minor": -1614,
    }


def test_the_heading_says_how_it_was_paid_and_with_which_coupon() -> None:
    papers = OrderPapers(
        payment_method="wechat_pay", coupons=[CouponFacts("co_1", "SPRING", "20 %")]
    )

    assert papers.words() == ["paid by wechat pay", "coupon SPRING (20 %)"]
    assert OrderPapers().words() == []
    assert OrderPapers().blocks() == []


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ({"discounts": [{"coupon": "co_1", "promotion_code": "promo_1"}]}, [("co_1", "promo_1")]),
        ({"discounts": [{"source": {"coupon": "co_1"}}]}, [("co_1", None)]),
        ({"discount": {"coupon": {"id": "co_1", "percent_off": 20}}}, [("co_1", None)]),
        ({"discounts": ["di_1"]}, []),
        ({"discounts": [], "discount": None}, []),
        ({}, []),
    ],
)
def test_a_coupon_is_found_in_every_version_s_shape(
    raw: dict[str, Any], found: list[tuple[str, str | None]]
) -> None:
    assert discounts_of([raw, raw]) == found
