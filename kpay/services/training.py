"""Training the model of who will buy, once for the same rows, settings and versions."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
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
from kpay.ml.training import Training
from kpay.ml.tuned import Tuner
from kpay.ports import TextEncoder
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
    tune_s: int | None = None


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
    """A training that is settled: what it is about, where it runs, and how its trees are set.

    `tuned` are the settings that a tuning found for the champion; a later training goes on with them.
    """

    target: Target
    horizon_days: int
    chosen: Choice
    tuned: dict[str, Any]
    tune_s: int | None

    @property
    def settings(self) -> dict[str, Any]:
        """LightGBM's parameters."""
        return boosting.parameters(self.chosen.threads, self.chosen.used) | self.tuned


def train(
    store: Store,
    folder: Path,
    asked: Asked,
    *,
    now: datetime,
    timezone: str,
    cache: Path,
    tune: Tuner | None = None,
    encoder: TextEncoder | None = None,
) -> Trained:
    """Train on what was known at the end of a day and keep the model; the same rows do nothing.

    `cache` is the folder in which trials of a graphics card are remembered; `tune` tries other
    settings. Raises Refused without an order, UsageProblem for a device that does not work.
    """
    started = perf_counter()
    target = parsed_target(asked.target)
    known = _known(store, asked.as_of, now, timezone, encoder)
    tuned = {} if tune else _tuned_before(store, asked)
    chosen = _device(asked, known, cache, now)
    plan = Plan(target, asked.horizon_days, chosen, tuned, asked.tune_s)
    run = run_id(known, plan)
    with store.reading() as connection:
        row = learning.find_run(connection, run)
    if row is not None and model_files.is_whole(folder, run, row["checksum"]):
        return Trained.of(row, is_new=False, seconds=perf_counter() - started)
    found = _learn(plan, known, tune)
    kept = _file_and_judge(store, folder, Finished(run, plan, known, found), before=row, now=now)
    return Trained.of(kept, is_new=True, seconds=perf_counter() - started)


def _tuned_before(store: Store, asked: Asked) -> dict[str, Any]:
    """Return the settings that were tuned for the champion, so that newer rows can refresh it."""
    with store.reading() as connection:
        champion = learning.champion(connection, asked.target, asked.horizon_days)
    recipe = champion["card"].get("recipe") if champion else None
    return dict(recipe.get("settings", {})) if recipe else {}


def _known(
    store: Store, as_of: str | None, now: datetime, timezone: str, encoder: TextEncoder | None
) -> Known:
    with store.reading() as connection:
        seen_from = vantage(connection, as_of, now, timezone)
        sold = learning.sold_before(connection, seen_from.moment)
        if sold is None:
            raise Refused(f"no paid order is known at the end of {seen_from.day}", "kpay sync")
        everything = histories.read(connection, seen_from.moment, encoder)
        account = model_life.own_account(connection)
    return Known(seen_from, everything, sold, account, fingerprint(everything))


def _device(asked: Asked, known: Known, cache: Path, now: datetime) -> Choice:
    rows = panel.most_rows(len(known.everything.purchases.customer_ids))
    columns = len(model_life.column_names())
    try:
        return devices.choose(asked.device, rows, columns, asked.threads, cache=cache, now=now)
    except DeviceRefused as refusal:
        raise UsageProblem(str(refusal), "kpay train --device cpu") from refusal


def run_id(known: Known, plan: Plan) -> str:
    """Return the name of a training: a hash of its rows, settings and versions."""
    settings = {
        "target": plan.target.name,
        "horizon_days": plan.horizon_days,
        "as_of": known.seen_from.day.isoformat(),
        "timezone": known.seen_from.timezone,
        "settings": plan.settings,
        "tune_s": plan.tune_s,
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


def _learn(plan: Plan, known: Known, tune: Tuner | None) -> Training:
    try:
        found = training.train(
            known.everything, plan.horizon_days, plan.settings, target=plan.target, tune=tune
        )
    except ValueError as problem:
        hint = "kpay content list" if plan.target.slug else "kpay sync"
        raise Refused(f"{plan.target.name} cannot be learned: {problem}", hint) from problem
    if plan.tuned and found.model.trees:
        return replace(found, recipe={**found.recipe, "settings": plan.tuned})
    return found


@dataclass(frozen=True, slots=True)
class Finished:
    """A training that came to its end, with all that is to be kept of it."""

    run: str
    plan: Plan
    known: Known
    found: Training

    def row(self, trained_at: datetime) -> dict[str, Any]:
        """Return the row of the store, without checksum and card."""
        return {
            "run": self.run,
            "target": self.plan.target.name,
            "as_of": self.known.seen_from.day,
            "horizon_days": self.plan.horizon_days,
            "rung": self.found.model.rung,
            "customers": self.found.customers,
            "buyers": self.found.buyers,
            "account": self.known.account,
            "columns_digest": model_life.columns_digest(),
            "trained_at": trained_at,
        }

    def saved(self) -> dict[str, Any]:
        """Return what stands in the file."""
        return {
            "propensity": self.found.model.to_dict(),
            "amounts": self.found.amounts.to_dict(),
        }

    def card(self) -> dict[str, Any]:
        """Return the model's card."""
        return model_card.card(
            self.found,
            self.known.everything,
            self.known.seen_from,
            chosen=self.plan.chosen,
            versions=_versions(),
            sold=self.known.sold,
            rows_sha256=self.known.rows_sha256,
        )


def _file_and_judge(
    store: Store, folder: Path, done: Finished, *, before: Row | None, now: datetime
) -> dict[str, Any]:
    """Write the file, then the row; a run whose file was lost keeps the standing it had."""
    row = done.row(before["trained_at"] if before else now)
    row["checksum"] = model_files.write_model(folder, model_life.head_of(row), done.saved())
    row["card"] = done.card()
    if before is not None:
        row["card"] |= {"champion": before["card"]["champion"]}
        return _keep(store, row)
    challenge = Challenge(row, done.found, done.known.everything, done.plan.settings)
    verdict = championing.judge(store, folder, challenge)
    row["card"] |= {"champion": verdict.to_json()}
    return _keep(store, row, promoted_at=now if verdict.is_champion else None)


def _keep(store: Store, row: dict[str, Any], promoted_at: datetime | None = None) -> dict[str, Any]:
    with store.writing() as connection:
        learning.keep_run(connection, row)
        if promoted_at:
            learning.promote(connection, row, promoted_at)
    return row
