"""From which day the future is looked at: what --as-of means to models and forecasts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from kpay.domain.period import (
    end_of_day,
    local_day,
    parse_day,
    parse_duration_days,
    parse_duration_s,
)
from kpay.errors import Refused, UsageProblem
from kpay.store.figures import ledger

OLD_BUSINESS_DAYS = 90
LONGEST_HORIZON_DAYS = 3650
LONGEST_BUDGET_S = 86_400


@dataclass(frozen=True, slots=True)
class Vantage:
    """A day whose end is the border between what is known and what is to come."""

    day: date
    timezone: str
    why: str = ""

    @property
    def moment(self) -> datetime:
        """The first moment after the day."""
        return end_of_day(self.day, self.timezone)


def vantage(connection: Connection, asked: str | None, now: datetime, timezone: str) -> Vantage:
    """Return the day asked for, else yesterday, the last whole day.

    When the newest sale is older than 90 days the history was brought in from elsewhere, and its
    last day stands in for yesterday. Raises UsageProblem for no day or one to come, Refused without
    any sale.
    """
    if asked is not None:
        return Vantage(_day(asked, local_day(now, timezone)), timezone)
    newest = ledger.last_sale_at(connection, now)
    if newest is None:
        raise Refused("there is no paid order to learn from yet", "kpay sync")
    yesterday = local_day(now, timezone) - timedelta(days=1)
    last_sale = local_day(newest, timezone)
    if last_sale < yesterday - timedelta(days=OLD_BUSINESS_DAYS):
        return Vantage(last_sale, timezone, f"the newest order is of {last_sale}")
    return Vantage(yesterday, timezone)


def _day(text: str, today: date) -> date:
    try:
        day = parse_day(text)
    except ValueError as error:
        raise UsageProblem(f"--as-of {error}", f"--as-of {today}") from None
    if day > today:
        raise UsageProblem(
            f"--as-of {day} has not come yet: its sales are not known", f"--as-of {today}"
        )
    return day


def horizon_days(text: str) -> int:
    """Read --horizon ("90d", "12w", "3m", "1y"); UsageProblem for anything else."""
    try:
        days = parse_duration_days(text)
    except ValueError as error:
        raise UsageProblem(f"--horizon: {error}", "--horizon 90d") from error
    if days > LONGEST_HORIZON_DAYS:
        raise UsageProblem(
            f"--horizon {text} is longer than ten years", f"--horizon {LONGEST_HORIZON_DAYS}d"
        )
    return days


def budget_s(text: str) -> int:
    """Read --tune ("90", "90s", "10m", "1h") into seconds; UsageProblem for anything else."""
    try:
        found = int(text) if text.isdecimal() else parse_duration_s(text)
    except ValueError as error:
        raise UsageProblem(f"--tune: {error}", "--tune 10m") from error
    if not 0 < found <= LONGEST_BUDGET_S:
        raise UsageProblem(f"--tune {text} is not between a second and a day", "--tune 10m")
    return found
