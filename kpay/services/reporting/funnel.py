"""The funnel report: from traffic, messages and orders in the store to factors of revenue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from kpay.domain import funnel_windows as windows
from kpay.domain.document import Document
from kpay.domain.funnel import Steps
from kpay.domain.period import (
    Period,
    add_months,
    days,
    local_day,
    month_start,
    start_of_day,
)
from kpay.domain.reports import scope as report_scope
from kpay.domain.reports.behind import Behind, BehindRow
from kpay.domain.reports.funnel import FunnelReport
from kpay.domain.reports.funnel_channel import Channel
from kpay.domain.reports.scope import Scope
from kpay.services.reporting.funnel_counts import (
    MAIL_NAMES,
    Asked,
    Counted,
    Tokens,
    count_steps,
    in_currency,
    mail_tokens,
    source_of,
    steps_of,
)
from kpay.store.figures import funnel as figures
from kpay.store.figures.funnel import OrdersFrom

DAYS_SHOWN: Final = 30
LATEST_TRAFFIC_DAYS: Final = 60  # older traffic is no reason to report older days


def funnel_report(connection: Connection, scope: Scope) -> FunnelReport:
    """Count the steps of the period that was asked for, else of the last 30 days with traffic."""
    counted = figures.traffic_days(connection, _last_day(scope))
    asked = scope.period or _usual_period(counted, scope)
    known = _whole_days(scope, asked)
    before = report_scope.before(asked, known)
    tokens, spacing = mail_tokens(connection), windows.spacing_days(counted)
    orders = figures.orders_from(connection, known.start, known.end)
    earlier_orders = figures.orders_from(connection, before.start, before.end)
    currency = _main_currency([*orders, *earlier_orders], scope.base_currency)
    now = count_steps(connection, Asked(known, orders, spacing), tokens, currency)
    then = count_steps(connection, Asked(before, earlier_orders, spacing), tokens, currency)
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


def _usual_period(counted: Sequence[date], scope: Scope) -> Period:
    """Return the 30 days that end with the newest traffic, or with the last day that is over.

    Days before traffic was first counted are left out; sums of weeks or months are taken whole.
    """
    last = _last_day(scope)
    newest = counted[-1] if counted else None
    if newest is None or (last - newest).days >= LATEST_TRAFFIC_DAYS:
        return days(last - timedelta(days=DAYS_SHOWN - 1), last, scope.timezone)
    spacing = windows.spacing_days(counted)
    if spacing == windows.MONTH_DAYS:
        first = month_start(newest)
        return days(first, add_months(first, 1) - timedelta(days=1), scope.timezone)
    end = min(last, newest + timedelta(days=spacing - 1))
    first = max(end - timedelta(days=DAYS_SHOWN - 1), counted[0])
    return days(first, end, scope.timezone)


def _last_day(scope: Scope) -> date:
    return local_day(scope.as_of, scope.timezone) - timedelta(days=1)


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


def _apart(orders: Sequence[OrdersFrom], currency: str) -> tuple[tuple[str, int, int], ...]:
    codes = sorted({one.currency for one in orders} - {currency})
    sums = [(code, steps_of(in_currency(orders, code))) for code in codes]
    return tuple((code, each.orders or 0, each.paid_minor or 0) for code, each in sums)


def _channels(now: Counted, then: Counted) -> tuple[Channel, ...]:
    sources = [
        Channel(name, "site", steps, then.sources.get(name, Steps()))
        for name, steps in now.sources.items()
    ]
    mails = [
        Channel(name, "mail", steps, then.mails.get(name, Steps(0, 0, 0, 0)))
        for name, steps in now.mails.items()
    ]
    return (*sources, *mails)


def _hint(connection: Connection, now: Counted, known: Period) -> tuple[str, ...]:
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
