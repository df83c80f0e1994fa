"""What-if questions as people write them: price=+10%, launch=async-python@2026-12-10, 5000usd/month."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from kpay.domain.money import format_minor, normal_currency, parse_minor
from kpay.domain.period import parse_day

Per = Literal["day", "week", "month", "year"]
VOLUME_LEVERS: Final = ("reach", "click", "purchase")
"""The levers that change how much is sold anew, in proportion."""
LEVERS: Final = (*VOLUME_LEVERS, "price", "churn")
TOGETHER: Final = "all together"
KEYS: Final = (*LEVERS, "launch")
DAYS_IN: Final[dict[Per, float]] = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}
LARGEST_PERCENT: Final = 1_000
SHARE: Final = re.compile(r"([+-]\d{1,4}(?:\.\d{1,4})?)\s*%")
GOAL: Final = re.compile(r"([\d.,]+)\s*([A-Za-z]{3})?\s*/\s*(day|week|month|year)")


@dataclass(frozen=True, slots=True)
class Launch:
    """A launch to come."""

    name: str
    day: date


@dataclass(frozen=True, slots=True)
class Scenario:
    """One change, or several at once: shares by lever (0.1 is a tenth more), and launches to come."""

    text: str
    shares: tuple[tuple[str, float], ...] = ()
    launches: tuple[Launch, ...] = ()

    def share(self, lever: str) -> float:
        """Return by which share a lever is moved; 0 where it is left alone."""
        return dict(self.shares).get(lever, 0.0)

    @property
    def is_together(self) -> bool:
        """Whether it stands for all that were asked."""
        return self.text == TOGETHER

    @property
    def volume_factor(self) -> float:
        """By how much reach and both rates together multiply what is sold anew."""
        factor = 1.0
        for lever in VOLUME_LEVERS:
            factor *= 1.0 + self.share(lever)
        return factor


@dataclass(frozen=True, slots=True)
class Goal:
    """So much money in so much time; `currency` is None where none was named."""

    text: str
    amount: str
    currency: str | None
    per: Per

    def minor(self, currency: str) -> int:
        """Return the amount in minor units; ValueError where the currency does not have such."""
        return parse_minor(self.amount, currency)

    def in_words(self, currency: str) -> str:
        """Write it: $5,000.00 a month."""
        return f"{format_minor(self.minor(currency), currency)} a {self.per}"


def read_scenarios(texts: Sequence[str]) -> tuple[Scenario, ...]:
    """Read what was asked, each by itself; ValueError says what is wrong, naming the text."""
    found = tuple(_scenario(text) for text in texts)
    seen: set[str] = set()
    for one in found:
        for lever, _ in one.shares:
            if lever in seen:
                raise ValueError(f"--scenario {one.text!r} changes {lever} for the second time")
            seen.add(lever)
    return found


def together(scenarios: Sequence[Scenario]) -> Scenario:
    """Return all of them at once."""
    return Scenario(
        TOGETHER,
        tuple(share for one in scenarios for share in one.shares),
        tuple(launch for one in scenarios for launch in one.launches),
    )


def read_goal(text: str) -> Goal:
    """Read --goal ("5000usd/month"); ValueError for anything else."""
    found = GOAL.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"--goal {text!r} is not an amount over time (write 5000usd/month)")
    amount, code, per = found.groups()
    periods: dict[str, Per] = {name: name for name in DAYS_IN}
    goal = Goal(text.strip(), amount, normal_currency(code) if code else None, periods[per])
    try:
        is_positive = goal.minor(goal.currency or "usd") > 0
    except ValueError as problem:
        raise ValueError(f"--goal {text!r}: {problem}") from None
    if not is_positive:
        raise ValueError(f"--goal {text!r} must be more than nothing")
    return goal


def break_even_volume(price_share: float) -> float:
    """Return the share of sales that a change of price can lose, or must win, to bring as much.

    (1 + price) x (1 + volume) = 1: a tenth more bears 9.09 % fewer sales.
    """
    return 1.0 / (1.0 + price_share) - 1.0


def _scenario(text: str) -> Scenario:
    key, equals, value = (part.strip() for part in text.partition("="))
    if not equals or key.lower() not in KEYS:
        raise ValueError(
            f"--scenario {text!r} is not one of {', '.join(f'{key}=' for key in KEYS)}"
        )
    if key.lower() == "launch":
        return Scenario(f"launch={value}", launches=(_launch(text, value),))
    lever, share = key.lower(), _share(text, value)
    return Scenario(f"{lever}={value}", shares=((lever, share),))


def _share(text: str, value: str) -> float:
    found = SHARE.fullmatch(value)
    if found is None:
        raise ValueError(f"--scenario {text!r} needs a change in percent with its sign (+10%)")
    percent = Decimal(found[1])
    if not -100 < percent <= LARGEST_PERCENT:
        raise ValueError(f"--scenario {text!r} must lie above -100% and not above +1000%")
    return float(percent / 100)


def _launch(text: str, value: str) -> Launch:
    name, at, day = value.rpartition("@")
    if not at or not name.strip():
        raise ValueError(
            f"--scenario {text!r} needs a name and a day (launch=my-course@2026-12-10)"
        )
    try:
        return Launch(name.strip(), parse_day(day))
    except ValueError as problem:
        raise ValueError(f"--scenario {text!r}: {problem}") from None
