from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest


class Level:
    """Stands in for a library's model: the mean of the past."""

    def __init__(self, season_length: int) -> None:
        self.season = season_length

    def forecast(self, y: np.ndarray, h: int) -> dict[str, np.ndarray]:
        return {"mean": np.full(h, y.mean())}


class Broken(Level):
    def forecast(self, y: np.ndarray, h: int) -> dict[str, np.ndarray]:
        raise ValueError("no model able to be fitted")


class Endless(Level):
    def forecast(self, y: np.ndarray, h: int) -> dict[str, np.ndarray]:
        return {"mean": np.full(h, np.nan)}


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module over a library of three models: one works, one fails, one answers nonsense."""
    library = ModuleType("statsforecast.models")
    for name, model in (("AutoETS", Broken), ("DynamicOptimizedTheta", Level), ("MSTL", Endless)):
        setattr(library, name, model)
    monkeypatch.setitem(sys.modules, "statsforecast", ModuleType("statsforecast"))
    monkeypatch.setitem(sys.modules, "statsforecast.models", library)
    monkeypatch.delitem(sys.modules, "kpay.ml.forecasting.elsewhere", raising=False)
    yield importlib.import_module("kpay.ml.forecasting.elsewhere")
    sys.modules.pop("kpay.ml.forecasting.elsewhere", None)


def days() -> np.ndarray:
    return np.random.default_rng(1).poisson(5, 200) * 1_900.0


def test_the_librarys_models_take_the_members_place(elsewhere: Any) -> None:
    found = elsewhere.outlook(days(), 30, 7, seed=3)
    assert found.model == "combination"
    assert set(found.weights) <= {"auto_ets", "dynamic_theta", "mstl", "seasonal_naive"}
    assert max(found.weights, key=found.weights.__getitem__) == "dynamic_theta"
    assert found.mean == pytest.approx(np.full(30, days().mean()), rel=0.4)
    assert found.draws.shape == (1_000, 30)
    assert found.backtest.folds == 4
    assert np.array_equal(elsewhere.point(days(), 30, 7), found.mean)
    assert np.array_equal(elsewhere.outlook(days(), 30, 7, seed=3).draws, found.draws)


def test_a_model_that_fails_leaves_its_place_to_the_seasonal_naive(elsewhere: Any) -> None:
    past = days()
    said = elsewhere.every_member(past, [len(past)], 14, 7)[0]
    naive = np.resize(past[-7:], 14)
    assert said[0] == pytest.approx(naive)
    assert said[1] == pytest.approx(np.full(14, past.mean()))
    assert said[2] == pytest.approx(naive)


def test_nothing_is_asked_about_a_series_that_never_moves(elsewhere: Any) -> None:
    assert elsewhere.outlook(np.zeros(100), 7, 7).mean.tolist() == [0.0] * 7
    assert elsewhere.outlook(np.full(100, 5.0), 7, 7).mean == pytest.approx([5.0] * 7)


def test_without_the_library_the_module_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "statsforecast", None)
    monkeypatch.delitem(sys.modules, "kpay.ml.forecasting.elsewhere", raising=False)
    with pytest.raises(ModuleNotFoundError, match="statsforecast"):
        importlib.import_module("kpay.ml.forecasting.elsewhere")
