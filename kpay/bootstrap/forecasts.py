"""Which engine forecasts: kpay's own, or the library of an extra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpay.domain.enums import ForecastEngine

if TYPE_CHECKING:
    from kpay.ml.streams.past_days import Engine


def forecast_engine(name: ForecastEngine) -> Engine:
    """Return an engine by its name; SettingsInvalid where its extra is not installed."""
    from kpay.errors import SettingsInvalid
    from kpay.ml.streams.joint import OWN
    from kpay.ml.streams.past_days import Engine

    if name is ForecastEngine.OWN:
        return OWN
    try:
        from kpay.ml.forecasting import elsewhere
    except ModuleNotFoundError as error:
        raise SettingsInvalid(
            'The engine statsforecast needs the extra "forecast", which is not installed',
            'pip install "kpay[forecast]"',
        ) from error
    return Engine(elsewhere.outlook, elsewhere.point)
