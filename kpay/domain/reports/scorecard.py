"""The scorecard of stored forecasts: what they said beside what came, and what their ranges were worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any, Final

from kpay.domain.document import Block, Calibration, Column, Document, Metric, Table, Text
from kpay.domain.forecast_scores import CALIBRATED, Score, coverage
from kpay.domain.money import Money

WORDS: Final = {True: "inside", False: "outside", None: None}


@dataclass(frozen=True)
class Scorecard:
    """All stored forecasts of which at least one day is over, the oldest first; `waiting` have none."""

    known_until: date
    scores: tuple[Score, ...]
    waiting: int

    @property
    def judged(self) -> tuple[Score, ...]:
        """What ranges are judged by: forecasts made before their days, else all there are."""
        before = tuple(score for score in self.scores if score.is_made_before)
        return before or self.scores

    def to_document(self) -> Document:
        """List the forecasts, and draw stated levels against what came true."""
        if not self.scores:
            return Document(
                "kpay.forecast.scorecard/1",
                "No stored forecast has been overtaken by time yet",
                payload=self._payload(),
                subtitle=f"as of {self.known_until}; {self.waiting} waiting for their first day",
                next_steps=("kpay forecast",),
            )
        return Document(
            "kpay.forecast.scorecard/1",
            "How earlier forecasts did",
            (*(Text(sentence) for sentence in self._sentences()), self._picture(), self._table()),
            self._payload(),
            subtitle=f"{len(self.scores)} forecasts, as of {self.known_until}",
            metrics=self._metrics(),
        )

    def _errors(self) -> tuple[float | None, float | None]:
        """Return the median shares by which the forecasts and the days before them were off."""
        ours = [score.error_share(score.expected_minor) for score in self.judged]
        theirs = [score.error_share(score.as_before_minor) for score in self.judged]
        known = [
            (o, t) for o, t in zip(ours, theirs, strict=True) if o is not None and t is not None
        ]
        if not known:
            return None, None
        return median(o for o, _ in known), median(t for _, t in known)

    def _sentences(self) -> list[str]:
        ours, theirs = self._errors()
        said = []
        if ours is not None and theirs is not None:
            said.append(
                f"Half of them were off by at most {ours:.0%} of what came; the same number of days "
                f"before, taken as the forecast, by {theirs:.0%}."
            )
        if not any(score.is_made_before for score in self.scores):
            said.append(
                "All were made after their days had begun, from what was known before them."
            )
        elif len(self.judged) < len(self.scores):
            late = len(self.scores) - len(self.judged)
            said.append(f"{late} made after their days had begun are listed, but not judged.")
        if self.waiting:
            said.append(f"{self.waiting} more wait for their first day to pass.")
        return said

    def _picture(self) -> Block:
        found = [coverage(self.judged, level) for level in CALIBRATED]
        shown = [one for one in found if one.of]
        return Calibration(
            "how often the ranges held",
            stated=tuple(one.level / 100 for one in shown),
            came=tuple(one.share for one in shown),
            counts=tuple(one.of for one in shown),
            note="Forecasts whose days overlap share their luck and widen the interval.",
            low=tuple(one.low for one in shown),
            high=tuple(one.high for one in shown),
        )

    def _table(self) -> Table:
        columns = (
            Column("as of", "day"),
            Column("days", "count"),
            Column("over", "count"),
            Column("expected", "money"),
            Column("came", "money"),
            Column("off by", "share"),
            Column("days before", "share"),
            Column("80 %"),
            Column("95 %"),
            Column("made"),
        )
        rows = tuple(
            (
                score.as_of,
                score.horizon_days,
                score.days_over,
                Money(score.expected_minor, score.currency),
                Money(score.came_minor, score.currency),
                score.error_share(score.expected_minor),
                score.error_share(score.as_before_minor),
                WORDS[score.is_inside(80)],
                WORDS[score.is_inside(95)],
                "before" if score.is_made_before else "after",
            )
            for score in self.scores
        )
        return Table(columns, rows)

    def _payload(self) -> dict[str, Any]:
        ours, theirs = self._errors() if self.scores else (None, None)
        found = [coverage(self.judged, level) for level in CALIBRATED] if self.scores else []
        return {
            "as_of": self.known_until.isoformat(),
            "waiting": self.waiting,
            "median_error_share": ours,
            "as_before_median_error_share": theirs,
            "coverage": {
                str(one.level): {
                    "inside": one.inside,
                    "of": one.of,
                    "share": one.share,
                    "low95": one.low,
                    "high95": one.high,
                }
                for one in found
            },
            "forecasts": [score.to_json() for score in self.scores],
        }

    def _metrics(self) -> dict[str, Metric]:
        ours, theirs = self._errors()
        shares = {f"coverage{level}": coverage(self.judged, level).share for level in CALIBRATED}
        named = {"median_error_share": ours, "as_before_median_error_share": theirs, **shares}
        return {name: Metric(value) for name, value in named.items()}
