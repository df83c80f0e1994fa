"""Simulated shops whose catalogue is described in words, read straight from the world without HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from kpay.ml.frames import Floats, Ints
from kpay.sandbox.catalogue import Appeal, Catalogue, Item, Offer
from kpay.sandbox.clock import WorldClock
from kpay.sandbox.happenings import MembershipStarted, Sale
from kpay.sandbox.parameters import Parameters
from kpay.sandbox.people import draw_people
from kpay.sandbox.world import World

KINDS: Final = ("article", "ebook", "course", "audio", "video")
PRICES_MINOR: Final = (900, 1900, 2900, 4900, 9900)
SYLLABLES: Final = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu".split()
TOPICS: Final = 12
WORDS_A_TOPIC: Final = 12
TICKING_SHARE: Final = 0.6  # as `kpay.sandbox.papers` has it
START: Final = date(2025, 1, 1)


@dataclass(frozen=True, slots=True)
class Shop:
    """What is on sale, in words, and who bought what on which day of the world."""

    items: tuple[Item, ...]
    titles: tuple[str, ...]
    prices: Floats
    customer: Ints
    content: Ints
    day: Ints
    days: int
    persons: Ints  # who in the world each customer is
    topics: tuple[
        frozenset[str], ...
    ]  # the two that each customer likes best, of those liked at all
    ticked: tuple[frozenset[str], ...]  # those topics, of who joined the list and bothered to tick
    visitor: Ints  # which customer looked at which piece's page on which day, of those on the list
    visited: Ints
    visit_day: Ints
    appeal: Floats  # how much each piece appeals to each customer: what no record tells

    @property
    def customers(self) -> int:
        """Return how many people bought anything."""
        return len(self.persons)


def shop(seed: int, *, items: int = 150, customers: int = 2_000, days: int = 540) -> Shop:
    """Live a shop of `items` pieces, half of them launched while it runs, and write down its sales."""
    generator = np.random.default_rng(seed)
    pieces, titles = _pieces(generator, items, days)
    people = draw_people(seed, customers, days, Parameters())
    appeal = Appeal(people)
    world = World(people, WorldClock(START), people.chance, appeal)
    rows, looks, catalogue = [], [], Catalogue()
    for day in range(days):
        shelf = sum(piece.first_day <= day for piece in pieces)
        if len(catalogue.items) != shelf:
            catalogue = Catalogue(pieces[:shelf])
        lived = world.step(day, catalogue, (), is_watched=True)
        rows += [
            (happening.buyer.person, catalogue.position(happening.slug), day)
            for happening in lived.happenings
            if isinstance(happening, Sale | MembershipStarted) and happening.buyer.person >= 0
        ]
        looks += [
            (trace.person, catalogue.position(trace.content), day)
            for trace in lived.traces
            if trace.kind == "visit"
        ]
    person, content, when = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    known, customer = np.unique(person, return_inverse=True)
    prices = np.array([piece.offers[0].amount_minor for piece in pieces], dtype=float)
    wanted = appeal.matrix(Catalogue(pieces))[known]
    topics = _topics(appeal, pieces, known)
    told = people.is_subscriber & (people.chance.everyone("ticked topics", 0) < TICKING_SHARE)
    ticked = tuple(
        liked if tells else frozenset() for liked, tells in zip(topics, told[known], strict=True)
    )
    seen = np.array(looks, dtype=np.int64).reshape(-1, 3)
    seen = seen[np.isin(seen[:, 0], known)]
    visitor = np.searchsorted(known, seen[:, 0])
    return Shop(
        pieces, titles, prices, customer, content, when, days, known, topics, ticked,
        visitor, seen[:, 1], seen[:, 2], wanted,
    )  # fmt: skip


def _topics(appeal: Appeal, pieces: tuple[Item, ...], known: Ints) -> tuple[frozenset[str], ...]:
    tags = sorted({tag for piece in pieces for tag in piece.tags})
    liking = np.column_stack([appeal.interest(tag) for tag in tags])[known]
    return tuple(
        frozenset(tags[place] for place in np.argsort(-row)[:2] if row[place] > 1) for row in liking
    )


def _pieces(
    generator: np.random.Generator, items: int, days: int
) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """Draw the pieces, those on sale from the first day first, each with a title in its topics' words."""
    words = [[_word(generator) for _ in range(WORDS_A_TOPIC)] for _ in range(TOPICS)]
    first_days = np.sort(np.maximum(0, generator.integers(-days, days - 60, items)))
    pieces, titles = [], []
    for number, first_day in enumerate(first_days.tolist()):
        topics = generator.choice(TOPICS, 2, replace=False).tolist()
        price = int(generator.choice(PRICES_MINOR))
        offer = Offer(f"l{number}", f"p{number}", f"q{number}", price, "usd")
        tags = tuple(f"topic{topic}" for topic in topics)
        kind = str(generator.choice(KINDS))
        pieces.append(Item(f"piece-{number}", kind, tags, first_day, (offer,)))
        said = [str(word) for topic in topics for word in generator.choice(words[topic], 2)]
        titles.append(" ".join((*said, _word(generator))))
    return tuple(pieces), tuple(titles)


def _word(generator: np.random.Generator) -> str:
    return "".join(generator.choice(SYLLABLES, 3))
