"""Forecasting revenue, with what-if questions answered from the same futures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kpay.services.forecasting.goal import with_goal
from kpay.services.forecasting.result import Forecast
from kpay.services.forecasting.revenue import Wish, foreseen, keep
from kpay.services.forecasting.scenarios import with_scenarios
from kpay.services.forecasting.series import Asked
from kpay.services.forecasting.told import told
from kpay.store.engine import Store


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked beside the forecast, as it was typed: scenarios, and a goal."""

    scenarios: Sequence[str] = ()
    goal: str | None = None


def forecast_and_answer(store: Store, asked: Asked, wish: Wish, questions: Questions) -> Forecast:
    """Forecast what is taken after refunds, keep what was printed of it, and answer the questions.

    The forecast that is kept is the plain one: scenarios have no days to be scored by. Raises Refused
    without a paid order in the currency, UsageProblem for a question that cannot be read.
    """
    with store.reading() as connection:
        found = foreseen(connection, asked, wish)
        made = told(found)
        answered = made
        if questions.scenarios:
            answered = with_scenarios(connection, found, questions.scenarios, answered)
        if questions.goal is not None:
            answered = with_goal(connection, found, questions.goal, answered)
    keep(store, found, made, wish.now)
    return answered
