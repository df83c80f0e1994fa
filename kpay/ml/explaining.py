"""Why one customer got their probability: what each column adds to the log odds.

Every rung is taken apart so that the base and the parts add up to the score. Trees are asked for their
own contributions; a linear part adds weight times distance from the mean; BG/NBD, wherever it stands,
and the rule are shared out among the three numbers they see (see `kpay.ml.shapley`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from kpay.ml import shapley
from kpay.ml.bgnbd import Histories
from kpay.ml.features import Snapshot
from kpay.ml.frames import Floats, Ints
from kpay.ml.history import History
from kpay.ml.logistic import logit
from kpay.ml.propensity import MIXED, Propensity, pooled_rate, rule_chance
from kpay.ml.shapley import Judge
from kpay.ml.targets import PURCHASE

PRIOR: Final = "bg_logit"
DUST: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Reason:
    """One column: its value for this customer (None when undefined) and what it adds."""

    column: str
    value: float | None
    adds: float  # to the log odds


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a customer without any model; days count back from day 0, None for never."""

    purchase_days: int
    usual_gap_days: float | None
    silent_days: int
    mails: int
    last_click_days: int | None
    mails_since_click: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Log odds before anything is known of this customer, and what each column adds, largest first.

    `values` are all columns of this customer, also those that add nothing.
    """

    base_log_odds: float
    parts: tuple[Reason, ...]
    values: dict[str, float | None]
    facts: Facts


def explain(everything: History, model: Propensity, customer_id: int) -> Explanation:
    """Explain one customer's score as of day 0; raise KeyError for somebody without a purchase."""
    now = today(everything, model)
    rows = np.flatnonzero(everything.purchases.customer_ids[now.customer] == customer_id)
    if len(rows) == 0:
        raise KeyError(customer_id)
    added = {name: float(adds[0]) for name, adds in contributions(model, now, rows).items()}
    values = {name: _defined(float(column[rows[0]])) for name, column in now.columns.items()}
    parts = [Reason(name, values[name], adds) for name, adds in added.items() if adds != 0.0]
    parts.sort(key=lambda reason: -abs(reason.adds))
    score = _score(model, now, rows)
    known = facts(everything.before(0), now, int(rows[0]))
    return Explanation(score - sum(added.values()), tuple(parts), values, known)


def today(everything: History, model: Propensity) -> Snapshot:
    """Return what the model sees of everybody as of day 0."""
    return model.look(everything)


def _score(model: Propensity, now: Snapshot, rows: Ints) -> float:
    if model.rung == "rule":  # its rate is everybody's
        return float(model.log_odds(now)[rows[0]])
    return float(model.log_odds(only(now, rows))[0])


def contributions(model: Propensity, now: Snapshot, rows: Ints) -> dict[str, Floats]:
    """Return what each column adds to the calibrated log odds of some rows of a snapshot."""
    if model.rung == "rule" and model.target != PURCHASE:
        prior = now.columns[model.target.prior_column]
        return {model.target.prior_column: model.platt.slope * (prior[rows] - prior.mean())}
    if model.rung in ("rule", "bgnbd"):
        return _shared(_judge(model, now), now, rows, model.platt.slope)
    found = model.contributions(only(now, rows))
    if model.target == PURCHASE:
        weight, centre = _of_prior(model)
        found[PRIOR] = _without_dust(found[PRIOR] - weight * (now.columns[PRIOR][rows] - centre))
        for name, adds in _shared(_bg_judge(model, now), now, rows, weight).items():
            found[name] = found.get(name, 0.0) + adds
    return found


def _of_prior(model: Propensity) -> tuple[float, float]:
    """Return the weight of the prior's log odds in the logistic's part, and the mean they are held against."""
    if model.linear is None:
        return 0.0, 0.0
    place = model.linear_names.index(PRIOR)
    weight = model.linear.weights[place] / model.linear.scale[place]
    return model.platt.slope * MIXED[model.rung][0] * weight, model.linear.centre[place]


def _shared(judge: Judge, now: Snapshot, rows: Ints, weight: float) -> dict[str, Floats]:
    found = shapley.shares(judge, now.seen, only(now, rows).seen)
    return {name: weight * adds for name, adds in found.items()}


def _judge(model: Propensity, now: Snapshot) -> Judge:
    if model.rung == "bgnbd":
        return _bg_judge(model, now)
    pooled = pooled_rate(now.seen)
    return lambda seen: logit(rule_chance(seen, pooled, model.horizon_days))


def _bg_judge(model: Propensity, now: Snapshot) -> Judge:
    return lambda seen: logit(now.bg.any_purchase(seen, model.horizon_days))


def _without_dust(adds: Floats) -> Floats:
    """Return 0 where two equal amounts were taken from each other."""
    return np.asarray(np.where(np.abs(adds) < DUST, 0.0, adds))


def only(now: Snapshot, rows: Ints) -> Snapshot:
    """Return some rows of a snapshot."""
    seen = Histories(now.seen.repeats[rows], now.seen.last[rows], now.seen.observed[rows])
    columns = {name: column[rows] for name, column in now.columns.items()}
    return replace(now, customer=now.customer[rows], seen=seen, columns=columns)


def facts(past: History, now: Snapshot, row: int) -> Facts:
    """Return what is known of the customer in a row of a snapshot as of day 0."""
    customer = int(now.customer[row])
    mails, clicks = (_days_of(past, kind, customer) for kind in ("mail", "click"))
    last_click = int(clicks.max()) if len(clicks) else None
    gap = _defined(float(now.columns["mean_gap_days"][row]))
    return Facts(
        purchase_days=int(now.columns["days_bought"][row]),
        usual_gap_days=gap,
        silent_days=int(now.columns["recency_days"][row]),
        mails=len(mails),
        last_click_days=None if last_click is None else -1 - last_click,
        mails_since_click=len(mails) if last_click is None else int((mails > last_click).sum()),
    )


def _days_of(past: History, kind: str, customer: int) -> Ints:
    marks = past.of(kind)
    return np.asarray(marks.day[marks.customer == customer])


def _defined(value: float) -> float | None:
    return value if np.isfinite(value) else None
