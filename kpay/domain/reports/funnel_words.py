"""What a funnel report says in words: what moved revenue, what is not given and why, whose orders are whose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kpay.domain import funnel
from kpay.domain.funnel import Steps
from kpay.domain.money import Money
from kpay.domain.reports.funnel_channel import WORDS, Channel

WHOSE: Final = (
    "Orders are first and single purchases that cost something; renewals come by themselves. An "
    "order belongs to the mail whose buy link it came by, else to the site, and there to the source "
    "that its utm_source names."
)
SUMS: Final = {"site": "Site", "mail": "Mail", "all together": "Together"}


def title(channel: Channel) -> str:
    """Name what a channel covers."""
    return {"all": "Site and mail", "site": "The site", "mail": "Mail"}[channel.kind]


def shown_name(channel: Channel) -> str:
    """Name a row of the tables: sums apart from sources, which are named as they are."""
    return SUMS.get(channel.name, channel.name)


def moved(lead: Channel, currency: str) -> str:
    """Say which factor moved revenue most, or that this is not known."""
    parts = funnel.change_parts(lead.before, lead.now)
    if parts is None:
        return "What moved revenue is not known: some factor is unknown now or in the days before."
    name = max(parts, key=lambda each: (abs(parts[each]), each))
    if not parts[name]:
        return "No factor moved revenue against the days before."
    total, part = (_signed(minor, currency) for minor in (sum(parts.values()), parts[name]))
    return f"Revenue changed by {total}; the largest part is the {WORDS[name]}: {part}."


def refusals(channels: Sequence[Channel]) -> list[str]:
    """Say which factors are not given although their steps were counted, each reason once."""
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for one in channels:
        for name, why in sorted(one.now.refused.items()):
            factors, names = found.setdefault(why, ({}, {}))
            factors[WORDS[name]] = names[one.name] = None
    return [
        f"Not given for {', '.join(names)}: {' and '.join(factors)}, because {why}."
        for why, (factors, names) in found.items()
    ]


def apart(others: Sequence[tuple[str, int, int]]) -> list[str]:
    """Name the orders in other currencies, which are in no rate and no sum."""
    return [
        f"{orders:,} {'order' if orders == 1 else 'orders'} in {code.upper()} "
        f"({Money(minor, code)}) {'stands' if orders == 1 else 'stand'} apart."
        for code, orders, minor in others
    ]


def origins(site: Steps, mail: Steps, sourceless: int) -> list[str]:
    """Say whose orders are whose, and what is missing to know more."""
    said = [WHOSE]
    if sourceless and site.reach:
        said.append(f"{sourceless:,} of {site.orders or 0:,} orders of the site name no source.")
    if mail.reach and mail.clicks is None:
        said.append("No click of a reader is known: kpay import events reads them.")
    return said


def _signed(minor: int, currency: str) -> str:
    return f"{'+' if minor > 0 else ''}{Money(minor, currency)}"
