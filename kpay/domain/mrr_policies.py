"""How other tools define monthly recurring revenue, as far as their documented rules can be followed.

A policy is data: the rules that make spans, whether passers-by count, and the form of the rates. The
path from kpay's own policy to another changes one rule at a time, so that each difference has an
amount of its own and all of them add up to the other's figure, to the cent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal

from kpay.domain.enums import MrrPolicy
from kpay.domain.subscription_facts import OWN_RULES, Rules

RateForm = Literal["opening", "movements", "thirty_days", "thirty_days_with_new"]
DOCUMENTED: Final = "2026-11"


@dataclass(frozen=True, slots=True)
class Policy:
    """One tool's definition of MRR.

    `rates` says what churn is divided by: the opening balance, of whose customers alone the losses
    count ("opening"); the opening balance, for all movements of the month ("movements"); what there
    was thirty days ago ("thirty_days"), for customers with those who came since ("..._with_new").
    `beyond` says what of its definition cannot be followed with what the store holds.
    """

    name: MrrPolicy
    title: str
    rules: Rules = OWN_RULES
    ignores_passers_by: bool = False
    rates: RateForm = "opening"
    quick_ratio_counts_returns: bool = True
    beyond: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """One rule in which a tool differs: its name, in words, and the policy once it is changed."""

    name: str
    title: str
    words: str
    policy: Policy


OWN: Final = Policy(MrrPolicy.KPAY, "kpay")
POLICIES: Final[Mapping[MrrPolicy, Policy]] = {
    policy.name: policy
    for policy in (
        OWN,
        Policy(
            MrrPolicy.STRIPE,
            "Stripe",
            Rules(grace=None, ending_discounts=False),
            rates="thirty_days_with_new",
            beyond=(
                "Stripe takes a subscription out when it marks it unpaid; that moment is not kept, so "
                "it counts here until it ends.",
                "Revenue churn is worked out by kpay's formula; only customer churn follows Stripe's.",
            ),
        ),
        Policy(
            MrrPolicy.CHARTMOGUL,
            "ChartMogul",
            Rules(grace=None),
            rates="movements",
            beyond=(
                "ChartMogul reads the service periods of invoices; kpay follows the prices of "
                "subscriptions, which differ where an invoice covers other days than its price does.",
                "A customer with a discount of 100 % stays a customer there and is churn here.",
            ),
        ),
        Policy(
            MrrPolicy.BAREMETRICS,
            "Baremetrics",
            Rules(grace=timedelta(days=30), until_asked=True),
            rates="thirty_days",
            quick_ratio_counts_returns=False,
            beyond=("Lifetime value is worked out by kpay's formula.",),
        ),
        Policy(
            MrrPolicy.PROFITWELL,
            "ProfitWell",
            ignores_passers_by=True,
            beyond=(
                "ProfitWell's dunning window follows the retry settings at the provider; kpay's 14 "
                "days stand in for it.",
                "ProfitWell smooths lifetime value in a way it does not publish; it is not smoothed "
                "here.",
                "ProfitWell counts metered billing that recurs; kpay keeps it out of MRR.",
            ),
        ),
    )
}


def differences(policy: Policy) -> Iterator[Difference]:
    """Yield, one rule at a time, what leads from kpay's own policy to another."""
    at, title = OWN, policy.title
    if policy.rules.grace != at.rules.grace:
        at = replace(at, rules=replace(at.rules, grace=policy.rules.grace))
        yield Difference("past_due", "Past due", _past_due(policy), at)
    if policy.rules.ending_discounts != at.rules.ending_discounts:
        at = replace(at, rules=replace(at.rules, ending_discounts=policy.rules.ending_discounts))
        words = (
            f"{title} ignores coupons that end by themselves; kpay takes them off while they run."
        )
        yield Difference("coupons", "Coupons that end", words, at)
    if policy.rules.until_asked != at.rules.until_asked:
        at = replace(at, rules=replace(at.rules, until_asked=policy.rules.until_asked))
        words = f"{title} takes a customer out when they cancel; kpay when it takes effect."
        yield Difference("cancellations", "Cancellations", words, at)
    if policy.ignores_passers_by != at.ignores_passers_by:
        at = replace(at, ignores_passers_by=policy.ignores_passers_by)
        words = f"{title} leaves out who comes and goes in one month; kpay shows both movements."
        yield Difference("passers_by", "In and out in a month", words, at)
    if policy.rates != at.rates:
        yield Difference("formula", "Formula", _formula(policy), policy)


def _past_due(policy: Policy) -> str:
    grace = policy.rules.grace
    until = "until the subscription ends" if grace is None else f"for {grace.days} days"
    return f"{policy.title} counts an unpaid bill {until}; kpay for 14 days."


def _formula(policy: Policy) -> str:
    forms: Mapping[str, str] = {
        "movements": "divides all losses of the month by the opening balance, and takes returns off "
        "the net rate; kpay counts the losses of customers of the opening balance",
        "thirty_days": "divides what was lost in the last thirty days by what there was before them",
        "thirty_days_with_new": "divides the customers lost in the last thirty days by those of "
        "thirty days ago and the new ones since",
    }
    return f"{policy.title} {forms[policy.rates]}."
