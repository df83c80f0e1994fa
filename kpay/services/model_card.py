"""The card of a trained model: what it learned from, how good it is, and what it looks at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kpay.domain.period import local_day
from kpay.ml.device import Choice
from kpay.ml.history import History
from kpay.ml.metrics import Metrics
from kpay.ml.selection import Verdict
from kpay.ml.training import Training
from kpay.services import card_figures
from kpay.services.vantage import Vantage
from kpay.store.learning import Sold

SEED: Final = 0  # of everything that draws; nothing is drawn from the clock


def card(
    found: Training,
    everything: History,
    seen_from: Vantage,
    *,
    chosen: Choice,
    versions: Mapping[str, str],
    sold: Sold,
    rows_sha256: str = "",
) -> dict[str, Any]:
    """Return the card as plain values for JSON, small enough to stand in the store.

    `sold` and `everything` are what was learned from, `rows_sha256` the hash of all its rows.
    """
    return {
        "why": found.why,
        "vantage": seen_from.why,
        "metrics": found.metrics.to_json(),
        "baselines": _measures(found.baselines),
        "rungs": _measures(found.rungs),
        "windows": found.windows,
        "calibration": found.calibration,
        "gain": found.gain,
        "rounds": found.rounds,
        "recipe": found.recipe,
        "families": [_family(verdict) for verdict in found.families],
        "rolling": found.rolling,
        "tuned": found.tuned.to_json() if found.tuned else None,
        "at_limit": found.model.bg.at_limit,
        "device": {"asked": chosen.asked, "used": chosen.used, "why": chosen.why},
        "threads": chosen.threads,
        "orders": sold.orders,
        "lines": int(everything.purchases.lines.sum()),
        "rows_sha256": rows_sha256,
        "texts": everything.texts_by,
        "first_day": local_day(sold.first_at, seen_from.timezone).isoformat(),
        "versions": dict(versions),
        "seeds": {"trees": SEED, "folds": SEED, "intervals": SEED},
        **card_figures.figures(found),
    }


def _family(verdict: Verdict) -> dict[str, Any]:
    return {
        "name": verdict.name,
        "kept": verdict.is_kept,
        "gain": round(verdict.gain, 6),
        "se": round(verdict.se, 6),
        "why": verdict.why,
    }


def _measures(measured: dict[str, Metrics]) -> dict[str, dict[str, float | None]]:
    return {name: found.to_json() for name, found in measured.items()}
