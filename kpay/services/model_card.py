"""The card of a trained model: what it learned from, how good it is, and what it looks at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpay.domain.period import local_day
from kpay.ml.device import Choice
from kpay.ml.frames import Frame
from kpay.ml.metrics import Metrics
from kpay.ml.training import Training
from kpay.services.vantage import Vantage


def card(
    found: Training,
    lines: Frame,
    seen_from: Vantage,
    *,
    chosen: Choice,
    versions: Mapping[str, str],
    rows_sha256: str = "",
) -> dict[str, Any]:
    """Return the card as plain values for JSON, small enough to stand in the store.

    `lines` are the order lines that were learned from, `rows_sha256` the hash of all rows that were.
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
        "at_limit": found.model.bg.at_limit,
        "device": {"asked": chosen.asked, "used": chosen.used, "why": chosen.why},
        "threads": chosen.threads,
        "orders": int(lines["order"].nunique()),
        "lines": len(lines),
        "rows_sha256": rows_sha256,
        "first_day": local_day(lines["at"].min(), seen_from.timezone).isoformat(),
        "versions": dict(versions),
    }


def _measures(measured: dict[str, Metrics]) -> dict[str, dict[str, float | None]]:
    return {name: found.to_json() for name, found in measured.items()}
