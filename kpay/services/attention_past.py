"""What the price of attention is learned from: past mails, and what people had done by then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from kpay.ml import attention, text
from kpay.ml.frames import Flags, Floats, Ints
from kpay.ml.relevance import Known, Pieces
from kpay.services.recommend_input import catalogue_of
from kpay.store import attention as records
from kpay.store import learning, shelf
from kpay.store.frames import holdings

REMEMBERED: Final = timedelta(days=400)
MOST_MAILS: Final = 1_000_000
MOST_CELLS: Final = 2_000_000  # people x pieces in one table


@dataclass(frozen=True, slots=True)
class Acts:
    """Things done, in the order of time: who, with which piece (or campaign), on which day."""

    person: Ints
    what: Ints
    day: Floats

    def between(self, since: float, until: float) -> tuple[Ints, Ints]:
        """Return who did what on the days [since, until)."""
        first, last = np.searchsorted(self.day, [since, until])
        return self.person[first:last], self.what[first:last]

    def of(self, row: Ints) -> Acts:
        """Return what some people did, `row` giving everybody's new number, -1 for all others."""
        kept = row[self.person] >= 0
        return Acts(row[self.person[kept]], self.what[kept], self.day[kept])

    def counts(self, people: int, things: int) -> Floats:
        """Return how often each person did each thing."""
        flat = np.bincount(self.person * things + self.what, minlength=people * things)
        return flat.reshape(people, things).astype(float)


@dataclass(frozen=True, slots=True)
class Past:
    """Everything known of mails and people; `today` is the last midnight, so that a plan keeps a day."""

    today: float
    slugs: dict[str, int]
    is_sellable: Flags
    likeness: Floats
    tags: tuple[frozenset[str], ...]
    person_of: dict[str, int]
    mails: Acts  # `what` is a campaign, 0 for a sequence
    abouts: Mapping[int, Ints]
    held: Acts
    clicked: Acts
    left_day: Floats  # NaN for whoever is still there
    topics: Mapping[str, frozenset[str]]

    @classmethod
    def read(cls, connection: Connection, emails: Iterable[str], now: datetime) -> Past:
        """Read what came before a moment; `emails` are numbered first, in their order."""
        pieces = shelf.pieces(connection, now)
        catalogue = catalogue_of(pieces)
        slugs = {slug: place for place, slug in enumerate(catalogue.content)}
        mails = records.mails(connection, now - REMEMBERED, now, MOST_MAILS)
        had = holdings(connection, now)
        emails_of = learning.emails(connection)
        clicks = records.clicks(connection, now)
        numbers = _Numbers(emails)
        sent = _acts((numbers[email], campaign or 0, day) for email, day, campaign in mails)
        bought = _acts(
            (numbers[emails_of[who]], slugs[slug], records.julian_day(at))
            for who, slug, at in had.itertuples(index=False)
            if who in emails_of and slug in slugs
        )
        clicked = _acts(
            (numbers[email], slugs[slug], day) for email, day, slug in clicks if slug in slugs
        )
        return cls(
            today=records.julian_day(now.replace(hour=0, minute=0, second=0, microsecond=0)),
            slugs=slugs,
            is_sellable=catalogue.is_sellable,
            likeness=_likeness(pieces),
            tags=tuple(frozenset(tags) for tags in catalogue.tags),
            person_of=numbers.numbers,
            mails=sent,
            abouts=_abouts(connection, sent, slugs),
            held=bought,
            clicked=clicked,
            left_day=_left_days(connection, now, numbers),
            topics={email: frozenset(tags) for email, tags in records.topics(connection).items()},
        )

    @property
    def people_at_once(self) -> int:
        """How many people fit into one table."""
        return max(100, MOST_CELLS // max(1, len(self.slugs)))

    def pressures(self) -> Floats:
        """Return everybody's pressure today."""
        return attention.pressures(
            self.today - self.mails.day, self.mails.person, len(self.person_of)
        )

    def days_between(self) -> float | None:
        """Return the usual time between campaigns, or None while there are fewer than three."""
        is_campaign = self.mails.what > 0
        _, first = np.unique(self.mails.what[is_campaign], return_index=True)
        began = np.sort(self.mails.day[is_campaign][first])
        return float(np.clip(np.diff(began).mean(), 1.0, 91.0)) if len(began) > 2 else None

    def asked(self, emails: Sequence[str]) -> tuple[Floats, Flags]:
        """Return the share of each piece's tags that people asked for, and who asked for any."""
        wishes = [self.topics.get(email, frozenset()) & self._all_tags() for email in emails]
        kinds = {wish: number for number, wish in enumerate(dict.fromkeys(wishes))}
        shares = [
            [len(tags & wish) / len(tags) if tags else 0.0 for tags in self.tags] for wish in kinds
        ]
        found = np.array([kinds[wish] for wish in wishes], dtype=np.int64)
        table = np.array(shares, dtype=float).reshape(len(kinds), len(self.slugs))
        return table[found], np.array([bool(wish) for wish in wishes], dtype=bool)

    def _all_tags(self) -> frozenset[str]:
        return frozenset().union(*self.tags)

    def totals(self) -> Pieces:
        """Return what everybody did with each piece until today."""
        size = len(self.slugs)
        mailed = mailed_about(self.mails, self.abouts)
        return Pieces(
            self.likeness,
            np.bincount(self.held.what, minlength=size).astype(float),
            np.bincount(self.clicked.what, minlength=size).astype(float),
            np.bincount(mailed.what, minlength=size).astype(float),
        )

    def known(self, emails: Sequence[str]) -> Known:
        """Return what some people did until today."""
        row = np.full(len(self.person_of), -1, dtype=np.int64)
        row[[self.person_of[email] for email in emails]] = np.arange(len(emails))
        people, size = len(emails), len(self.slugs)
        asked, has_asked = self.asked(emails)
        return Known(
            bought=np.minimum(self.held.of(row).counts(people, size), 1.0),
            clicked=self.clicked.of(row).counts(people, size),
            mailed=mailed_about(self.mails.of(row), self.abouts).counts(people, size),
            asked=asked,
            has_asked=has_asked,
        )


class _Numbers:
    """Gives every address a number, in the order of asking."""

    def __init__(self, emails: Iterable[str]) -> None:
        self.numbers = {email: number for number, email in enumerate(dict.fromkeys(emails))}

    def __getitem__(self, email: str) -> int:
        return self.numbers.setdefault(email, len(self.numbers))


def _acts(rows: Iterable[tuple[int, int, float]]) -> Acts:
    table = np.asarray(np.fromiter(rows, dtype=np.dtype((float, 3))), dtype=float)
    table = table[np.argsort(table[:, 2], kind="stable")]
    return Acts(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2])


def _likeness(pieces: Sequence[Mapping[str, Any]]) -> Floats:
    """Return how alike pieces are in title, kind and tags."""
    if not pieces:
        return np.zeros((0, 0))
    told = [" ".join((piece["title"], piece["kind"], *piece["tags"])) for piece in pieces]
    likeness = np.array(text.likeness(told), dtype=float)
    np.fill_diagonal(likeness, 1.0)
    return likeness


def _abouts(connection: Connection, mails: Acts, slugs: Mapping[str, int]) -> dict[int, Ints]:
    campaigns = {int(campaign) for campaign in np.unique(mails.what) if campaign}
    told = records.subjects(connection, campaigns)
    return {
        campaign: np.array([slugs[slug] for slug in told.get(campaign, ()) if slug in slugs], int)
        for campaign in campaigns
    }


def _left_days(connection: Connection, now: datetime, numbers: _Numbers) -> Floats:
    """Return the last day each person left; whoever was never mailed cannot leave because of it."""
    days = np.full(len(numbers.numbers), np.nan)
    for email, day in records.departures(connection, now):
        person = numbers.numbers.get(email)
        if person is not None:
            days[person] = np.fmax(days[person], day)
    return days


def mailed_about(mails: Acts, abouts: Mapping[int, Ints]) -> Acts:
    """Return the pieces that people were mailed about, one act for each piece of a mail."""
    parts = [
        Acts(mails.person[is_it], np.full(is_it.sum(), piece), mails.day[is_it])
        for campaign, pieces in abouts.items()
        for is_it in [mails.what == campaign]
        for piece in pieces
    ]
    if not parts:
        return _acts(())
    return Acts(
        np.concatenate([part.person for part in parts]),
        np.concatenate([part.what for part in parts]),
        np.concatenate([part.day for part in parts]),
    )
