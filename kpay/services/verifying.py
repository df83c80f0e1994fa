"""Whether store and provider agree, movement by movement and payout by payout, to the cent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from kpay.domain.checkout import Account
from kpay.domain.money import format_minor
from kpay.domain.resources import BY_NAME
from kpay.errors import ResourceUnsupported
from kpay.ports import PaymentSource
from kpay.store import billing
from kpay.store.engine import Store

MOVEMENTS = BY_NAME["balance_transactions"]
Movements = dict[str, tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Verified:
    """The provider's own sums, and every difference in words, with the id it is about."""

    net_by_currency: dict[str, int]
    differences: tuple[str, ...]


def verify(store: Store, source: PaymentSource, account: Account) -> Verified:
    """List all movements of the balance again, and each payout's, and compare them with the store."""
    there = {raw["id"]: (int(raw["net"]), str(raw["currency"])) for raw in _listed(source, {})}
    with store.reading() as connection:
        here = billing.movements(connection, account)
        payouts = billing.paid_payouts(connection, account)
    differences = list(_movement_differences(here, there))
    ties: dict[str, list[str]] = {}
    for payout in payouts:
        listed = _movements_of(source, payout.external_id)
        ties[payout.external_id] = [raw["id"] for raw in listed]
        differences += _payout_difference(payout, listed)
    _tie(store, account, ties)
    net: Counter[str] = Counter()
    for minor, currency in there.values():
        net[currency] += minor
    return Verified(dict(sorted(net.items())), tuple(differences))


def _listed(source: PaymentSource, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
    asked = {**MOVEMENTS.list_parameters(), **wanted}
    while True:
        page = source.page(MOVEMENTS.path, asked)
        yield from page.objects
        if not page.has_more or not page.objects:
            return
        asked["starting_after"] = page.objects[-1]["id"]


def _movements_of(source: PaymentSource, payout: str) -> list[dict[str, Any]]:
    """Return what a payout brought to the bank; a payout made by hand does not tell."""
    try:
        return [raw for raw in _listed(source, {"payout": payout}) if raw["type"] != "payout"]
    except ResourceUnsupported:
        return []


def _movement_differences(here: Movements, there: Movements) -> Iterator[str]:
    for one in sorted(there.keys() - here.keys()):
        yield f"{one} ({format_minor(*there[one])}) is at Stripe but not in the store"
    for one in sorted(here.keys() - there.keys()):
        yield f"{one} ({format_minor(*here[one])}) is in the store but not at Stripe"
    for one in sorted(here.keys() & there.keys()):
        if here[one] != there[one]:
            stored, listed = format_minor(*here[one]), format_minor(*there[one])
            yield f"{one} is {stored} in the store but {listed} at Stripe"


def _payout_difference(payout: Any, listed: list[dict[str, Any]]) -> list[str]:
    brought = sum(raw["net"] for raw in listed)
    if not listed or brought == payout.amount_minor:
        return []
    paid = format_minor(payout.amount_minor, payout.currency)
    return [
        f"{payout.external_id} paid {paid}, but its movements add up to "
        f"{format_minor(brought, payout.currency)}"
    ]


def _tie(store: Store, account: Account, ties: dict[str, list[str]]) -> None:
    """Remember which payout each movement went with, where that is news."""
    with store.reading() as connection:
        known = billing.payouts_of_movements(connection, account)
    news = {
        payout: [one for one in movements if known.get(one) != payout]
        for payout, movements in ties.items()
    }
    if any(news.values()):
        with store.writing() as connection:
            _write_ties(connection, account, news)


def _write_ties(connection: Connection, account: Account, news: dict[str, list[str]]) -> None:
    for payout, movements in news.items():
        billing.tie_to_payout(connection, account, payout, movements)
