"""Metric identities: every measure at the cut-off is a ratio of the four counts, and they agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpay.ml import curves, metrics

PEOPLE = st.integers(min_value=10, max_value=200)


def drawn(people: int, seed: int, base: float) -> tuple[np.ndarray, np.ndarray]:
    luck = np.random.default_rng(seed)
    probability = luck.random(people)
    return (luck.random(people) < base).astype(float), probability


@given(people=PEOPLE, seed=st.integers(0, 10_000), base=st.sampled_from([0.0, 0.05, 0.3, 1.0]))
def test_the_measures_hold_against_the_confusion_table(people: int, seed: int, base: float) -> None:
    bought, probability = drawn(people, seed, base)
    found = curves.at_cutoff(bought, probability)
    tp, fp, fn, tn = (found[key] for key in ("tp", "fp", "fn", "tn"))
    assert tp + fp + fn + tn == people
    assert tp + fn == bought.sum()
    assert found["accuracy"] == pytest.approx((tp + tn) / people, abs=1e-6)
    if tp + fp:
        assert found["precision"] == pytest.approx(tp / (tp + fp), abs=1e-6)
    if tp + fn:
        assert found["recall"] == pytest.approx(tp / (tp + fn), abs=1e-6)
    else:
        assert found["recall"] is None
    if tp:
        precision, recall = found["precision"], found["recall"]
        assert found["f1"] == pytest.approx(2 * tp / (2 * tp + fp + fn), abs=1e-6)
        assert found["f1"] == pytest.approx(2 / (1 / precision + 1 / recall), abs=1e-5)


@given(people=st.integers(2, 20).map(lambda tens: 10 * tens), seed=st.integers(0, 10_000))
def test_lift_is_the_precision_of_the_best_tenth_over_the_base_rate(people: int, seed: int) -> None:
    bought, probability = drawn(people, seed, 0.3)
    if not bought.any():
        bought[0] = 1.0
    best = np.argsort(-probability, kind="stable")[: people // 10]
    lift = metrics.lift_top_decile(bought, probability)
    assert lift == pytest.approx(bought[best].mean() / bought.mean())
    # and by Bayes' rule, the share of buyers found there over the share of people looked at
    recall = bought[best].sum() / bought.sum()
    assert lift == pytest.approx(recall / (len(best) / people))
