"""The sandbox's businesses lived without servers: what their store would hold, and what is true.

People find pieces, buy, renew, click, say what they think and leave the list; the creator mails the whole
list once a week about one piece, a tenth held back. The frames have the columns of kpay's store.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from threading import RLock

import numpy as np
import pandas as pd

from kpay.ml.gathering import Frames, gather
from kpay.ml.history import History
from kpay.sandbox.catalogue import Appeal, Catalogue, Item, Offer
from kpay.sandbox.clock import WorldClock
from kpay.sandbox.happenings import Sale
from kpay.sandbox.mail import Mail
from kpay.sandbox.papers import Papers
from kpay.sandbox.parameters import Parameters
from kpay.sandbox.people import People, draw_people
from kpay.sandbox.timeline import Timeline
from kpay.sandbox.truth import Truth
from kpay.sandbox.world import World
from tests.bench import topic_texts
from tests.bench.diary import EDITS, MARKS, PIECES, WORDS, Diary, framed
from tests.fakes.mail_year import BUSINESS, MIDDLE

START = date(2025, 1, 6)
CUTOFF_DAY, HORIZON_DAYS = 450, 90
FIRST_PIECES, LAUNCHES = 13, 11
KINDS = ("ebook", "article", "course", "audio")
PRICES_MINOR = (900, 1900, 2900, 4900, 9900)
A_SHELF, FRESH_DAYS, NEVER = 8, 30, 10**6
HELD_BACK = 0.1
FIRST_MAIL_DAY, MAIL_EVERY_DAYS = 60, 7
CALM = replace(BUSINESS, **MIDDLE)


@dataclass(frozen=True)
class Plan:
    """What kind of business is lived."""

    customers: int = 740
    days: int = CUTOFF_DAY + HORIZON_DAYS
    parameters: Parameters = CALM
    tells_tags: bool = True  # kpay knows what each piece is about
    tells_texts: bool = True  # the texts are about what the piece is about
    mails: bool = True
    sees_visits: bool = True  # the site tells who looked at what
    currencies: tuple[str, ...] = ("usd",)
    memberships: int = 1
    turns_every_days: int | None = (
        None  # after so many days other pieces are on sale, on other topics
    )
    first_pieces: int = FIRST_PIECES
    launches: int = LAUNCHES
    launch_jitter_days: int = 0  # launches come up to so many days before or after even dates


class LivedWorld:
    """A business that has been lived to its last day, told as of any day before it."""

    def __init__(self, seed: int, plan: Plan | None = None) -> None:
        self.plan = plan or Plan()
        self._seed = seed
        self._clock = WorldClock(START)
        self.items = pieces(seed, self.plan)
        self._shelves: dict[tuple[bool, ...], Catalogue] = {}
        self.people = draw_people(seed, self.plan.customers, self.plan.days, self.plan.parameters)
        self._appeal = Appeal(self.people)
        self._world = World(self.people, self._clock, self.people.chance, self._appeal)
        self._timeline = Timeline(self._world, lambda: self._on_sale(self._timeline.today))
        self._truth = Truth(self._timeline, self.people, self._clock, seed, RLock())
        self._diary = Diary()
        self._sales: list[Sale] = []
        self._written: dict[str, int] = {}
        for day in range(self.plan.days):
            self._live(day)

    # ------------------------------------------------------------------ living

    def _on_sale(self, day: int) -> Catalogue:
        come = [item for item in self.items if item.first_day <= day]
        is_gone = tuple(self._last_day(item) <= day for item in come)
        if is_gone not in self._shelves:
            self._shelves[is_gone] = Catalogue(
                tuple(
                    replace(item, offers=()) if gone else item
                    for item, gone in zip(come, is_gone, strict=True)
                )
            )
        return self._shelves[is_gone]

    def _last_day(self, item: Item) -> int:
        """Return the first day on which a piece is not on sale any more."""
        turns = self.plan.turns_every_days
        return item.first_day + turns if turns and item.kind != "membership" else NEVER

    def _live(self, day: int) -> None:
        if day == CUTOFF_DAY:
            self._timeline.mark()
        is_mail_day = day >= FIRST_MAIL_DAY and day % MAIL_EVERY_DAYS == 0
        if self.plan.mails and is_mail_day:
            self._mail(day)
        lived = self._timeline.live()
        for happening in lived.happenings:
            self._diary.note(happening)
            if isinstance(happening, Sale) and happening.is_paid and happening.buyer.person >= 0:
                self._sales.append(happening)
        for trace in lived.traces:
            if self.plan.sees_visits or trace.kind != "visit":
                self._diary.see(trace)

    def _mail(self, day: int) -> None:
        """Write to the list about what came out this week, else about what waited longest."""
        on_sale = [item for item in self._on_sale(day).items if item.offers]
        new = [item for item in on_sale if 0 < day - item.first_day <= MAIL_EVERY_DAYS]
        item = (new or sorted(on_sale, key=lambda one: self._written.get(one.slug, -1)))[0]
        self._written[item.slug] = day
        people = self.people
        listed = people.is_subscriber & (people.joined_day < day) & ~people.has_dead_mailbox
        luck = np.random.default_rng([self._seed, day])
        mailed = listed & ~self._world.state.has_opted_out & (luck.random(len(people)) >= HELD_BACK)
        for person in np.flatnonzero(mailed).tolist():
            self._timeline.post(Mail(person, (item.slug,)))
            self._diary.mark(self._clock.second(day), person, "mail", item.slug)

    # ------------------------------------------------------------------ what the store would hold

    def history(self, day: int) -> History:
        """Return what the models may know when a day begins."""
        return gather(self.frames(day), self.moment(day))

    def frames(self, day: int) -> Frames:
        """Return the store's frames as of the beginning of a day, customers only."""
        moment = self.moment(day)
        lines = self.lines()
        lines = lines[lines["at"] < moment].reset_index(drop=True)
        known = lines["customer"].unique()
        papers = Papers(self.people, self._clock, self._timeline, self._appeal)
        found = {
            "orders": lines,
            "marks": self._marks(papers),
            "words": self._words(papers, day),
            "wishes": self._wishes(papers),
        }
        for name in ("marks", "words", "wishes"):
            frame = found[name]
            kept = frame["customer"].isin(known) & (frame["at"] < moment)
            order = ["customer", "at"] + (["kind", "content"] if name == "marks" else [])
            found[name] = frame[kept].sort_values(order, kind="stable").reset_index(drop=True)
        began = self._diary.memberships()
        began = began[began["customer"].isin(known) & (began["started_at"] < moment)]
        catalogue = self.catalogue()
        return Frames(
            **found,
            subscriptions=began.reset_index(drop=True),
            pieces=catalogue[catalogue["published_at"] < moment].reset_index(drop=True),
            edits=framed([], EDITS, ("at",)),
        )

    def lines(self) -> pd.DataFrame:
        """Return every paid order to the last day, as `kpay.store.frames.order_lines` would."""
        return self._diary.order_lines()

    def catalogue(self) -> pd.DataFrame:
        """Return what is known of every piece; the texts are a world's own."""
        luck = np.random.default_rng([self._seed, 11])
        rows = [
            (
                item.slug,
                topic_texts.text(item.tags, luck, tells=self.plan.tells_texts),
                item.kind,
                item.tags if self.plan.tells_tags else (),
                item.offers[0].amount_minor,
                item.offers[0].currency,
                self._clock.second(item.first_day),
                None if self._last_day(item) == NEVER else self._clock.second(self._last_day(item)),
            )
            for item in self.items
        ]
        return framed(rows, PIECES, PIECES[-2:])

    def _marks(self, papers: Papers) -> pd.DataFrame:
        joined = [(person, at, "join", "", 1.0) for person, at, _ in _joined(self.people, papers)]
        return framed([*self._diary.marks, *joined], MARKS, ("at",))

    def _words(self, papers: Papers, day: int) -> pd.DataFrame:
        rows = [
            (self.people.by_email[row["email"]], _second(row["at"]), row["content"],
             float(row["rating"]), row["text"])
            for row in csv.DictReader(io.StringIO(papers.feedback(self._sales, day)))
        ]  # fmt: skip
        return framed(rows, WORDS, ("at",))

    def _wishes(self, papers: Papers) -> pd.DataFrame:
        rows = [
            (person, at, "", float("nan"), tags.replace(",", " "))
            for person, at, tags in _joined(self.people, papers)
            if tags and self.plan.tells_tags
        ]
        return framed(rows, WORDS, ("at",))

    # ------------------------------------------------------------------ what is true

    def bought(self, customer: np.ndarray, day: int, horizon_days: int) -> np.ndarray:
        """Return 1.0 for each person with a paid order in the horizon."""
        lines = self.lines()
        inside = (lines["at"] >= self.moment(day)) & (lines["at"] < self.moment(day + horizon_days))
        return np.isin(customer, lines["customer"][inside]).astype(float)

    def oracle(self, customer: np.ndarray, day: int, horizon_days: int) -> np.ndarray:
        """Return each person's own chance of buying, known to nobody but the world."""
        scores = self._truth.oracle_scores(START + timedelta(day), horizon_days)
        return np.array([scores[self.people.email(int(person))] for person in customer])

    def moment(self, day: int) -> datetime:
        """Return the first instant of a day."""
        return datetime(START.year, START.month, START.day, tzinfo=UTC) + timedelta(day)


def pieces(seed: int, plan: Plan) -> tuple[Item, ...]:
    """Draw a catalogue: some pieces and the memberships from the start, the rest launched later."""
    luck = np.random.default_rng([seed, 7])
    if plan.turns_every_days:
        return _turning(luck, plan, plan.turns_every_days)
    span = plan.days - 90
    shifts = np.random.default_rng([seed, 13]).integers(
        -plan.launch_jitter_days, plan.launch_jitter_days + 1, plan.launches
    )
    launches = [
        60 + int((number + 0.5) * span / plan.launches) + int(shift)
        for number, shift in enumerate(shifts)
    ]
    made = []
    for place, day in enumerate([0] * plan.first_pieces + launches):
        amount_minor = int(luck.choice(PRICES_MINOR))
        made.append(
            _piece(f"piece-{place:02}", str(luck.choice(KINDS)), day, amount_minor, luck, plan)
        )
    clubs = [
        _piece(f"club-{place}", "membership", 0, 900 + 600 * place, luck, plan, "month")
        for place in range(plan.memberships)
    ]
    return (*clubs, *made)


def _turning(luck: np.random.Generator, plan: Plan, turns_every_days: int) -> tuple[Item, ...]:
    """Draw shelves of pieces that are on sale for a while, each shelf about two topics only."""
    last_turn = CUTOFF_DAY - FRESH_DAYS
    turns = sorted(range(last_turn, -turns_every_days, -turns_every_days))
    made = []
    for turn, day in enumerate(turns):
        topics = luck.choice(list(topic_texts.TOPICS), 2, replace=False)
        for place in range(A_SHELF):
            slug, amount_minor = f"piece-{turn}-{place}", int(luck.choice(PRICES_MINOR[:3]))
            kind = str(luck.choice(KINDS))
            made.append(_piece(slug, kind, max(day, 0), amount_minor, luck, plan, topics=topics))
    return tuple(made)


def _piece(
    slug: str,
    kind: str,
    first_day: int,
    amount_minor: int,
    luck: np.random.Generator,
    plan: Plan,
    interval: str | None = None,
    *,
    topics: Sequence[str] = tuple(topic_texts.TOPICS),
) -> Item:
    tags = luck.choice(list(topics), luck.integers(1, 3), replace=False)
    currency = str(luck.choice(plan.currencies))
    offers = [Offer(f"l-{slug}", f"p-{slug}", f"d-{slug}", amount_minor, currency, interval)]
    if interval:
        yearly = Offer(f"y-{slug}", f"py-{slug}", f"d-{slug}", amount_minor * 10, currency, "year")
        offers.append(yearly)
    return Item(slug, kind, tuple(map(str, tags)), first_day, tuple(offers))


def _joined(people: People, papers: Papers) -> Iterable[tuple[int, int, str]]:
    """Yield person, moment and ticked topics of everybody who ever joined the list."""
    sheet = papers.subscribers([False] * len(people), papers._timeline.catalogue_on(10**6))
    for row in csv.DictReader(io.StringIO(sheet)):
        yield people.by_email[row["email"]], _second(row["consented_at"]), row["tags"]


def _second(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
