"""The trained models on the shelf: which there are, which one scores, and changing that by hand."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from kpay.domain.document import Column, Document, Table, Text
from kpay.domain.period import instant_text
from kpay.errors import NotFound, Refused
from kpay.services.model_life import Row, head_of, load
from kpay.store import learning, model_files
from kpay.store.engine import Store

UPLIFT: Final = "uplift"


def list_models(store: Store, folder: Path) -> Document:
    """List all model runs, the newest as-of first, and say whose file is gone."""
    with store.reading() as connection:
        rows = learning.all_runs(connection)
    gone = [row["run"] for row in rows if not model_files.is_there(folder, row["run"])]
    lost = Text(f"No file any more: {', '.join(gone)}; these cannot score.", "warning")
    return Document(
        schema="kpay.model.list/1",
        title=f"{len(rows)} model{'' if len(rows) == 1 else 's'}"
        if rows
        else "No model is trained yet",
        blocks=(*((_table(rows),) if rows else ()), *((lost,) if gone else ())),
        payload={"models": [{**summary(row), "has_file": row["run"] not in gone} for row in rows]},
        next_steps=("kpay model show",) if rows else ("kpay train",),
    )


def _table(rows: list[dict[str, Any]]) -> Table:
    columns = (
        Column("run"),
        Column("target"),
        Column("as of", "day"),
        Column("days", "count"),
        Column("rung"),
        Column("customers", "count"),
        Column("AUC", "number"),
        Column("champion"),
        Column("promoted", "instant"),
    )
    return Table(
        columns,
        tuple(
            (
                row["run"],
                row["target"],
                row["as_of"],
                row["horizon_days"],
                row["rung"],
                row["customers"],
                _metrics(row).get("auc"),
                "yes" if row["is_champion"] else "",
                row["promoted_at"],
            )
            for row in rows
        ),
    )


def summary(row: Row) -> dict[str, Any]:
    """Return what JSON says of a run wherever runs are listed."""
    promoted_at = row["promoted_at"]
    return {
        "run": row["run"],
        "target": row["target"],
        "as_of": row["as_of"].isoformat(),
        "horizon_days": row["horizon_days"],
        "rung": row["rung"],
        "customers": row["customers"],
        "buyers": row["buyers"],
        "is_champion": row["is_champion"],
        "promoted_at": instant_text(promoted_at) if promoted_at else None,
        "metrics": _metrics(row),
    }


def _metrics(row: Row) -> dict[str, Any]:
    """Return the measures of a card; a model of uplift has others."""
    return row["card"].get("metrics") or {}


def promote(store: Store, folder: Path, run: str, now: datetime) -> Document:
    """Make a model the champion by hand; NotFound, or ModelUnusable when it could not score.

    Nothing is written for one that is champion already.
    """
    with store.reading() as connection:
        row = named_run(connection, run)
        before = learning.champion(connection, row["target"], row["horizon_days"])
    _read(store, folder, row)
    is_new = before is None or before["run"] != row["run"]
    if is_new:
        with store.writing() as connection:
            learning.promote(connection, row, now)
    return _document("promote", row, before if is_new else None, is_new=is_new)


def rollback(store: Store, folder: Path, target: str) -> Document:
    """Let the champion before stand again; Refused when there was none or its file is unusable."""
    with store.reading() as connection:
        row = learning.champion(connection, target)
        before = learning.promoted_before(connection, row) if row else None
    if row is None or before is None:
        raise Refused(
            f"no champion of the target {target} came before the present one", "kpay model list"
        )
    _read(store, folder, before)
    with store.writing() as connection:
        learning.give_back(connection, row, before)
    return _document("rollback", before, row, is_new=True)


def _read(store: Store, folder: Path, row: Row) -> None:
    """Read a model as scoring will; one of uplift is read by campaigns, in its own way."""
    if row["target"] == UPLIFT:
        model_files.read_model(folder, head_of(row), row["checksum"])
    else:
        load(store, folder, row)


def named_run(connection: Connection, run: str) -> dict[str, Any]:
    """Return the run whose id begins like this; NotFound, or Refused when several do."""
    rows = learning.runs_starting(connection, run)
    exact = next((row for row in rows if row["run"] == run), None)
    if exact is None and len(rows) > 1:
        raise Refused(f"{len(rows)} models begin with {run!r}", "kpay model list")
    if not rows:
        raise NotFound("model", run, "kpay model list")
    return exact or rows[0]


def _document(verb: str, row: Row, replaced: Row | None, *, is_new: bool) -> Document:
    what = f"{row['target']}, {row['horizon_days']} days"
    title = (
        f"{row['run']} is the champion now ({what})"
        if is_new
        else (f"Nothing to do: {row['run']} is the champion ({what})")
    )
    instead = f"instead of {replaced['run']} (as of {replaced['as_of']})" if replaced else ""
    return Document(
        schema=f"kpay.model.{verb}/1",
        title=title,
        subtitle=instead,
        blocks=(),
        payload={
            "run": row["run"],
            "status": "promoted" if is_new else "unchanged",
            "target": row["target"],
            "horizon_days": row["horizon_days"],
            "instead_of": replaced["run"] if replaced else None,
        },
        next_steps=("kpay score", "kpay model list"),
    )
