"""What readers are worth whom a mail drove away: the mails they will not get, at what a mail earns.

A reader who stays gets one mail each `days_between` days for a year, unless some mail drives them away
or they stop reading by themselves (`kpay.ml.attention` reckons alike, person by person, before a mail
is sent; this is what is known after it).
"""

from __future__ import annotations

from typing import Final

from kpay.domain.experiment import Interval

HORIZON_DAYS: Final = 364.0
WEEKLY_STAY: Final = 0.985  # readers lose interest without a word; half do in 46 weeks
USUAL_DAYS_BETWEEN: Final = 14.0
PRIOR_LEAVE_SHARE: Final = 0.0025  # published rates: .1 to .5 % a mail
PRIOR_MAILS: Final = 1_000.0


def leave_share(left: int, mails: int) -> float:
    """Return the share of readers whom one mail drives away, drawn towards the published rate."""
    return (left + PRIOR_LEAVE_SHARE * PRIOR_MAILS) / (mails + PRIOR_MAILS)


def mails_to_come(days_between: float, leave: float) -> float:
    """Return how many mails of the coming year a reader will be there for."""
    stays = float(WEEKLY_STAY ** (days_between / 7.0)) * (1.0 - leave)
    count = int(HORIZON_DAYS / days_between)
    return sum((stays**number for number in range(1, count + 1)), 0.0)


def attention_cost(
    caused: Interval | None, a_message: Interval | None, to_come: float
) -> Interval | None:
    """Return what the readers driven away would have earned, in minor units; None where unknown.

    `a_message` is what a message earns. Neither a reader gained nor a mail that loses money makes the
    cost negative. The range joins the ends of both ranges, so it is rather too wide.
    """
    if caused is None or a_message is None:
        return None
    estimate, low, high = (
        max(0.0, people) * max(0.0, earned) * to_come
        for people, earned in zip(
            (caused.estimate, caused.low, caused.high),
            (a_message.estimate, a_message.low, a_message.high),
            strict=True,
        )
    )
    return Interval(estimate, low, high)
