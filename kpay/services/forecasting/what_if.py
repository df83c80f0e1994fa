"""What a business's forecast would be if some of its causes changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from sqlalchemy import Connection

from kpay.domain.elasticity import Elasticity
from kpay.domain.scenarios import Launch, Scenario
from kpay.errors import UsageProblem
from kpay.ml.arrays import Floats
from kpay.ml.streams.launches import Occasion, Planned
from kpay.ml.streams.levers import Levers, Moves, drawn_elasticities
from kpay.ml.streams.parts import Parts
from kpay.services.forecasting.demand import demand
from kpay.services.forecasting.revenue import Foreseen
from kpay.services.forecasting.series import SEED


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A forecast that can be asked what would change it; `demand` is how sales answer to price."""

    found: Foreseen
    demand: Elasticity
    levers: Levers

    @property
    def before(self) -> Parts:
        """The forecast as it is."""
        return self.found.streams.parts

    def after(self, scenario: Scenario) -> Parts:
        """Return the same paths under a scenario; UsageProblem where it cannot be told."""
        self._check(scenario)
        return self.levers.moved(
            Moves(
                scenario.volume_factor,
                scenario.share("price"),
                scenario.share("churn"),
                tuple(self._planned(one) for one in scenario.launches),
            )
        )

    def change(self, scenario: Scenario) -> tuple[float, Floats]:
        """Return the expected change of the total, and that of each path, in minor units."""
        after = self.after(scenario)
        draws = (after.draws - self.before.draws).sum(axis=1)
        return float(after.mean.sum() - self.before.mean.sum()), np.asarray(draws)

    def _check(self, scenario: Scenario) -> None:
        has_members = len(self.found.ledger.members.began) > 0
        if scenario.share("churn") and has_members and not self.levers.has_streams:
            raise UsageProblem(
                f"--scenario {scenario.text}: this forecast fell back to the whole revenue and does not "
                "tell renewals apart",
                "kpay forecast --scenario reach=+10%",
            )
        for one in scenario.launches:
            self._check_launch(scenario, one)

    def _check_launch(self, scenario: Scenario, one: Launch) -> None:
        first = self.found.first_ahead
        last = first + timedelta(days=self.found.asked.horizon_days - 1)
        if not first <= one.day <= last:
            longer = f"--horizon {(one.day - first).days + 14}d"
            raise UsageProblem(
                f"--scenario {scenario.text}: {one.day} is not one of the days ahead ({first} to {last})",
                longer if one.day > last else f"--scenario launch={one.name}@{first}",
            )
        planned = {each.occasion.name for each in self.found.plan or ()}
        if one.name in planned:
            raise UsageProblem(
                f"--scenario {scenario.text}: the plan has a launch {one.name!r} already",
                f"kpay forecast --scenario launch=another@{one.day}",
            )

    def _planned(self, one: Launch) -> Planned:
        return Planned(_occasion(one, self._number(one)))

    def _number(self, one: Launch) -> int:
        return (one.day - self.found.ledger.first_day).days


def what_if(connection: Connection, found: Foreseen) -> WhatIf:
    """Prepare a forecast to be asked; reads the shop's own changes of price."""
    answer = demand(connection, found.seen_from.moment)
    draws = len(found.streams.parts.draws)
    drawn = drawn_elasticities(answer.mean, answer.deviation, draws, SEED)
    return WhatIf(found, answer, Levers(found.streams, found.ledger, drawn, SEED))


def _occasion(one: Launch, number: int) -> Occasion:
    return Occasion(one.name, "launch", number)
