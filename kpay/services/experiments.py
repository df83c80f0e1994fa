"""Measuring campaigns: who bought in the fortnight after each, mailed or held out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping

from kpay.domain.address import normal_email
from kpay.domain.campaign_results import WINDOW_DAYS, ByLink, CampaignResults
from kpay.domain.experiment import Arm, effect
from kpay.domain.looks import INTERIM_LEVEL
from kpay.domain.origins import Origin, OriginKind
from kpay.domain.period import Period, local_day
from kpay.domain.pooled_results import PooledResults
from kpay.domain.reports.scope import asked_period
from kpay.errors import Refused, UsageProblem
from kpay.services import campaign_files, subject_trials
from kpay.services.letters import Wording
from kpay.services.mail_desk import MailDesk
from kpay.store import campaigns, origins, outcomes

HALF_A_YEAR_DAYS = 182
SHORTEST_HISTORY_DAYS = 28

Spent = Mapping[str, Mapping[str, int]]
"""What each buyer paid, by currency."""


def results(
    desk: MailDesk, name: str, now: datetime, *, level: float, days: int = WINDOW_DAYS
) -> CampaignResults:
    """Compare what mailed and held-out people bought within `days` of the first message.

    Raises NotFound, or Refused when nothing was sent yet.
    """
    with desk.store.reading() as connection:
        campaign = campaigns.find(connection, name)
        if campaign is None or campaign["first_sent_at"] is None:
            campaign_files.read(desk.reader, desk.home, name)
            raise Refused(f"{name!r} was not sent yet", f"kpay campaign send {name}")
        return measured(connection, campaign, now, base=desk.base_currency, level=level, days=days)


def pooled(
    desk: MailDesk, now: datetime, *, level: float, chosen: Period | None = None
) -> PooledResults:
    """Return what all finished sends did together, or those whose first message was in `chosen`."""
    with desk.store.reading() as connection:
        begun = [
            campaign
            for campaign in outcomes.begun(connection)
            if chosen is None or campaign["first_sent_at"] in chosen
        ]
        every = [
            measured(connection, campaign, now, base=desk.base_currency, level=level)
            for campaign in begun
        ]
    return pooled_of(every, base=desk.base_currency, level=level, chosen=chosen)


def pooled_of(
    every: Sequence[CampaignResults], *, base: str, level: float, chosen: Period | None = None
) -> PooledResults:
    """Put finished sends with a held-out group together, and say why the others are left out."""
    sends, left_out = [], {}
    for one in every:
        if not one.is_over:
            left_out[one.campaign] = "its window is not over"
        elif one.buyers.buyers is None:
            left_out[one.campaign] = "nobody was held out"
        else:
            sends.append(one)
    asked = (chosen.start, chosen.end) if chosen is not None else None
    return PooledResults(base, tuple(sends), left_out, level, asked)


def asked_days(
    since: str | None, until: str | None, *, now: datetime, timezone: str
) -> Period | None:
    """Read --since and --until, the days of first messages; None when neither is given."""
    try:
        return asked_period(None, since, until, last=local_day(now, timezone), timezone=timezone)
    except ValueError as problem:
        raise UsageProblem(str(problem), "kpay campaign results --since 2026-01-01") from problem


def half_year_sends(connection: Connection, now: datetime) -> float | None:
    """Return how many sends half a year brings at this creator's pace; None before the first one."""
    begun = outcomes.begun_since(connection, now - timedelta(days=HALF_A_YEAR_DAYS))
    if not begun:
        return None
    lived = max((now - begun[0]).days, SHORTEST_HISTORY_DAYS)
    return len(begun) * HALF_A_YEAR_DAYS / lived


def measured(
    connection: Connection,
    campaign: RowMapping,
    now: datetime,
    *,
    base: str,
    level: float,
    days: int = WINDOW_DAYS,
) -> CampaignResults:
    """Compare the people of one campaign, mailed and held out, as known at a moment."""
    since = campaign["first_sent_at"]
    end = since + timedelta(days=days)
    until, is_over = min(end, now + timedelta(seconds=1)), now >= end
    sizes = outcomes.group_sizes(connection, campaign["id"])
    spent = _spent(campaigns.orders_between(connection, since, until))
    emails = {email for by_person in spent.values() for email in by_person}
    is_held_out = outcomes.groups_of(connection, campaign["id"], emails)
    token = Origin(OriginKind.CAMPAIGN, campaign["name"]).token
    shown_level = level if is_over else max(level, INTERIM_LEVEL)
    plan = campaigns.plan_of(connection, campaign["id"], campaign["plan_hash"])
    arms = {code: _arms(sizes, is_held_out, paid) for code, paid in spent.items()}
    return CampaignResults(
        campaign=campaign["name"],
        base=base,
        since=since,
        until=min(end, now),
        is_over=is_over,
        buyers=effect(*_arms(sizes, is_held_out, dict.fromkeys(emails, 1)), shown_level),
        money={
            code: effect(*arms.get(code, _arms(sizes, is_held_out, {})), shown_level)
            for code in _currencies(arms, base)
        },
        by_link=_by_link(origins.orders_from(connection, token, since, until)),
        trial=subject_trials.trial(connection, campaign, _subjects(plan), now),
        ends_at=end,
        is_planned_window=days == WINDOW_DAYS,
        worth=plan["figures"].get("worth") if plan is not None else None,
    )


def _subjects(plan: RowMapping | None) -> Sequence[str]:
    return Wording.of_json(plan["wording"]).subjects if plan is not None else ()


def _by_link(orders: Sequence[RowMapping]) -> ByLink:
    """Count the buyers that the mail's own links brought, whoever they are."""
    paid: Counter[str] = Counter()
    for order in orders:
        paid[order["currency"]] += order["total_minor"]
    known = {normal_email(order["email"]) for order in orders if order["email"]}
    nameless = sum(not order["email"] for order in orders)
    return ByLink(len(known) + nameless, len(orders), dict(paid))


def _spent(orders: Iterable[RowMapping]) -> Spent:
    """Return what each buyer paid, by currency."""
    spent: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for order in orders:
        if order["total_minor"] > 0 and order["email"]:
            spent[order["currency"]][normal_email(order["email"])] += order["total_minor"]
    return spent


def _currencies(arms: Mapping[str, tuple[Arm, Arm]], base: str) -> list[str]:
    """Return the base currency, and the others in which somebody of the campaign paid."""
    others = {code for code, pair in arms.items() if pair[0].buyers + pair[1].buyers}
    return [base, *sorted(others - {base})]


def _arms(
    sizes: tuple[int, int], is_held_out: Mapping[str, bool], paid: Mapping[str, int]
) -> tuple[Arm, Arm]:
    """Return the people mailed and held out, with what their buyers paid."""
    spent: tuple[list[int], list[int]] = ([], [])
    for email in sorted(paid.keys() & is_held_out.keys()):
        spent[is_held_out[email]].append(paid[email])
    return Arm(sizes[0], tuple(spent[0])), Arm(sizes[1], tuple(spent[1]))
