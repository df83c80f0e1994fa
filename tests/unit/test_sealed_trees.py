"""Trees from a file are read by a child process, whatever their text does to LightGBM."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

from kpay.errors import ModelDamaged
from kpay.ml import boosting
from kpay.ml.boosting import Boosting
from kpay.services.sealed_trees import SealedTrees

NAMES = ("first", "second", "third")


@cache
def rows() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(400, 3))


@cache
def trees() -> Boosting:
    bought = (rows()[:, 0] + rows()[:, 1] > 0).astype(float)
    settings = {**boosting.parameters(1), "min_data_in_leaf": 5}
    return boosting.fit(rows(), bought, NAMES, 8, settings)


def sealed(text: str, limit_s: float = 60.0) -> SealedTrees:
    return SealedTrees(text, NAMES, "abc123", limit_s)


def test_sealed_trees_say_what_the_open_ones_say() -> None:
    found = sealed(trees().text)
    np.testing.assert_array_equal(found.log_odds(rows()), trees().log_odds(rows()))
    np.testing.assert_array_equal(found.contributions(rows()), trees().contributions(rows()))
    assert found.gain() == trees().gain()


def test_an_undefined_value_reaches_the_child_as_one() -> None:
    gaps = rows().copy()
    gaps[::3, 1] = np.nan
    np.testing.assert_array_equal(sealed(trees().text).log_odds(gaps), trees().log_odds(gaps))


def test_nobody_to_ask_about_needs_no_child() -> None:
    assert sealed("nonsense").log_odds(np.zeros((0, 3))).shape == (0,)


def broken(line: str, instead: str) -> str:
    text, changed = re.subn(rf"^{line}=.*$", f"{line}={instead}", trees().text, count=1, flags=re.M)
    assert changed == 1
    return text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("tree\nversion=v4\n", id="a beginning"),
        pytest.param("half", id="cut in half"),
        pytest.param("sizes", id="sizes that lead outside"),
        pytest.param("leaves", id="more leaves than memory"),
        pytest.param("nan", id="a leaf that is no number"),
        pytest.param("columns", id="other columns"),
    ],
)
def test_a_damaged_text_costs_a_child_and_no_more(text: str) -> None:
    whole = trees().text
    texts = {
        "half": whole[: len(whole) // 2],
        "sizes": broken("tree_sizes", " ".join(["99999999"] * 8)),
        "leaves": broken("num_leaves", "1999999999"),
        "nan": broken("leaf_value", "nan nan nan nan"),
        "columns": broken("feature_names", "first second"),
    }
    with pytest.raises(ModelDamaged, match="abc123 cannot be used"):
        sealed(texts.get(text, text)).log_odds(rows())


def test_a_text_that_never_ends_being_read_is_given_up() -> None:
    with pytest.raises(ModelDamaged, match="still reading after"):
        sealed(trees().text, limit_s=-0.79).log_odds(rows())  # .01 s with what the rows add


def test_more_columns_than_the_trees_know_are_damage_and_not_read_past() -> None:
    with pytest.raises(ModelDamaged):
        sealed(trees().text).contributions(rows()[:, :2])
