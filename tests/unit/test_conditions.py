"""Conditions on figures: what they mean, and what they refuse."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kpay.domain.conditions import read_condition
from kpay.domain.document import Metric


@pytest.mark.parametrize(
    ("text", "metric", "holds"),
    [
        ("gross_churn_share > 0.08", Metric(0.081), True),
        ("gross_churn_share > 0.08", Metric(0.08), False),
        ("gross_churn_share>=8%", Metric(0.08), True),
        ("mrr < 5000", Metric(499_999, "usd"), True),
        ("mrr < 5000", Metric(500_000, "usd"), False),
        ("mrr < 5000usd", Metric(499_999, "usd"), True),
        ("mrr_minor < 5000", Metric(4_999, "usd"), True),
        ("net < -10.50", Metric(-1_051, "usd"), True),
        ("net < 1000", Metric(999, "jpy"), True),
        ("mrr.subscribers_end != 7", Metric(8), True),
        ("orders = 0", Metric(0), True),
    ],
)
def test_a_condition_is_held_against_whole_units(text: str, metric: Metric, holds: bool) -> None:
    assert read_condition(text).holds(metric) is holds


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">=", "=", "!="])
def test_a_figure_that_is_not_defined_meets_no_condition(sign: str) -> None:
    assert read_condition(f"quick_ratio {sign} 1").holds(Metric(None)) is False


@pytest.mark.parametrize("text", ["", "churn", "churn > high", "> 3", "a > 3 or b > 4", "a ~ 3"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a condition"):
        read_condition(text)


@pytest.mark.parametrize(
    ("text", "metric"),
    [
        ("net < 5%", Metric(1, "usd")),
        ("net < 5eur", Metric(1, "usd")),
        ("orders < 5usd", Metric(1)),
    ],
)
def test_a_unit_that_the_figure_does_not_have_is_refused(text: str, metric: Metric) -> None:
    with pytest.raises(ValueError, match=r"money|in USD"):
        read_condition(text).holds(metric)


def test_the_sentence_names_figure_and_threshold() -> None:
    share = read_condition("gross_churn_share > 8%").sentence(Metric(0.3419))
    assert share == "gross_churn_share is 34.19%, above 8.00%"
    money = read_condition("net <= 10").sentence(Metric(-105, "usd"))
    assert money == "net is -$1.05, at or below $10.00"
    assert read_condition("orders < 1200").sentence(Metric(1000)) == (
        "orders is 1,000, below 1,200"
    )


def test_a_section_may_be_named() -> None:
    found = read_condition("mrr.churn > 100")
    assert (found.section, found.metric, found.number) == ("mrr", "churn", Decimal(100))
