"""Training the model of who will buy, once for the same rows, settings and versions."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

from kpay.domain.enums import Device
from kpay.errors import Refused, UsageProblem
from kpay.ml import boosting, panel, propensity, training
from kpay.ml.device import Choice, DeviceRefused
from kpay.ml.fingerprint import fingerprint
from kpay.ml.history import History
from kpay.ml.targets import Target
from kpay.services import championing, devices, histories, model_card, model_life
from kpay.services.championing import Challenge
from kpay.services.model_life import Row, parsed_target
from kpay.services.training_report import Trained
from kpay.services.vantage import Vantage, vantage
from kpay.store import learning, model_files
from kpay.store.engine import Store
from kpay.store.learning import PURCHASE, Sold

VERSIONS_OF = ("kpay", "lightgbm", "numpy", "scipy", "pandas")
RUN_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """What training was asked for."""

    horizon_days: int
    as_of: str | None
    device: Device
    threads: int | None
    target: str = PURCHASE


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to learn from: everything dated, how much was sold, and whose it is."""

    seen_from: Vantage
    everything: History
    sold: Sold
    account: str
    rows_sha256: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A training that is settled: its name, what it is about, and where it runs."""

    run: str
    target: Target
    horizon_days: int
    chosen: Choice


def train(
    store: Store, folder: Path, asked: Asked, *, now: datetime, timezone: str, cache: Path
) -> Trained:
    """Train on what was known at the end of a day and keep the model; the same rows do nothing.

    `cache` is the folder in which trials of a graphics card are remembered. Raises Refused without an order, UsageProblem for a device that does not work.
    """
    started = perf_counter()
    target = parsed_target(asked.target)
    known = _known(store, asked.as_of, now, timezone)
    chosen = _device(asked, known, cache, now)
    plan = Plan(run_id(known, asked, chosen), target, asked.horizon_days, chosen)
    with store.reading() as connection:
        row = learning.find_run(connection, plan.run)
    if row is not None and model_files.is_whole(folder, plan.run, row["checksum"]):
        return Trained.of(row, is_new=False, seconds=perf_counter() - started)
    kept = _train_and_keep(store, folder, plan, known, before=row, now=now)
    return Trained.of(kept, is_new=True, seconds=perf_counter() - started)


def _known(store: Store, as_of: str | None, now: datetime, timezone: str) -> Known:
    with store.reading() as connection:
        seen_from = vantage(connection, as_of, now, timezone)
        sold = learning.sold_before(connection, seen_from.moment)
        if sold is None:
            raise Refused(f"no paid order is known at the end of {seen_from.day}", "kpay sync")
        everything = histories.read(connection, seen_from.moment)
        account = model_life.own_account(connection)
    return Known(seen_from, everything, sold, account, fingerprint(everything))


def _device(asked: Asked, known: Known, cache: Path, now: datetime) -> Choice:
    rows = panel.most_rows(len(known.everything.purchases.customer_ids))
    columns = len(model_life.column_names())
    try:
        return devices.choose(asked.device, rows, columns, asked.threads, cache=cache, now=now)
    except DeviceRefused as refusal:
        raise UsageProblem(str(refusal), "kpay train --device cpu") from refusal


def run_id(known: Known, asked: Asked, chosen: Choice) -> str:
    """Return the name of a training: a hash of its rows, settings and versions."""
    settings = {
        "target": asked.target,
        "horizon_days": asked.horizon_days,
        "as_of": known.seen_from.day.isoformat(),
        "timezone": known.seen_from.timezone,
        "settings": boosting.parameters(chosen.threads, chosen.used),
        "columns": model_life.columns_digest(),
        "account": known.account,
        "format": [propensity.FORMAT, model_files.FORMAT],
        "versions": _versions(),
        "rows": known.rows_sha256,
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    return digest.hexdigest()[:RUN_DIGITS]


def _versions() -> dict[str, str]:
    return {name: version(name) for name in VERSIONS_OF}


def _train_and_keep(
    store: Store, folder: Path, plan: Plan, known: Known, *, before: Row | None, now: datetime
) -> dict[str, Any]:
    """Train, write the file, then the row; a run whose file was lost keeps the standing it had."""
    settings = boosting.parameters(plan.chosen.threads, plan.chosen.used)
    found = _learn(plan, known, settings)
    row = _row(found, plan, known, before["trained_at"] if before else now)
    saved = {"propensity": found.model.to_dict(), "amounts": found.amounts.to_dict()}
    row["checksum"] = model_files.write_model(folder, model_life.head_of(row), saved)
    row["card"] = _card(found, plan, known)
    if before is not None:
        row["card"] |= {"champion": before["card"]["champion"]}
        return _keep(store, row)
    verdict = championing.judge(store, folder, Challenge(row, found, known.everything, settings))
    row["card"] |= {"champion": verdict.to_json()}
    return _keep(store, row, promoted_at=now if verdict.is_champion else None)


def _learn(plan: Plan, known: Known, settings: dict[str, Any]) -> training.Training:
    try:
        return training.train(known.everything, plan.horizon_days, settings, target=plan.target)
    except ValueError as problem:
        hint = "kpay content list" if plan.target.slug else "kpay sync"
        raise Refused(f"{plan.target.name} cannot be learned: {problem}", hint) from problem


def _keep(store: Store, row: dict[str, Any], promoted_at: datetime | None = None) -> dict[str, Any]:
    with store.writing() as connection:
        learning.keep_run(connection, row)
        if promoted_at:
            learning.promote(connection, row, promoted_at)
    return row


def _row(found: training.Training, plan: Plan, known: Known, at: datetime) -> dict[str, Any]:
    return {
        "run": plan.run,
        "target": plan.target.name,
        "as_of": known.seen_from.day,
        "horizon_days": plan.horizon_days,
        "rung": found.model.rung,
        "customers": found.customers,
        "buyers": found.buyers,
        "account": known.account,
        "columns_digest": model_life.columns_digest(),
        "trained_at": at,
    }


def _card(found: training.Training, plan: Plan, known: Known) -> dict[str, Any]:
    return model_card.card(
        found,
        known.everything,
        known.seen_from,
        chosen=plan.chosen,
        versions=_versions(),
        sold=known.sold,
        rows_sha256=known.rows_sha256,
    )
