"""The numbers of the simulated world, in one place, with the range each was taken from.

Ranges are what published figures of creators' businesses span; the values are choices inside them
that give a default world of about 2,300 customers and 11,000 orders in 18 months.
"""

from __future__ import annotations

from dataclasses import dataclass

SURE, PERSUADABLE, LOST, UNDISTURBED = range(4)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything about the world that is a choice; shares are 0 to 1, rates are a year."""

    # people
    people_per_customer: float = 2.7
    known_at_start_share: float = 0.5
    joining_days_per_day: float = 4 / 3  # newcomers keep arriving after the last planned day
    subscriber_share: float = 0.60  # .4-.8
    guest_share: float = 0.10
    eur_share: float = 0.25
    dead_mailbox_share: float = 0.01
    shouting_share: float = 0.06  # people who type their address in capitals at the checkout

    # wanting: orders a year by stratum (sure thing, persuadable, lost cause, do not disturb)
    strata_shares: tuple[float, ...] = (0.15, 0.34, 0.41, 0.10)
    orders_a_year: tuple[float, ...] = (11.3, 4.5, 0.54, 5.0)
    rate_shape: float = 0.60  # gamma shape inside a stratum: .3-1
    leave_a: float = 0.8  # Beta chance to leave for good after a purchase; mean .07-.25
    leave_b: float = 11.0
    outside_option: float = 3.0
    owned_factor: float = 0.05  # a second copy is bought now and then, as a present
    taste_spread: float = 0.9
    budget_median: float = 45.0
    budget_spread: float = 0.7
    foreign_currency_factor: float = 0.35

    # launches of what joins the catalogue after the first day
    launch_factor: float = 9.0  # x5-x15 on the first day
    launch_days: float = 3.0

    # mail: the first-day lift of a relevant mail by stratum, and what it costs
    lifts: tuple[float, ...] = (0.5, 25.0, 5.0, -0.45)
    lift_spread: float = 0.5
    mail_days: int = 14
    fatigue: float = 0.15  # .03-.35 for each recent mail
    pressure_half_life_days: float = 14.0
    click_share: float = 0.03  # 1-4 % of sent; must exceed what the mail sells
    opt_out_share: float = 0.0028  # .1-.5 % a mail
    opt_out_pressure: float = 0.35
    opt_out_spread: float = 0.6
    boredom: float = 0.6
    complaint_share: float = 0.0004
    late_bounce_share: float = 0.002

    # sales
    coupon_share: float = 0.07
    coupon_percent: int = 20
    tax_share: float = 0.5  # of the sales in euros
    tax_percent: int = 20  # inside the price
    first_try_fails_share: float = 0.03
    never_paid_share: float = 0.01
    refund_share: float = 0.03  # 1-8 %
    partial_refund_share: float = 0.25
    dispute_share: float = 0.003  # .05-.5 %
    dispute_won_share: float = 0.35
    erased_share: float = 0.004
    fraud_bursts_a_year: float = 2.5

    # memberships
    trial_share: float = 0.3
    trial_days: int = 7
    trial_kept_share: float = 0.68
    first_renewal_share: float = 0.85  # .75-.9
    later_renewal_share: float = 0.94  # .9-.97
    yearly_renewal_share: float = 0.6  # .45-.7
    yearly_share: float = 0.25  # where the same membership can be had by the month or the year
    renewal_fails_share: float = 0.06  # 5-10 %
    recovered_share: float = 0.6  # .4-.85
    notice_share: float = 0.5  # leavers who give notice for the end of the period
    upgrade_share: float = 0.02

    visits_per_order: float = 9.0
