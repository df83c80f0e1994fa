"""Drafts, lists and samples of campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from sqlalchemy import RowMapping

from kpay.domain.document import Column, Document, Table, Text, done
from kpay.domain.enums import CampaignGoal, CampaignState, DeliveryState
from kpay.domain.period import instant_text
from kpay.errors import NotFound
from kpay.services import campaign_files
from kpay.services.mail_desk import MailDesk
from kpay.services.shown_content import shown_pieces
from kpay.store import campaigns, deliveries
from kpay.store.deliveries import Purpose

SAMPLES = 3
DRAFT = """\
---
subject: "{subject}"
audience: {audience}     # all, customers, prospects, tag:NAME, owns:SLUG, joined by and, or, not
{settings}# holdout: 0.1           # the share kept back to measure with; without it kpay chooses
---
Hello {{{{ name }}}},

{letter}
"""
GENERAL = "write here, in Markdown."
ABOUT = """\
there is something new: **{{ content.title }}**. {{ content.summary }}

[See {{ content.title }}]({{ content.url }}) ({{ content.price }})"""
PAST_BUYERS = (CampaignGoal.WINBACK, CampaignGoal.UPSELL, CampaignGoal.RENEWAL)


def new(desk: MailDesk, name: str, about: str | None, goal: CampaignGoal | None) -> Document:
    """Write a draft that can be planned as it is; Refused when the file is there already."""
    if about is not None:
        with desk.store.reading() as connection:
            _check_published(about, name, list(shown_pieces(connection, desk.letterhead)))
    path = campaign_files.create(desk.home, name, _draft(about, goal))
    file = f"{campaign_files.FOLDER}/{path.name}"
    return done(
        "kpay.campaign.new/1",
        f"A draft in {file}",
        {"campaign": name, "file": file, "about": about, "for": goal},
        f"$EDITOR {file}",
        f"kpay campaign plan {name}",
    )


def _draft(about: str | None, goal: CampaignGoal | None) -> str:
    settings = {
        f"about: {about}       # whoever owns it already is not mailed\n": about,
        f"goal: {goal}\n": goal,
    }
    return DRAFT.format(
        subject="New: {{ content.title }}" if about else "A few words, {{ name }}",
        audience="customers" if goal in PAST_BUYERS else "all",
        settings="".join(line for line, is_given in settings.items() if is_given),
        letter=ABOUT if about else GENERAL,
    )


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


def _check_published(about: str, name: str, slugs: list[str]) -> None:
    """Raise NotFound for a slug that is not published, with the one that was probably meant."""
    if about in slugs:
        return
    close = get_close_matches(about, slugs, n=1) or [s for s in slugs if s.startswith(about)]
    hint = f"kpay campaign new {name} --about {close[0]}" if close else "kpay content list"
    raise NotFound("published piece", about, hint)
