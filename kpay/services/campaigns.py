"""Campaigns in a list, and one of them in full."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from kpay.domain.document import Column, Document, Table, Text
from kpay.domain.enums import CampaignState, DeliveryState
from kpay.domain.period import instant_text
from kpay.services import campaign_files
from kpay.services.mail_desk import MailDesk
from kpay.store import campaigns, deliveries
from kpay.store.deliveries import Purpose


def listed(desk: MailDesk) -> Document:
    """Return every campaign, written or planned, with where it stands."""
    with desk.store.reading() as connection:
        known = {row["name"]: row for row in campaigns.listed(connection)}
        counts = campaigns.state_counts(connection)
    names = sorted({*known, *campaign_files.names(desk.home)})
    lines = [_line(name, known.get(name), counts) for name in names]
    return Document(
        "kpay.campaign.list/1",
        f"{len(lines)} campaign{'' if len(lines) == 1 else 's'}",
        (Table(COLUMNS, tuple(line.cells() for line in lines)),) if lines else (),
        {"campaigns": [line.to_json() for line in lines]},
        next_steps=() if lines else ("kpay campaign new hello",),
    )


COLUMNS = (
    Column("campaign"),
    Column("state"),
    Column("sent", "count"),
    Column("held out", "count"),
    Column("first sent", "instant"),
)


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    state: str
    sent: int
    held_out: int
    first_sent_at: datetime | None

    def cells(self) -> tuple[str | int | datetime | None, ...]:
        return (self.name, self.state, self.sent, self.held_out, self.first_sent_at)

    def to_json(self) -> dict[str, object]:
        at = self.first_sent_at
        return {
            "campaign": self.name,
            "state": self.state,
            "sent": self.sent,
            "held_out": self.held_out,
            "first_sent_at": instant_text(at) if at else None,
        }


def _line(name: str, row: RowMapping | None, counts: dict[int, dict[str, int]]) -> _Line:
    if row is None:
        return _Line(name, CampaignState.DRAFT.value, 0, 0, None)
    states = counts.get(row["id"], {})
    return _Line(
        name,
        row["state"],
        states.get(DeliveryState.SENT, 0),
        states.get(DeliveryState.HELD_OUT, 0),
        row["first_sent_at"],
    )


def shown(desk: MailDesk, name: str) -> Document:
    """Return one campaign: its settings, its text, and where its messages stand."""
    written = campaign_files.read(desk.reader, desk.home, name)
    with desk.store.reading() as connection:
        row = campaigns.find(connection, name)
        states = deliveries.tally(connection, Purpose(row["id"])) if row is not None else {}
    settings = written.settings
    share = settings.holdout_share
    payload = {
        "campaign": name,
        "state": row["state"] if row is not None else CampaignState.DRAFT.value,
        "plan": row["plan_hash"] if row is not None else None,
        "subject": settings.subject,
        "subjects": list(settings.subjects),
        "audience": settings.audience,
        "holdout": share,
        "about": list(settings.about),
        "goal": settings.goal or None,
        "messages": states,
        "body": written.body,
    }
    facts = (
        ("subject", " | ".join(settings.subjects)),
        ("audience", settings.audience),
        ("held out", "kpay chooses" if share is None else f"{share:.0%}"),
        ("about", ", ".join(settings.about) or "nothing in particular"),
        ("plan", str(payload["plan"] or "none yet")),
        *((state.replace("_", " "), f"{count:,}") for state, count in sorted(states.items())),
    )
    return Document(
        "kpay.campaign.show/1",
        f"{name}: {payload['state']}",
        (Table((Column("setting"), Column("value")), facts), Text(written.body.strip())),
        payload,
        next_steps=(f"kpay campaign {'results' if states else 'plan'} {name}",),
    )
