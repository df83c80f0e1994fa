"""Writing the first draft of a campaign from what the store knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from email.utils import parseaddr
from typing import Any

from sqlalchemy import Connection, RowMapping

from kpay.domain.audience import Audience, AudienceUnknown, Person, reason_to_leave_out
from kpay.domain.campaign_file import LABELS
from kpay.domain.document import Document, done
from kpay.domain.draft_letter import DraftFacts, DraftPiece, letter, subjects
from kpay.domain.draft_settings import PastSubject, front_matter
from kpay.domain.enums import CampaignGoal, ContentKind
from kpay.errors import NotFound, UsageProblem
from kpay.services import campaign_files, segments
from kpay.services.mail_desk import MailDesk
from kpay.services.subject_trials import tallies
from kpay.store import audience, campaigns, content
from kpay.store.learning import busiest_currency
from kpay.store.segments import predicates

FREE = "free"
NEWER = 3
PAST_SUBJECTS = 3
LEAST_SENT = 10
USUAL_QUIET_DAYS = 180
QUIET_DAYS = (365, 270, 180, 120, 90, 60)
ENOUGH_QUIET = 20
SINGLE = ""
"""The label of a message whose campaign had one subject only."""


@dataclass(frozen=True, slots=True)
class DraftWish:
    """What was asked for on the command line."""

    name: str
    goal: CampaignGoal | None = None
    about: str | None = None
    segment: str | None = None
    audience: str | None = None


def new(desk: MailDesk, wish: DraftWish, now: datetime) -> Document:
    """Write a draft that can be planned as it is.

    Raises Refused when the file is there already, NotFound for a piece or a segment that is not,
    UsageProblem for an audience that cannot be read.
    """
    campaign_files.path_of(desk.home, wish.name, "new")
    goal = wish.goal or CampaignGoal.LAUNCH
    with desk.store.reading() as connection:
        texts = content.published_texts(connection)
        _check_about(wish, [row["slug"] for row in texts])
        knows_next = busiest_currency(connection, now) is not None and any(
            row["pricing"] != FREE for row in texts
        )
        piece = _piece(wish, goal, texts, knows_next=knows_next)
        chosen = _audience(connection, wish, goal, texts, now)
        left_out = piece if goal is not CampaignGoal.RENEWAL else None
        people = _count(connection, chosen, left_out, now)
        past = past_subjects(connection, now)
    facts = DraftFacts(
        goal=goal,
        sign_off=parseaddr(desk.letterhead.sender)[0] or desk.letterhead.business,
        piece=piece,
        newer=[_draft_piece(row) for row in texts if row["slug"] != (piece and piece.slug)][:NEWER],
        knows_next=knows_next,
    )
    text = _text(facts, wish.segment or chosen.text, _in_words(chosen, people), past)
    path = campaign_files.create(desk.home, wish.name, text)
    file = f"{campaign_files.FOLDER}/{path.name}"
    return done(
        "kpay.campaign.new/1",
        f"A draft in {file}",
        {
            "campaign": wish.name,
            "file": file,
            "about": piece.slug if piece else None,
            "for": goal,
            "audience": chosen.text,
            "people": people,
        },
        f"$EDITOR {file}",
        f"kpay campaign plan {wish.name}",
    )


def past_subjects(connection: Connection, now: datetime) -> list[PastSubject]:
    """Return the subjects of earlier campaigns that moved most of their readers, best first.

    Few readers say little: a subject counts as its share would after one more success and one more
    failure in ten (so 1 of 10 does not beat 90 of 1,000).
    """
    found = [
        one
        for campaign in campaigns.listed(connection)
        if campaign["first_sent_at"] is not None and campaign["plan_hash"] is not None
        for one in _subjects_of(connection, campaign, now)
        if one.sent >= LEAST_SENT and one.answered
    ]
    found.sort(key=lambda one: (one.answered + 0.1) / (one.sent + 10), reverse=True)
    return found[:PAST_SUBJECTS]


def _subjects_of(connection: Connection, campaign: RowMapping, now: datetime) -> list[PastSubject]:
    plan = campaigns.plan_of(connection, campaign["id"], campaign["plan_hash"])
    wording = plan["wording"] if plan is not None else {}
    lines = wording.get("subjects") or [wording["subject"]] if wording else []
    labels = [SINGLE] if len(lines) == 1 else list(LABELS[: len(lines)])
    counted = tallies(connection, campaign, labels, now)
    return [
        PastSubject(line, campaign["name"], counted[label].sent, counted[label].clicked)
        for label, line in zip(labels, lines, strict=True)
    ]


def _text(facts: DraftFacts, written: str, who: str, past: Sequence[PastSubject]) -> str:
    head = front_matter(
        subjects(facts),
        written,
        who,
        about=facts.piece.slug if facts.piece else None,
        goal=facts.goal,
        past=past,
    )
    return head + letter(facts)


def _in_words(chosen: Audience, people: int) -> str:
    return f"{chosen.words} ({people:,} {'person' if people == 1 else 'people'} today)"


def _piece(
    wish: DraftWish, goal: CampaignGoal, texts: Sequence[dict[str, Any]], *, knows_next: bool
) -> DraftPiece | None:
    """Return what the campaign is about: as asked, else the newest piece that fits its purpose."""
    if wish.about is not None:
        rows = [row for row in texts if row["slug"] == wish.about]
    elif goal is CampaignGoal.UPSELL and knows_next:
        rows = []  # everyone is shown what suits them
    elif goal is CampaignGoal.RENEWAL:
        rows = [row for row in texts if row["kind"] == ContentKind.MEMBERSHIP]
    else:
        rows = list(texts)
    return _draft_piece(rows[0]) if rows else None


def _draft_piece(row: dict[str, Any]) -> DraftPiece:
    return DraftPiece(
        slug=row["slug"],
        title=row["title"],
        kind=row["kind"],
        summary=row["summary"],
        opening=row["body"] if row["pricing"] == FREE else row["preview"],
        is_free=row["pricing"] == FREE,
        tags=tuple(row["tags"]),
        includes=tuple(row["includes"]),
        trial_days=row["trial_days"],
    )


def _audience(
    connection: Connection,
    wish: DraftWish,
    goal: CampaignGoal,
    texts: Sequence[dict[str, Any]],
    now: datetime,
) -> Audience:
    """Return the audience that was asked for, else the one that suits the purpose."""
    if wish.segment is not None and wish.audience is not None:
        raise UsageProblem(
            "--segment and --audience both say who is meant", f"kpay campaign new {wish.name}"
        )
    known = predicates(connection)
    if wish.segment is not None and wish.segment not in known:
        close = get_close_matches(wish.segment, known, n=1)
        hint = f"--segment {close[0]}" if close else ""
        raise NotFound(
            "segment",
            wish.segment,
            f"kpay campaign new {wish.name} {hint}" if hint else "kpay segment list",
        )
    usual = _usual(connection, goal, texts, now)
    try:
        return segments.predicate_of(connection, wish.segment or wish.audience or usual)
    except AudienceUnknown as error:
        raise UsageProblem(f"--audience: {error}", "kpay segment create --help") from error


def _usual(
    connection: Connection, goal: CampaignGoal, texts: Sequence[dict[str, Any]], now: datetime
) -> str:
    if goal is CampaignGoal.LAUNCH:
        return "all"
    if goal is CampaignGoal.WINBACK:
        return f"last_order_days > {_quiet_days(connection, now)}"
    clubs = [row["slug"] for row in texts if row["kind"] == ContentKind.MEMBERSHIP]
    if goal is CampaignGoal.UPSELL or not clubs:
        return "customers"
    once = " or ".join(f"bought('{slug}')" for slug in clubs)
    gone = " and ".join(f"not owns('{slug}')" for slug in clubs)
    going = " or ".join(f"ends('{slug}')" for slug in clubs)
    return f"{going} or ({once}) and {gone}"


def _quiet_days(connection: Connection, now: datetime) -> int:
    """Return after how many days a buyer counts as quiet: the most after which enough are left."""
    asked = frozenset({"last_order_days"})
    since = [
        person.last_order_days
        for person in audience.people(connection, now, asked=asked)
        if person.last_order_days is not None and reason_to_leave_out(person, frozenset()) is None
    ]
    for days in QUIET_DAYS:
        if sum(passed > days for passed in since) >= ENOUGH_QUIET:
            return days
    return USUAL_QUIET_DAYS


def _count(
    connection: Connection, chosen: Audience, piece: DraftPiece | None, now: datetime
) -> int:
    """Return how many people of an audience may be mailed about a piece today."""
    about = frozenset({piece.slug} if piece else ())
    asked = chosen.names_asked | {"owns"}

    def is_mailed(person: Person) -> bool:
        return chosen(person) and reason_to_leave_out(person, about) is None

    return sum(map(is_mailed, audience.people(connection, now, asked=asked)))


def _check_about(wish: DraftWish, slugs: list[str]) -> None:
    """Raise NotFound for a slug that is not published, with the one that was probably meant."""
    about = wish.about
    if about is None or about in slugs:
        return
    close = get_close_matches(about, slugs, n=1) or [s for s in slugs if s.startswith(about)]
    hint = f"kpay campaign new {wish.name} --about {close[0]}" if close else "kpay content list"
    raise NotFound("published piece", about, hint)
