"""A champion is replaced only by a model that beats it on the same backtest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kpay.ml import boosting, training
from kpay.ml.backtest import Window
from kpay.ml.frames import purchases
from kpay.ml.history import History
from kpay.ml.logistic import sigmoid
from kpay.ml.training import Training
from kpay.services import championing, model_life
from kpay.services.championing import Challenge, Verdict
from kpay.store import learning, model_files
from kpay.store.engine import Store
from tests.fakes.ml_worlds import END, membership_orders
from tests.fakes.stores import new_store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HORIZON = 60
LAST_DAY = date(2025, 12, 31)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = new_store(tmp_path)
    yield found
    found.close()


@cache
def known(until: date) -> History:
    border = END - (LAST_DAY - until)
    return History(purchases(membership_orders(300, seed=9), border))


@cache
def trained(until: date) -> Training:
    return training.train(known(until), HORIZON, boosting.parameters(1))


def row(run: str, as_of: date, found: Training) -> dict[str, Any]:
    return {
        "run": run,
        "target": "purchase",
        "as_of": as_of,
        "horizon_days": HORIZON,
        "rung": found.model.rung,
        "customers": 1,
        "buyers": 1,
        "account": "",
        "columns_digest": model_life.columns_digest(),
        "trained_at": NOON,
        "card": {"recipe": found.recipe},
    }


def crown(store: Store, folder: Path, run: str, as_of: date, **other: Any) -> None:
    """Make a model the champion without asking whom it beats."""
    found = trained(as_of)
    kept = {**row(run, as_of, found), **other}
    saved = {"propensity": found.model.to_dict(), "amounts": found.amounts.to_dict()}
    kept["checksum"] = model_files.write_model(folder, model_life.head_of(kept), saved)
    with store.writing() as connection:
        learning.keep_run(connection, kept)
        learning.promote(connection, kept, NOON)


def saying(promise: Callable[[Window], np.ndarray]) -> Training:
    """The training of the last day, had its model promised this on every test."""
    found = trained(LAST_DAY)
    latest, *earlier = [
        replace(test, promised={**test.promised, found.model.rung: promise(test)})
        for test in found.tested.windows
    ]
    tested = replace(found.tested, promised=latest.promised, earlier=tuple(earlier))
    return replace(found, tested=tested)


def judge(store: Store, folder: Path, found: Training, as_of: date = LAST_DAY) -> Verdict:
    return championing.judge(
        store,
        folder,
        Challenge(row("new", as_of, found), found, known(as_of), boosting.parameters(1)),
    )


def nearly_right(test: Window) -> np.ndarray:
    return np.where(test.bought > 0, 0.9, 0.1)


def far_off(test: Window) -> np.ndarray:
    return np.full(len(test.bought), 0.99)


def test_the_first_model_of_a_target_is_its_champion(store: Store, tmp_path: Path) -> None:
    verdict = judge(store, tmp_path, trained(LAST_DAY))
    assert (verdict.is_champion, verdict.against) == (True, None)


def test_a_champion_that_has_not_seen_the_answers_is_asked_itself(
    store: Store, tmp_path: Path
) -> None:
    crown(store, tmp_path, "old", LAST_DAY - timedelta(days=HORIZON))
    better = judge(store, tmp_path, saying(nearly_right))
    assert (better.is_champion, better.against) == (True, "old")
    assert better.gain is not None
    assert better.se is not None
    assert better.gain > 5 * better.se > 0
    worse = judge(store, tmp_path, saying(far_off))
    assert not worse.is_champion
    assert worse.gain is not None
    assert worse.gain < 0
    assert "the champion old, asked itself, stays" in worse.why


def test_a_champion_asked_itself_answers_as_it_would_have_then(
    store: Store, tmp_path: Path
) -> None:
    as_of = LAST_DAY - timedelta(days=HORIZON)
    crown(store, tmp_path, "old", as_of)
    model = trained(as_of).model
    then = model.look(known(as_of))
    verdict = judge(
        store, tmp_path, saying(lambda test: model.probability(then)[: len(test.bought)])
    )
    assert verdict.gain == pytest.approx(0, abs=1e-12)
    assert verdict.is_champion is (trained(as_of).recipe == trained(LAST_DAY).recipe)


def test_the_same_recipe_on_newer_rows_gives_way_only_to_more_than_noise(
    store: Store, tmp_path: Path
) -> None:
    as_of = LAST_DAY - timedelta(days=HORIZON)
    recipe = trained(LAST_DAY).recipe
    crown(store, tmp_path, "old", as_of, card={"recipe": recipe})
    champion = trained(as_of).model

    def off(against: float, either_way: float) -> Training:
        """What the champion says, moved in log odds against what came and to and fro."""

        def promise(test: Window) -> np.ndarray:
            said = champion.log_odds(champion.look(known(LAST_DAY), test.now.cutoff))
            to_and_fro = either_way * (-1.0) ** np.arange(len(said))
            return sigmoid(said + against * (1 - 2 * test.bought) + to_and_fro)

        return saying(promise)

    even = judge(store, tmp_path, off(0.0, 0.1))
    assert even.se is not None
    assert even.gain is not None
    assert -even.se < even.gain < 0
    assert (even.is_champion, "the two are even" in even.why) == (True, True)
    assert not judge(store, tmp_path, off(0.3, 0.1)).is_champion


def test_the_same_recipe_on_newer_rows_takes_over_from_a_champion_that_knows_the_answers(
    store: Store, tmp_path: Path
) -> None:
    crown(store, tmp_path, "old", LAST_DAY - timedelta(days=5))
    verdict = judge(store, tmp_path, trained(LAST_DAY))
    assert (verdict.is_champion, verdict.against, verdict.gain) == (True, "old", None)
    assert "on newer rows" in verdict.why


def test_another_recipe_must_beat_that_of_a_champion_that_knows_the_answers(
    store: Store, tmp_path: Path
) -> None:
    found = trained(LAST_DAY)
    recipe = {**found.recipe, "rung": "bgnbd"}
    crown(
        store, tmp_path, "old", LAST_DAY - timedelta(days=5), rung="bgnbd", card={"recipe": recipe}
    )
    assert judge(store, tmp_path, saying(nearly_right)).is_champion
    even = judge(store, tmp_path, saying(lambda test: test.promised["bgnbd"]))
    assert (even.is_champion, even.gain) == (False, 0.0)


def test_a_model_that_knows_less_never_takes_over(store: Store, tmp_path: Path) -> None:
    crown(store, tmp_path, "new", LAST_DAY)
    earlier = LAST_DAY - timedelta(days=5)
    verdict = judge(store, tmp_path, trained(earlier), earlier)
    assert not verdict.is_champion
    assert "knows more" in verdict.why


def test_a_champion_that_cannot_be_used_any_more_gives_way(store: Store, tmp_path: Path) -> None:
    crown(store, tmp_path, "old", LAST_DAY - timedelta(days=HORIZON))
    (tmp_path / "old.json").unlink()
    verdict = judge(store, tmp_path, saying(far_off))
    assert verdict.is_champion
    assert "old.json is gone" in verdict.why


def test_other_targets_and_horizons_are_no_rivals(store: Store, tmp_path: Path) -> None:
    crown(store, tmp_path, "month", LAST_DAY, horizon_days=30)
    crown(store, tmp_path, "refunds", LAST_DAY, target="refund")
    assert judge(store, tmp_path, trained(LAST_DAY)).against is None
