"""Whom mail moves: learned from this business's own holdouts, and asked by campaigns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from kpay.domain.campaign_results import WINDOW_DAYS
from kpay.domain.person import Person
from kpay.domain.uplift_report import Aim, UpliftTrained
from kpay.errors import ModelUnusable
from kpay.ml import qini, readers, uplift
from kpay.ml.frames import Floats
from kpay.ml.metrics import UNDEFINED
from kpay.ml.uplift import Uplift
from kpay.services.model_life import head_of, own_account
from kpay.services.uplift_past import Past, Pooled, pool
from kpay.services.vantage import Vantage, vantage
from kpay.store import learning, model_files
from kpay.store.engine import Store

TARGET: Final = "uplift"
RUNG: Final = "t-learner"
VERSIONS_OF: Final = ("kpay", "numpy", "scipy", "pandas")
RUN_DIGITS: Final = 12
COLUMNS_DIGEST: Final = hashlib.sha256("\n".join(readers.COLUMNS).encode()).hexdigest()[:16]


def train(
    store: Store, folder: Path, *, as_of: str | None, now: datetime, timezone: str
) -> UpliftTrained:
    """Learn whom mail moves from all finished campaigns with a holdout; the same rows do nothing.

    Without enough people no model is kept, and the answer says how many there are. Raises Refused
    without a paid order.
    """
    started = perf_counter()
    with store.reading() as connection:
        seen_from = vantage(connection, as_of, now, timezone)
        past = Past.read(connection, seen_from.moment)
        pooled = pool(connection, past)
        account = own_account(connection)
        row = learning.find_run(connection, _run_id(pooled, seen_from, account))
    missing = uplift.shortfall(pooled.trial)
    if missing:
        card = _card(pooled, None, f"too little to learn from: {missing}")
        return _trained(None, card, seen_from, is_new=False, started=started)
    if row is not None and model_files.is_whole(folder, row["run"], row["checksum"]):
        return _trained(row, row["card"], seen_from, is_new=False, started=started)
    row = _kept(store, folder, pooled, seen_from, account=account, now=now)
    return _trained(row, row["card"], seen_from, is_new=True, started=started)


def _trained(
    row: dict[str, Any] | None,
    card: dict[str, Any],
    seen_from: Vantage,
    *,
    is_new: bool,
    started: float,
) -> UpliftTrained:
    return UpliftTrained(
        run=None if row is None else row["run"],
        as_of=seen_from.day.isoformat(),
        window_days=WINDOW_DAYS,
        card=card,
        is_new=is_new,
        seconds=perf_counter() - started,
        is_champion=row is not None and bool(row["is_champion"]),
    )


def _run_id(pooled: Pooled, seen_from: Vantage, account: str) -> str:
    """Return the name of a training: a hash of its rows, settings and versions."""
    trial = pooled.trial
    settings = {
        "target": TARGET,
        "as_of": seen_from.day.isoformat(),
        "columns": readers.COLUMNS,
        "strength": [uplift.STRENGTH, uplift.SHARED_STRENGTH, uplift.FOLDS],
        "account": account,
        "format": model_files.FORMAT,
        "versions": {name: version(name) for name in VERSIONS_OF},
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for part in (pooled.matrix, trial.treated, trial.responded, trial.person):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()[:RUN_DIGITS]


def _kept(
    store: Store, folder: Path, pooled: Pooled, seen_from: Vantage, *, account: str, now: datetime
) -> dict[str, Any]:
    """Fit, judge by models that never saw the person, and keep; the newest rows' model is champion."""
    trial = pooled.trial
    model = uplift.fit(pooled.matrix, trial, readers.COLUMNS)
    judged = _judged(pooled)
    row: dict[str, Any] = {
        "run": _run_id(pooled, seen_from, account),
        "target": TARGET,
        "as_of": seen_from.day,
        "horizon_days": WINDOW_DAYS,
        "rung": RUNG,
        "customers": pooled.people,
        "buyers": int(trial.responded.sum()),
        "account": account,
        "columns_digest": COLUMNS_DIGEST,
        "trained_at": now,
    }
    row["checksum"] = model_files.write_model(folder, head_of(row), {"uplift": model.to_dict()})
    why = f"learned from {len(pooled.campaigns)} campaigns with a holdout, {pooled.people:,} people"
    row["card"] = _card(pooled, judged, why)
    with store.writing() as connection:
        champion = learning.champion(connection, TARGET, WINDOW_DAYS)
        learning.keep_run(connection, row)
        if champion is None or champion["as_of"] <= seen_from.day:
            learning.promote(connection, row, now)
        return learning.find_run(connection, row["run"]) or row


def _judged(pooled: Pooled) -> dict[str, Any]:
    """Return what the ranking is worth, beside ranking by who buys when mailed."""
    trial, said = pooled.trial, uplift.cross_fitted(pooled.matrix, pooled.trial)
    by_response = round(qini.coefficient(trial, said.response), 6)
    return {**qini.judge(trial, said.effect).to_json(), "qini_of_response": by_response}


def _card(pooled: Pooled, judged: dict[str, Any] | None, why: str) -> dict[str, Any]:
    trial = pooled.trial
    return {
        "why": why,
        "pooled": {
            "campaigns": len(pooled.campaigns),
            "people": pooled.people,
            "mailed": int(trial.treated.sum()),
            "held_out": int((~trial.treated).sum()),
            "mailed_buyers": int(trial.responded[trial.treated].sum()),
            "held_out_buyers": int(trial.responded[~trial.treated].sum()),
        },
        "uplift": judged,
        "columns": list(readers.COLUMNS),
        "names": list(pooled.campaigns),
        "metrics": UNDEFINED.to_json(),
        "baselines": {},
        "device": {"asked": "cpu", "used": "cpu", "why": "two small regressions"},
        "threads": 1,
        "versions": {name: version(name) for name in VERSIONS_OF},
    }


def aim(
    connection: Connection, folder: Path, chosen: Sequence[Person], price: float, now: datetime
) -> Aim:
    """Say whom of the chosen a mail moves too little to be worth its price.

    `price` is what one more mail costs in later mails' gain, as a share of the average gain of a mail.
    Without a usable model how likely people are to buy stands in: gains are taken to be in proportion.
    """
    row = learning.champion(connection, TARGET, WINDOW_DAYS)
    why = _unusable(row)
    if row is not None and why is None:
        try:
            model = _load(connection, folder, row)
        except ModelUnusable as problem:
            why = problem.message
        else:
            past = Past.read(connection, now)
            effect = model.effect(past.columns([person.email for person in chosen]))
            left_out = _below(chosen, effect, price)
            return Aim("uplift", "", left_out, price, len(chosen), run=row["run"])
    return _by_propensity(chosen, price, why or "")


def _unusable(row: dict[str, Any] | None) -> str | None:
    if row is None:
        return "no uplift model is trained: kpay train --target uplift"
    qini_value = row["card"]["uplift"]["qini"]["value"]
    if qini_value <= 0:
        return f"the uplift model {row['run']} ranks no better than chance: Qini {qini_value:.3f}"
    return None


def _load(connection: Connection, folder: Path, row: dict[str, Any]) -> Uplift:
    own = own_account(connection)
    if row["account"] not in ("", own) or row["columns_digest"] != COLUMNS_DIGEST:
        raise ModelUnusable(row["run"], "learned from another account or from other columns")
    saved = model_files.read_model(folder, head_of(row), row["checksum"])
    return Uplift.from_dict(saved["uplift"])


def _by_propensity(chosen: Sequence[Person], price: float, why: str) -> Aim:
    scored = [person for person in chosen if person.propensity is not None]
    if not scored:
        return Aim("nothing", why, frozenset(), price, len(chosen), len(chosen))
    chance = np.array([person.propensity for person in scored], dtype=float)
    left_out = _below(scored, chance, price)
    return Aim("propensity", why, left_out, price, len(chosen), len(chosen) - len(scored))


def _below(people: Sequence[Person], gain: Floats, price: float) -> frozenset[str]:
    """Return those whose gain is below the price of a mail, which a share of the mean gain is."""
    least = price * max(float(gain.mean()), 0.0) if len(gain) else 0.0
    return frozenset(
        person.email for person, is_low in zip(people, gain < least, strict=True) if is_low
    )
