"""A plan as it is kept: what will be said, to whom, and who is held back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from kpay.domain.campaign_plan import Plan, PlanProblem
from kpay.services.letters import Wording
from kpay.store import campaigns

HASH_LETTERS = 16
SHOWN = (
    "subjects",
    "audience",
    "recipients",
    "held_out",
    "left_out",
    "base_share",
    "smallest_effect",
    "holdout_why",
    "worth",
    "aim",
    "samples",
)


@dataclass(frozen=True, slots=True)
class FrozenPerson:
    """One person of a plan: in which arm, in which zone, and with which values."""

    email: str
    customer_id: int | None
    is_held_out: bool
    context: Mapping[str, Any]
    timezone: str | None = None

    def to_row(self) -> dict[str, Any]:
        """Return the columns of plan_recipient, but for the plan's own."""
        return {
            "email": self.email,
            "customer_id": self.customer_id,
            "is_held_out": self.is_held_out,
            "timezone": self.timezone,
            "context": dict(self.context),
        }

    @classmethod
    def of_row(cls, row: RowMapping) -> FrozenPerson:
        """Read a row of plan_recipient."""
        return cls(
            row["email"], row["customer_id"], row["is_held_out"], row["context"], row["timezone"]
        )


@dataclass(frozen=True, slots=True)
class FrozenPlan:
    """What a plan keeps for sending; its people stand in rows of their own.

    `facts` is a digest of everything published that its letters show.
    """

    plan_id: int
    source: str
    wording: Wording
    letter_digest: str
    facts: str


def hash_of(
    source: str, wording: Wording, letter_digest: str, people: Iterable[FrozenPerson]
) -> str:
    """Return the name of a plan: a hash over everything that would be sent."""
    digest = hashlib.sha256(f"{source}\0{letter_digest}\0{canonical(wording.to_json())}".encode())
    for one in people:
        line = [one.email, one.customer_id, one.is_held_out, one.timezone, one.context]
        digest.update(canonical(line).encode())
    return digest.hexdigest()[:HASH_LETTERS]


def canonical(plain: Any) -> str:
    """Return JSON of which equal values have equal texts."""
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def keep(
    connection: Connection,
    shown: Plan,
    people: Iterable[FrozenPerson],
    *,
    source: str,
    wording: Wording,
    letter_digest: str,
    facts: str,
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
            "wording": wording.to_json(),
            "letter_digest": letter_digest,
            "holdout_share": holdout_share,
            "figures": {
                **figures,
                "facts": facts,
                "warnings": list(shown.warnings),
                "problems": problems,
            },
            "planned_at": now,
        },
        (one.to_row() for one in people),
    )


def kept_plan(connection: Connection, campaign: RowMapping) -> tuple[Plan, FrozenPlan] | None:
    """Return a campaign's plan as it was shown and as it was frozen; None when it has none."""
    if campaign["plan_hash"] is None:
        return None
    row = campaigns.plan_of(connection, campaign["id"], campaign["plan_hash"])
    if row is None or not row["wording"]:
        return None
    figures = row["figures"]
    wording = Wording.of_json(row["wording"])
    shown = Plan(
        campaign=campaign["name"],
        hash=row["hash"],
        subjects=wording.subjects,
        problems=tuple(PlanProblem(**problem) for problem in figures["problems"]),
        warnings=tuple(figures["warnings"]),
        is_new=False,
        is_sent=campaign["first_sent_at"] is not None,
        **{name: figures.get(name) for name in SHOWN if name != "subjects"},
    )
    frozen = FrozenPlan(
        row["id"], row["source"], wording, row["letter_digest"], figures.get("facts", "")
    )
    return shown, frozen


def person_of(connection: Connection, plan: FrozenPlan, email: str) -> FrozenPerson | None:
    """Return one person of a plan, or None for somebody who is not in it."""
    row = campaigns.recipient(connection, plan.plan_id, email)
    return None if row is None else FrozenPerson.of_row(row)


def people_of(
    connection: Connection, plan: FrozenPlan, *, after: str = "", limit: int = 1000
) -> list[FrozenPerson]:
    """Return the next people of a plan behind an address, in the order of their addresses."""
    rows = campaigns.recipients(connection, plan.plan_id, after, limit)
    return [FrozenPerson.of_row(row) for row in rows]
