"""A plan in the making: what the store and the file say of a campaign, before letters are filled."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping

from kpay.domain.address import normal_email
from kpay.domain.audience import Person, divide
from kpay.domain.campaign_file import CampaignFile
from kpay.domain.enums import CampaignTarget
from kpay.domain.holdout import choose, draw
from kpay.domain.origins import BuyLinks
from kpay.domain.period import instant_text
from kpay.domain.reader_name import LONGEST_NAME, plain_name, shown_name
from kpay.services.campaign_files import WrittenCampaign
from kpay.services.experiments import half_year_sends
from kpay.services.frozen_plan import FrozenPerson, canonical
from kpay.services.letters import REFERENCE, Wording
from kpay.services.mail_desk import MailDesk
from kpay.services.plan_checks import check_about, offer_problem, predicate_of
from kpay.services.shown_content import shown_pieces
from kpay.store import audience, campaigns, content

MEASURED_DAYS = 14
BASE_FORTNIGHTS = 6
PERSONAL_PIECES = frozenset({"recommendations", "owned"})

Piece = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a campaign says to everyone, and every piece that it could show to somebody."""

    wording: Wording
    pieces: Mapping[str, Piece]

    @classmethod
    def read(cls, desk: MailDesk, connection: Connection, written: WrittenCampaign) -> Shown:
        """Read it from the file and from what is published now; InputInvalid for a wrong `about`."""
        pieces = shown_pieces(connection, desk.letterhead)
        check_about(written, list(pieces))
        settings = written.settings
        links = BuyLinks(content.buy_addresses(connection))
        wording = Wording(
            campaign=written.name,
            goal=settings.goal,
            subjects=settings.subjects,
            body=links.tagged(written.body, REFERENCE),
            first_line=written.first_line,
            shared=_shared_values(written, pieces),
        )
        return cls(wording, pieces)

    def facts(self, asked: frozenset[str]) -> str:
        """Return a digest of all pieces where letters show other ones to each person."""
        told = self.pieces if asked & PERSONAL_PIECES else {}
        return hashlib.sha256(canonical(told).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class PlanDraft:
    """Whom a campaign may mail, whom it leaves out and why, and whom it holds back."""

    written: WrittenCampaign
    shown: Shown
    chosen: tuple[Person, ...]
    left_out: dict[str, int]
    worth: Mapping[str, Any] | None
    aim: Mapping[str, Any] | None
    base_share: float | None
    holdout_share: float
    holdout_why: str | None
    held_out: frozenset[str]
    general_problems: tuple[str, ...]

    @classmethod
    def made(
        cls,
        desk: MailDesk,
        connection: Connection,
        written: WrittenCampaign,
        known: RowMapping | None,
        now: datetime,
        *,
        target: str,
    ) -> PlanDraft:
        """Read everything that decides who is mailed; InputInvalid for a wrong file."""
        settings = written.settings
        shown = Shown.read(desk, connection, written)
        divided, left_out = _divided(desk, connection, written, now)
        narrowed = _narrowed(desk, connection, settings, divided, now, target=target)
        chosen = narrowed.chosen
        left_out |= narrowed.left_out
        base_share = _base_share(connection, chosen, now)
        share, why = settings.holdout_share, None
        if share is None:
            choice = choose(len(chosen), base_share, half_year_sends(connection, now))
            share, why = choice.share, choice.why
        begun_at = known["created_at"] if known is not None else now
        salt = f"{written.name} {instant_text(begun_at)}"
        today = now.astimezone(ZoneInfo(desk.customs.timezone)).date()
        offer = offer_problem(settings.offer, campaigns.active_codes(connection), today)
        return cls(
            written=written,
            shown=shown,
            chosen=chosen,
            left_out=left_out,
            worth=narrowed.worth,
            aim=narrowed.aim,
            base_share=base_share,
            holdout_share=share,
            holdout_why=why,
            held_out=draw([person.email for person in chosen], share, salt),
            general_problems=(offer,) if offer else (),
        )

    @property
    def wording(self) -> Wording:
        """What the campaign says."""
        return self.shown.wording

    def facts(self, asked: frozenset[str]) -> str:
        """Return a digest of what its letters show beside the wording."""
        return self.shown.facts(asked)

    def people(self, desk: MailDesk, asked: frozenset[str]) -> list[FrozenPerson]:
        """Return everyone of the plan with the values that the letter asks for."""
        advice: Mapping[str, Sequence[Piece]] = {}
        if "recommendations" in asked:
            advice = desk.recommend([person.email for person in self.chosen])
        zone = desk.customs.timezone
        return [
            FrozenPerson(
                person.email,
                person.customer_id,
                person.email in self.held_out,
                self._context(person, advice.get(person.email, ()), asked),
                person.timezone or zone,
            )
            for person in self.chosen
        ]

    def _context(
        self, person: Person, advice: Sequence[Piece], asked: frozenset[str]
    ) -> dict[str, Any]:
        values: dict[str, Any] = {"name": self._name_of(person)}
        if "recommendations" in asked:
            values["recommendations"] = [
                {**self.shown.pieces[item["content"]], "because": item["because"]}
                for item in advice
                if item["content"] in self.shown.pieces
            ]
        if "owned" in asked:
            values["owned"] = [
                self.shown.pieces[slug]
                for slug in sorted(person.owned)
                if slug in self.shown.pieces
            ]
        if "band" in asked:
            values["band"] = person.band
        if "segment" in asked:
            values["segment"] = self.written.settings.audience
        return values

    def _name_of(self, person: Person) -> str | None:
        """Return what a person is called; what is no name gives way, where there is something else."""
        name = shown_name(person.name) or self.written.settings.nameless
        return name or plain_name(person.name)[:LONGEST_NAME] or None

    def warnings(self, desk: MailDesk, asked: frozenset[str]) -> tuple[str, ...]:
        """Return what keeps nobody from being mailed and should still be known."""
        pieces = self.shown.pieces.values()
        links = pieces if asked & PERSONAL_PIECES else self.wording.shared["contents"]
        found = {
            "nobody is in this audience": not self.chosen,
            f"{'holdout is 0' if not self.holdout_share else 'too few people'}: nobody is held back, "
            "so nothing can be measured": bool(self.chosen) and not self.held_out,
            "unsubscribe_url is not set: readers can leave by mail only, and mail providers want "
            "one click": not desk.letterhead.unsubscribe_url,
            "some pieces have neither a page nor a payment link: set site_url, or publish and sync": (
                any(not piece["url"] for piece in links)
            ),
        }
        return tuple(text for text, holds in found.items() if holds)


def _divided(
    desk: MailDesk, connection: Connection, written: WrittenCampaign, now: datetime
) -> tuple[tuple[Person, ...], dict[str, int]]:
    """Return whom the campaign may mail, and how many it leaves out for which reason."""
    wanted = predicate_of(connection, written)
    people = audience.people(connection, now, currency=desk.base_currency)
    division = divide(people, wanted, written.settings.not_for_owners_of)
    rest_days = desk.customs.rest_for(written.settings)
    rested = tuple(person for person in division.chosen if not _is_resting(person, rest_days))
    left_out = dict(division.left_out)
    left_out["mailed_recently"] = len(division.chosen) - len(rested)
    return rested, left_out


@dataclass(frozen=True, slots=True)
class _Narrowed:
    """Who stays when a mail is weighed for each of them, and what was found."""

    chosen: tuple[Person, ...]
    left_out: dict[str, int]
    worth: Mapping[str, Any] | None = None
    aim: Mapping[str, Any] | None = None


def _narrowed(
    desk: MailDesk,
    connection: Connection,
    settings: CampaignFile,
    chosen: tuple[Person, ...],
    now: datetime,
    *,
    target: str,
) -> _Narrowed:
    """Leave out whom a mail is not worth, and whom it does not move, where either is asked."""
    weighs, persuades = desk.customs.weighs(settings), target == CampaignTarget.PERSUADABLES
    if not chosen or not (weighs or persuades):
        return _Narrowed(chosen, {})
    found = desk.weigh(connection, chosen, settings.about, now)
    worth, left_out = found.to_plain(), dict[str, int]()
    if weighs:
        chosen = tuple(one for one in chosen if one.email not in found.low_value)
        left_out["low_value"] = len(found.low_value)
    if not persuades:
        return _Narrowed(chosen, left_out, worth)
    aim = desk.persuade(connection, chosen, worth["price"], now)
    left_out["not_persuadable"] = len(aim.left_out)
    chosen = tuple(one for one in chosen if one.email not in aim.left_out)
    return _Narrowed(chosen, left_out, worth if weighs else None, aim.to_plain())


def _is_resting(person: Person, rest_days: int) -> bool:
    return person.last_mail_days is not None and person.last_mail_days < rest_days


def _shared_values(written: WrittenCampaign, pieces: Mapping[str, Piece]) -> dict[str, Any]:
    """Return the values that are the same for everyone."""
    settings = written.settings
    about = [dict(pieces[slug]) for slug in settings.about]
    shared: dict[str, Any] = {"campaign": written.name, "contents": about}
    if about:
        shared |= {"content": about[0], "language": about[0]["language"]}
    if settings.offer:
        shared["offer"] = settings.offer.to_json()
    return shared


def _base_share(connection: Connection, chosen: Sequence[Person], now: datetime) -> float | None:
    """Return which share of these people buys in a fortnight, from the last twelve weeks."""
    start = now - timedelta(days=MEASURED_DAYS * BASE_FORTNIGHTS)
    emails = {person.email for person in chosen}
    orders = campaigns.orders_between(connection, start, now)
    fortnights = {
        ((row["ordered_at"] - start).days // MEASURED_DAYS, normal_email(row["email"]))
        for row in orders
        if row["email"]
    }
    if not emails or not fortnights:
        return None
    lived = BASE_FORTNIGHTS - min(number for number, _ in fortnights)
    bought = sum(email in emails for _, email in fortnights)
    return float(bought / (lived * len(emails)))
