"""What is known of every piece at the end of a period, and one line made of it."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from statistics import fmean
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from kpay.domain.bought_together import also_bought
from kpay.domain.fading import Fading, fading
from kpay.domain.period import (
    Period,
    end_of_day,
    instant_text,
    local_day,
    parse_instant,
    start_of_day,
)
from kpay.domain.reports.content_rows import Looks, PieceLine, Rate, Ratings, Sums
from kpay.domain.reports.scope import Scope
from kpay.ml.frames import Ints
from kpay.services.reporting.content_study import ContentStudy, Tally
from kpay.services.reporting.currencies import main_currency
from kpay.services.reporting.customer_behind import EVER
from kpay.store.figures import content as figures
from kpay.store.figures import customers as refunds
from kpay.store.figures import ledger
from kpay.store.figures.content import Counted, PublishedPiece

PRIOR_RATINGS: Final = 5
UNHAPPY_SHARE: Final = 0.4
FIVE_STARS, TEN_STARS = 5, 10
NO_PIECE: Final = Tally()
MOST_PAIRED: Final = 200
"""So many pieces, those with most buyers, are looked at in pairs: a warehouse has millions of pairs."""


def shelf(connection: Connection, scope: Scope, *, opening: str | None = "") -> Shelf:
    """Read what is known of the pieces; `opening`: a piece whose parts are kept, None: all pieces'."""
    asked = scope.period or scope.everything(
        ledger.first_sale_at(connection, scope.as_of),
        ledger.last_movement_at(connection, scope.as_of),
    )
    known = scope.known(asked)
    lines = figures.sold(connection, known.end)
    start = instant_text(known.start)
    counts = Counter(line[5] for line in lines if line[4] >= start)
    currency = main_currency(counts, scope.base_currency)
    study = ContentStudy(known.start)
    if opening != "":
        study.open(opening, currency)
    study.count(lines, refunds.given_back(connection, EVER, known.end))
    stars: dict[str, list[float]] = defaultdict(list)
    for content, given in figures.ratings(connection, known.end):
        stars[content].append(given)
    looked: dict[str, set[int]] = defaultdict(set)
    anonymous: Counter[str] = Counter()
    for content, number in figures.visits(connection, known.start, known.end):
        if number:
            looked[content].add(number)
        else:
            anonymous[content] += 1
    counted = figures.traffic(connection, known.first_day, known.last_day)
    return Shelf(
        scope,
        asked,
        known,
        currency,
        study,
        {piece.slug: piece for piece in figures.published(connection, known.end)},
        {one.content: one for one in counted},
        looked,
        anonymous,
        stars,
    )


@dataclass(frozen=True)
class Shelf:
    """Tallies, pieces, looks and stars; `looked` are customers who were seen, `strangers` other people."""

    scope: Scope
    period: Period
    known: Period
    currency: str
    study: ContentStudy
    pieces: Mapping[str, PublishedPiece]
    traffic: Mapping[str, Counted]
    looked: Mapping[str, set[int]]
    strangers: Mapping[str, int]
    stars: Mapping[str, Sequence[float]]

    @property
    def names(self) -> set[str]:
        """The pieces that were out, and whatever else was sold or given back in the period."""
        sold = {
            name
            for name, tally in self.study.tallies.items()
            if tally.orders or any(tally.net_minor.values())
        }
        return {*self.pieces, *sold}

    def line(self, name: str) -> PieceLine:
        """Return everything about one piece."""
        tally, piece = self._tally(name), self.pieces.get(name)
        return PieceLine(
            content=name,
            title=piece.title if piece else name,
            kind=piece.kind if piece else None,
            published=self._day(instant_text(piece.published_at))
            if piece and piece.published_at
            else None,
            orders=tally.orders,
            renewals=tally.renewals,
            sums={
                code: Sums(tally.gross_minor[code], tally.net_minor[code])
                for code in sorted(tally.gross_minor)
            },
            baskets=tally.baskets,
            together=tally.together,
            buyers=len(tally.buyers),
            also=self._also[name],
            often_with=self._often_with.get(name),
            refunds=Rate(tally.refunded, tally.paid),
            looks=self.looks_at(name),
            ratings=self._ratings(self.stars.get(name, ())),
            fading=self.fading(name),
        )

    @cached_property
    def all_looks(self) -> Looks:
        """All anonymous visits of pieces, else all looks of known people."""
        every = [self.looks_at(name) for name in self.names]
        for source in ("traffic", "events"):
            some = [looks for looks in every if looks.source == source]
            if some:
                return Looks(
                    source,
                    sum(looks.visits or 0 for looks in some),
                    sum(looks.clicks or 0 for looks in some) if source == "traffic" else None,
                    sum(looks.purchases or 0 for looks in some),
                )
        return Looks()

    @cached_property
    def all_ratings(self) -> Ratings:
        """What all buyers gave."""
        return self._ratings([star for some in self.stars.values() for star in some])

    def looks_at(self, name: str) -> Looks:
        """Return who looked at a piece in the period, and who of them bought."""
        tally = self._tally(name)
        counted = self.traffic.get(name)
        if counted is not None and name:
            zone = self.scope.timezone
            start = max(self.known.start, start_of_day(counted.first_day, zone))
            end = min(self.known.end, end_of_day(counted.last_day, zone))
            bought = [instant_text(start) <= at < instant_text(end) for at in tally.moments]
            return Looks("traffic", counted.visits, counted.clicks, sum(bought))
        people = self.looked.get(name, set())
        visits = len(people) + self.strangers.get(name, 0)
        if not visits or not name:
            return Looks()
        return Looks("events", visits, None, len(people & tally.buyers_inside))

    def _ratings(self, stars: Sequence[float]) -> Ratings:
        every = [star for some in self.stars.values() for star in some]
        if not stars:
            return Ratings(top=self._top_stars(every))
        usual, top = fmean(every), self._top_stars(every)
        shrunk = (sum(stars) + PRIOR_RATINGS * usual) / (len(stars) + PRIOR_RATINGS)
        unhappy = sum(star <= UNHAPPY_SHARE * top for star in stars)
        return Ratings(len(stars), fmean(stars), shrunk, unhappy, top)

    def _top_stars(self, every: Iterable[float]) -> int:
        return TEN_STARS if max(every, default=0) > FIVE_STARS else FIVE_STARS

    def launched(self, name: str) -> date | None:
        """Return the day on which a piece came out, or was first bought; None where neither is known."""
        piece, moments = self.pieces.get(name), self._tally(name).moments
        out = instant_text(piece.published_at) if piece and piece.published_at else ""
        begun = min(filter(None, (out, moments[0] if moments else "")), default="")
        return self._day(begun) if begun else None

    def days_sold(self, name: str) -> Ints:
        """Return the day of every purchase of a piece, the oldest first, counted from `first_day`."""
        moments = self._tally(name).moments
        if not moments:
            return np.zeros(0, dtype=np.int64)
        return np.searchsorted(self._starts, np.array(moments), side="right") - 1

    @property
    def first_day(self) -> date:
        """The first day that anything was sold or came out."""
        return self._day_starts[0]

    @cached_property
    def _starts(self) -> Any:
        return np.array(self._day_starts[1])

    def fading(self, name: str) -> Fading | None:
        """Return how the sales of a piece go on; None where it never came out."""
        launch, piece = self.launched(name), self.pieces.get(name)
        if launch is None:
            return None
        age_days = (local_day(self.known.end, self.scope.timezone) - launch).days
        days = self.days_sold(name) - (launch - self._day_starts[0]).days
        return fading(
            days[days < age_days].tolist(),
            age_days,
            is_on_sale=piece is None or piece.archived_at is None,
        )

    def _tally(self, name: str) -> Tally:
        return self.study.tallies.get(name, NO_PIECE)

    @cached_property
    def _also(self) -> Counter[str]:
        """How many buyers of each piece bought another one too."""
        found: Counter[str] = Counter()
        for names in self._bought.values():
            if len(names) > 1:
                found.update(names)
        return found

    @cached_property
    def _often_with(self) -> dict[str, str]:
        ranked = sorted(self.names, key=lambda name: (-len(self._tally(name).buyers), name))
        paired = frozenset(ranked[:MOST_PAIRED])
        pairs = (
            (customer, name)
            for customer, names in self._bought.items()
            for name in names
            if name in paired
        )
        nearest = also_bought(pairs, self.names, 1)
        return {name: others[0] for name, others in nearest.items() if others}

    @cached_property
    def _bought(self) -> dict[int, list[str]]:
        """What each known customer ever bought, except what has no name."""
        of: dict[int, list[str]] = defaultdict(list)
        for name, tally in self.study.tallies.items():
            for customer in tally.buyers if name else ():
                of[customer].append(name)
        return of

    @cached_property
    def _day_starts(self) -> tuple[date, list[str]]:
        """The first day that anything was sold or came out, and when it and every later day began."""
        zone = self.scope.timezone
        moments = [tally.moments for tally in self.study.tallies.values() if tally.moments]
        out = [
            instant_text(piece.published_at) for piece in self.pieces.values() if piece.published_at
        ]
        earliest = min((*(min(some) for some in moments), *out))
        first = local_day(parse_instant(earliest), zone)
        count = (local_day(self.known.end, zone) - first).days + 1
        every = (first + timedelta(days=number) for number in range(count + 1))
        return first, [instant_text(start_of_day(day, zone)) for day in every]

    def _day(self, at: str) -> date:
        """Return the creator's day of a moment: by a list, because there are as many as orders."""
        first, starts = self._day_starts
        return first + timedelta(days=bisect_right(starts, at) - 1)
