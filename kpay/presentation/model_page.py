"""A model's card as plain values for its page: words, drawings and rows, nothing left to compute."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from kpay.domain.by_chance import calibration_error
from kpay.domain.document import Column
from kpay.domain.family_words import family_of, title_of
from kpay.domain.target_words import did, doers, train_again, who_does
from kpay.presentation import model_pictures
from kpay.presentation.cells import NOTHING, RIGHT_KINDS, for_people
from kpay.presentation.model_pictures import name_of
from kpay.presentation.plots import Axis

Card = Mapping[str, Any]
SHOWN_COLUMNS: Final = 12
SHOWN_DRIFT: Final = 8


def model_page_values(payload: Card) -> dict[str, Any]:
    """Return what `report/model.html` is filled with, from the payload of `kpay model show`."""
    card: Card = payload["card"]
    target = payload["target"]
    title = who_does(target, payload["horizon_days"])
    looked_at = card.get("importance") or []
    return {
        "title": title[0].upper() + title[1:],
        "run": payload["run"],
        "is_champion": payload["is_champion"],
        "state": "scores now" if payload["is_champion"] else "does not score now",
        "subtitle": _subtitle(payload, card),
        "lead": _lead(payload, card),
        "figures": _figures(payload, card),
        "limits": payload.get("limits") or [],
        "doer": "buyer" if doers(target) == "buyers" else "customer for whom it came true",
        "rivals": _rivals(payload["rung"], card),
        "measures": _measures(payload["rung"], card),
        "rolling": _rolling(payload, card),
        "curves": model_pictures.curves(payload["rung"], card, target),
        "lift": model_pictures.lift(payload["rung"], card),
        "cutoff": _cutoff(card.get("confusion") or {}, target),
        "importance": _importance(looked_at),
        "has_gain": any(each["gain"] for each in looked_at),
        "dependence": model_pictures.dependence(card.get("dependence") or []),
        "windows": _windows(payload, card),
        "families": [_family(each) for each in card.get("families") or []],
        "drift": _drift(payload.get("drift")),
        "train_again": train_again(target, payload["horizon_days"]),
        "making": _making(payload, card),
        "checksum": payload["checksum"],
    }


def _subtitle(payload: Card, card: Card) -> str:
    first, last = card.get("first_day"), payload["as_of"]
    span = f"from {first} to {last}" if first else f"up to {last}"
    orders = f", {card['orders']:,} orders" if card.get("orders") else ""
    return f"Learned {span}: {payload['customers']:,} customers{orders}"


def _lead(payload: Card, card: Card) -> str:
    why = card.get("why") or ""
    return f"{name_of(payload['rung'])}. {why[:1].upper()}{why[1:]}{'.' if why else ''}"


def _figures(payload: Card, card: Card) -> list[dict[str, str]]:
    metrics: Card = card.get("metrics") or {}
    auc, lift, ece = (metrics.get(name) for name in ("auc", "lift_top_decile", "ece"))
    recency = (card.get("baselines") or {}).get("recency", {}).get("auc")
    beside = f"; days since the last purchase alone: {100 * recency:.0f}" if recency else ""
    tested = sum(part["customers"] for part in card.get("calibration") or [])
    rate = payload["buyers"] / tested if tested else None
    return [
        {
            "label": "Ranking (AUC)",
            "value": _decimals(auc),
            "note": f"right in {100 * auc:.0f} of 100 pairs{beside}" if auc else "not tested yet",
        },
        {
            "label": "Lift, likeliest tenth",
            "value": f"{lift:.1f}×" if lift else NOTHING,
            "note": "as often as everybody" if lift else "not tested yet",
        },
        {
            "label": "Kept its word within",
            "value": f"{100 * ece:.1f} pts" if ece is not None else NOTHING,
            "note": _ece_note(rate, int(tested)) if ece is not None else "not tested yet",
        },
        {
            "label": "Base rate",
            "value": for_people(rate, "share") if tested else NOTHING,
            "note": f"{payload['buyers']:,} of {tested:,} in the backtest" if tested else "unknown",
        },
    ]


def _ece_note(rate: float | None, tested: int) -> str:
    chance = f"; chance alone gives {100 * calibration_error(rate, tested):.1f}" if rate else ""
    return f"mean gap of promised and come (ECE){chance}"


def _decimals(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"


def _beside(rung: str, card: Card) -> list[tuple[str, Card]]:
    baselines = card.get("baselines") or {}
    others = sorted((name for name in baselines if name != rung), key=_from_the_simplest)
    return [(rung, card.get("metrics") or {}), *((name, baselines[name]) for name in others)]


def _from_the_simplest(name: str) -> int:
    order = list(model_pictures.NAMES)
    return order.index(name) if name in order else len(order)


def _rivals(rung: str, card: Card) -> list[dict[str, Any]]:
    rows = [(name, found) for name, found in _beside(rung, card) if found.get("auc") is not None]
    ends = [
        found.get(key) or found["auc"] for _, found in rows for key in ("auc_low95", "auc_high95")
    ]
    if not rows:
        return []
    low, high = min(*ends, 0.5), max(*ends, 0.55)
    scale = Axis(low - 0.02 * (high - low), high + 0.02 * (high - low), "")
    return [_rival(name, found, scale, is_ours=name == rung) for name, found in rows]


def _rival(name: str, found: Card, scale: Axis, *, is_ours: bool) -> dict[str, Any]:
    low, high = found.get("auc_low95"), found.get("auc_high95")
    left = None if low is None else round(100 * scale.share(low), 1)
    width = None if low is None or high is None else round(100 * scale.share(high), 1) - (left or 0)
    interval = "" if low is None or high is None else f"  ({low:.3f} to {high:.3f})"
    return {
        "name": f"{name_of(name)}{' (this model)' if is_ours else ''}",
        "is_ours": is_ours,
        "auc": f"{found['auc']:.3f}{interval}",
        "at": round(100 * scale.share(found["auc"]), 1),
        "left": left,
        "width": None if width is None else round(width, 1),
    }


def _measures(rung: str, card: Card) -> dict[str, Any]:
    columns = [
        Column("model"),
        Column("log loss", "number"),
        Column("95 % interval"),
        Column("Brier", "number"),
        Column("ECE", "number"),
        Column("average precision", "number"),
        Column("lift, top 10 %", "number"),
    ]
    rows = [
        (
            name_of(name),
            found.get("log_loss"),
            _interval(found.get("log_loss_low95"), found.get("log_loss_high95")),
            found.get("brier"),
            found.get("ece"),
            found.get("average_precision"),
            found.get("lift_top_decile"),
        )
        for name, found in _beside(rung, card)
    ]
    return _table("Measures beside the baselines", columns, rows)


def _rolling(payload: Card, card: Card) -> dict[str, Any] | None:
    """Return the log loss of every rung and baseline on each day that was tested."""
    tests = card.get("rolling") or []
    if not tests:
        return None
    known = {name for test in tests for name in test["log_loss"]}
    days = [_day_of(payload, test["cutoff_day"]) for test in tests]
    columns = [Column("log loss"), *(Column(day.isoformat(), "number") for day in days)]
    rows = [
        (
            f"{name_of(name)}{' (this model)' if name == payload['rung'] else ''}",
            *(test["log_loss"].get(name) for test in tests),
        )
        for name in sorted(known, key=_from_the_simplest, reverse=True)
    ]
    return _table("The same on earlier days", columns, rows)


def _day_of(payload: Card, cutoff_day: int) -> date:
    """Return the first day that was not known at a cutoff."""
    return date.fromisoformat(payload["as_of"]) + timedelta(days=1 + cutoff_day)


def _interval(low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _table(title: str, columns: list[Column], rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    return {
        "title": title,
        "columns": [
            {"heading": column.heading, "side": "right" if column.kind in RIGHT_KINDS else "left"}
            for column in columns
        ],
        "rows": [
            [for_people(cell, column.kind) for cell, column in zip(row, columns, strict=True)]
            for row in rows
        ],
    }


def _cutoff(confusion: Card, target: str) -> dict[str, Any] | None:
    if not confusion:
        return None
    mailed, done = confusion["tp"] + confusion["fp"], did(target)
    people = mailed + confusion["fn"] + confusion["tn"]
    shares = (
        ("Precision", confusion["precision"], f"of those mailed {done}"),
        ("Recall", confusion["recall"], f"of all {doers(target)} were mailed"),
        ("Accuracy", confusion["accuracy"], "of all customers were put on the right side"),
    )
    f1 = ("F1", f"{_decimals(confusion['f1'])}, the harmonic mean of precision and recall")
    return {
        **{key: f"{confusion[key]:,}" for key in ("tp", "fp", "fn", "tn")},
        "about": (
            f"The cut-off is that of a campaign to the high band: deciles 1 and 2, {mailed:,} of "
            f"{people:,} customers, from a probability of {confusion['probability']:.1%} up."
        ),
        "did": done,
        "yes": f"{done[0].upper()}{done[1:]}",
        "no": "Did not",
        "measures": [
            *((name, f"{for_people(share, 'share')} {what}") for name, share, what in shares[:2]),
            f1,
            *((name, f"{for_people(share, 'share')} {what}") for name, share, what in shares[2:]),
        ],
    }


def _importance(looked_at: list[Card]) -> list[dict[str, Any]]:
    largest = max((each["mean_adds"] or 0 for each in looked_at), default=0) or 1.0
    return [
        {
            "title": title_of(each["column"]),
            "effect": f"{each['mean_adds']:.2f}",
            "gain": for_people(each["gain"], "share") if each["gain"] else "",
            "width": round(100 * each["mean_adds"] / largest, 1),
        }
        for each in looked_at[:SHOWN_COLUMNS]
    ]


def _family(each: Card) -> dict[str, Any]:
    saved = f"{each['gain']:+.4f} of log loss saved, standard error {each['se']:.4f}"
    return {"name": family_of(each["name"]), "kept": each["kept"], "why": f"{each['why']}: {saved}"}


def _windows(payload: Card, card: Card) -> dict[str, Any] | None:
    found = card.get("windows") or []
    if not found:
        return None
    rows = [
        (
            _day_of(payload, window["cutoff_day"]),
            window["customers"],
            window["buyers"],
            window["base_rate"],
        )
        for window in found
    ]
    columns = [
        Column("from", "day"),
        Column("customers", "count"),
        Column(did(payload["target"]), "count"),
        Column("share", "share"),
    ]
    return {
        "about": (
            f"{len(rows)} windows of {payload['horizon_days']} days each. A base rate that moves "
            "from window to window is what makes probabilities hard to keep."
        ),
        "drawn": model_pictures.windows([(day, share) for day, _, _, share in rows]),
        "table": _table("Windows it learned from", columns, rows),
    }


def _drift(found: Card | None) -> dict[str, Any] | None:
    if not found or (found["score_psi"] is None and not found["kept"] and not found["why_not"]):
        return None
    advice = found["advice"]
    return {
        "tone": "alarm" if advice else "" if found["is_calm"] else "unknown",
        "verdict": found["verdict"],
        "title": f"Customers of {found['as_of']} against those of the last window it learned from",
        "columns": _moved(found),
        "kept": _kept(found["kept"]),
    }


def _moved(found: Card) -> list[dict[str, Any]]:
    if found["score_psi"] is None:
        return []
    columns = list(found["psi"].items())[:SHOWN_DRIFT]
    rows = [
        ("Scores of the model", found["score_psi"]),
        *((title_of(name), psi) for name, psi in columns),
    ]
    return [
        {
            "title": title,
            "psi": f"{psi:.3f}",
            "width": round(min(100.0, 200 * psi), 1),
            **_reading(psi, found),
        }
        for title, psi in rows
    ]


def _reading(psi: float, found: Card) -> dict[str, str]:
    if psi >= found["notable_psi"] and psi < found["chance_psi"]:
        return {"tone": "", "word": "chance"}
    if psi >= found["alarming_psi"]:
        return {"tone": "others", "word": "others"}
    if psi >= found["notable_psi"]:
        return {"tone": "notable", "word": "moved"}
    return {"tone": "", "word": "alike"}


def _kept(kept: list[Card]) -> dict[str, Any] | None:
    if not kept:
        return None
    columns = [
        Column("scored as of"),
        Column("model"),
        Column("customers", "count"),
        Column("promised", "number"),
        Column("came", "count"),
        Column("reading"),
    ]
    rows = [
        (
            one["as_of"],
            one["run"],
            one["customers"],
            f"{one['promised']:,.1f} ± {2 * one['error']:,.1f}",
            one["came"],
            "off" if one["is_off"] else "kept",
        )
        for one in kept
    ]
    return _table("Past scores that have come due", columns, rows)


def _making(payload: Card, card: Card) -> list[tuple[str, str]]:
    device: Card = card.get("device") or {}
    recipe: Card = card.get("recipe") or {}
    seen = sum(window["customers"] for window in card.get("windows") or [])
    rows = [
        ("Model", f"{payload['run']}, {payload['rung']}: {name_of(payload['rung'])}"),
        ("Device", f"{device['used']}: {device['why']}" if device else ""),
        ("Threads", str(card.get("threads") or "")),
        ("Boosting rounds", str(card.get("rounds") or "")),
        ("Champion", (card.get("champion") or {}).get("why") or ""),
        (
            "Evidence used",
            ", ".join(map(family_of, recipe.get("families") or [])) or "Purchases alone",
        ),
        ("Tuned settings", _pairs(recipe.get("settings") or {})),
        ("Seeds", _pairs(card.get("seeds") or {})),
        ("Versions", _pairs(card.get("versions") or {})),
        ("Rows learned from", f"{seen:,}, a customer once for each window" if seen else ""),
        ("Order lines", f"{card['lines']:,}" if card.get("lines") else ""),
        ("Rows, SHA-256", card.get("rows_sha256") or ""),
    ]
    return [(name, text) for name, text in rows if text]


def _pairs(pairs: Card) -> str:
    return ", ".join(f"{name} {value}" for name, value in pairs.items())
