"""A plan as it is kept: what will be said, to whom, and who is held back."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from kpay.domain.campaign_plan import Plan, PlanProblem
from kpay.services.letters import Wording
from kpay.store import campaigns

HASH_LETTERS = 16
SHOWN = (
    "subject",
    "audience",
    "recipients",
    "held_out",
    "left_out",
    "base_share",
    "smallest_effect",
)


@dataclass(frozen=True, slots=True)
class FrozenPerson:
    """One person of a plan: in which arm, and with which values."""

    email: str
    customer_id: int | None
    is_held_out: bool
    context: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FrozenPlan:
    """What a plan keeps for sending: the wording, the letter's digest, and the people."""

    wording: Wording
    letter_digest: str
    people: tuple[FrozenPerson, ...]

    def to_text(self) -> str:
        """Return canonical JSON: equal plans are equal texts."""
        people = [[one.email, one.customer_id, one.is_held_out, one.context] for one in self.people]
        plain = {
            "wording": self.wording.to_json(),
            "letter": self.letter_digest,
            "people": people,
        }
        return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_bytes(cls, packed: bytes) -> FrozenPlan:
        """Read a kept plan back."""
        plain = json.loads(zlib.decompress(packed))
        people = tuple(FrozenPerson(*row) for row in plain["people"])
        return cls(Wording(**plain["wording"]), plain["letter"], people)


def hash_of(frozen: FrozenPlan, source: str) -> str:
    """Return the name of a plan: a hash over everything that would be sent."""
    return hashlib.sha256(f"{source}\0{frozen.to_text()}".encode()).hexdigest()[:HASH_LETTERS]


def keep(
    connection: Connection,
    shown: Plan,
    frozen: FrozenPlan,
    *,
    source: str,
    holdout_share: float,
    now: datetime,
) -> None:
    """Keep a plan as its campaign's own."""
    campaign = campaigns.ensure(connection, shown.campaign, now)
    problems = [{"email": one.email, "problem": one.problem} for one in shown.problems]
    figures = {name: getattr(shown, name) for name in SHOWN}
    campaigns.keep_plan(
        connection,
        {
            "campaign_id": campaign["id"],
            "hash": shown.hash,
            "source": source,
            "holdout_share": holdout_share,
            "figures": {**figures, "warnings": list(shown.warnings), "problems": problems},
            "recipients": zlib.compress(frozen.to_text().encode()),
            "planned_at": now,
        },
    )


def kept_plan(connection: Connection, campaign: RowMapping) -> tuple[Plan, FrozenPlan] | None:
    """Return a campaign's plan as it was shown and as it was frozen; None when it has none."""
    if campaign["plan_hash"] is None:
        return None
    row = campaigns.plan_of(connection, campaign["id"], campaign["plan_hash"])
    if row is None:
        return None
    figures = row["figures"]
    shown = Plan(
        campaign=campaign["name"],
        hash=row["hash"],
        problems=tuple(PlanProblem(**problem) for problem in figures["problems"]),
        warnings=tuple(figures["warnings"]),
        is_new=False,
        is_sent=campaign["first_sent_at"] is not None,
        **{name: figures[name] for name in SHOWN},
    )
    return shown, FrozenPlan.from_bytes(row["recipients"])
