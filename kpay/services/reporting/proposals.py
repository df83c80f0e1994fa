"""Pieces that could be made: the topics that the signs carry, with a kind, a price and a range."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from math import exp, floor, log10
from typing import Final

from kpay.domain.reports.topic_rows import Proposal, TopicLine
from kpay.domain.reports.topics import MOST_PROPOSALS
from kpay.services.reporting.topic_market import Market, Priced

FEWEST_SIGNS: Final = 10
"""Orders of a topic's pieces and people who asked for it, together."""
MOST_OF_A_KIND: Final = 2
Z80: Final = 1.2816
DIGITS: Final = 2
Made = tuple[tuple[Proposal, ...], str]


def proposed(shop: Market, lines: Sequence[TopicLine], log_demand: Callable[[str], float]) -> Made:
    """Propose at most five pieces, by what they may bring, and say why there are fewer."""
    if shop.learned is None:
        return (), (
            "No piece is proposed: fewer than 8 weeks or 30 purchases are known, too little to tell "
            "topics apart."
        )
    if not shop.priced:
        return (), (
            "No piece is proposed: nothing but memberships and bundles has a price in "
            f"{shop.shelf.currency.upper()}, so that no price of a single piece is known."
        )
    carried = [line for line in lines if _is_carried(line)]
    found: list[Proposal] = []
    kinds: Counter[str] = Counter()
    ranked = [_best_first(shop, line, log_demand(line.topic)) for line in carried]
    for choices in sorted(ranked, key=lambda some: (-some[0].mid_minor, some[0].topic)):
        allowed = [one for one in choices if kinds[one.kind] < MOST_OF_A_KIND]
        if allowed and len(found) < MOST_PROPOSALS:
            found.append(allowed[0])
            kinds[allowed[0].kind] += 1
    return tuple(found), _shortage(len(found), len(lines), len(carried))


def _is_carried(line: TopicLine) -> bool:
    """Say whether enough is known of a topic, and it is no less wanted than the mean piece."""
    is_wanted = line.demand is not None and line.demand.value >= 1
    return is_wanted and line.orders + line.asking >= FEWEST_SIGNS


def _shortage(made: int, topics: int, carried: int) -> str:
    if made >= MOST_PROPOSALS:
        return ""
    number = {0: "No piece is", 1: "Only one piece is"}.get(made, f"Only {made} pieces are")
    if made < carried:
        return f"{number} proposed: at most two of a kind, and too few kinds have a price."
    others = topics - carried
    return (
        f"{number} proposed: of {topics} topics {others} are less wanted than the mean piece, or have "
        f"fewer than {FEWEST_SIGNS} orders and people asking."
    )


def _best_first(shop: Market, line: TopicLine, log_index: float) -> list[Proposal]:
    """Return a topic's proposals at every known kind and price, the safest revenue first."""
    made = [_proposal(shop, line, priced, log_index) for priced in shop.priced]
    return sorted(made, key=lambda one: (-one.low_minor, one.kind, one.price_minor))


def _proposal(shop: Market, line: TopicLine, priced: Priced, log_index: float) -> Proposal:
    orders, error = shop.orders_of_new(line.topic, priced, log_index)
    revenue = orders * priced.price_minor * shop.kept_share
    low, high = (revenue * exp(side * Z80 * error) for side in (-1, 1))
    known = shop.shelf
    slugs = tuple(slug for slug, piece in known.pieces.items() if line.topic in piece.tags)
    return Proposal(
        line.topic,
        priced.kind,
        priced.price_minor,
        rough(orders),
        round(rough(revenue)),
        round(rough(low)),
        round(rough(high)),
        shop.launches,
        _reasons(line),
        slugs,
    )


def rough(value: float) -> float:
    """Return two digits of a figure: more would promise what nobody knows."""
    if value <= 0:
        return 0.0
    return round(value, DIGITS - 1 - floor(log10(value)))


def _reasons(line: TopicLine) -> tuple[str, ...]:
    index = line.demand
    found = []
    if index:
        found.append(
            f"Demand beside supply is {index.value:.2f} (four times in five between {index.low:.2f} and "
            f"{index.high:.2f}); 1 is the mean piece."
        )
    if line.sales:
        plural = "piece has" if line.pieces == 1 else "pieces have"
        found.append(
            f"{line.pieces} {plural} it on sale, with {line.orders:,} orders in the period: "
            f"{line.sales.value:.2f} times what pieces as old, in the same weeks, usually sold."
        )
    if line.looks and line.visits:
        found.append(
            f"Its pieces were looked at {line.visits:,} times, {line.looks.value:.2f} times the usual a day."
        )
    if line.asks:
        found.append(
            f"{line.asking:,} people asked for it: {line.asks.value:.2f} times the mean topic."
        )
    if line.newest_age_days is not None:
        fading = f"; {line.fading} have faded" if line.fading else ""
        found.append(f"The newest of its pieces is {line.newest_age_days} days old{fading}.")
    return tuple(found)
