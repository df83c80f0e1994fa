"""Counting the steps of a funnel in one period: by source, by kind of mail, and the site as a whole."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import Connection

from kpay.domain import funnel_windows as windows
from kpay.domain.enums import MailKind
from kpay.domain.funnel import CLICK, CONVERSION, PURCHASE, Steps, together
from kpay.domain.origins import Origin, OriginKind
from kpay.domain.period import Period
from kpay.store import enrolments, origins
from kpay.store.figures import funnel as figures
from kpay.store.figures.funnel import OrdersFrom

KNOWN_READERS: Final = "known readers who came"
MAIL_NAMES: Final = {
    MailKind.CAMPAIGN.value: "campaigns",
    MailKind.SEQUENCE.value: "sequences",
    MailKind.PURCHASE.value: "mails of purchases",
}
KIND_OF_TOKEN: Final = {
    OriginKind.CAMPAIGN: MailKind.CAMPAIGN.value,
    OriginKind.SEQUENCE: MailKind.SEQUENCE.value,
    OriginKind.PURCHASE: MailKind.PURCHASE.value,
}
Tokens = Mapping[str, str]
"""The tokens of buy links in mails, with the kind of mail."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted in one period, in one currency.

    `sourceless` are orders of the site that name no source; `whole_days` the longest stretch of days with
    traffic, where it has gaps.
    """

    site: Steps
    sources: Mapping[str, Steps]
    mails: Mapping[str, Steps]
    sourceless: int
    whole_days: tuple[date, date] | None

    @property
    def mail(self) -> Steps:
        """All kinds of mail together."""
        return together(list(self.mails.values())) if self.mails else Steps(0, 0, 0, 0)

    @property
    def total(self) -> Steps:
        """The site and, where any was sent or sold by, the mail."""
        return together([self.site, self.mail]) if self.mails else self.site


@dataclass(frozen=True, slots=True)
class Asked:
    """A period, its orders in whatever currency, and how many days a row of traffic stands for."""

    period: Period
    orders: Sequence[OrdersFrom]
    spacing: int


def mail_tokens(connection: Connection) -> Tokens:
    """Return the tokens that buy links in mails carry, with the kind of mail."""
    slugs = origins.slugs(connection)
    known = (
        *(Origin(OriginKind.CAMPAIGN, name) for name in origins.campaign_names(connection)),
        *(Origin(OriginKind.SEQUENCE, name) for name in enrolments.names(connection)),
        *(Origin(OriginKind.PURCHASE, slug) for slug in slugs),
    )
    return {origin.token: KIND_OF_TOKEN[origin.kind] for origin in known}


def in_currency(orders: Sequence[OrdersFrom], currency: str) -> list[OrdersFrom]:
    """Return the orders in one currency."""
    return [one for one in orders if one.currency == currency]


def count_steps(connection: Connection, asked: Asked, tokens: Tokens, currency: str) -> Counted:
    """Count the steps of a period."""
    period, orders = asked.period, in_currency(asked.orders, currency)
    listed = _days_of(period)
    traffic = figures.traffic(connection, listed[0], listed[-1]) if listed else ()
    of_site = [one for one in orders if one.token not in tokens]
    visits, clicks = _by_source(traffic, 2), _by_source(traffic, 3)
    all_visits, all_clicks = _added(visits.values()), _added(clicks.values())
    problem = windows.days_problem(_added([all_visits, all_clicks]), listed, asked.spacing)
    site = _checked(
        _site_steps(all_visits, all_clicks, steps_of(of_site)),
        windows.click_problem(all_visits, all_clicks),
        problem,
    )
    by_source = _tagged(of_site)
    usual = site.factor(CLICK)
    sources = {
        name: _source_steps(visits.get(name), clicks.get(name), by_source.get(name), problem, usual)
        for name in sorted({*visits, *by_source})
    }
    named = sum(each.orders or 0 for each in sources.values())
    if not traffic:
        sources |= _known_readers(connection, period, currency)
    return Counted(
        site,
        sources,
        _mails(connection, period, [one for one in orders if one.token in tokens], tokens),
        (site.orders or 0) - named,
        windows.longest_run(all_visits, listed) if problem else None,
    )


def _days_of(period: Period) -> list[date]:
    if period.start >= period.end:
        return []
    count = (period.last_day - period.first_day).days + 1
    return [period.first_day + timedelta(days=number) for number in range(count)]


def _by_source(rows: Sequence[tuple[Any, ...]], place: int) -> dict[str, dict[date, int]]:
    found: dict[str, dict[date, int]] = defaultdict(dict)
    for row in rows:
        found[row[1]][row[0]] = row[place]
    return found


def _added(counts: Iterable[Mapping[date, int]]) -> dict[date, int]:
    total: Counter[date] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _site_steps(visits: Mapping[date, int], clicks: Mapping[date, int], orders: Steps) -> Steps:
    """Return the site's steps; a site of which no visit or no click was counted has none, not zero."""
    seen, clicked = sum(visits.values()), sum(clicks.values())
    return replace(orders, reach=seen or None, clicks=clicked or None)


def _known_readers(connection: Connection, period: Period, currency: str) -> dict[str, Steps]:
    """Return the readers whose visits are known by name, and what they ordered: better than nothing."""
    came = figures.visitors(connection, period.start, period.end)
    if not came:
        return {}
    orders = figures.orders_from(connection, period.start, period.end, of_visitors=True)
    steps = replace(steps_of(in_currency(orders, currency)), reach=came)
    return {KNOWN_READERS: _checked(steps, None, None)}


def _source_steps(
    visits: Mapping[date, int] | None,
    clicks: Mapping[date, int] | None,
    orders: Steps | None,
    problem: str | None,
    usual_click_share: Fraction | None,
) -> Steps:
    """Return one source's steps: its orders are known only where orders name it."""
    found = orders or Steps()
    if visits is None:
        return found
    seen, clicked = sum(visits.values()), sum((clicks or {}).values())
    is_blind = not clicked and windows.is_uncounted(seen, float(usual_click_share or 1.0))
    steps = replace(found, reach=seen, clicks=None if is_blind else clicked)
    return _checked(steps, windows.click_problem(visits, clicks or {}), problem)


def _checked(steps: Steps, click_problem: str | None, days_problem: str | None) -> Steps:
    """Refuse the factors whose steps were not counted in the same days, or are no part of another."""
    refused: dict[str, str] = {}
    if click_problem:
        refused |= {CLICK: click_problem, PURCHASE: click_problem}
    if days_problem and steps.orders is not None:
        refused |= {PURCHASE: days_problem, CONVERSION: days_problem}
    for name, part, whole, why in (
        (CLICK, steps.clicks, steps.reach, "more were clicked than reached in these days"),
        (PURCHASE, steps.orders, steps.clicks, "there are more orders than clicks"),
        (CONVERSION, steps.orders, steps.reach, "there are more orders than contacts"),
    ):
        if part is not None and whole and part > whole:
            refused.setdefault(name, why)
    return replace(steps, refused=refused)


def steps_of(orders: Sequence[OrdersFrom]) -> Steps:
    """Add orders up."""
    return Steps(
        orders=sum(one.orders for one in orders),
        paid_minor=sum(one.paid_minor for one in orders),
        squares=sum(one.squares for one in orders),
    )


def _tagged(orders: Sequence[OrdersFrom]) -> dict[str, Steps]:
    by_source: dict[str, list[OrdersFrom]] = defaultdict(list)
    for one in orders:
        name = source_of(one.tags)
        if name:
            by_source[name].append(one)
    return {name: steps_of(some) for name, some in by_source.items()}


def source_of(tags: Mapping[str, Any]) -> str:
    """Return the source that an order's tags name, "" without one."""
    return str(tags.get("utm_source") or "").strip()


def _mails(
    connection: Connection, period: Period, orders: Sequence[OrdersFrom], tokens: Tokens
) -> dict[str, Steps]:
    sent = figures.messages(connection, period.start, period.end)
    by_kind: dict[str, list[OrdersFrom]] = defaultdict(list)
    for one in orders:
        by_kind[tokens[one.token]].append(one)
    clicked: Mapping[str, int] | None = None
    if figures.is_any_click_known(connection, period.end):
        clicked = figures.clicked_messages(connection, period.start, period.end)
    return {
        name: _checked(
            replace(
                steps_of(by_kind[kind]),
                reach=sent.get(kind, 0),
                clicks=None if clicked is None else clicked.get(kind, 0),
            ),
            None,
            None,
        )
        for kind, name in MAIL_NAMES.items()
        if kind in sent or by_kind[kind]
    }
