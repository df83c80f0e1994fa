"""A business met through the provider and the papers, and the same one told by its own happenings.

Judging models on worlds that never saw a store is fair only if a store would hold the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kpay.ml.gathering import gather
from kpay.ml.history import History
from kpay.sandbox import Sandbox
from kpay.sandbox.parameters import Parameters
from kpay.services import histories
from kpay.store import learning
from kpay.store.engine import Store
from tests.bench.diary import Diary
from tests.fakes.sandbox_shop import open_shop

CUSTOMERS, DAYS = 120, 240
CALM = Parameters(
    fraud_bursts_a_year=0.0, dispute_share=0.0, erased_share=0.0, upgrade_share=0.0
)  # fmt: skip
Told = tuple[History, Mapping[int, str]]


def lived(sandbox: Sandbox) -> Diary:
    """Advance, and write down what happens before it becomes a provider's object."""
    diary, timeline = Diary(), sandbox._timeline
    live = timeline.live

    def overheard() -> object:
        day = live()
        for happening in day.happenings:
            diary.note(happening)
        for trace in day.traces:
            diary.see(trace)
        return day

    timeline.live = overheard  # type: ignore[assignment, method-assign]
    sandbox.advance(DAYS)
    return diary


def read_back(sandbox: Sandbox, home: Path, moment: datetime) -> Told:
    """Sync and import through the commands, and read the history from the store."""
    environment = os.environ | {
        "KPAY_STRIPE_API_BASE": sandbox.stripe_url,
        "KPAY_STRIPE_KEY": sandbox.stripe_key,
        "KPAY_NOW": sandbox.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    kpay = str(Path(sys.executable).with_name("kpay"))
    papers = home.parent / "events.csv"
    papers.write_text(sandbox.events_csv(), encoding="utf-8")
    at_home = ("--home", str(home))
    for words in (
        ("init", str(home)),
        ("sync", *at_home),
        ("import", "events", str(papers), *at_home),
    ):
        done = subprocess.run(
            [kpay, *words], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 3), done.stderr
    with Store(home / "kpay.db").reading() as connection:
        read = histories.read(connection, moment)
        emails = learning.emails(connection)
    places = enumerate(read.purchases.customer_ids.tolist())
    return read, {place: emails[customer].lower() for place, customer in places}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Told, Told]:
    with Sandbox(seed=5, customers=CUSTOMERS, days=DAYS, parameters=CALM) as sandbox:
        open_shop(sandbox)
        diary = lived(sandbox)
        moment = sandbox.now - timedelta(days=30)
        read = read_back(sandbox, tmp_path_factory.mktemp("agree") / "shop", moment)
        own = gather(diary.frames(), moment)
        names = {
            place: sandbox._people.email(person)
            for place, person in enumerate(own.purchases.customer_ids.tolist())
        }
        return read, (own, names)


def test_a_store_holds_the_same_sales(both: tuple[Told, Told]) -> None:
    def sales(told: Told) -> set[tuple[str, int, str, int]]:
        known, email = told[0].purchases, told[1]
        rows = zip(known.customer, known.day, known.currency, known.amount_minor, strict=True)
        return {(email[who], day, known.currencies[code], paid) for who, day, code, paid in rows}

    read, own = map(sales, both)
    assert len(own) > 200
    assert read == own


@pytest.mark.parametrize("kind", ["refund", "visit", "bought"])
def test_a_store_holds_the_same_marks(both: tuple[Told, Told], kind: str) -> None:
    def rows(told: Told) -> list[tuple[str, int, str, float]]:
        known, email = told
        marks = known.bought if kind == "bought" else known.of(kind)
        # Nobody published these pieces through kpay: the store knows them by their names.
        slugs = [slug.removeprefix("The ") for slug in (*known.pieces.slug, "")]
        return sorted(
            (email[who], day, slugs[piece], round(value, 3))
            for who, day, piece, value in zip(
                marks.customer, marks.day, marks.content, marks.value, strict=True
            )
        )

    read, own = map(rows, both)
    assert own
    assert read == own


def test_a_store_holds_the_same_memberships(both: tuple[Told, Told]) -> None:
    def rows(told: Told) -> list[tuple[object, ...]]:
        spans, email = told[0].spans, told[1]
        columns = (spans.start, spans.trial_end, spans.notice, spans.end, spans.interval_days)
        return sorted(
            (email[who], *map(float, row))
            for who, *row in zip(spans.customer, *columns, strict=True)
        )

    read, own = map(rows, both)
    assert len(own) > 20
    assert read == own
