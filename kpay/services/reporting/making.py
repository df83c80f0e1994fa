"""Reports by their name, and what their options mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from kpay.domain.document import Document
from kpay.domain.period import local_day
from kpay.domain.reports.scope import Scope, asked_period, moment_known, read_until
from kpay.errors import UsageProblem
from kpay.store.engine import Store

Make = Callable[[Connection, Scope], Document]


def report(store: Store, make: Make, scope: Scope) -> Document:
    """Make one report from one state of the store."""
    with store.reading() as connection:
        return make(connection, scope)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report was asked for, as it was typed."""

    month: str | None = None
    since: str | None = None
    until: str | None = None
    as_of: str | None = None
    policy: str = "kpay"
    shows_emails: bool = False


def scope_of(
    asked: Asked, *, now: datetime, timezone: str, base_currency: str, last_sync: str | None
) -> Scope:
    """Read a report's options; UsageProblem says which of them is wrong."""
    try:
        known = moment_known(asked.as_of, now, timezone)
        last = local_day(known - timedelta(seconds=1), timezone)
        period = asked_period(asked.month, asked.since, asked.until, last=last, timezone=timezone)
    except ValueError as error:
        today = local_day(now, timezone)
        raise UsageProblem(str(error), _corrected(str(error), asked.until, today)) from error
    return Scope(
        period,
        known,
        timezone,
        base_currency,
        read_until(last_sync, known),
        asked.policy,
        asked.shows_emails,
    )


def _corrected(problem: str, until: str | None, today: date) -> str:
    """Return the option that is wrong with something in it that would do, else where help is."""
    option = problem.partition(" ")[0]
    if not option.startswith("--") or "together" in problem:
        return "kpay report --help"
    if option == "--month":
        return f"--month {today:%Y-%m}"
    if "needs --since" in problem:
        return f"--since {(until or '').strip()[:7]}-01"
    return f"{option} {today}"
