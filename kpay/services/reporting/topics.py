"""The topics report: signs of demand from sales, looks and asking, joined beside what is on sale."""

from __future__ import annotations

from datetime import timedelta
from math import exp, log
from statistics import fmean
from typing import Final

from sqlalchemy import Connection

from kpay.domain.asked_topics import Asked, asked
from kpay.domain.document import Document
from kpay.domain.fading import Pace
from kpay.domain.period import parse_instant
from kpay.domain.person_shown import person_shown
from kpay.domain.reports.behind import Behind, BehindRow
from kpay.domain.reports.scope import Scope
from kpay.domain.reports.topic_rows import Index, TopicLine
from kpay.domain.reports.topics import TopicsReport
from kpay.ml.topic_demand import combined
from kpay.services.reporting.content_shelf import Shelf, shelf
from kpay.services.reporting.customer_behind import Shown
from kpay.services.reporting.proposals import proposed
from kpay.services.reporting.topic_market import Market, market
from kpay.store.figures import topics as figures

ASKED_DAYS: Final = 365
FEWEST_ASKING: Final = 10
FEWEST_LOOKED_AT: Final = 5
APART: Final = 0.25
"""How far (as a variance of logs) looking and asking may lie from buying."""
TOPIC_VARIANCE: Final = 0.25
"""How far topics lie apart where nothing was learned from sales."""
LOOKS_VARIANCE: Final = 0.4
HALF: Final = 0.5
Z80: Final = 1.2816
OUT_OF_SALE: Final = (Pace.FADED, Pace.SILENT)


def document(connection: Connection, scope: Scope) -> Document:
    """Make the topics report."""
    known = shelf(connection, scope)
    return topics_report(known, asks_of(connection, known)).to_document()


def topics_of(known: Shelf) -> tuple[str, ...]:
    """Return the topics that pieces have, ascending."""
    return tuple(sorted({tag for piece in known.pieces.values() for tag in piece.tags}))


def asks_of(connection: Connection, known: Shelf) -> Asked:
    """Return what was asked for in the year before the end of the period, and ticked ever."""
    end = known.known.end
    asks = figures.asks(connection, end - timedelta(days=ASKED_DAYS), end)
    tags = {slug: piece.tags for slug, piece in known.pieces.items()}
    return asked(asks, topics_of(known), tags)


def topics_report(known: Shelf, asks: Asked) -> TopicsReport:
    """Join the signs of each topic, and propose what they carry."""
    topics = topics_of(known)
    shop = market(known, topics)
    signs = _Signs(shop, asks)
    lines = sorted(
        (signs.line(topic) for topic in topics),
        key=lambda line: (-(line.demand.value if line.demand else 0.0), line.topic),
    )
    made, shortage = proposed(shop, lines, signs.log_demand)
    learned = shop.learned
    net = sum(tally.net_minor.get(known.currency, 0) for tally in known.study.tallies.values())
    return TopicsReport(
        known.scope,
        known.period,
        known.currency,
        net,
        tuple(lines),
        made,
        shortage if topics else "",
        asks.unanswered,
        0 if learned is None else len(learned.errors),
        None if learned is None else round(exp(learned.spread), 2),
    )


class _Signs:
    """What sales, looks and asking say of each topic, as logs beside the mean."""

    def __init__(self, shop: Market, asks: Asked) -> None:
        self._shop = shop
        self._shelf = shop.shelf
        self._asks = asks
        self._pieces = {
            topic: [slug for slug, piece in shop.shelf.pieces.items() if topic in piece.tags]
            for topic in shop.topics
        }
        self._looked = self._look_rates()
        people = [asks.people(topic) for topic in shop.topics]
        self._asking = fmean(people) if sum(people) >= FEWEST_ASKING else None

    def log_demand(self, topic: str) -> float:
        """Return all signs joined."""
        return self._joined(topic)[0]

    def line(self, topic: str) -> TopicLine:
        """Return a topic's supply and its signs."""
        known, slugs = self._shelf, self._pieces[topic]
        on_sale = [slug for slug in slugs if known.pieces[slug].archived_at is None]
        states = [known.fading(slug) for slug in on_sale]
        tallies = [known.study.tallies[slug] for slug in slugs if slug in known.study.tallies]
        visits = [known.looks_at(slug).visits for slug in slugs]
        ages = [state.age_days for state in states if state]
        sales, looks, asks = self._sales(topic), self._looks(topic), self._asked(topic)
        return TopicLine(
            topic,
            len(on_sale),
            min(ages, default=None),
            sum(state is not None and state.pace in OUT_OF_SALE for state in states),
            sum(tally.baskets for tally in tallies),
            sum(tally.net_minor.get(known.currency, 0) for tally in tallies),
            None if all(count is None for count in visits) else sum(filter(None, visits)),
            self._asks.people(topic),
            _index(sales),
            _index(looks),
            _index(asks),
            _index(self._joined(topic)) if sales or looks or asks else None,
        )

    def _joined(self, topic: str) -> tuple[float, float]:
        """Join the signs; those that are not of buying itself count as looser."""
        own = self._sales(topic) or (0.0, TOPIC_VARIANCE)
        others = [sign for sign in (self._looks(topic), self._asked(topic)) if sign]
        return combined([own, *((mean, variance + APART) for mean, variance in others)])

    def _sales(self, topic: str) -> tuple[float, float] | None:
        is_sold = any(slug in self._shop.names for slug in self._pieces[topic])
        return self._shop.topic_index(topic) if is_sold and self._shop.learned else None

    def _looks(self, topic: str) -> tuple[float, float] | None:
        mine = [self._looked[slug] for slug in self._pieces[topic] if slug in self._looked]
        if len(self._looked) < FEWEST_LOOKED_AT or not mine:
            return None
        return fmean(mine) - fmean(self._looked.values()), LOOKS_VARIANCE / len(mine)

    def _asked(self, topic: str) -> tuple[float, float] | None:
        if self._asking is None:
            return None
        people = self._asks.people(topic)
        return log((people + HALF) / (self._asking + HALF)), 1 / (people + HALF)

    def _look_rates(self) -> dict[str, float]:
        """Return the logs of looks a day of each piece: of anonymous visits, else of known people."""
        source = self._shelf.all_looks.source
        found = {}
        for slug in self._shelf.pieces:
            looks = self._shelf.looks_at(slug)
            if looks.visits and looks.source == source:
                found[slug] = log(looks.visits / self._days_looked_at(slug))
        return found

    def _days_looked_at(self, slug: str) -> int:
        """Return on how many days of the period looks at a piece could be counted."""
        counted, known = self._shelf.traffic.get(slug), self._shelf.known
        if counted:
            return (counted.last_day - counted.first_day).days + 1
        out = self._shelf.launched(slug) or known.first_day
        return max(1, (known.last_day - max(out, known.first_day)).days + 1)


def _index(sign: tuple[float, float] | None) -> Index | None:
    if sign is None:
        return None
    mean, half = sign[0], Z80 * sign[1] ** HALF
    return Index(*(round(exp(log_), 3) for log_ in (mean, mean - half, mean + half)))


def explain(connection: Connection, scope: Scope, metric: str) -> Behind | None:
    """Open net:TOPIC (orders and refunds of its pieces) and asking:TOPIC (who asked for it, and how)."""
    name, _, topic = metric.partition(":")
    if name not in ("net", "asking") or not topic:
        return None
    known = shelf(connection, scope, opening=None)
    if topic not in topics_of(known):
        return None
    if name == "asking":
        return _asking_behind(connection, known, metric, topic)
    return _net_behind(connection, known, metric, topic)


def _net_behind(connection: Connection, known: Shelf, metric: str, topic: str) -> Behind:
    slugs = {slug for slug, piece in known.pieces.items() if topic in piece.tags}
    parts = [part for part in known.study.parts if part.piece in slugs and part.net_minor]
    parts.sort(key=lambda part: (part.at, part.provider, part.piece))
    shown = Shown(connection, (part.customer for part in parts), known.scope)
    rows = tuple(
        BehindRow(
            parse_instant(part.at),
            shown.said(part.customer),
            f"refund of {part.piece}" if part.is_refund else part.piece,
            part.net_minor,
            part.provider,
        )
        for part in parts
    )
    tallies = [known.study.tallies[slug] for slug in slugs if slug in known.study.tallies]
    value = sum(tally.net_minor.get(known.currency, 0) for tally in tallies)
    note = "Without tax, before fees and disputes."
    return Behind(metric, known.scope, known.period, value, rows, known.currency, note)


def _asking_behind(connection: Connection, known: Shelf, metric: str, topic: str) -> Behind:
    asks = asks_of(connection, known)
    first: dict[str, BehindRow] = {}
    for ask in asks.by_topic.get(topic, ()):
        who = person_shown("", ask.who, shows_emails=known.scope.shows_emails)
        first.setdefault(ask.who, BehindRow(ask.at, who, f"{ask.how}: {ask.text}", 1, ""))
    note = "One row a person: the first time of the last year, or when it was ticked."
    value = asks.people(topic)
    return Behind(metric, known.scope, known.period, value, tuple(first.values()), None, note)
