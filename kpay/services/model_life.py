"""Which trained model may be used, and reading it: never another account's, another version's, a damaged one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection

from kpay.errors import ModelForeign, ModelOutdated, Refused, UsageProblem
from kpay.ml import features, targets
from kpay.ml.families import FAMILIES
from kpay.ml.frames import Purchases
from kpay.ml.history import History
from kpay.ml.propensity import Propensity
from kpay.ml.targets import Target
from kpay.ml.value import Amounts
from kpay.services.accounts import pinned_account
from kpay.services.sealed_trees import SealedTrees
from kpay.services.vantage import Vantage
from kpay.store import learning, model_files
from kpay.store.engine import Store
from kpay.store.learning import PURCHASE
from kpay.store.model_files import Head

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model, ready to score."""

    run: str
    target: str
    as_of: date
    horizon_days: int
    propensity: Propensity
    amounts: Amounts


def parsed_target(name: str) -> Target:
    """Read --target; UsageProblem, naming what there is, for anything else."""
    try:
        return targets.parse(name)
    except ValueError as problem:
        raise UsageProblem(f"--target {problem}", "kpay train --target purchase") from problem


def own_account(connection: Connection) -> str:
    """Return the account and mode that this business belongs to; "" while it only has imports."""
    account = pinned_account(connection)
    return f"{account.id}/{account.mode}" if account else ""


@lru_cache(maxsize=1)
def column_names() -> tuple[str, ...]:
    """Return the columns that this version of kpay computes, in their order."""
    families = [column for family in FAMILIES for column in family.columns]
    return (*features.snapshot(_one_purchase(), 0, 1).names, *families)


def columns_digest() -> str:
    """Return a digest of the columns that this version of kpay computes."""
    return hashlib.sha256("\n".join(column_names()).encode()).hexdigest()[:16]


def _one_purchase() -> History:
    once, never = np.ones(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    return History(
        Purchases(
            customer_ids=once,
            currencies=("usd",),
            customer=never,
            day=-once,
            currency=never,
            amount_minor=once,
            lines=once,
            new_contents=once,
            opens_day=np.ones(1, dtype=bool),
        )
    )


def pick(
    connection: Connection, seen_from: Vantage, *, is_asked: bool, target: str = PURCHASE
) -> dict[str, Any]:
    """Return the run to use: the champion, for a day that was asked for the newest of those days.

    Raises Refused when no model is trained, or when every one knows what came after the day.
    """
    row = None if is_asked else learning.champion(connection, target)
    if row is None or row["as_of"] > seen_from.day:
        row = learning.newest_run(connection, seen_from.day, target)
    if row is not None:
        return row
    if learning.newest_run(connection, target=target) is None:
        raise no_model_yet(target)
    raise Refused(
        f"every model{_about(target)} was trained on days after {seen_from.day}; "
        "its scores would know what came next",
        f"{_train(target)} --as-of {seen_from.day}",
        oldest_needed=seen_from.day.isoformat(),
    )


def no_model_yet(target: str = PURCHASE) -> Refused:
    """The refusal of a business that has not trained yet."""
    return Refused(f"no model{_about(target)} is trained yet", _train(target))


def _about(target: str) -> str:
    return "" if target == PURCHASE else f" of the target {target}"


def _train(target: str) -> str:
    """Return the command that trains a target."""
    return "kpay train" if target == PURCHASE else f"kpay train --target {target}"


def load(store: Store, folder: Path, row: Row, everything: History | None = None) -> Model:
    """Read the model of a run, its trees sealed; one of ModelUnusable when it must not be used.

    `everything` is what it is to look at, where it is to look at anything.
    """
    _check(store, row)
    if everything is not None and row["card"].get("texts", "") != everything.texts_by:
        raise ModelOutdated(row["run"], "cannot score: it read texts with another embedding model")
    saved = model_files.read_model(folder, head_of(row), row["checksum"])
    try:
        fitted = Propensity.from_dict(saved["propensity"])
        amounts = Amounts.from_dict(saved["amounts"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelOutdated(row["run"], "was written by another version of kpay") from error
    if fitted.trees:
        trees = SealedTrees(fitted.trees.text, fitted.trees.names, row["run"])
        fitted = replace(fitted, trees=trees)
    return Model(row["run"], row["target"], row["as_of"], row["horizon_days"], fitted, amounts)


def head_of(row: Row) -> Head:
    """Return what the head of a run's file has to say."""
    return Head(row["run"], row["target"], row["account"], row["columns_digest"])


def _check(store: Store, row: Row) -> None:
    """Refuse a model of another account, or of other columns.

    One that learned from imports alone, before there was an account, is this business's own.
    """
    with store.reading() as connection:
        own = own_account(connection)
    if row["account"] not in ("", own):
        raise ModelForeign(
            row["run"],
            f"cannot score here: it learned from the account {row['account']}, "
            f"and this business belongs to {own or 'none'}",
        )
    if row["columns_digest"] != columns_digest():
        raise ModelOutdated(
            row["run"], "cannot score: it looks at other columns than this version of kpay"
        )
