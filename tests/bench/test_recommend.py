"""Recommending beside its rivals: a time split, new things to each person, and pieces nobody has yet.

KPAY_BENCH_RETAIL names a file of orders (CSV, gzip or not) with the columns email, ordered_at and
product; without it simulated shops stand in. Each split ends 90 days after its cutoff; of the
best-selling pieces before the cutoff, what people bought first within those days is to be found.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from kpay.ml import recommend, text
from kpay.ml.frames import Floats, Ints
from kpay.ml.recommend import Mix, Reader
from kpay.ml.recommend_backtest import MODEL, backtest
from kpay.ml.recommend_shelf import Catalogue, Owned, nothing_taken
from kpay.ml.recommend_windows import RIVALS, Window, looks_before, ranked, readers_of, window_at
from tests.bench.recommend_worlds import Shop, shop

FILE = os.environ.get("KPAY_BENCH_RETAIL")
HORIZON_DAYS = 90
JUDGED = datetime(2011, 9, 10, tzinfo=UTC)
CUTOFFS = (JUDGED, datetime(2011, 6, 10, tzinfo=UTC), datetime(2011, 7, 25, tzinfo=UTC))
EVERYBODY = 10**9
FACTORS, ALS_ROUNDS, CONFIDENCE, ALS_RIDGE = 8, 15, 3.0, 10.0
SEQUENCE_HALF_LIFE_DAYS = 90.0
COLD_SHARE = 0.2
AHEAD = {100: 1.8, 30: 1.35}  # times popularity


@dataclass(frozen=True)
class Split:
    """A shop up to 90 days after a cutoff."""

    name: str
    catalogue: Catalogue
    owned: Owned
    looks: Owned = field(default_factory=nothing_taken)

    def known(self) -> tuple[Catalogue, Owned, Owned]:
        """Return the shop as it was at the cutoff."""
        known = self.owned.where(self.owned.known_days > HORIZON_DAYS)
        ages = known.age_days - HORIZON_DAYS, known.known_days - HORIZON_DAYS
        shown = self.catalogue.days_on_show - HORIZON_DAYS
        seen = replace(self.catalogue, shown_days=np.maximum(shown, 0.0), is_sellable=shown > 0)
        return (
            seen,
            Owned(known.customer, known.content, *ages),
            looks_before(self.looks, HORIZON_DAYS),
        )


def test_recommendations_beat_their_rivals_on_a_time_split() -> None:
    """The mix is chosen on what came before the cutoff, and then held against what came after."""
    for split in retail() if FILE else simulated():
        began = time.perf_counter()
        found = backtest(*split.known())
        seconds = time.perf_counter() - began
        window = window_at(
            split.catalogue,
            split.owned,
            HORIZON_DAYS,
            HORIZON_DAYS,
            looks=split.looks,
            most_tested=EVERYBODY,
        )
        assert window is not None
        table = figures(split, window, found.mix)
        print(f"{split.name}: {len(window.customer)} people, backtest {seconds:.2f} s, {found.mix}")
        print("  " + ", ".join(f"{name} {value:.4f}" for name, value in table.items()))
        if FILE and split.name.endswith("all"):
            at_least = AHEAD[len(split.catalogue)] if str(JUDGED.date()) in split.name else 1.0
            assert table[MODEL] >= table["EASE alone"], split.name
            assert table[MODEL] >= at_least * table["popularity"], split.name


def test_pieces_that_nobody_has_are_ranked_by_their_content() -> None:
    """A fifth of the pieces is taken to come out on the cutoff's day; only these are ranked."""
    rows = []
    for seed in range(3):
        made = shop(seed, items=300, customers=2_000)
        catalogue, before, tested, wanted = cold_split(made, seed)
        looks = looks_before(looks_of(made), HORIZON_DAYS)
        looks = looks.where(~catalogue.is_sellable[looks.content])
        learned = recommend.fit(catalogue, before, made.customers, looks=looks)
        parts = learned.parts(readers_of(before, tested, looks))
        unseen = recommend.fit(catalogue, before, made.customers)
        blind = unseen.parts(readers_of(before, tested))
        wish = learned.wishes(
            [
                replace(one, topics=made.ticked[who])
                for one, who in zip(readers_of(before, tested), tested, strict=True)
            ],
            parts.allowed,
        )
        window = Window(0, 1.0, tested, parts, wanted, {})
        people = made.customers
        has = before.table(np.ones(len(before.customer)), (people, len(catalogue)))[tested]
        seen = looks.table(np.ones(len(looks.customer)), (people, len(catalogue)))[tested]
        described = zip(catalogue.title, catalogue.kind, catalogue.tags, strict=True)
        likeness = text.likeness(
            [" ".join((title, kind, *tags)) for title, kind, tags in described]
        )
        scores = {
            "any order": np.random.default_rng(seed).random(wanted.shape),
            "TF-IDF cosine": np.asarray(has @ likeness),
            "cosine of looks too": np.asarray((has + seen) @ likeness),
            "kpay by purchases alone": blind.mixed(unseen.mix),
            "kpay by purchases and looks": parts.mixed(learned.mix),
            MODEL: parts.mixed(learned.mix) + recommend.WISH_WEIGHT * wish,
            "their sales known": np.ones((len(tested), 1)) * wanted.sum(axis=0),
            "each taste known": made.appeal[tested],
        }
        rows.append({name: ranked(score, window).ndcg.mean() for name, score in scores.items()})
    table = pd.DataFrame(rows).mean()
    print("cold pieces: " + ", ".join(f"{name} {value:.4f}" for name, value in table.items()))
    above = table - table["any order"]
    print(f"  {MODEL} is {table[MODEL] / table['TF-IDF cosine']:.2f} of TF-IDF cosine, "
          f"{above[MODEL] / above['TF-IDF cosine']:.2f} above any order")  # fmt: skip
    assert table[MODEL] > 1.75 * table["TF-IDF cosine"]


def test_a_big_shop_is_served_in_a_minute_or_two() -> None:
    """3,000 pieces and 50,000 people: choosing the mix, learning, five suggestions for each."""
    generator = np.random.default_rng(5)
    people, size, pairs = 50_000, 3_000, 300_000
    taste, kind = generator.integers(20, size=people), generator.integers(20, size=size)
    who = generator.integers(people, size=3 * pairs)
    what = (size * generator.random(3 * pairs) ** 2).astype(np.int64)
    kept = (taste[who] == kind[what]) | (generator.random(3 * pairs) < 0.25)
    cells = np.unique(who[kept] * size + what[kept])
    owned = Owned(cells // size, cells % size, generator.uniform(0, 720, len(cells)))
    names = tuple(f"p{number}" for number in range(size))
    tags = tuple((f"topic{topic}",) for topic in kind)
    catalogue = Catalogue(names, names, ("ebook",) * size, tags, np.ones(size, dtype=bool))
    began = time.perf_counter()
    mix = backtest(catalogue, owned).mix
    chosen = time.perf_counter()
    learned = recommend.fit(catalogue, owned, people, mix)
    fitted = time.perf_counter()
    found = learned.suggest(readers_of(owned, np.arange(people)), 5)
    ended = time.perf_counter()
    print(f"backtest {chosen - began:.1f} s, fit {fitted - chosen:.1f} s, "
          f"{len(found):,} people x 5: {ended - fitted:.1f} s")  # fmt: skip
    assert ended - began < 240


def retail() -> Iterator[Split]:
    """Yield the splits of the named file: the 100 and the 30 best-selling products, and 300 people."""
    orders = pd.read_csv(str(FILE), usecols=["email", "ordered_at", "product"], dtype=str).dropna()
    orders["at"] = pd.to_datetime(orders["ordered_at"], utc=True)
    for cutoff in CUTOFFS:
        for size, people in ((100, None), (30, None), (100, 300)):
            yield split_at(orders, cutoff, size, people)


def split_at(orders: pd.DataFrame, cutoff: datetime, size: int, people: int | None) -> Split:
    """Return the best-selling products before a cutoff, and who bought them up to 90 days after."""
    end = cutoff + timedelta(days=HORIZON_DAYS)
    before = orders[orders["at"] < cutoff]
    buyers = before.groupby("product")["email"].nunique()
    best = buyers.sort_values(ascending=False, kind="stable").index[:size]
    rows = orders[(orders["at"] < end) & orders["product"].isin(best)]
    if people:
        known = np.sort(rows[rows["at"] < cutoff]["email"].unique())
        rows = rows[rows["email"].isin(np.random.default_rng(0).choice(known, people, False))]
    pairs = rows.groupby(["email", "product"])["at"].agg(["min", "max"]).reset_index()
    last = rows[rows["at"] < cutoff].groupby(["email", "product"])["at"].max()
    known_last = last.reindex(pd.MultiIndex.from_frame(pairs[["email", "product"]]))
    latest = known_last.reset_index(drop=True).fillna(pairs["max"])
    names = tuple(best)
    owned = Owned(
        pd.factorize(pairs["email"], sort=True)[0].astype(np.int64),
        pairs["product"].map({name: at for at, name in enumerate(names)}).to_numpy(np.int64),
        ((end - latest).dt.total_seconds() / 86_400).to_numpy(float),
        ((end - pairs["min"]).dt.total_seconds() / 86_400).to_numpy(float),
    )
    nothing = ("",) * size
    catalogue = Catalogue(names, names, nothing, ((),) * size, np.ones(size, dtype=bool))
    return Split(f"{cutoff.date()}, {size} products, {people or 'all'}", catalogue, owned)


def simulated() -> Iterator[Split]:
    """Yield shops of the sandbox, small ones too."""
    for items, customers in ((12, 50), (20, 600), (60, 2_000), (150, 2_000)):
        made = shop(items, items=items, customers=customers)
        yield Split(
            f"simulated, {items} pieces, {customers} wanted", *shelf_of(made), looks_of(made)
        )


def shelf_of(made: Shop) -> tuple[Catalogue, Owned]:
    """Return a simulated shop as recommending reads it."""
    size, days = len(made.items), made.days
    cells, first = np.unique(made.customer * size + made.content, return_index=True)
    age = (days - made.day[first]).astype(float)
    catalogue = Catalogue(
        tuple(item.slug for item in made.items),
        made.titles,
        tuple(item.kind for item in made.items),
        tuple(item.tags for item in made.items),
        np.ones(size, dtype=bool),
        tuple(" ".join((title, *item.tags)) for title, item in zip(made.titles, made.items, strict=True)),
        made.prices,
        np.array([days - item.first_day for item in made.items], dtype=float),
    )  # fmt: skip
    return catalogue, Owned(cells // size, cells % size, age)


def looks_of(made: Shop) -> Owned:
    """Return who looked at what, each look one row."""
    return Owned(made.visitor, made.visited, (made.days - made.visit_day).astype(float))


def cold_split(made: Shop, seed: int) -> tuple[Catalogue, Owned, Ints, Floats]:
    """Return what was known 90 days before the end without a fifth of the pieces, and who bought these."""
    catalogue, owned = shelf_of(made)
    on_show = np.flatnonzero(catalogue.shown_days > HORIZON_DAYS)
    generator = np.random.default_rng(seed)
    cold = np.zeros(len(catalogue), dtype=bool)
    cold[generator.choice(on_show, int(len(on_show) * COLD_SHARE), replace=False)] = True
    shown = np.where(cold, 0.0, np.maximum(catalogue.shown_days - HORIZON_DAYS, 0.0))
    before = owned.where((owned.known_days > HORIZON_DAYS) & ~cold[owned.content])
    before = Owned(before.customer, before.content, before.age_days - HORIZON_DAYS)
    later = owned.where((owned.known_days <= HORIZON_DAYS) & cold[owned.content])
    later = later.where(np.isin(later.customer, before.customer))
    tested = np.unique(later.customer)
    wanted = np.zeros((len(tested), len(catalogue)), dtype=bool)
    wanted[np.searchsorted(tested, later.customer), later.content] = True
    return replace(catalogue, is_sellable=cold, shown_days=shown), before, tested, wanted


def figures(split: Split, window: Window, mix: Mix) -> dict[str, float]:
    """Return NDCG@10 of kpay and all rivals, in one run."""
    known = split.owned.where(split.owned.known_days > HORIZON_DAYS)
    size, people = len(split.catalogue), int(split.owned.customer.max()) + 1
    has = np.asarray(known.table(np.ones(len(known.customer)), (people, size)).todense())
    scores = {
        **{name: window.rival[name] for name in RIVALS},
        "ALS": alternating(has)[window.customer],
        "sequence": sequence(known, people, size)[window.customer],
        MODEL: window.parts.mixed(mix),
    }
    return {name: float(ranked(score, window).ndcg.mean()) for name, score in scores.items()}


def alternating(has: Floats) -> Floats:
    """Score by alternating least squares on implicit feedback (Hu, Koren and Volinsky 2008)."""
    generator = np.random.default_rng(0)
    items = generator.normal(0, 0.1, (has.shape[1], FACTORS))
    for _ in range(ALS_ROUNDS):
        people = half_step(items, has)
        items = half_step(people, has.T)
    return np.asarray(people @ items.T)


def half_step(fixed: Floats, has: Floats) -> Floats:
    """Solve one side, the other being fixed."""
    everything = fixed.T @ fixed + ALS_RIDGE * np.eye(FACTORS)
    solved = np.zeros((len(has), FACTORS))
    for row, cells in enumerate(has > 0):
        mine = fixed[cells]
        solved[row] = np.linalg.solve(
            everything + CONFIDENCE * mine.T @ mine, (1 + CONFIDENCE) * mine.sum(axis=0)
        )
    return solved


def sequence(known: Owned, people: int, size: int) -> Floats:
    """Score by what followed what: item to later item, halved with each 90 days between and since."""
    day = np.full((people, size), np.nan)
    day[known.customer, known.content] = -known.known_days
    moves = np.zeros((size, size))
    for row in day:
        mine = np.flatnonzero(~np.isnan(row))
        gap = row[mine] - row[mine][:, None]
        weight = np.where(gap > 0, 0.5 ** (np.maximum(gap, 0) / SEQUENCE_HALF_LIFE_DAYS), 0.0)
        moves[np.ix_(mine, mine)] += weight
    moves /= known.counts(size)[:, None] + 10.0
    recent = np.where(np.isnan(day), 0.0, 0.5 ** (-np.nan_to_num(day) / SEQUENCE_HALF_LIFE_DAYS))
    return np.asarray(recent @ moves)


def test_newcomers_are_served_by_the_topics_they_chose() -> None:
    """Whoever first buys after the cutoff has nothing before it but two topics ticked on the list."""
    rows = []
    for seed in range(3):
        made = shop(seed, items=60, customers=2_000)
        catalogue, owned = shelf_of(made)
        window, wish = newcomers(made, catalogue, owned)
        scores = {
            "popularity of the last month": window.parts.popularity,
            f"{MODEL} and topics": window.parts.mixed(recommend.BY_SALES_AND_CONTENT)
            + recommend.WISH_WEIGHT * wish,
        }
        rows.append({name: ranked(score, window).ndcg.mean() for name, score in scores.items()})
    table = pd.DataFrame(rows).mean()
    print("newcomers: " + ", ".join(f"{name} {value:.4f}" for name, value in table.items()))
    assert table[f"{MODEL} and topics"] > 1.2 * table["popularity of the last month"]


def newcomers(made: Shop, catalogue: Catalogue, owned: Owned) -> tuple[Window, Floats]:
    """Return a window of those who first buy in the last 90 days, and how much each piece is wished."""
    known = owned.where(owned.known_days > HORIZON_DAYS)
    before = Owned(known.customer, known.content, known.age_days - HORIZON_DAYS)
    shown = catalogue.days_on_show - HORIZON_DAYS
    learned = recommend.fit(
        replace(catalogue, is_sellable=shown > 0, shown_days=np.maximum(shown, 0.0)),
        before,
        made.customers,
    )
    later = owned.where((owned.known_days <= HORIZON_DAYS) & (shown[owned.content] > 0))
    later = later.where(~np.isin(later.customer, known.customer))
    tested = np.unique(later.customer)
    readers = [
        Reader(np.zeros(0, dtype=np.int64), np.zeros(0), made.topics[person]) for person in tested
    ]
    wanted = np.zeros((len(tested), len(catalogue)), dtype=bool)
    wanted[np.searchsorted(tested, later.customer), later.content] = True
    parts = learned.parts(readers)
    return Window(0, 1.0, tested, parts, wanted, {}), learned.wishes(readers, parts.allowed)
