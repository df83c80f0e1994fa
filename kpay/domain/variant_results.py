"""How several subject lines did: who was sent which, who clicked, and what choosing cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kpay.domain.document import Cell, Column, Table
from kpay.domain.experiment import USUAL_LEVEL, critical_value, wilson
from kpay.domain.subject_trial import (
    CERTAIN,
    Standing,
    Tally,
    lost_clicks,
    lost_when_even,
    standing,
)


@dataclass(frozen=True)
class SubjectTrial:
    """The subjects by their labels, and what became of each; a click is a person's, opens count nowhere."""

    subjects: Mapping[str, str]
    tallies: Mapping[str, Tally]

    @cached_property
    def standing(self) -> Standing:
        """Each line's chance to be the best."""
        return standing(self.tallies)

    @property
    def best(self) -> str | None:
        """The best line's label, where that is certain enough to say."""
        chances = self.standing.chances
        label = max(chances, key=chances.__getitem__)
        return label if chances[label] >= CERTAIN else None

    @property
    def sentence(self) -> str:
        """Say which subject is best, if that can be told, and what trying the others cost."""
        lost, even = lost_clicks(self.tallies), lost_when_even(self.tallies)
        cost = (
            f"Trying several is expected to have cost {lost:.1f} clicks against the best one "
            f"(an even split: {even:.1f})."
        )
        if self.best is None:
            return f"Which subject is best can't be told from these clicks. {cost}"
        chance = self.standing.chances[self.best]
        return f"Subject {self.best} is the best one, with a probability of {chance:.0%}. {cost}"

    def to_table(self) -> Table:
        """Return one row a subject."""
        rows: list[tuple[Cell, ...]] = []
        for one in self.to_json():
            shares = (one["share"], one["low95"], one["high95"])
            rows.append(
                (one["variant"], one["subject"], one["sent"], one["clicks"], *shares, one["p_best"])
            )
        columns = (
            Column("variant"),
            Column("subject"),
            Column("sent", "count"),
            Column("clicked", "count"),
            Column("share", "share"),
            Column("low, 95 %", "share"),
            Column("high, 95 %", "share"),
            Column("P(best)", "share"),
        )
        return Table(columns, tuple(rows), note=self.sentence)

    def to_json(self) -> list[dict[str, Any]]:
        """Return the key `variants`."""
        z = critical_value(USUAL_LEVEL)
        found = []
        for label, one in self.tallies.items():
            low, high = wilson(one.clicked, one.sent, z) if one.sent else (None, None)
            found.append(
                {
                    "variant": label,
                    "subject": self.subjects.get(label, ""),
                    "sent": one.sent,
                    "clicks": one.clicked,
                    "share": one.clicked / one.sent if one.sent else None,
                    "low95": low,
                    "high95": high,
                    "p_best": round(self.standing.chances[label], 4),
                }
            )
        return found

    def regret_json(self) -> dict[str, Any]:
        """Return the key `variants_regret`: expected clicks lost against the best line, and by an even split."""
        return {
            "clicks_lost": round(lost_clicks(self.tallies), 2),
            "clicks_lost_by_even_split": round(lost_when_even(self.tallies), 2),
            "best": self.best,
        }
