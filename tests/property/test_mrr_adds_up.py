"""Whatever subscribers do, the movements of a month lead from its start to its end."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kpay.domain.reports.mrr_rates import Rates
from kpay.domain.subscription_levels import mrr_over
from kpay.domain.subscription_spans import Span
from kpay.domain.subscription_walk import months_of_mrr
from tests.fakes.books import at
from tests.unit.test_subscriptions import months

START = at("2026-01-01")


@st.composite
def one_span(draw: st.DrawFn) -> Span:
    first = draw(st.integers(0, 170))
    length = draw(st.none() | st.integers(1, 200))
    start = START + timedelta(days=first)
    return Span(
        draw(st.sampled_from(["mia", "ned", "oda"])),
        draw(st.sampled_from(["usd", "eur"])),
        draw(st.integers(1, 9999)),
        start,
        start + timedelta(days=length) if length else None,
        draw(st.booleans()),
    )


@given(st.lists(one_span(), max_size=12), st.lists(st.decimals("0.5", "2", places=3), min_size=6))
def test_movements_lead_from_the_start_of_a_month_to_its_end(spans, rates) -> None:  # type: ignore[no-untyped-def]
    calendar = months("2026-01-01", "2026-06-30", *map(str, rates))
    walk = months_of_mrr(spans, calendar)
    opening = 0
    for month, place in zip(walk, calendar, strict=True):
        assert month.start_minor == opening
        moved = month.gains_minor - month.losses_minor + month.fx_minor
        assert month.start_minor + moved == month.end_minor
        assert [month.end_minor] == mrr_over(spans, [place.end], lambda _: place.rates)  # noqa: B023
        opening = month.end_minor


@given(st.lists(one_span(), max_size=12))
def test_shares_of_the_opening_balance_stay_between_nought_and_one(spans) -> None:  # type: ignore[no-untyped-def]
    walk = months_of_mrr(spans, months("2026-01-01", "2026-06-30", "1.1", "0.7", "1.9"))
    for index in range(len(walk)):
        rates = Rates.of(walk[max(0, index - 2) : index + 1])
        for share in (rates.gross_churn_share, rates.logo_churn_share, rates.grr_share):
            assert share is None or 0 <= share <= 1
    assert all(Fraction(month.lost) <= month.subscribers_start for month in walk)
