"""The rates that follow from a month's movements of recurring revenue.

kpay's rates divide by the opening balance and count what its own customers lost and added; what has
no opening balance, or nothing to divide by, is None (shown as a dash, null in JSON), never zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from kpay.domain.mrr_policies import OWN, Policy
from kpay.domain.subscription_facts import rounded
from kpay.domain.subscriptions import MonthOfMrr

SHARE_DIGITS = 6


def share(part: int, whole: int) -> float | None:
    """Return part / whole, or None where there is no whole."""
    return round(part / whole, SHARE_DIGITS) if whole else None


@dataclass(frozen=True, slots=True)
class Rates:
    """What follows from a month's movements and those of the two months before it.

    The two with a tool's name follow its formula whatever the policy: all movements of the month, the
    net one less what came back.
    """

    gross_churn_share: float | None
    net_churn_share: float | None
    logo_churn_share: float | None
    grr_share: float | None
    nrr_share: float | None
    gross_churn_chartmogul_share: float | None
    net_churn_chartmogul_share: float | None
    arpu_minor: int | None
    ltv_minor: int | None
    ltv_3m_minor: int | None
    quick_ratio: float | None

    @classmethod
    def of(cls, quarter: Sequence[MonthOfMrr]) -> Rates:
        """Work out the rates of the last month of up to three, by kpay's own formulas.

        ARPU is MRR / subscribers at the end; LTV is ARPU / logo churn, of the month or of three.
        """
        month = quarter[-1]
        lost, gained = month.opening_loss_minor, month.opening_gain_minor
        opening = month.start_minor
        all_net = month.losses_minor - month.expansion_minor - month.reactivation_minor
        return cls(
            gross_churn_share=share(lost, opening),
            net_churn_share=share(lost - gained, opening),
            logo_churn_share=share(month.lost, month.subscribers_start),
            grr_share=share(opening - lost, opening),
            nrr_share=share(opening - lost + gained, opening),
            gross_churn_chartmogul_share=share(month.losses_minor, opening),
            net_churn_chartmogul_share=share(all_net, opening),
            arpu_minor=_per_subscriber(month),
            ltv_minor=_lifetime_value(month, [month]),
            ltv_3m_minor=_lifetime_value(month, quarter) if len(quarter) == 3 else None,
            quick_ratio=share(month.gains_minor, month.losses_minor),
        )


def rates_under(
    policy: Policy, quarter: Sequence[MonthOfMrr], thirty_days: MonthOfMrr | None
) -> Rates:
    """Work out the rates by the formulas of a policy; `thirty_days` are those before the end."""
    rates = Rates.of(quarter)
    if policy is OWN:
        return rates
    if not policy.quick_ratio_counts_returns:
        month = quarter[-1]
        gains = month.new_minor + month.expansion_minor
        rates = replace(rates, quick_ratio=share(gains, month.losses_minor))
    if policy.rates == "movements":
        return replace(
            rates,
            gross_churn_share=rates.gross_churn_chartmogul_share,
            net_churn_share=rates.net_churn_chartmogul_share,
        )
    return _of_thirty_days(policy, rates, thirty_days) if thirty_days else rates


def _of_thirty_days(policy: Policy, rates: Rates, days: MonthOfMrr) -> Rates:
    customers = days.subscribers_start
    if policy.rates == "thirty_days_with_new":
        churned = share(days.subscribers_churned, customers + days.subscribers_new)
        return replace(rates, logo_churn_share=churned)
    if policy.rates != "thirty_days":
        return rates
    net = days.churn_minor - days.expansion_minor
    return replace(
        rates,
        logo_churn_share=share(days.subscribers_churned, customers),
        gross_churn_share=share(days.churn_minor, days.start_minor),
        net_churn_share=share(net, days.start_minor),
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
