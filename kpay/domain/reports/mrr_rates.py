"""The rates that follow from a month's movements of recurring revenue.

Rates divide by the opening balance and count what its own customers lost and added; what has no
opening balance, or nothing to divide by, is None (shown as a dash, null in JSON), never zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from kpay.domain.subscription_facts import rounded
from kpay.domain.subscriptions import MonthOfMrr

SHARE_DIGITS = 6


def share(part: int, whole: int) -> float | None:
    """Return part / whole, or None where there is no whole."""
    return round(part / whole, SHARE_DIGITS) if whole else None


@dataclass(frozen=True, slots=True)
class Rates:
    """What follows from a month's movements and those of the two months before it."""

    gross_churn_share: float | None
    net_churn_share: float | None
    logo_churn_share: float | None
    grr_share: float | None
    nrr_share: float | None
    arpu_minor: int | None
    ltv_minor: int | None
    ltv_3m_minor: int | None
    quick_ratio: float | None

    @classmethod
    def of(cls, quarter: Sequence[MonthOfMrr]) -> Rates:
        """Work out the rates of the last month of up to three.

        ARPU is MRR / subscribers at the end; LTV is ARPU / logo churn, of the month or of three.
        """
        month = quarter[-1]
        lost, gained, opening = (
            month.opening_loss_minor,
            month.opening_gain_minor,
            month.start_minor,
        )
        return cls(
            gross_churn_share=share(lost, opening),
            net_churn_share=share(lost - gained, opening),
            logo_churn_share=share(month.lost, month.subscribers_start),
            grr_share=share(opening - lost, opening),
            nrr_share=share(opening - lost + gained, opening),
            arpu_minor=_per_subscriber(month),
            ltv_minor=_lifetime_value(month, [month]),
            ltv_3m_minor=_lifetime_value(month, quarter) if len(quarter) == 3 else None,
            quick_ratio=share(month.gains_minor, month.losses_minor),
        )


def _per_subscriber(month: MonthOfMrr) -> int | None:
    if not month.subscribers_end:
        return None
    return rounded(Fraction(month.end_minor, month.subscribers_end))


def _lifetime_value(month: MonthOfMrr, over: Sequence[MonthOfMrr]) -> int | None:
    lost = sum(each.lost for each in over)
    opening = sum(each.subscribers_start for each in over)
    if not lost or not month.subscribers_end:
        return None
    return rounded(Fraction(month.end_minor, month.subscribers_end) * Fraction(opening, lost))


def month_payload(month: MonthOfMrr, rates: Rates) -> dict[str, Any]:
    """Return the object of one month in cli.md's `months`."""
    return {
        "month": f"{month.first_day:%Y-%m}",
        "mrr_start_minor": month.start_minor,
        "new_minor": month.new_minor,
        "expansion_minor": month.expansion_minor,
        "contraction_minor": month.contraction_minor,
        "churn_minor": month.churn_minor,
        "churn_voluntary_minor": month.churn_voluntary_minor,
        "churn_involuntary_minor": month.churn_involuntary_minor,
        "reactivation_minor": month.reactivation_minor,
        "fx_minor": month.fx_minor,
        "mrr_end_minor": month.end_minor,
        "subscribers_end": month.subscribers_end,
        **{name: getattr(rates, name) for name in Rates.__slots__},
    }
