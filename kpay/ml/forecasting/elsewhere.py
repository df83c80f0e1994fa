"""The same forecast by statsforecast's models, for `--engine statsforecast`; needs the extra `forecast`.

AutoETS, DynamicOptimizedTheta and MSTL take the members' place. The weights, the ranges, the backtest and
the fallback stay our own, so that two answers differ by nothing but their models.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from statsforecast.models import MSTL, AutoETS, DynamicOptimizedTheta

from kpay.ml.arrays import Floats
from kpay.ml.forecasting import outlook as own
from kpay.ml.forecasting.members import seasonal_naive
from kpay.ml.forecasting.outlook import Outlook
from kpay.ml.forecasting.rolling import Recipe

MEMBERS: Final = ("auto_ets", "dynamic_theta", "mstl", "seasonal_naive")
FEWEST_TURNS: Final = 2  # MSTL decomposes no shorter past


def outlook(values: Floats, steps: int, season: int, *, seed: int = 0) -> Outlook:
    """Forecast as `kpay.ml.forecasting.outlook.outlook` does, with statsforecast's models."""
    return own.outlook(values, steps, season, seed=seed, recipe=STATSFORECAST)


def point(values: Floats, steps: int, season: int) -> Floats:
    """Return the mean of `outlook` alone."""
    return own.point(values, steps, season, recipe=STATSFORECAST)


def every_member(values: Floats, origins: Sequence[int], steps: int, season: int) -> Floats:
    """Return forecasts (origins, members, steps) of the steps after each origin, from 0 up."""
    said = [_members(values[:origin], steps, season) for origin in origins]
    return np.asarray(np.clip(np.array(said), 0.0, None))


def _members(past: Floats, steps: int, season: int) -> list[Floats]:
    naive = seasonal_naive(past, steps, season)
    if past.max(initial=0.0) <= past.min(initial=np.inf):
        return [naive] * len(MEMBERS)  # nothing moves: the models would divide by a spread of 0
    models = [AutoETS(season_length=season), DynamicOptimizedTheta(season_length=season)]
    if season > 1 and len(past) > FEWEST_TURNS * season:
        models.append(MSTL(season_length=season))
    found = [_forecast(model, past, steps, naive) for model in models]
    return [*found, *[naive] * (len(MEMBERS) - len(found))]


def _forecast(model: Any, past: Floats, steps: int, otherwise: Floats) -> Floats:
    """Return a model's forecast; `otherwise` where it finds none, as AutoETS does on odd series."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = np.asarray(model.forecast(y=past, h=steps)["mean"], dtype=float)
    except (ValueError, RuntimeError, ArithmeticError, IndexError):
        return otherwise
    return said if np.isfinite(said).all() else otherwise


def prior_weights(season: int) -> Floats:
    """Return what each model counts before its errors are known; MSTL nothing without a season."""
    prior = np.array([1.0, 1.0, 0.5 if season > 1 else 0.0, 0.1])
    return np.asarray(prior / prior.sum())


STATSFORECAST: Final = Recipe(MEMBERS, every_member, prior_weights, 4)
