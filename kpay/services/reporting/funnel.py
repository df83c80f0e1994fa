"""The funnel report: from traffic, messages and orders in the store to factors of revenue."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from kpay.domain import funnel_windows as windows
from kpay.domain.document import Document
from kpay.domain.enums import MailKind
from kpay.domain.funnel import CLICK, CONVERSION, PURCHASE, Steps, together
from kpay.domain.origins import Origin, OriginKind
from kpay.domain.period import Period, days, local_day, start_of_day
from kpay.domain.reports import scope as report_scope
from kpay.domain.reports.behind import Behind, BehindRow
from kpay.domain.reports.funnel import FunnelReport
from kpay.domain.reports.funnel_channel import Channel
from kpay.domain.reports.scope import Scope
from kpay.store import enrolments, origins
from kpay.store.figures import funnel as figures
from kpay.store.figures.funnel import OrdersFrom

DAYS_SHOWN: Final = 30
LATEST_TRAFFIC_DAYS: Final = 60  # older traffic is no reason to report older days
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
class _Counted:
    """What was counted in one period, in one currency."""

    site: Steps
    sources: Mapping[str, Steps]
    mails: Mapping[str, Steps]
    sourceless: int
    whole_days: tuple[date, date] | None

    @property
    def mail(self) -> Steps:
        return together(list(self.mails.values())) if self.mails else Steps(0, 0, 0, 0)

    @property
    def total(self) -> Steps:
        return together([self.site, self.mail]) if self.mails else self.site


def funnel_report(connection: Connection, scope: Scope) -> FunnelReport:
    """Count the steps of the period that was asked for, else of the last 30 days with traffic."""
    asked = scope.period or _usual_period(connection, scope)
    known = _whole_days(scope, asked)
    before = report_scope.before(asked, known)
    tokens = mail_tokens(connection)
    orders = figures.orders_from(connection, known.start, known.end)
    earlier_orders = figures.orders_from(connection, before.start, before.end)
    currency = _main_currency([*orders, *earlier_orders], scope.base_currency)
    now = _counted(connection, known, orders, tokens, currency)
    then = _counted(connection, before, earlier_orders, tokens, currency)
    return FunnelReport(
        scope,
        asked,
        known,
        currency,
        Channel("all together", "all", now.total, then.total),
        Channel("site", "site", now.site, then.site),
        Channel("mail", "mail", now.mail, then.mail),
        _channels(now, then),
        _apart(orders, currency),
        now.sourceless,
        _hint(connection, now, known),
    )


def mail_tokens(connection: Connection) -> Tokens:
    """Return the tokens that buy links in mails carry, with the kind of mail."""
    slugs = origins.slugs(connection)
    known = (
        *(Origin(OriginKind.CAMPAIGN, name) for name in origins.campaign_names(connection)),
        *(Origin(OriginKind.SEQUENCE, name) for name in enrolments.names(connection)),
        *(Origin(OriginKind.PURCHASE, slug) for slug in slugs),
    )
    return {origin.token: KIND_OF_TOKEN[origin.kind] for origin in known}


def _usual_period(connection: Connection, scope: Scope) -> Period:
    """Return the 30 days that end with the newest traffic, or with the last day that is over."""
    last = local_day(scope.as_of, scope.timezone) - timedelta(days=1)
    newest = figures.last_traffic_day(connection, last)
    is_recent = newest is not None and last - newest < timedelta(days=LATEST_TRAFFIC_DAYS)
    end = newest if newest is not None and is_recent else last
    return days(end - timedelta(days=DAYS_SHOWN - 1), end, scope.timezone)


def _whole_days(scope: Scope, asked: Period) -> Period:
    """Return the part of a period whose days are over: of today, traffic is not known whole."""
    today = start_of_day(local_day(scope.as_of, scope.timezone), scope.timezone)
    end = max(asked.start, min(asked.end, today))
    return Period(asked.start, end, scope.timezone)


def _main_currency(orders: Sequence[OrdersFrom], base: str) -> str:
    count: Counter[str] = Counter()
    for one in orders:
        count[one.currency] += one.orders
    if not count or base in count:
        return base
    return max(sorted(count), key=lambda code: count[code])


def _in(orders: Sequence[OrdersFrom], currency: str) -> list[OrdersFrom]:
    return [one for one in orders if one.currency == currency]


def _apart(orders: Sequence[OrdersFrom], currency: str) -> tuple[tuple[str, int, int], ...]:
    codes = sorted({one.currency for one in orders} - {currency})
    sums = [(code, _steps_of(_in(orders, code))) for code in codes]
    return tuple((code, each.orders or 0, each.paid_minor or 0) for code, each in sums)


def _counted(
    connection: Connection,
    period: Period,
    every: Sequence[OrdersFrom],
    tokens: Tokens,
    currency: str,
) -> _Counted:
    orders = _in(every, currency)
    listed = _days_of(period)
    traffic = figures.traffic(connection, listed[0], listed[-1]) if listed else ()
    of_site = [one for one in orders if one.token not in tokens]
    visits, clicks = _by_source(traffic, 2), _by_source(traffic, 3)
    all_visits, all_clicks = _added(visits.values()), _added(clicks.values())
    problem = windows.days_problem(_added([all_visits, all_clicks]), listed)
    site = _checked(
        _site_steps(all_visits, all_clicks, _steps_of(of_site)),
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
    return _Counted(
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


def _added(counts: Any) -> dict[date, int]:
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
    steps = replace(_steps_of(_in(orders, currency)), reach=came)
    return {KNOWN_READERS: _checked(steps, None, None)}


def _source_steps(
    visits: Mapping[date, int] | None,
    clicks: Mapping[date, int] | None,
    orders: Steps | None,
    problem: str | None,
    usual_click_share: Any,
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


def _steps_of(orders: Sequence[OrdersFrom]) -> Steps:
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
    return {name: _steps_of(some) for name, some in by_source.items()}


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
                _steps_of(by_kind[kind]),
                reach=sent.get(kind, 0),
                clicks=None if clicked is None else clicked.get(kind, 0),
            ),
            None,
            None,
        )
        for kind, name in MAIL_NAMES.items()
        if kind in sent or by_kind[kind]
    }


def _channels(now: _Counted, then: _Counted) -> tuple[Channel, ...]:
    sources = [
        Channel(name, "site", steps, then.sources.get(name, Steps()))
        for name, steps in now.sources.items()
    ]
    mails = [
        Channel(name, "mail", steps, then.mails.get(name, Steps(0, 0, 0, 0)))
        for name, steps in now.mails.items()
    ]
    return (*sources, *mails)


def _hint(connection: Connection, now: _Counted, known: Period) -> tuple[str, ...]:
    if now.whole_days:
        first, last = now.whole_days
        return (f"kpay report funnel --since {first} --until {last}",)
    if now.site.clicks is None and known.start < known.end:
        return ("kpay import traffic FILE",)
    return ()


def document(connection: Connection, scope: Scope) -> Document:
    """Make the funnel report."""
    return funnel_report(connection, scope).to_document()


def explain(connection: Connection, scope: Scope, metric: str) -> Behind | None:
    """Open orders or revenue, of all together or of the site or the mail: the orders themselves."""
    kind, _, name = metric.rpartition("_")
    if name not in ("orders", "revenue") or kind not in ("", "site", "mail"):
        return None
    found = funnel_report(connection, scope)
    tokens = mail_tokens(connection)
    wanted: Callable[[Any], bool] = {
        "": lambda row: True,
        "site": lambda row: row["token"] not in tokens,
        "mail": lambda row: row["token"] in tokens,
    }[kind]
    is_money = name == "revenue"
    rows = tuple(
        _behind_row(row, tokens, is_money=is_money)
        for row in figures.order_rows(connection, found.known.start, found.known.end)
        if row["currency"] == found.currency and wanted(row)
    )
    value = found.to_document().metrics[metric].value
    currency = found.currency if is_money else None
    return Behind(metric, scope, found.known, int(value or 0), rows, currency)


def _behind_row(row: Any, tokens: Tokens, *, is_money: bool) -> BehindRow:
    mail = tokens.get(row["token"])
    what = MAIL_NAMES[mail] if mail else source_of(row["tracking"]) or "site"
    customer = row["email"] or row["name"] or f"customer {row['customer_id']}"
    amount = row["total_minor"] if is_money else 1
    return BehindRow(row["ordered_at"], customer, f"order, by {what}", amount, row["external_id"])
