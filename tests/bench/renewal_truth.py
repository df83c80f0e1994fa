"""How long simulated members really stay, given what anybody can see of them: the sandbox's own law.

Each period ends in a decision taken at its start; who leaves does so somewhere in its middle, half of
them by a notice for its end. A renewal's card may fail, and some failures are final a fortnight later.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kpay.ml.history import OPEN, Spans
from kpay.sandbox.parameters import Parameters

Floats = NDArray[np.float64]
FIRST_LEAVING, LAST_LEAVING = 0.1, 0.9  # of a period
GIVES_UP_AFTER_DAYS = 14
DRAWINGS = 2000


def stays(
    spans: Spans, parameters: Parameters, horizon_days: int
) -> tuple[NDArray[np.int64], Floats]:
    """Return the rows active at day 0 and their chance to be active when the horizon ends."""
    rows = np.flatnonzero((spans.start < 0) & (spans.end >= 0))
    luck = np.random.default_rng(3)
    return rows, np.array([_stays(spans, row, parameters, horizon_days, luck) for row in rows])


def _stays(
    spans: Spans, row: int, parameters: Parameters, horizon_days: int, luck: np.random.Generator
) -> float:
    begun, length, payments = _period(spans, row)
    if spans.notice[row] < OPEN:
        return float(begun + length >= horizon_days)
    share = _stay_share(parameters, payments, length)
    gone_by = np.clip((-begun / length - FIRST_LEAVING) / (LAST_LEAVING - FIRST_LEAVING), 0, 1)
    still = share / (share + (1 - share) * (1 - gone_by))
    alive = np.ones(DRAWINGS, dtype=bool)
    is_staying = luck.random(DRAWINGS) < still
    leaves = begun + length * luck.uniform(
        max(FIRST_LEAVING, min(-begun / length, LAST_LEAVING)), LAST_LEAVING, DRAWINGS
    )
    while True:
        end = begun + length
        leaves = np.where(luck.random(DRAWINGS) < parameters.notice_share, end, leaves)
        alive &= is_staying | (leaves >= horizon_days)
        if end >= horizon_days:
            return float(alive.mean())
        is_billed = alive & is_staying
        fails = luck.random(DRAWINGS) < parameters.renewal_fails_share
        is_lost = fails & (luck.random(DRAWINGS) >= parameters.recovered_share)
        alive &= ~(is_billed & is_lost) | (end + GIVES_UP_AFTER_DAYS >= horizon_days)
        begun, payments = end, payments + 1
        length = float(spans.interval_days[row])
        is_staying = luck.random(DRAWINGS) < _stay_share(parameters, payments, length)
        leaves = begun + length * luck.uniform(FIRST_LEAVING, LAST_LEAVING, DRAWINGS)


def _period(spans: Spans, row: int) -> tuple[float, float, int]:
    """Return when the running period began, how long it is, and how often was paid before its end."""
    first, length = float(spans.trial_end[row]), float(spans.interval_days[row])
    if first >= 0:
        return float(spans.start[row]), first - float(spans.start[row]), 0
    periods = int(-first // length)
    return first + periods * length, length, periods + 1


def _stay_share(parameters: Parameters, payments: int, length: float) -> float:
    if payments == 0:
        return parameters.trial_kept_share
    if length > 300:
        return parameters.yearly_renewal_share
    return parameters.first_renewal_share if payments == 1 else parameters.later_renewal_share
