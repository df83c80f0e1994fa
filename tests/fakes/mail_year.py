"""A year of weekly mail to the readers of a simulated business, whom a policy chooses; luck is shared.

Half a year passes without mail, then a mail about one piece goes out every week of a year: about what
is new, else about what was not written about for longest. A tenth is held back each time. In the half
year after it everyone on the list is mailed every fortnight, whatever the policy was, so that readers
who were lost are missed. The score is what the days were expected to bring, in whole dollars.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from kpay.sandbox.catalogue import Appeal, Catalogue, Item, Offer
from kpay.sandbox.clock import WorldClock
from kpay.sandbox.happenings import Sale
from kpay.sandbox.mail import Mail
from kpay.sandbox.papers import Papers
from kpay.sandbox.parameters import Parameters
from kpay.sandbox.people import draw_people
from kpay.sandbox.timeline import Timeline
from kpay.sandbox.world import World

BEFORE_DAYS, YEAR_DAYS, AFTER_DAYS = 182, 364, 182
END = BEFORE_DAYS + YEAR_DAYS + AFTER_DAYS
HELD_BACK = 0.1
FIRST_PIECES, LAUNCHES = 14, 11
TOPICS = ("craft", "writing", "money", "code", "music", "garden")
KINDS = ("ebook", "article", "course", "audio")
PRICES_MINOR = (900, 1900, 2900, 4900, 9900)

# A smaller and calmer business than the demo's: 2 % of the list buy in a fortnight, 2.6 % after a mail.
BUSINESS = replace(
    Parameters(),
    strata_shares=(0.12, 0.28, 0.50, 0.10),
    orders_a_year=(5.0, 1.6, 0.13, 1.8),
    rate_shape=0.5,
    leave_b=5.0,
    lifts=(0.2, 17.0, 3.0, -0.18),
    click_share=0.016,
    eur_share=0.0,
    fraud_bursts_a_year=0.0,
    first_try_fails_share=0.0,
    never_paid_share=0.0,
)
# Opt-outs a mail when everyone is mailed weekly: about .20, .56 and 1.65 %.
MILD = {"opt_out_share": 0.0009, "opt_out_pressure": 0.15, "fatigue": 0.08}
MIDDLE = {"opt_out_share": 0.0018, "opt_out_pressure": 0.35, "fatigue": 0.15}
HARSH = {"opt_out_share": 0.0036, "opt_out_pressure": 0.60, "fatigue": 0.35}
WORLDS = ("mild", "middle", "harsh", "varied")


def parameters(world: str, seed: int) -> Parameters:
    """Return the numbers of a world; `varied` lies anywhere between mild and harsh."""
    fixed = {"mild": MILD, "middle": MIDDLE, "harsh": HARSH}
    if world in fixed:
        return replace(BUSINESS, **fixed[world])
    between = float(np.random.default_rng([seed, 4]).random())
    mixed = {name: MILD[name] * (HARSH[name] / MILD[name]) ** between for name in MILD}
    return replace(BUSINESS, **mixed)


@dataclass
class Records:
    """What the creator's store would hold: rows of people, columns of pieces."""

    items: tuple[Item, ...]
    asked: np.ndarray  # share of a piece's tags among the topics that a person ticked
    has_asked: np.ndarray
    bought: np.ndarray
    sold: np.ndarray  # orders of each piece
    clicked: np.ndarray
    mailed: np.ndarray
    pressure: np.ndarray
    has_left: np.ndarray
    orders: list[tuple[int, int, int, int]] = field(default_factory=list)  # person, day, piece, sum
    mails: int = 0
    left: int = 0

    def copy(self) -> Records:
        arrays = {
            name: value.copy() for name, value in vars(self).items() if hasattr(value, "copy")
        }
        return replace(self, **arrays)

    def on_sale(self, day: int) -> np.ndarray:
        """Return which pieces have come out."""
        return np.array([item.first_day <= day for item in self.items])


@dataclass(frozen=True)
class Question:
    """One week's choice: who of the listed should get a mail about a piece."""

    day: int
    piece: int
    listed: np.ndarray
    records: Records


@dataclass(frozen=True)
class Answer:
    """What one mailing did: who got it, clicked it, left because of it."""

    persons: np.ndarray
    clicked: np.ndarray
    left: np.ndarray


class Policy:
    """Chooses whom to mail, and sees what came of it."""

    def choose(self, question: Question) -> np.ndarray:
        raise NotImplementedError

    def see(self, question: Question, answer: Answer) -> None:
        """Take note of what a mailing did."""


@dataclass(frozen=True)
class Outcome:
    """Expected revenue of the year, and with the half year after it; mails and opt-outs of the year."""

    year: float
    whole: float
    mails: int
    left: int


class Business:
    """A world before its first mail; every policy lives on from there with the same luck."""

    def __init__(self, world: str, seed: int, customers: int = 1110) -> None:
        self._seed = seed
        self._items = _pieces(seed)
        self._catalogues: dict[int, Catalogue] = {}
        people = draw_people(seed, customers, END, parameters(world, seed))
        clock, appeal = WorldClock(date(2025, 1, 6)), Appeal(people)
        self._world = World(people, clock, people.chance, appeal)
        self._records = self._blank(clock, appeal)
        for day in range(BEFORE_DAYS):
            self._live(self._world, self._records, day, ())

    def try_out(self, policy: Policy) -> Outcome:
        """Live the year and the half year after it with a policy."""
        world, records = self._world.fork(), self._records.copy()
        written: dict[int, int] = {}
        earned = {True: 0.0, False: 0.0}
        year_mails = year_left = 0
        for day in range(BEFORE_DAYS, END):
            is_year = day < BEFORE_DAYS + YEAR_DAYS
            chooser = policy if is_year else None
            mails: tuple[Mail, ...] = ()
            question = None
            if (day - BEFORE_DAYS) % (7 if is_year else 14) == 0:
                question = self._question(world, records, day, written)
                mails = self._mails(question, chooser)
            earned[is_year] += self._live(world, records, day, mails, question, chooser)
            if is_year:
                year_mails, year_left = records.mails, records.left
        year = earned[True] / 100
        return Outcome(year, year + earned[False] / 100, year_mails, year_left)

    def _question(
        self, world: World, records: Records, day: int, written: dict[int, int]
    ) -> Question:
        count = len(self._catalogue(day).items)
        launched = [place for place in range(count) if self._items[place].first_day == day]
        piece = (launched or sorted(range(count), key=lambda place: written.get(place, -1)))[0]
        written[piece] = day
        people = world.people
        listed = people.is_subscriber & (people.joined_day < day) & ~records.has_left
        return Question(day, piece, np.flatnonzero(listed), records)

    def _mails(self, question: Question, policy: Policy | None) -> tuple[Mail, ...]:
        persons = question.listed
        if policy is not None:
            luck = np.random.default_rng([self._seed, question.day])
            is_held = luck.random(len(question.records.has_left)) < HELD_BACK
            persons = persons[policy.choose(question) & ~is_held[persons]]
        slug = self._items[question.piece].slug
        return tuple(Mail(person, (slug,)) for person in persons.tolist())

    def _live(
        self,
        world: World,
        records: Records,
        day: int,
        mails: tuple[Mail, ...],
        question: Question | None = None,
        policy: Policy | None = None,
    ) -> float:
        lived = world.step(day, self._catalogue(day), mails, is_watched=False, is_weighed=True)
        for sale in lived.happenings:
            if isinstance(sale, Sale) and sale.buyer.person >= 0:
                piece = int(sale.slug)
                amount_minor = sale.amounts.total_minor
                records.orders.append((sale.buyer.person, day, piece, amount_minor))
                records.bought[sale.buyer.person, piece] = 1.0
                records.sold[piece] += 1
        records.pressure *= 0.5 ** (1 / 14)
        if question is not None and mails:
            acts = {
                kind: np.array([t.person for t in lived.traces if t.kind == kind], dtype=np.int64)
                for kind in ("click", "unsubscribe")
            }
            persons = np.array([mail.person for mail in mails], dtype=np.int64)
            if policy is not None:
                clicked = np.isin(persons, acts["click"])
                policy.see(
                    question, Answer(persons, clicked, np.isin(persons, acts["unsubscribe"]))
                )
            records.pressure[persons] += 0.5 ** (1 / 14)
            records.mailed[persons, question.piece] += 1
            records.clicked[acts["click"], question.piece] += 1
            records.has_left[acts["unsubscribe"]] = True
            records.mails += len(mails)
            records.left += len(acts["unsubscribe"])
        return lived.expected_minor

    def _catalogue(self, day: int) -> Catalogue:
        count = sum(item.first_day <= day for item in self._items)
        return self._catalogues.setdefault(count, Catalogue(self._items[:count]))

    def _blank(self, clock: WorldClock, appeal: Appeal) -> Records:
        people = self._world.people
        shape = (len(people), len(self._items))
        ticked = self._ticked(clock, appeal)
        topics = [set(item.tags) for item in self._items]
        asked = [[len(tags & mine) / len(tags) for tags in topics] for mine in ticked]
        return Records(
            items=self._items,
            asked=np.array(asked),
            has_asked=np.array([bool(mine) for mine in ticked]),
            bought=np.zeros(shape),
            sold=np.zeros(shape[1]),
            clicked=np.zeros(shape),
            mailed=np.zeros(shape),
            pressure=np.zeros(shape[0]),
            has_left=np.zeros(shape[0], dtype=bool),
        )

    def _ticked(self, clock: WorldClock, appeal: Appeal) -> list[set[str]]:
        """Read the topics that each person ticked from the list that the world hands out."""
        people, catalogue = self._world.people, Catalogue(self._items)
        timeline = Timeline(self._world, lambda: catalogue)
        timeline.today = END
        papers = Papers(people, clock, timeline, appeal)
        sheet = papers.subscribers([False] * len(people), catalogue)
        ticked: list[set[str]] = [set() for _ in range(len(people))]
        for row in csv.DictReader(io.StringIO(sheet)):
            ticked[people.by_email[row["email"]]] = set(filter(None, row["tags"].split(",")))
        return ticked


def compare(
    worlds: tuple[str, ...],
    seeds: range,
    policies: dict[str, Callable[[], Policy]],
    customers: int = 1110,
) -> dict[str, dict[str, list[Outcome]]]:
    """Return each policy's outcomes by world, one a seed, as gains above `nobody`."""
    found: dict[str, dict[str, list[Outcome]]] = {}
    for world in worlds:
        found[world] = {name: [] for name in policies}
        for seed in seeds:
            business = Business(world, seed, customers)
            nobody = business.try_out(policies["nobody"]())
            for name, make in policies.items():
                lived = nobody if name == "nobody" else business.try_out(make())
                gained = replace(
                    lived, year=lived.year - nobody.year, whole=lived.whole - nobody.whole
                )
                found[world][name].append(gained)
    return found


def _pieces(seed: int) -> tuple[Item, ...]:
    """Draw the pieces of a catalogue: some from the start, the others launched through the year."""
    luck = np.random.default_rng([seed, 7])
    launch_days = [
        BEFORE_DAYS + int((number + 0.5) * YEAR_DAYS / LAUNCHES) // 7 * 7
        for number in range(LAUNCHES)
    ]
    pieces = []
    for place, day in enumerate([0] * FIRST_PIECES + launch_days):
        tags = tuple(str(tag) for tag in luck.choice(TOPICS, luck.integers(1, 3), replace=False))
        amount_minor = int(luck.choice(PRICES_MINOR))
        offer = Offer(f"plink_{place}", f"price_{place}", f"prod_{place}", amount_minor, "usd")
        pieces.append(Item(f"{place:02}", str(luck.choice(KINDS)), tags, day, (offer,)))
    return tuple(pieces)
