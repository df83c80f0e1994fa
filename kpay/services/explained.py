"""Why somebody got their score, in words and in parts that add up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from kpay.domain.address import normal_email
from kpay.domain.document import Column, Document, Table, Text
from kpay.domain.family_words import title_of
from kpay.domain.target_words import to_do
from kpay.errors import NotFound, Refused
from kpay.ml import explaining
from kpay.ml.explaining import Explanation
from kpay.ports import TextEncoder
from kpay.services import histories
from kpay.services.explaining_words import Said, chance, headline, reasons
from kpay.services.model_life import Model, load, parsed_target, pick
from kpay.services.vantage import vantage
from kpay.store import learning
from kpay.store.engine import Store
from kpay.store.learning import PURCHASE

SHOWN_REASONS = 10


@dataclass(frozen=True, slots=True)
class Explained:
    """Why one customer got their probability."""

    email: str
    day: date
    model: Model
    explanation: Explanation

    @property
    def log_odds(self) -> float:
        """The calibrated log odds: the base and all parts together."""
        parts = self.explanation.parts
        return self.explanation.base_log_odds + sum(part.adds for part in parts)

    def to_document(self) -> Document:
        """Return what is known of the customer, and what each reason adds."""
        said = reasons(self.explanation, self.day)
        what = to_do(self.model.target, self.model.horizon_days)
        return Document(
            schema="kpay.model.explain/1",
            title=f"{self.email}: {chance(self.log_odds):.1%} {what}",
            subtitle=f"as of {self.day}, model {self.model.run} ({self.model.propensity.rung})",
            blocks=tuple(self._blocks(said)),
            payload=self._payload(said),
            next_steps=(f"kpay recommend {self.email}", f"kpay model show {self.model.run}"),
        )

    def _blocks(self, said: list[Said]) -> Iterator[Table | Text]:
        yield Text(f"{headline(self.explanation.facts, self.day)}.")
        base = f"{chance(self.explanation.base_log_odds):.1%}"
        if not said:
            yield Text(f"The model says {base} of everybody: nothing known tells customers apart.")
            return
        rows = tuple(
            (reason.says, reason.effect, round(reason.adds, 3)) for reason in said[:SHOWN_REASONS]
        )
        yield Table(
            (Column("because"), Column("which makes it"), Column("log odds", "number")),
            rows,
            title=f"From {base}, where a customer starts of whom nothing is known",
            note=_note(said),
        )

    def _payload(self, said: list[Said]) -> dict[str, Any]:
        found = self.explanation
        return {
            "email": self.email,
            "run": self.model.run,
            "target": self.model.target,
            "rung": self.model.propensity.rung,
            "as_of": self.day.isoformat(),
            "horizon_days": self.model.horizon_days,
            "propensity": round(chance(self.log_odds), 6),
            "log_odds": round(self.log_odds, 6),
            "base_log_odds": round(found.base_log_odds, 6),
            "base_propensity": round(chance(found.base_log_odds), 6),
            "summary": headline(found.facts, self.day),
            "reasons": [
                {
                    "column": part.column,
                    "title": title_of(part.column),
                    "value": part.value,
                    "adds": round(part.adds, 6),
                }
                for part in found.parts
            ],
            "sentences": [
                {
                    "says": reason.says,
                    "adds": round(reason.adds, 6),
                    "points": round(reason.points, 2),
                    "columns": list(reason.columns),
                }
                for reason in said
            ],
        }


def _note(said: list[Said]) -> str:
    rest = said[SHOWN_REASONS:]
    left_out = f" {len(rest)} smaller ones are left out ({sum(r.adds for r in rest):+.3f})."
    return "Points are percentage points, each reason alone; the log odds add up to the score." + (
        left_out if rest else ""
    )


def explain(
    store: Store,
    folder: Path,
    email: str,
    target: str = PURCHASE,
    *,
    now: datetime,
    timezone: str,
    encoder: TextEncoder | None = None,
) -> Explained:
    """Explain the score of one customer by the champion of a target.

    Raises UsageProblem for an unknown target, NotFound for a stranger, Refused when no model is trained
    or the target is not about this customer.
    """
    parsed_target(target)
    address = normal_email(email)
    with store.reading() as connection:
        seen_from = vantage(connection, None, now, timezone)
        row = pick(connection, seen_from, is_asked=False, target=target)
        customer = learning.customer_of(connection, address)
        known = histories.read(connection, seen_from.moment, encoder)
    model = load(store, folder, row, known)
    try:
        found = explaining.explain(known, model.propensity, -1 if customer is None else customer)
    except KeyError:
        if customer is None or target == PURCHASE:
            raise NotFound("customer with an order", email, "kpay score") from None
        scored = f"kpay score --target {target}"
        raise Refused(f"{address} is none of those whom {target} is about", scored) from None
    return Explained(address, seen_from.day, model, found)
