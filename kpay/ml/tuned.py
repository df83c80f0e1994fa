"""What tuning came to, told without the library that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from kpay.ml.backtest import Backtest
from kpay.ml.fitting import Chosen
from kpay.ml.snapshots import Snapshots


@dataclass(frozen=True, slots=True)
class Tuned:
    """How many settings were tried, the best that differ from kpay's own, and whether they are kept."""

    trials: int
    settings: dict[str, Any]
    is_kept: bool
    gain: float
    se: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values for the card."""
        return {
            "trials": self.trials,
            "settings": self.settings,
            "is_kept": self.is_kept,
            "gain": round(self.gain, 6),
            "se": round(self.se, 6),
        }


NOTHING_FOUND: Final = Tuned(0, {}, is_kept=False, gain=0.0, se=0.0)
Tuner: TypeAlias = Callable[[Snapshots, dict[str, Any], Chosen, Backtest], tuple[Tuned, Backtest]]
