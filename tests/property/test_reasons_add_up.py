"""Whatever the history, a score shared out among its numbers adds up, and no figure breaks."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kpay.ml import curves, drift, shapley
from kpay.ml.bgnbd import BgNbd, Histories
from kpay.ml.logistic import logit
from kpay.ml.propensity import rule_chance

POSITIVE = st.floats(0.01, 100.0)
PEOPLE = st.lists(
    st.tuples(st.integers(0, 300), st.floats(0.0, 1.0), st.floats(0.0, 500.0)),
    min_size=1,
    max_size=12,
)
JUDGED = st.lists(st.tuples(st.booleans(), st.floats(0.0, 1.0)), min_size=10, max_size=60)


def histories(people: list[tuple[int, float, float]]) -> Histories:
    repeats, share, observed = (
        np.array(column, dtype=float) for column in zip(*people, strict=True)
    )
    return Histories(repeats, np.where(repeats > 0, share * observed, 0.0), observed)


@given(PEOPLE, POSITIVE, POSITIVE, POSITIVE, POSITIVE, st.integers(1, 365))
def test_shares_and_base_are_the_score(
    people: list[tuple[int, float, float]], r: float, alpha: float, a: float, b: float, days: int
) -> None:
    seen, model = histories(people), BgNbd(r, alpha, a, b)
    judges = (
        lambda asked: logit(model.any_purchase(asked, days)),
        lambda asked: logit(rule_chance(asked, 0.05, days)),
    )
    for judge in judges:
        shares = shapley.shares(judge, seen, seen)
        base = judge(seen) - sum(shares.values())
        assert np.isfinite(base).all()
        assert np.ptp(base) < 1e-6


@given(JUDGED)
def test_curves_and_confusion_agree_whatever_was_promised(judged: list[tuple[bool, float]]) -> None:
    bought = np.array([came for came, _ in judged], dtype=float)
    chance = np.array([promised for _, promised in judged])
    cut = curves.at_cutoff(bought, chance)
    assert cut["tp"] + cut["fn"] == bought.sum()
    assert cut["tp"] + cut["fp"] + cut["fn"] + cut["tn"] == len(bought)
    made = curves.curves(bought, chance)
    assert bool(made) == (0 < bought.sum() < len(bought))
    for name in ("roc", "gain"):
        points = np.array(made.get(name, [[0, 0], [1, 1]]))
        assert (np.diff(points, axis=0) >= 0).all()
        assert points[0].tolist() == [0, 0]
        assert points[-1].tolist() == [1, 1]


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), min_size=1, max_size=80))
def test_nobody_drifts_from_themselves(column: list[float]) -> None:
    values = np.array(column)
    assert drift.psi(drift.spread(values), values) < 1e-3
