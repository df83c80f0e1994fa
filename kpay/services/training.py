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

from kpay.domain.document import Column, Document, Figure, Figures, Table, Text
from kpay.domain.enums import Device
from kpay.errors import Refused, UsageProblem
from kpay.ml import boosting, device, frames, panel, propensity, training
from kpay.ml.device import Choice
from kpay.ml.frames import Frame
from kpay.ml.history import History
from kpay.services import model_card
from kpay.services.vantage import Vantage, vantage
from kpay.store import learning, model_files
from kpay.store.engine import Store
from kpay.store.frames import order_lines

VERSIONS_OF = ("kpay", "lightgbm", "numpy", "scipy", "pandas")
RUN_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """What training was asked for."""

    horizon_days: int
    as_of: str | None
    device: Device
    threads: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A training that is settled: its name, its day, and where it runs."""

    run: str
    seen_from: Vantage
    horizon_days: int
    chosen: Choice


@dataclass(frozen=True, slots=True)
class Trained:
    """A model run as it is kept, and whether this call made it."""

    run: str
    as_of: str
    horizon_days: int
    rung: str
    customers: int
    buyers: int
    card: dict[str, Any]
    is_new: bool
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the payload of `kpay train --json`."""
        names = ("why", "metrics", "baselines", "device", "threads", "rungs", "windows")
        return {
            "run": self.run,
            "status": "trained" if self.is_new else "unchanged",
            "as_of": self.as_of,
            "horizon_days": self.horizon_days,
            "customers": self.customers,
            "buyers": self.buyers,
            "rung": self.rung,
            **{name: self.card[name] for name in names},
            "calibration": self.card["calibration"],
            "seconds": round(self.seconds, 3),
        }

    def to_document(self) -> Document:
        """Return rung, reason and the measures beside the baselines."""
        done = f"Trained {self.run}" if self.is_new else f"Nothing to do: {self.run} is trained"
        return Document(
            schema="kpay.train/1",
            title=f"{done} ({self.rung}), who buys within {self.horizon_days} days",
            subtitle=f"as of {self.as_of}; {self.card['why']}",
            blocks=(*self._measured(), *_limits(self.card)),
            payload=self.to_json(),
            next_steps=("kpay score", "kpay recommend"),
        )

    def _measured(self) -> tuple[Figures | Table, ...]:
        if self.card["metrics"]["auc"] is None:
            return (Figures((Figure("customers", self.customers),)),)
        return (self._figures(), measures_table(self.rung, self.card))

    def _figures(self) -> Figures:
        return Figures(
            (
                Figure("customers", self.customers),
                Figure("bought in the backtest", self.buyers),
                Figure("AUC", self.card["metrics"]["auc"], "number"),
            )
        )


def measures_table(rung: str, card: dict[str, Any]) -> Table:
    """Return the model's measures and each baseline's, with intervals."""
    rows = [(f"{rung} (this model)", card["metrics"]), *card["baselines"].items()]
    return Table(
        columns=(
            Column("model"),
            Column("AUC", "number"),
            Column("95 % interval"),
            Column("log loss", "number"),
            Column("Brier", "number"),
            Column("ECE", "number"),
            Column("lift top 10 %", "number"),
        ),
        rows=tuple(
            (
                name,
                measured["auc"],
                _interval(measured),
                measured["log_loss"],
                measured["brier"],
                measured["ece"],
                measured["lift_top_decile"],
            )
            for name, measured in rows
        ),
        title="Backtest: promised one horizon ago, against what came",
    )


def _interval(measured: dict[str, Any]) -> str | None:
    if measured["auc_low95"] is None:
        return None
    return f"{measured['auc_low95']:.3f} to {measured['auc_high95']:.3f}"


def _limits(card: dict[str, Any]) -> tuple[Text, ...]:
    said = []
    if card["metrics"]["auc"] is None:
        said.append("No past window could be tested yet: how good this is, nobody knows.")
    if card["vantage"]:
        said.append(f"Trained as of the last day known: {card['vantage']}.")
    if card["at_limit"]:
        said.append("A parameter of the purchase model sits at its limit; read it with care.")
    return tuple(Text(sentence, "warning") for sentence in said)


def train(store: Store, folder: Path, asked: Asked, *, now: datetime, timezone: str) -> Trained:
    """Train on what was known at the end of a day and keep the model; the same rows do nothing.

    Raises Refused without an order, UsageProblem for a device that does not work.
    """
    started = perf_counter()
    with store.reading() as connection:
        seen_from = vantage(connection, asked.as_of, now, timezone)
        lines = order_lines(connection, seen_from.moment)
    if lines.empty:
        raise Refused(f"no paid order is known at the end of {seen_from.day}", "kpay sync")
    chosen = _device(asked, panel.most_rows(int(lines["customer"].nunique())))
    run = run_id(lines, asked.horizon_days, seen_from, chosen)
    with store.reading() as connection:
        row = learning.find_run(connection, run)
    if row is not None and model_files.is_whole(folder, run, row["checksum"]):
        return _trained(row, is_new=False, seconds=perf_counter() - started)
    plan = Plan(run, seen_from, asked.horizon_days, chosen)
    kept = _train_and_keep(store, folder, plan, lines, now)
    return _trained(kept, is_new=True, seconds=perf_counter() - started)


def _device(asked: Asked, rows: int) -> Choice:
    try:
        return device.choose(asked.device, rows, asked.threads)
    except device.DeviceRefused as refusal:
        raise UsageProblem(str(refusal), "kpay train --device cpu") from refusal


def run_id(lines: Frame, horizon_days: int, seen_from: Vantage, chosen: Choice) -> str:
    """Return the name of a training: a hash of its rows, settings and versions."""
    digest = hashlib.sha256()
    settings = {
        "horizon_days": horizon_days,
        "as_of": seen_from.day.isoformat(),
        "timezone": seen_from.timezone,
        "settings": boosting.parameters(chosen.threads, chosen.used),
        "format": propensity.FORMAT,
        "versions": _versions(),
    }
    digest.update(json.dumps(settings, sort_keys=True).encode())
    digest.update(frames.digest(lines))
    return digest.hexdigest()[:RUN_DIGITS]


def _versions() -> dict[str, str]:
    return {name: version(name) for name in VERSIONS_OF}


def _train_and_keep(
    store: Store, folder: Path, plan: Plan, lines: Frame, now: datetime
) -> dict[str, Any]:
    settings = boosting.parameters(plan.chosen.threads, plan.chosen.used)
    known = History(frames.purchases(lines, plan.seen_from.moment))
    found = training.train(known, plan.horizon_days, settings)
    saved = {"propensity": found.model.to_dict(), "amounts": found.amounts.to_dict()}
    row = {
        "run": plan.run,
        "as_of": plan.seen_from.day,
        "horizon_days": plan.horizon_days,
        "rung": found.model.rung,
        "customers": found.customers,
        "buyers": found.buyers,
        "checksum": model_files.write_model(folder, plan.run, saved),
        "card": model_card.card(
            found,
            lines,
            plan.seen_from,
            chosen=plan.chosen,
            versions=_versions(),
            rows_sha256=frames.digest(lines).hex(),
        ),
        "trained_at": now,
    }
    with store.writing() as connection:
        learning.keep_run(connection, row)
    return row


def _trained(row: dict[str, Any], *, is_new: bool, seconds: float) -> Trained:
    return Trained(
        run=row["run"],
        as_of=row["as_of"].isoformat(),
        horizon_days=row["horizon_days"],
        rung=row["rung"],
        customers=row["customers"],
        buyers=row["buyers"],
        card=row["card"],
        is_new=is_new,
        seconds=seconds,
    )
