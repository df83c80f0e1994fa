"""Reasons for a score in words: one sentence for all columns that say the same thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp

from kpay.domain.column_words import counted, shown
from kpay.domain.family_words import words_of
from kpay.ml.explaining import Explanation, Facts, Reason

Values = Mapping[str, float | None]
UNFELT_POINTS = 0.05  # written as 0.0
COLUMNS_SAID = 2


@dataclass(frozen=True, slots=True)
class Said:
    """One reason: what is so, and what it adds, in log odds and in percentage points from the base."""

    says: str
    adds: float
    points: float
    columns: tuple[str, ...]

    @property
    def effect(self) -> str:
        """What it adds, in words."""
        if abs(self.points) < UNFELT_POINTS:
            return "hardly anything"
        return f"{abs(self.points):.1f} points {'more' if self.points > 0 else 'less'}"


def headline(facts: Facts, day: date) -> str:
    """Say what is known of a customer at the end of a day, without any model."""
    times = {1: "once", 2: "twice"}.get(facts.purchase_days, f"{facts.purchase_days:,} times")
    usual = facts.usual_gap_days
    parts = [
        f"Bought {times}",
        *([f"usually every {counted(round(usual), 'day')}"] if usual is not None else []),
        f"{'last ' if facts.purchase_days > 1 else ''}{_ago(facts.silent_days)}",
    ]
    return ", ".join(parts) + _clicks(facts, day)


def _ago(days: int) -> str:
    return f"{counted(days, 'day')} ago" if days else "today"


def _clicks(facts: Facts, day: date) -> str:
    if facts.last_click_days is None:
        mails = counted(facts.mails, "mail")
        return f"; clicked nothing in {mails}" if facts.mails else ""
    on = day - timedelta(days=facts.last_click_days)
    if facts.mails_since_click == 0:
        return f"; last clicked in a mail on {on}"
    return f"; clicked nothing since {on}, in {counted(facts.mails_since_click, 'mail')}"


def reasons(found: Explanation, day: date) -> list[Said]:
    """Return the reasons, the weightiest first; with the base they add up to the score's log odds."""
    themes: dict[str, list[Reason]] = {}
    for part in found.parts:
        themes.setdefault(words_of(part.column).theme, []).append(part)
    said = [_said(theme, parts, found, day) for theme, parts in themes.items()]
    return sorted(said, key=lambda reason: -abs(reason.adds))


def _said(theme: str, parts: list[Reason], found: Explanation, day: date) -> Said:
    adds = sum(part.adds for part in parts)
    names = tuple(part.column for part in parts)
    sentence = SENTENCES.get(theme)
    says = sentence(found.values, day) if sentence else _listed(names, found.values)
    base = found.base_log_odds
    return Said(says, adds, 100 * (chance(base + adds) - chance(base)), names)


def chance(log_odds: float) -> float:
    """Return the probability of log odds."""
    return 1 / (1 + exp(-log_odds)) if log_odds > -500 else 0.0


def _listed(names: tuple[str, ...], values: Values) -> str:
    """Name the weightiest columns with their values."""
    told = [words_of(name) for name in names[:COLUMNS_SAID]]
    return "; ".join(
        f"{words.title}: {shown(words.kind, values.get(name))}"
        for words, name in zip(told, names, strict=False)
    )


def _silence(values: Values, day: date) -> str:
    days = int(values["recency_days"] or 0)
    said = f"Last bought {_ago(days)}, on {day - timedelta(days=days)}"
    if values.get("mean_gap_days") is None:
        return said
    return f"{said}: {shown('multiple', values['overdue'])} times their usual gap"


def _rhythm(values: Values, _day: date) -> str:
    gap, last = values["mean_gap_days"], values["last_gap_days"]
    if gap is None or last is None:
        return "No second purchase yet, so no rhythm"
    return f"Usually buys every {counted(gap, 'day')}, the last time after {counted(last, 'day')}"


def _frequency(values: Values, _day: date) -> str:
    days, lines = values["days_bought"] or 0, values["lines"] or 0
    pieces = values["contents"] or 0
    return (
        f"Bought on {counted(days, 'day')}: {counted(lines, 'item')}, "
        f"{counted(pieces, 'different piece')}"
    )


def _lately(values: Values, _day: date) -> str:
    quarter, year = values["days_bought_90"] or 0, values["days_bought_365"] or 0
    return f"Bought on {counted(quarter, 'day')} of the last 90, and on {year:.0f} of the last 365"


def _money(values: Values, _day: date) -> str:
    if values["days_bought"] == 1:
        return f"Paid {shown('multiple', values['mean_value'])} times a usual purchase"
    mean, last = (shown("multiple", values[name]) for name in ("mean_value", "last_value"))
    return f"Pays {mean} times a usual purchase on average, {last} times the last time"


def _spent_lately(values: Values, _day: date) -> str:
    quarter, year = (shown("multiple", values[f"value_{days}"]) for days in (90, 365))
    return f"Spent {quarter} usual purchases in the last 90 days, {year} in the last 365"


def _tenure(values: Values, day: date) -> str:
    days = int(values["tenure_days"] or 0)
    return f"First bought {_ago(days)}, on {day - timedelta(days=days)}"


def _pattern(values: Values, _day: date) -> str:
    alive = shown("share", values["bg_alive"])
    comes = shown("log_odds", values["bg_logit"])
    return f"By buying rhythm alone: {alive} that they still buy, {comes} that they do in this time"


SENTENCES: dict[str, Callable[[Values, date], str]] = {
    "silence": _silence,
    "rhythm": _rhythm,
    "frequency": _frequency,
    "lately": _lately,
    "money": _money,
    "spent lately": _spent_lately,
    "tenure": _tenure,
    "pattern": _pattern,
}
