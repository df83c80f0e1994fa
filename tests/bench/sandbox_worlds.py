"""The sandbox's businesses lived without servers: what their store would hold, and what is true.

People find pieces, buy, renew, click, say what they think and leave the list; the creator mails the whole
list once a week about one piece, a tenth held back. The frames have the columns of kpay's store.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from threading import RLock
from typing import Any

import numpy as np
import pandas as pd

from kpay.ml.gathering import Frames, gather
from kpay.ml.history import History
from kpay.sandbox.catalogue import Appeal, Catalogue, Item, Offer
from kpay.sandbox.clock import WorldClock
from kpay.sandbox.happenings import (
    Happening,
    MembershipBilled,
    MembershipEnded,
    MembershipRecovered,
    MembershipStarted,
    NoticeGiven,
    Refunded,
    Sale,
    Trace,
    taking,
)
from kpay.sandbox.mail import Mail
from kpay.sandbox.papers import Papers
from kpay.sandbox.parameters import Parameters
from kpay.sandbox.people import People, draw_people
from kpay.sandbox.timeline import Timeline
from kpay.sandbox.truth import Truth
from kpay.sandbox.world import World
from kpay.store import frames
from tests.bench import topic_texts
from tests.fakes.mail_year import BUSINESS, MIDDLE

START = date(2025, 1, 6)
CUTOFF_DAY, HORIZON_DAYS = 450, 90
FIRST_PIECES, LAUNCHES = 13, 11
KINDS = ("ebook", "article", "course", "audio")
PRICES_MINOR = (900, 1900, 2900, 4900, 9900)
HELD_BACK = 0.1
FIRST_MAIL_DAY, MAIL_EVERY_DAYS = 60, 7
CALM = replace(BUSINESS, **MIDDLE)
ORDER_LINES, SUBSCRIPTIONS = tuple(frames.ORDER_LINES), tuple(frames.SUBSCRIPTIONS)
MARKS, WORDS, EDITS = tuple(frames.MARKS), tuple(frames.WORDS), tuple(frames.EDITS)
PIECES = tuple(frames.PIECES)
KIND_OF_TRACE = {"complaint": "unsubscribe"}


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


@dataclass
class Diary:
    """Rows as kpay's store would have them, in the order in which they happened."""

    lines: list[tuple[Any, ...]] = field(default_factory=list)
    marks: list[tuple[Any, ...]] = field(default_factory=list)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: dict[str, tuple[int, int, str]] = field(default_factory=dict)  # person, total, slug

    def note(self, happening: Happening) -> None:
        """Write down what the provider would have recorded."""
        taken = taking(happening)
        if taken is not None and taken.person >= 0:
            self._sold(happening, taken.amount_minor, taken.currency)
        match happening:
            case MembershipStarted():
                self._began(happening)
            case NoticeGiven():
                self._dated(happening.membership, "notice_at", happening.at)
            case MembershipEnded():
                self._dated(happening.membership, "ended_at", happening.at)
            case Refunded() if happening.order in self.orders:
                person, total_minor, slug = self.orders[happening.order]
                share = min(1.0, happening.amount_minor / total_minor)
                self.mark(happening.at, person, "refund", slug, share)

    def mark(self, at: int, person: int, kind: str, slug: str = "", value: float = 1.0) -> None:
        """Write down what somebody did, or what was done to them."""
        self.marks.append((person, at, kind, slug, value))

    def see(self, trace: Trace) -> None:
        """Write down what a tracker or a mail server noted."""
        kind = KIND_OF_TRACE.get(trace.kind, trace.kind)
        if kind != "bounce":
            self.mark(trace.at, trace.person, kind, trace.content)

    def frames(self) -> Frames:
        """Return everything written down as the store's frames; nothing of what nobody wrote down."""
        return Frames(
            orders=self.order_lines(),
            marks=_frame(self.marks, MARKS, ("at",)),
            words=_frame([], WORDS, ("at",)),
            wishes=_frame([], WORDS, ("at",)),
            subscriptions=self.memberships(),
            pieces=_frame([], PIECES, PIECES[-2:]),
            edits=_frame([], EDITS, ("at",)),
        )

    def order_lines(self) -> pd.DataFrame:
        """Return every paid order, as `kpay.store.frames.order_lines` would."""
        return _frame(sorted(self.lines, key=lambda row: row[1]), ORDER_LINES, ("at",))

    def memberships(self) -> pd.DataFrame:
        """Return every membership that began, with its end where it has one."""
        rows = [tuple(one.values()) for one in self.subscriptions.values()]
        frame = _frame(rows, SUBSCRIPTIONS, SUBSCRIPTIONS[2:6])
        return frame.sort_values(["customer", "started_at"], kind="stable").reset_index(drop=True)

    def _sold(self, happening: Any, amount_minor: int, currency: str) -> None:
        if isinstance(happening, Sale | MembershipStarted):
            person, slug = happening.buyer.person, happening.slug
        else:
            assert isinstance(happening, MembershipBilled | MembershipRecovered)
            began = self.subscriptions[happening.membership]
            person, slug = happening.person, began["content"]
        self.orders[happening.order] = (person, amount_minor, slug)
        self.lines.append((person, happening.at, amount_minor, currency, slug, len(self.lines)))

    def _began(self, started: MembershipStarted) -> None:
        self.subscriptions[started.membership] = {
            "customer": started.buyer.person,
            "content": started.slug,
            "started_at": started.at,
            "trial_end_at": started.trial_end,
            "notice_at": None,
            "ended_at": None,
            "interval": started.offer.interval,
            "interval_count": started.offer.interval_count,
            "amount_minor": started.offer.amount_minor,
            "currency": started.offer.currency,
        }

    def _dated(self, membership: str, name: str, at: int) -> None:
        row = self.subscriptions[membership]
        row[name] = at
        # The provider says of every ended subscription when it was cancelled, at the latest as it ends.
        row["notice_at"] = row["notice_at"] or at


class LivedWorld:
    """A business that has been lived to its last day, told as of any day before it."""

    def __init__(self, seed: int, plan: Plan | None = None) -> None:
        self.plan = plan or Plan()
        self._seed = seed
        self._clock = WorldClock(START)
        self.items = pieces(seed, self.plan)
        self._shelves = [Catalogue(self.items[:count]) for count in range(len(self.items) + 1)]
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
        return self._shelves[sum(item.first_day <= day for item in self.items)]

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
            edits=_frame([], EDITS, ("at",)),
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
                None,
            )
            for item in self.items
        ]
        return _frame(rows, PIECES, PIECES[-2:])

    def _marks(self, papers: Papers) -> pd.DataFrame:
        joined = [(person, at, "join", "", 1.0) for person, at, _ in _joined(self.people, papers)]
        return _frame([*self._diary.marks, *joined], MARKS, ("at",))

    def _words(self, papers: Papers, day: int) -> pd.DataFrame:
        rows = [
            (self.people.by_email[row["email"]], _second(row["at"]), row["content"],
             float(row["rating"]), row["text"])
            for row in csv.DictReader(io.StringIO(papers.feedback(self._sales, day)))
        ]  # fmt: skip
        return _frame(rows, WORDS, ("at",))

    def _wishes(self, papers: Papers) -> pd.DataFrame:
        rows = [
            (person, at, "", float("nan"), tags.replace(",", " "))
            for person, at, tags in _joined(self.people, papers)
            if tags and self.plan.tells_tags
        ]
        return _frame(rows, WORDS, ("at",))

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
    span = plan.days - 90
    launches = [60 + int((number + 0.5) * span / LAUNCHES) for number in range(LAUNCHES)]
    made = []
    for place, day in enumerate([0] * FIRST_PIECES + launches):
        amount_minor = int(luck.choice(PRICES_MINOR))
        made.append(
            _piece(f"piece-{place:02}", str(luck.choice(KINDS)), day, amount_minor, luck, plan)
        )
    clubs = [
        _piece(f"club-{place}", "membership", 0, 900 + 600 * place, luck, plan, "month")
        for place in range(plan.memberships)
    ]
    return (*clubs, *made)


def _piece(
    slug: str,
    kind: str,
    first_day: int,
    amount_minor: int,
    luck: np.random.Generator,
    plan: Plan,
    interval: str | None = None,
) -> Item:
    tags = luck.choice(list(topic_texts.TOPICS), luck.integers(1, 3), replace=False)
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


def _frame(
    rows: Sequence[tuple[Any, ...]], columns: Sequence[str], moments: Sequence[str]
) -> pd.DataFrame:
    frame = pd.DataFrame.from_records(rows, columns=list(columns))
    for name in moments:
        seconds = pd.to_datetime(frame[name].astype("float64"), unit="s", utc=True)
        frame[name] = seconds.astype("datetime64[us, UTC]")
    return frame
