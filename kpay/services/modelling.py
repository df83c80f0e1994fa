"""What a trained model is worth: its card as one document, and whether it is still true."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from kpay.domain import uplift_report
from kpay.domain.document import Block, Column, Document, Figure, Figures, Table, Text
from kpay.domain.family_words import family_of, title_of
from kpay.domain.target_words import did, train_again, who_does
from kpay.errors import NotFound, Refused
from kpay.ports import TextEncoder
from kpay.services import drifting
from kpay.services.card_words import limits
from kpay.services.drifting import Drift
from kpay.services.model_life import no_model_yet
from kpay.services.model_shelf import summary
from kpay.services.training_report import measures_table
from kpay.services.vantage import vantage
from kpay.store import learning
from kpay.store.engine import Store

SHOWN_COLUMNS = 12
UPLIFT = "uplift"
Card = dict[str, Any]


def show_model(
    store: Store,
    folder: Path,
    run: str | None,
    target: str = learning.PURCHASE,
    *,
    now: datetime,
    timezone: str,
    drift: bool = True,
    encoder: TextEncoder | None = None,
) -> Document:
    """Show one run's card, that of a target's champion when none is named; a beginning of its id will do.

    With `drift` the customers of today are read and held against those it learned from.
    """
    with store.reading() as connection:
        row = _chosen(learning.runs_starting(connection, run or ""), run, target)
        seen_from = vantage(connection, None, now, timezone) if drift and _drifts(row) else None
    looked = drifting.look(store, folder, row, seen_from, encoder) if seen_from else None
    card = row["card"]
    warned = limits(card, row)
    return Document(
        schema="kpay.model.show/1",
        title=f"Model {row['run']} ({row['rung']}), {who_does(row['target'], row['horizon_days'])}",
        subtitle=f"as of {row['as_of']}; {card.get('why', '')}",
        blocks=tuple(_blocks(row, card, looked, warned)),
        payload={
            **summary(row),
            "checksum": row["checksum"],
            "card": card,
            "limits": warned,
            "drift": looked.to_json() if looked else None,
        },
        next_steps=_next(row, looked),
    )


def _drifts(row: Card) -> bool:
    """Whether the features of today can be held against it: those of uplift are of single sends."""
    return bool(row["target"] != UPLIFT)


def _next(row: Card, looked: Drift | None) -> tuple[str, ...]:
    page = f"kpay model show {row['run']} --out model.html"
    if looked and looked.advice:
        return (train_again(row["target"], row["horizon_days"]), page)
    return (page, "kpay model explain EMAIL")


def _chosen(rows: list[Card], run: str | None, target: str) -> Card:
    if run is None:
        about = [row for row in rows if row["target"] == target]
        if not about:
            raise no_model_yet(target)
        return max(about, key=lambda row: (row["is_champion"], row["as_of"], row["id"]))
    if not rows:
        raise NotFound("model", run, "kpay model list")
    if len(rows) > 1 and run not in [row["run"] for row in rows]:
        raise Refused(f"{len(rows)} models begin with {run!r}", "kpay model list")
    return next((row for row in rows if row["run"] == run), rows[0])


def _blocks(row: Card, card: Card, looked: Drift | None, warned: list[str]) -> Iterator[Block]:
    if row["target"] == UPLIFT:
        yield from uplift_report.blocks(card)
    else:
        yield measures_table(row["rung"], card)
    yield from _cutoff(card.get("confusion") or {})
    yield from _calibration(card.get("calibration") or [])
    yield from _windows(card.get("windows") or [], did(row["target"]))
    yield from _importance(card)
    yield from _families(card.get("families") or [])
    yield from _drift(looked)
    yield _making(card)
    yield from (Text(sentence, "warning") for sentence in warned)


def _cutoff(confusion: Card) -> Iterator[Block]:
    if not confusion:
        return
    yield Figures(
        (
            Figure("precision", confusion["precision"], "share"),
            Figure("recall", confusion["recall"], "share"),
            Figure("F1", confusion["f1"], "number"),
            Figure("accuracy", confusion["accuracy"], "share"),
        ),
        title="If the likeliest fifth had been mailed (the `high` band, deciles 1 and 2)",
    )
    yield Table(
        (Column(""), Column("it came true", "count"), Column("it did not", "count")),
        (
            ("in the likeliest fifth", confusion["tp"], confusion["fp"]),
            ("among all others", confusion["fn"], confusion["tn"]),
        ),
    )


def _calibration(bins: list[Card]) -> Iterator[Block]:
    if not bins:
        return
    columns = (
        Column("customers", "count"),
        Column("promised", "number"),
        Column("came", "count"),
    )
    rows = tuple(
        (int(row["customers"]), row["expected"], int(row["actual"])) for row in reversed(bins)
    )
    yield Table(columns, rows, title="Promised and kept, the likeliest tenth first")


def _windows(windows: list[Card], came_true: str) -> Iterator[Block]:
    if not windows:
        return
    columns = (
        Column("days ago", "count"),
        Column("customers", "count"),
        Column(came_true, "count"),
        Column("share", "share"),
    )
    rows = tuple(
        (-row["cutoff_day"], row["customers"], row["buyers"], row["base_rate"]) for row in windows
    )
    yield Table(columns, rows, title="Windows it learned from")


def _importance(card: Card) -> Iterator[Block]:
    looked_at = card.get("importance") or [
        {"column": name, "mean_adds": None, "gain": gain}
        for name, gain in (card.get("gain") or {}).items()
    ]
    if not looked_at:
        return
    columns = (Column("what it looks at"), Column("mean effect", "number"), Column("gain", "share"))
    rows = tuple(
        (title_of(each["column"]), each["mean_adds"], each["gain"] or None)
        for each in looked_at[:SHOWN_COLUMNS]
    )
    note = (
        "Mean effect: how far it moves the log odds of a customer, up or down; gain: of its trees."
    )
    yield Table(columns, rows, title="What it looks at", note=note)


def _families(families: list[Card]) -> Iterator[Block]:
    if not families:
        return
    columns = (
        Column("evidence"),
        Column("used"),
        Column("log loss saved", "number"),
        Column("standard error", "number"),
        Column("why"),
    )
    rows = tuple(
        (
            family_of(each["name"]),
            "yes" if each["kept"] else "no",
            each["gain"],
            each["se"],
            each["why"],
        )
        for each in families
    )
    yield Table(columns, rows, title="Evidence that was tried")


def _drift(looked: Drift | None) -> Iterator[Block]:
    if looked is None:
        return
    if looked.score_psi is not None:
        yield _psi_table(looked)
    if looked.kept:
        yield _kept_table(looked)
    tone: Literal["plain", "good", "warning"] = "warning" if looked.advice else "plain"
    yield Text(looked.verdict, "good" if looked.is_calm else tone)


def _psi_table(looked: Drift) -> Table:
    rows = [("Scores of the model", looked.score_psi)]
    rows += [(title_of(name), psi) for name, psi in list(looked.psi.items())[:SHOWN_COLUMNS]]
    return Table(
        (Column("what"), Column("PSI", "number")),
        tuple(rows),
        title=f"Customers of {looked.day} against those it learned from",
        note="Population stability index: below 0.1 alike, above 0.25 others.",
    )


def _kept_table(looked: Drift) -> Table:
    columns = (
        Column("scored as of", "day"),
        Column("model"),
        Column("customers", "count"),
        Column("promised", "number"),
        Column("came", "count"),
        Column("chance alone"),
    )
    rows = tuple(
        (
            one.as_of,
            one.run,
            one.customers,
            round(one.promised, 1),
            one.came,
            f"± {2 * one.error:.1f}",
        )
        for one in looked.kept
    )
    return Table(columns, rows, title="Past scores that have come due")


def _making(card: Card) -> Table:
    device, versions = card.get("device") or {}, card.get("versions") or {}
    recipe = card.get("recipe") or {}
    tuned = ", ".join(f"{name} {value}" for name, value in (recipe.get("settings") or {}).items())
    rows = [
        ("first order", card.get("first_day")),
        ("orders", card.get("orders")),
        ("device", f"{device.get('used', '–')}: {device.get('why', '')}"),
        ("threads", card.get("threads")),
        ("boosting rounds", card.get("rounds") or None),
        ("tuned settings", tuned),
        ("champion", (card.get("champion") or {}).get("why")),
        ("seeds", ", ".join(f"{name} {seed}" for name, seed in (card.get("seeds") or {}).items())),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions.items())),
        ("rows, SHA-256", card.get("rows_sha256")),
    ]
    told = tuple(row for row in rows if row[1] not in (None, ""))
    return Table((Column("how it was made"), Column("")), told)
