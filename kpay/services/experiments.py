"""Measuring a campaign: who bought in the fortnight after it, mailed or held out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import RowMapping

from kpay.domain.address import normal_email
from kpay.domain.campaign_results import ByLink, CampaignResults
from kpay.domain.enums import DeliveryState
from kpay.domain.experiment import Arm, Effect, effect
from kpay.domain.origins import Origin, OriginKind
from kpay.errors import Refused
from kpay.services import campaign_files
from kpay.services.mail_desk import MailDesk
from kpay.store import campaigns, deliveries, origins

WINDOW_DAYS = 14


def results(
    desk: MailDesk, name: str, now: datetime, *, level: float, days: int = WINDOW_DAYS
) -> CampaignResults:
    """Compare what mailed and held-out people bought within `days` of the first message.

    Raises NotFound, or Refused when nothing was sent yet.
    """
    with desk.store.reading() as connection:
        campaign = campaigns.find(connection, name)
        since = campaign["first_sent_at"] if campaign is not None else None
        if campaign is None or since is None:
            campaign_files.read(desk.reader, desk.home, name)
            raise Refused(f"{name!r} was not sent yet", f"kpay campaign send {name}")
        end = since + timedelta(days=days)
        people = deliveries.of_campaign(connection, campaign["id"])
        until = min(end, now + timedelta(seconds=1))
        orders = campaigns.orders_between(connection, since, until)
        token = Origin(OriginKind.CAMPAIGN, name).token
        by_link = _by_link(origins.orders_from(connection, token, since, until))
    treated = {one["email"] for one in people if one["state"] != DeliveryState.HELD_OUT}
    held_out = {one["email"] for one in people if one["state"] == DeliveryState.HELD_OUT}
    spent = _spent(orders, treated | held_out)
    currencies = [desk.base_currency, *sorted(spent.keys() - {desk.base_currency})]
    buyers: dict[str, int] = {}
    for by_person in spent.values():
        buyers |= dict.fromkeys(by_person, 1)
    return CampaignResults(
        campaign=name,
        base=desk.base_currency,
        since=since,
        until=min(end, now),
        is_over=now >= end,
        buyers=_effect(treated, held_out, buyers, level),
        money={
            currency: _effect(treated, held_out, spent.get(currency, {}), level)
            for currency in currencies
        },
        by_link=by_link,
    )


def _by_link(orders: Sequence[RowMapping]) -> ByLink:
    """Count the buyers that the mail's own links brought, whoever they are."""
    paid: Counter[str] = Counter()
    for order in orders:
        paid[order["currency"]] += order["total_minor"]
    known = {normal_email(order["email"]) for order in orders if order["email"]}
    nameless = sum(not order["email"] for order in orders)
    return ByLink(len(known) + nameless, len(orders), dict(paid))


def _spent(orders: Iterable[RowMapping], people: set[str]) -> dict[str, dict[str, int]]:
    """Return what each of these people paid, by currency."""
    spent: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for order in orders:
        email = normal_email(order["email"] or "")
        if email in people and order["total_minor"] > 0:
            so_far = spent[order["currency"]].get(email, 0)
            spent[order["currency"]][email] = so_far + order["total_minor"]
    return dict(spent)


def _effect(
    treated: set[str], held_out: set[str], spent: Mapping[str, int], level: float
) -> Effect:
    return effect(_arm(treated, spent), _arm(held_out, spent), level)


def _arm(people: set[str], spent: Mapping[str, int]) -> Arm:
    return Arm(len(people), tuple(spent[email] for email in sorted(people & spent.keys())))
