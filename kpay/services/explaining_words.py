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
NO_MEMBER = "Never had a subscription"


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


def _rhythm(values: Values, day: date) -> str:
    """Tell silence and purchases together: neither says much without the other."""
    bought, silent = values["days_bought"] or 0, int(values["recency_days"] or 0)
    last = f"Last purchase {_ago(silent)}, on {day - timedelta(days=silent)}"
    if bought == 1:
        return f"{last}, and no second one yet"
    gap = f"{shown('multiple', values['overdue'])} times their usual gap"
    lately = f"{values['days_bought_90'] or 0:.0f} of them in the last 90 days"
    return f"{last}: {gap}; {counted(bought, 'purchase')}, {lately}"


def _money(values: Values, _day: date) -> str:
    mean, lately = (shown("multiple", values[name]) for name in ("mean_value", "value_90"))
    if values["days_bought"] == 1:
        return f"Paid {mean} times a usual purchase"
    return f"Pays {mean} usual purchases at a time; {lately} in the last 90 days"


def _tenure(values: Values, day: date) -> str:
    days = int(values["tenure_days"] or 0)
    return f"First purchase {_ago(days)}, on {day - timedelta(days=days)}"


def _membership(values: Values, _day: date) -> str:
    active, ever = values.get("member_active") or 0, values.get("member_count") or 0
    if not active:
        ended = values.get("member_ended_days")
        return f"No running subscription; {_since('one ended', ended)}" if ever else NO_MEMBER
    leaving = f", {values['member_leaving']:.0f} of them cancelled" * bool(values["member_leaving"])
    charge = values.get("member_charge_days")
    comes = "" if charge is None else f"; the next charge is in {counted(round(charge), 'day')}"
    return f"{counted(active, 'running subscription')}{leaving}{comes}"


def _mail(values: Values, _day: date) -> str:
    sent, clicks = (values.get(f"mail_{what}_90") or 0 for what in ("sent", "clicks"))
    last = values.get("mail_click_days")
    return (
        f"{counted(clicks, 'click')} in {counted(sent, 'mail')} of the last 90 days; "
        f"{_since('last click', last) if last is not None else 'never clicked'}"
    )


def _site(values: Values, _day: date) -> str:
    pages, lessons = (values.get(f"site_{what}_90") for what in ("visits", "lessons"))
    seen = [
        *([] if pages is None else [counted(pages, "page")]),
        *([] if lessons is None else [counted(lessons, "lesson")]),
    ]
    return f"Looked at in the last 90 days: {', '.join(seen) or 'nothing that is known'}"


def _refunds(values: Values, _day: date) -> str:
    back = values.get("refund_count") or 0
    if not back:
        return "Never gave a purchase back"
    return f"Gave {counted(back, 'purchase')} back; {_since('the last', values['refund_days'])}"


def _since(what: str, days: float | None) -> str:
    return f"{what} {_ago(int(days or 0))}"


SENTENCES: dict[str, Callable[[Values, date], str]] = {
    "rhythm": _rhythm,
    "money": _money,
    "tenure": _tenure,
    "membership": _membership,
    "mail": _mail,
    "site": _site,
    "refunds": _refunds,
}
