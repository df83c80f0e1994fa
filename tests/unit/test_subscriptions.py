"""Recurring revenue on a small shop worked by hand, and on the cases that tools get wrong."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from kpay.domain.period import add_months, months_between, start_of_day
from kpay.domain.reports.mrr_months import MonthLine
from kpay.domain.reports.mrr_rates import Rates
from kpay.domain.subscription_facts import Bill, Phase, SubscriptionFacts
from kpay.domain.subscription_levels import mrr_over
from kpay.domain.subscription_spans import Span, spans
from kpay.domain.subscription_walk import months_of_mrr
from kpay.domain.subscriptions import Month, MonthOfMrr
from tests.fakes.books import at

USD = Fraction(1)


def months(first: str, last: str, *euros: str) -> list[Month]:
    """Months with a rate of the euro each (the last one given goes on)."""
    days = list(months_between(date.fromisoformat(first), date.fromisoformat(last)))
    rates = [*euros, *[euros[-1] if euros else "1"] * len(days)]
    return [
        Month(
            day,
            start_of_day(day, "UTC"),
            start_of_day(add_months(day, 1), "UTC"),
            {"usd": USD, "eur": Fraction(rate)},
        )
        for day, rate in zip(days, rates, strict=False)
    ]


def facts(customer: str, *phases: tuple[str, int], **more: object) -> SubscriptionFacts:
    interval = str(more.pop("interval", "month"))
    return SubscriptionFacts(
        key=f"sub_{customer}",
        customer=customer,
        currency=str(more.pop("currency", "usd")),
        status=str(more.pop("status", "active")),
        phases=tuple(Phase(at(since), amount, interval) for since, amount in phases),
        **more,  # type: ignore[arg-type]
    )


def walked(first: str, last: str, *subscriptions: SubscriptionFacts) -> list[MonthOfMrr]:
    every = [span for each in subscriptions for span in spans(each)]
    return months_of_mrr(every, months(first, last))


def rates_of(walk: list[MonthOfMrr]) -> list[Rates]:
    return [Rates.of(walk[max(0, index - 2) : index + 1]) for index in range(len(walk))]


def shop() -> list[MonthOfMrr]:
    """Five readers over five months: 20 a month; 240 a year; a downgrade; a quitter who returns;
    and one euro subscription whose rate moves from 1.10 to 1.20."""
    subscriptions = [
        facts("mia", ("2026-01-04", 2000), ("2026-03-04", 5000)),
        facts("noor", ("2026-01-20", 24000), interval="year"),
        facts("otto", ("2026-02-02", 4000), ("2026-04-02", 1000)),
        facts("pia", ("2026-02-10", 1000), ended_at=at("2026-03-10")),
        facts("pia", ("2026-05-01", 1000)),
        facts("quin", ("2026-02-15", 1000), currency="eur"),
    ]
    every = [span for each in subscriptions for span in spans(each)]
    return months_of_mrr(every, months("2026-01-01", "2026-05-31", "1.1", "1.1", "1.2"))


def test_the_shop_worked_by_hand_comes_out_to_the_cent() -> None:
    walk = shop()
    assert [month.end_minor for month in walk] == [4000, 10100, 12200, 9200, 10200]
    assert [month.new_minor for month in walk] == [4000, 6100, 0, 0, 0]
    assert [month.expansion_minor for month in walk] == [0, 0, 3000, 0, 0]
    assert [month.churn_minor for month in walk] == [0, 0, 1000, 0, 0]
    assert [month.contraction_minor for month in walk] == [0, 0, 0, 3000, 0]
    assert [month.reactivation_minor for month in walk] == [0, 0, 0, 0, 1000]
    assert [month.fx_minor for month in walk] == [0, 0, 100, 0, 0]
    assert [month.subscribers_end for month in walk] == [2, 5, 4, 4, 5]


def test_rates_divide_by_the_opening_balance_and_are_none_where_there_is_none() -> None:
    january, _, march, april, may = rates_of(shop())
    assert january.gross_churn_share is None
    assert january.nrr_share is None
    assert january.quick_ratio is None
    assert march.gross_churn_share == pytest.approx(1000 / 10100, abs=1e-6)
    assert march.net_churn_share == pytest.approx((1000 - 3000) / 10100, abs=1e-6)
    assert march.logo_churn_share == pytest.approx(1 / 5)
    assert march.quick_ratio == 3.0
    assert march.ltv_minor == 15250  # 122.00 / 4 subscribers / (1 of 5 lost)
    assert april.grr_share == pytest.approx(1 - 3000 / 12200, abs=1e-6)
    assert april.ltv_minor is None  # nobody was lost
    assert may.quick_ratio is None
    assert may.net_churn_share == 0.0  # who comes back was not in the opening balance


def test_the_payload_has_every_key_of_the_contract() -> None:
    walk = shop()
    assert set(MonthLine(walk[0], rates_of(walk)[0]).payload()) >= set(
        "month mrr_start_minor new_minor expansion_minor contraction_minor churn_minor "
        "churn_voluntary_minor churn_involuntary_minor reactivation_minor fx_minor mrr_end_minor "
        "subscribers_end gross_churn_share net_churn_share logo_churn_share grr_share nrr_share "
        "arpu_minor ltv_minor ltv_3m_minor quick_ratio".split()
    )


def test_a_start_and_end_in_one_month_moves_but_does_not_touch_the_rates() -> None:
    walk = walked(
        "2026-01-01",
        "2026-02-28",
        facts("mia", ("2026-01-02", 1000)),
        facts("ned", ("2026-02-05", 1000), ended_at=at("2026-02-07")),
    )
    assert (walk[1].new_minor, walk[1].churn_minor) == (1000, 1000)
    assert rates_of(walk)[1].gross_churn_share == 0.0
    assert rates_of(walk)[1].logo_churn_share == 0.0


def test_a_trial_counts_from_its_end_and_not_at_all_when_it_is_given_up() -> None:
    trial = at("2026-02-10")
    converted = facts("mia", ("2026-01-27", 0), ("2026-02-10", 900), trial_end_at=trial)
    given_up = facts("ned", ("2026-01-27", 900), trial_end_at=trial, ended_at=at("2026-02-08"))
    running = facts("oda", ("2026-01-27", 900), trial_end_at=trial, status="trialing")
    walk = walked("2026-01-01", "2026-02-28", converted, given_up, running)
    assert [month.end_minor for month in walk] == [0, 900]
    assert (walk[1].new_minor, walk[1].churn_minor) == (900, 0)


@pytest.mark.parametrize(
    ("interval", "count", "amount", "monthly"),
    [
        ("month", 1, 1000, 1000),
        ("month", 3, 1000, 333),
        ("year", 1, 10000, 833),
        ("year", 2, 24000, 1000),
        ("week", 1, 1200, 5200),
        ("day", 1, 120, 3650),
    ],
)
def test_a_price_counts_by_its_month(interval: str, count: int, amount: int, monthly: int) -> None:
    assert Phase(at("2026-01-01"), amount, interval, count).monthly_minor == monthly


def test_a_failed_payment_counts_for_fourteen_days_and_is_then_involuntary_churn() -> None:
    bills = (
        Bill(at("2026-01-01"), at("2026-01-01")),
        Bill(at("2026-02-01"), at("2026-02-05")),  # paid within the grace: nothing moves
        Bill(at("2026-03-01"), None),
    )
    failing = facts("mia", ("2026-01-01", 1000), status="past_due", bills=bills)
    (span,) = spans(failing)
    assert (span.end, span.is_involuntary) == (at("2026-03-15"), True)
    walk = walked("2026-01-01", "2026-03-31", failing)
    assert [month.churn_involuntary_minor for month in walk] == [0, 0, 1000]
    assert [month.churn_voluntary_minor for month in walk] == [0, 0, 0]


def test_who_pays_after_the_grace_comes_back() -> None:
    bills = (
        Bill(at("2026-01-01"), at("2026-01-01")),
        Bill(at("2026-02-01"), at("2026-02-20")),
    )
    walk = walked("2026-01-01", "2026-02-28", facts("mia", ("2026-01-01", 1000), bills=bills))
    assert (walk[1].churn_involuntary_minor, walk[1].reactivation_minor) == (1000, 1000)
    assert walk[1].end_minor == 1000


def test_a_subscription_whose_first_bill_was_never_paid_never_counts() -> None:
    unpaid = facts("mia", ("2026-01-01", 1000), bills=(Bill(at("2026-01-01"), None),))
    assert spans(unpaid) == []


def test_a_cancellation_is_voluntary_and_counts_when_it_takes_effect() -> None:
    leaving = facts(
        "mia",
        ("2026-01-01", 1000),
        ended_at=at("2026-03-01"),
        cancel_reason="cancellation_requested",
        bills=(Bill(at("2026-02-01"), at("2026-02-01")),),
    )
    walk = walked("2026-01-01", "2026-03-31", leaving)
    assert [month.end_minor for month in walk] == [1000, 1000, 0]
    assert (walk[2].churn_voluntary_minor, walk[2].churn_involuntary_minor) == (1000, 0)


def test_a_move_to_another_plan_at_one_moment_is_no_churn() -> None:
    moved = [
        Span("mia", "usd", 1000, at("2026-01-01"), at("2026-02-01")),
        Span("mia", "usd", 800, at("2026-02-01"), None),
    ]
    walk = months_of_mrr(moved, months("2026-01-01", "2026-02-28"))
    assert (walk[1].contraction_minor, walk[1].churn_minor, walk[1].new_minor) == (200, 0, 0)


def test_no_customer_loses_more_than_it_brought_when_the_rate_rises_as_it_leaves() -> None:
    leaving = [Span("mia", "eur", 1000, at("2026-01-01"), at("2026-02-10"))]
    walk = months_of_mrr(leaving, months("2026-01-01", "2026-02-28", "1.1", "1.5"))
    assert (walk[1].start_minor, walk[1].fx_minor, walk[1].churn_minor) == (1100, 400, 1500)
    assert rates_of(walk)[1].gross_churn_share == 1.0


def test_mrr_before_many_moments_counts_who_paid_just_then_in_any_order() -> None:
    three = [
        Span("mia", "usd", 1000, at("2026-01-01"), at("2026-02-01")),
        Span("ned", "usd", 500, at("2026-01-15"), None),
        Span("quin", "eur", 700, at("2026-01-15"), None),
    ]
    rates = {"usd": USD, "eur": Fraction("1.15")}
    moments = [at(day) for day in ("2026-02-02", "2026-01-15", "2026-01-16", "2026-02-01")]
    assert mrr_over(three, moments, lambda _: rates) == [1305, 1000, 2305, 2305]
