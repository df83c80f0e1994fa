"""Who is moved by a mail: kpay's learner beside ranking by response and by boosted trees, in one run.

KPAY_BENCH_HILLSTROM is the path of K. Hillstrom's e-mail test (2008) as CSV, gzip or not; without it a
simulated trial of the same form stands in. Ten random halves, each learned from and tested on the other.
Lists of the sandbox, whose true gains are known, go the whole way through kpay's store. Five minutes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pytest

from kpay.ml import boosting, logistic, qini, uplift
from kpay.ml.frames import Floats
from kpay.ml.qini import Trial
from kpay.services.uplift_past import Past, pool
from tests.fakes.stores import new_store
from tests.fakes.uplift_worlds import mailed_list, shares_of_gain

HALVES = 10
FILE = os.environ.get("KPAY_BENCH_HILLSTROM")
Score = Callable[[Floats, Trial, Floats], Floats]


def hillstrom(path: str) -> tuple[Floats, Trial]:
    """Read the test: any mail against none, outcome visit."""
    rows = pd.read_csv(path)
    channel = pd.get_dummies(rows[["channel", "zip_code"]], dtype=float)
    columns = [
        rows["recency"],
        np.log(rows["history"]),
        rows["mens"],
        rows["womens"],
        rows["newbie"],
    ]
    matrix = np.column_stack([*columns, channel]).astype(float)
    treated = (rows["segment"] != "No E-Mail").to_numpy()
    return matrix, Trial(treated, rows["visit"].to_numpy() == 1, np.arange(len(rows)))


def simulated(people: int = 32_000) -> tuple[Floats, Trial]:
    """Draw a trial in which the mail moves some kinds of people more than others."""
    luck = np.random.default_rng(7)
    matrix = luck.normal(size=(people, 8))
    treated = luck.random(people) < 2 / 3
    moved = np.where(treated, 0.5 + 0.25 * matrix[:, 0] - 0.15 * matrix[:, 1], 0.0)
    chance = logistic.sigmoid(-2.1 + 0.4 * matrix[:, 2] - 0.2 * matrix[:, 0] + moved)
    return matrix, Trial(treated, luck.random(people) < chance, np.arange(people))


def t_learner(matrix: Floats, trial: Trial, tested: Floats) -> Floats:
    return uplift.fit(matrix, trial, ()).effect(tested)


def apart(matrix: Floats, trial: Trial, tested: Floats) -> Floats:
    """Fit the arms apart, with the usual ridge of C = .1."""
    arms = [
        logistic.fit(matrix[rows], trial.responded[rows].astype(float), strength=0.1)
        for rows in (trial.treated, ~trial.treated)
    ]
    return arms[0].probability(tested) - arms[1].probability(tested)


def propensity(matrix: Floats, trial: Trial, tested: Floats) -> Floats:
    """Rank by who responds when mailed."""
    rows = trial.treated
    model = logistic.fit(matrix[rows], trial.responded[rows].astype(float), strength=0.1)
    return model.probability(tested)


def boosted(matrix: Floats, trial: Trial, tested: Floats, **settings: object) -> Floats:
    arms = []
    for rows in (trial.treated, ~trial.treated):
        learned = lightgbm.Dataset(matrix[rows], trial.responded[rows].astype(float))
        options = {"objective": "binary", "num_threads": 1, "verbose": -1, **settings}
        arms.append(lightgbm.train(options, learned, 100).predict(tested))
    return np.asarray(arms[0] - arms[1])


def boosted_slowly(matrix: Floats, trial: Trial, tested: Floats) -> Floats:
    return boosted(matrix, trial, tested, **boosting.parameters(1))


RANKINGS: dict[str, Score] = {
    "T-learner, logistic (kpay)": t_learner,
    "T-learner, arms apart, C = .1": apart,
    "propensity, logistic": propensity,
    "T-learner, LightGBM defaults": boosted,
    "T-learner, LightGBM regularised": boosted_slowly,
    "random": lambda _, trial, tested: np.random.default_rng(len(trial.person)).random(len(tested)),
}


def halves(size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for number in range(HALVES):
        mixed = np.random.default_rng(number).permutation(size)
        first, second = mixed[: size // 2], mixed[size // 2 :]
        yield first, second
        yield second, first


def part(trial: Trial, rows: np.ndarray) -> Trial:
    return Trial(trial.treated[rows], trial.responded[rows], trial.person[rows])


@pytest.mark.parametrize("people", [16_000, 5_000, 2_000])
@pytest.mark.parametrize("source", ["hillstrom", "simulated"])
def test_the_logistic_t_learner_finds_whom_a_mail_moves(source: str, people: int) -> None:
    if source == "hillstrom" and not FILE:
        pytest.skip("KPAY_BENCH_HILLSTROM is not set")
    matrix, trial = hillstrom(FILE) if FILE and source == "hillstrom" else simulated()
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in RANKINGS}
    for half, tested in halves(len(matrix)):
        learned = half[:people]
        seen, unseen = part(trial, learned), part(trial, tested)
        for name, rank in RANKINGS.items():
            score = rank(matrix[learned], seen, matrix[tested])
            top = qini.uplift_at(unseen, score)
            assert top is not None
            found[name].append((qini.coefficient(unseen, score), top))
    means = {name: np.mean(measured, axis=0) for name, measured in found.items()}
    print(f"\n  {source}: learned from {people:,} people, average effect {trial.effect():.4f}")
    for name, (coefficient, top) in means.items():
        spread = np.std([one for one, _ in found[name]])
        print(f"  {name:<32} qini {coefficient:+.4f} (sd {spread:.4f})  top 30 % {top:.4f}")
    ours = means["T-learner, logistic (kpay)"][0]
    assert ours - means["random"][0] >= (0.022 if people > 10_000 else 0.015)
    assert ours >= max(means[name][0] for name in means if "LightGBM" in name)
    assert ours >= means["propensity, logistic"][0] - 0.002


WORLDS = 6


@pytest.mark.parametrize(("people", "sends", "held_out"), [(1500, 20, 0.3), (2300, 6, 0.5)])
def test_the_truly_moved_are_found_on_simulated_lists(
    people: int, sends: int, held_out: float, tmp_path: Path
) -> None:
    """Shares of all that the next mail would gain, among the best 30 % of each ranking."""
    found: dict[str, list[float]] = {}
    for seed in range(1, WORLDS + 1):
        world = mailed_list(seed, people=people, sends=sends, held_out_share=held_out)
        (tmp_path / str(seed)).mkdir()
        store = new_store(tmp_path / str(seed))
        world.fill(store)
        emails = sorted(world.moved_by)
        with store.reading() as connection:
            past = Past.read(connection, world.now)
            pooled, now = pool(connection, past), past.columns(emails)
        scores = {name: rank(pooled.matrix, pooled.trial, now) for name, rank in RANKINGS.items()}
        scores["the truth"] = np.array([world.moved_by[email] for email in emails])
        for name, score in scores.items():
            named = dict(zip(emails, score.tolist(), strict=True))
            found.setdefault(name, []).append(shares_of_gain(named, world.moved_by, 0.3))
    print(f"\n  lists of {people:,}, {sends} sends, {held_out:.0%} held out, {WORLDS} worlds")
    for name, shares in found.items():
        print(f"  {name:<32} {np.mean(shares):.3f} (sd {np.std(shares):.3f})")
    ours = np.mean(found["T-learner, logistic (kpay)"])
    assert ours >= np.mean(found["random"]) + 0.2
    assert ours >= max(np.mean(found[name]) for name in found if "LightGBM" in name)
    assert ours >= np.mean(found["T-learner, arms apart, C = .1"]) - 0.005
