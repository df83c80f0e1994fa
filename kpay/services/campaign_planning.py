"""Planning a campaign: choose whom to mail, draw whom to hold back, fill every letter, freeze it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, RowMapping

from kpay.domain.address import normal_email
from kpay.domain.audience import Division, Person, divide, parse_audience
from kpay.domain.campaign_plan import Plan, PlanProblem
from kpay.domain.holdout import default_share, draw, smallest_effect
from kpay.domain.message import wire_address
from kpay.domain.origins import BuyLinks
from kpay.domain.period import instant_text
from kpay.errors import InputInvalid, Problem
from kpay.services import campaign_files
from kpay.services.campaign_files import WrittenCampaign
from kpay.services.frozen_plan import FrozenPerson, FrozenPlan, hash_of, keep, kept_plan
from kpay.services.letters import PERSONAL, REFERENCE, Press, Wording
from kpay.services.mail_desk import MailDesk
from kpay.services.shown_content import shown_pieces
from kpay.store import audience, campaigns, content

MEASURED_DAYS = 14
BASE_FORTNIGHTS = 6


def plan(desk: MailDesk, name: str, now: datetime) -> Plan:
    """Plan a campaign. One that was sent keeps its plan; one that would not change writes nothing."""
    written = campaign_files.read(desk.reader, desk.home, name)
    with desk.store.reading() as connection:
        known = campaigns.find(connection, name)
        kept = kept_plan(connection, known) if known is not None else None
        if kept is not None and kept[0].is_sent:
            return kept[0]
        draft = _Draft.made(desk, connection, written, known, now)
    shown, frozen = draft.frozen(desk)
    if kept is not None and kept[0].hash == shown.hash:
        return replace(shown, is_new=False)
    with desk.store.writing() as connection:
        keep(
            connection,
            shown,
            frozen,
            source=written.text,
            holdout_share=draft.holdout_share,
            now=now,
        )
    return shown


@dataclass(frozen=True, slots=True)
class _Draft:
    """What the store and the file say about a campaign, before any letter is filled."""

    written: WrittenCampaign
    division: Division
    shared: Mapping[str, Any]
    pieces: Mapping[str, Mapping[str, Any]]
    base_share: float | None
    holdout_share: float
    held_out: frozenset[str]
    buy_links: BuyLinks

    @classmethod
    def made(
        cls,
        desk: MailDesk,
        connection: Connection,
        written: WrittenCampaign,
        known: RowMapping | None,
        now: datetime,
    ) -> _Draft:
        settings = written.settings
        pieces = shown_pieces(connection, desk.letterhead)
        _check_about(written, list(pieces))
        people = audience.people(connection)
        division = divide(people, parse_audience(settings.audience), settings.about)
        base_share = _base_share(connection, division.chosen, now)
        share = settings.holdout_share
        if share is None:
            share = default_share(len(division.chosen), base_share or 0.0)
        begun_at = known["created_at"] if known is not None else now
        salt = f"{written.name} {instant_text(begun_at)}"
        return cls(
            written,
            division,
            _shared_values(written, pieces),
            pieces,
            base_share,
            share,
            draw([person.email for person in division.chosen], share, salt),
            BuyLinks(content.buy_addresses(connection)),
        )

    def frozen(self, desk: MailDesk) -> tuple[Plan, FrozenPlan]:
        """Fill every letter and return the plan as it is shown and as it is kept."""
        press = Press(self._wording(), desk.letterhead, desk.renderer, desk.signer)
        _check_names(self.written, press.names, self.shared)
        people = self._people(desk, asks_recommendations="recommendations" in press.names)
        frozen = FrozenPlan(self._wording(), press.digest, people)
        mailed = [one for one in people if not one.is_held_out]
        shown = Plan(
            campaign=self.written.name,
            hash=hash_of(frozen, self.written.text),
            subject=self.written.settings.subject,
            audience=self.written.settings.audience,
            recipients=len(mailed),
            held_out=len(self.held_out),
            left_out=self.division.left_out,
            problems=_problems(desk, press, mailed),
            warnings=self._warnings(desk, press.names),
            base_share=self.base_share,
            smallest_effect=smallest_effect(
                len(mailed), len(self.held_out), self.base_share or 0.0
            ),
        )
        return shown, frozen

    def _wording(self) -> Wording:
        settings = self.written.settings
        return Wording(
            campaign=self.written.name,
            goal=settings.goal,
            subject=settings.subject,
            body=self.buy_links.tagged(self.written.body, REFERENCE),
            first_line=self.written.first_line,
            shared=self.shared,
        )

    def _people(self, desk: MailDesk, *, asks_recommendations: bool) -> tuple[FrozenPerson, ...]:
        chosen = self.division.chosen
        advice: Mapping[str, Sequence[Mapping[str, Any]]] = {}
        if asks_recommendations:
            advice = desk.recommend([person.email for person in chosen])
        return tuple(
            FrozenPerson(
                person.email,
                person.customer_id,
                person.email in self.held_out,
                self._context(person, advice.get(person.email, ()), asks_recommendations),
            )
            for person in chosen
        )

    def _context(
        self, person: Person, advice: Sequence[Mapping[str, Any]], with_advice: bool
    ) -> dict[str, Any]:
        context: dict[str, Any] = {"name": person.name or self.written.settings.nameless}
        if with_advice:
            context["recommendations"] = [
                {**self.pieces[item["content"]], "because": item["because"]}
                for item in advice
                if item["content"] in self.pieces
            ]
        return context

    def _warnings(self, desk: MailDesk, names: frozenset[str]) -> tuple[str, ...]:
        links = [self.shared["contents"], self.pieces.values()]["recommendations" in names]
        found = {
            "nobody is in this audience": not self.division.chosen,
            f"{'holdout is 0' if not self.holdout_share else 'too few people'}: nobody is held back, "
            "so nothing can be measured": bool(self.division.chosen) and not self.held_out,
            "unsubscribe_url is not set: readers can leave by mail only, and mail providers want "
            "one click": not desk.letterhead.unsubscribe_url,
            "some pieces have neither a page nor a payment link: set site_url, or publish and sync": (
                any(not piece["url"] for piece in links)
            ),
        }
        return tuple(text for text, holds in found.items() if holds)


def _shared_values(
    written: WrittenCampaign, pieces: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the values that are the same for everyone."""
    about = [dict(pieces[slug]) for slug in written.settings.about]
    shared: dict[str, Any] = {"campaign": written.name, "contents": about}
    if about:
        shared |= {"content": about[0], "language": about[0]["language"]}
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


def _problems(
    desk: MailDesk, press: Press, mailed: Sequence[FrozenPerson]
) -> tuple[PlanProblem, ...]:
    """Fill every letter and say what cannot be sent, to everyone and to single people."""
    general = [PlanProblem(None, text) for text in desk.letterhead.marketing_problems()]
    if desk.letterhead.problem():
        return tuple(general)
    for one in mailed:
        try:
            wire_address(one.email)
            press.fill(one.email, one.context)
        except InputInvalid as error:
            general += [PlanProblem(one.email, str(problem)) for problem in error.problems]
        except ValueError as error:
            general.append(PlanProblem(one.email, str(error)))
    return tuple(general)


def _check_about(written: WrittenCampaign, slugs: Sequence[str]) -> None:
    problems = []
    for slug in written.settings.about:
        if slug in slugs:
            continue
        close = get_close_matches(slug, slugs, n=1)
        meant = f" (did you mean {close[0]!r}?)" if close else ""
        text = f"there is no published piece called {slug!r}{meant}"
        problems.append(Problem(written.file, written.about_line, "about", text))
    if problems:
        raise InputInvalid(written.file, problems, "kpay content list")


def _check_names(
    written: WrittenCampaign, asked: frozenset[str], shared: Mapping[str, Any]
) -> None:
    known = sorted({*PERSONAL, *shared} - {"language"})
    problems = []
    for name in sorted(asked - set(known)):
        close = get_close_matches(name, known, n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
        if name == "content":
            meant = "name the piece with about: in the front matter"
        problems.append(
            Problem(written.file, _line_of(written, name), None, f"{name!r} is unknown ({meant})")
        )
    if problems:
        raise InputInvalid(written.file, problems, f"kpay campaign plan {written.name}")


def _line_of(written: WrittenCampaign, name: str) -> int | None:
    """Return the first line of the file that uses a name inside a tag."""
    used = re.compile(r"\{[{%][^}]*\b" + re.escape(name) + r"\b")
    lines = written.text.splitlines()
    return next((number for number, line in enumerate(lines, 1) if used.search(line)), None)
