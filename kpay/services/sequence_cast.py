"""Who enters a sequence, who stays in it, and who leaves before its last letter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, RowMapping

from kpay.domain.audience import Person, reason_to_leave_out
from kpay.domain.sequence_triggers import AHEAD
from kpay.domain.sequences import Bought, EndReason, Enrolled, bought_out, is_held_out
from kpay.services.mail_desk import MailDesk
from kpay.services.sequence_files import WrittenSequence
from kpay.services.sequence_happenings import Happening, Question, happened
from kpay.services.sequence_letters import entry_condition
from kpay.store import audience, enrolments, last_look

OLDEST_NEWS: Final = timedelta(days=30)
"""What kpay hears of later than this begins nothing any more."""
BOUNCED: Final = ("bounce", "complaint")
"""Why even news of somebody's own contract does not go to an address."""


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of one sequence: who comes, who stays, who leaves, and who is left out and why.

    `passed_over` came while they were in it already: they are written down, so that the same happening
    does not bring them back in later.
    """

    newcomers: tuple[Enrolled, ...]
    passed_over: tuple[Enrolled, ...]
    staying: tuple[Enrolled, ...]
    leaving: tuple[tuple[Enrolled, EndReason], ...]
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Casting:
    """One sequence at one moment. `since` is when kpay first saw it: it begins with what comes then."""

    desk: MailDesk
    connection: Connection
    written: WrittenSequence
    since: datetime
    now: datetime

    def choose(self) -> Cast:
        """Look at everything that happened and at everybody who is in it; nothing is written."""
        inside = [
            enrolled_of(row) for row in enrolments.still_in(self.connection, self.written.name)
        ]
        news_since = max(self.since, self.now - OLDEST_NEWS)
        since = min([news_since, *(one.began_at for one in inside)])
        trigger = self.written.settings.trigger
        zone = self.desk.customs.timezone
        found = happened(Question(self.connection, trigger, since, self.now, zone))
        leaving = self._leaving(inside, {(one.email, one.key) for one in found})
        gone = {one.id for one, _ in leaving}
        staying = [one for one in inside if one.id not in gone]
        is_ahead = trigger.kind in AHEAD
        news = [one for one in found if is_ahead or news_since <= one.at <= self.now]
        newcomers, passed_over, left_out = self._entering(news, {one.email for one in staying})
        return Cast(tuple(newcomers), tuple(passed_over), tuple(staying), tuple(leaving), left_out)

    # ------------------------------------------------------------------ who enters

    def _entering(
        self, news: Sequence[Happening], inside: set[str]
    ) -> tuple[list[Enrolled], list[Enrolled], dict[str, int]]:
        """Return who comes in, by the newest thing that brings them, and who is in it already."""
        known = enrolments.known(self.connection, self.written.name, {one.key for one in news})
        fresh = [one for one in reversed(news) if (one.email, one.key) not in known]
        if not fresh:
            return [], [], {}
        people = people_among(self.desk, self.connection, {one.email for one in fresh}, self.now)
        wanted = entry_condition(self.connection, self.written)
        bought = self._bought([self._enrolled(one) for one in fresh])
        left_out: Counter[str] = Counter()
        newcomers, passed_over, busy = [], [], set(inside)
        for one in fresh:
            person = people.get(one.email) or stranger(one)
            enrolled = self._enrolled(one)
            if not wanted(person):
                left_out["not in the audience"] += 1
            elif reason := self._reason_to_leave_out(person):
                left_out[reason.replace("_", " ")] += 1
            elif bought_out(enrolled, self.written.settings.exits, bought.get(one.email, ())):
                left_out["bought since"] += 1
            elif one.email in busy:
                passed_over.append(enrolled)
            else:
                busy.add(one.email)
                newcomers.append(enrolled)
        return newcomers, passed_over, dict(left_out)

    def _enrolled(self, one: Happening) -> Enrolled:
        settings = self.written.settings
        return Enrolled(
            email=one.email,
            key=one.key,
            began_at=one.at,
            due_at=one.at + self.written.letters[0].settings.after,
            customer_id=one.customer_id,
            name=one.name,
            slug=one.slug,
            event=one.values,
            is_held_out=is_held_out(self.written.name, one.email, settings.holdout_share),
        )

    def _reason_to_leave_out(self, person: Person) -> str | None:
        about = frozenset(self.written.settings.about)
        if not self.written.settings.is_service:
            return reason_to_leave_out(person, about)
        reasons = last_look.suppressed(self.connection, [person.email])
        if reasons.get(person.email) in BOUNCED:
            return "suppressed"
        payer = replace(person, is_suppressed=False, is_listed=True, has_consent=True)
        return reason_to_leave_out(payer, about)

    # ------------------------------------------------------------------ who leaves

    def _leaving(
        self, inside: Sequence[Enrolled], holding: set[tuple[str, str]]
    ) -> list[tuple[Enrolled, EndReason]]:
        if not inside:
            return []
        emails = {one.email for one in inside}
        unwanted = self._unwanted(emails)
        bought = self._bought(inside)
        about = set(self.written.settings.about)
        owned = enrolments.owned(self.connection, emails) if about else {}
        leaving = []
        for one in inside:
            reason = (
                (EndReason.LEFT if one.email in unwanted else None)
                or bought_out(one, self.written.settings.exits, bought.get(one.email, ()))
                or (EndReason.OWNS_IT if about and about <= owned.get(one.email, set()) else None)
                or (EndReason.OVER if (one.email, one.key) not in holding else None)
            )
            if reason:
                leaving.append((one, reason))
        return leaving

    def _unwanted(self, emails: set[str]) -> set[str]:
        """Return those who must not be mailed any more."""
        reasons = last_look.suppressed(self.connection, emails)
        if self.written.settings.is_service:
            return {email for email, reason in reasons.items() if reason in BOUNCED}
        return reasons.keys() | enrolments.without_consent(self.connection, emails)

    def _bought(self, some: Sequence[Enrolled]) -> dict[str, list[Bought]]:
        """Return what people bought since the first of them began; nothing where that ends nothing."""
        found: dict[str, list[Bought]] = {}
        if not (some and self.written.settings.exits):
            return found
        since = min(one.began_at for one in some)
        for one in enrolments.bought(self.connection, {one.email for one in some}, since):
            found.setdefault(one.email, []).append(one)
        return found


def enrolled_of(row: RowMapping) -> Enrolled:
    """Read an enrolment back from its row."""
    context = row["context"]
    return Enrolled(
        email=row["email"],
        key=row["trigger_key"],
        began_at=row["began_at"],
        due_at=row["next_due_at"],
        id=row["id"],
        customer_id=row["customer_id"],
        name=context["name"],
        slug=context["slug"],
        event=context["event"],
        done=tuple(context["done"]),
        is_held_out=context["held_out"],
    )


def people_among(
    desk: MailDesk, connection: Connection, emails: Iterable[str], now: datetime
) -> dict[str, Person]:
    """Return what is known of some people, by address."""
    found = audience.people(connection, now, currency=desk.base_currency, among=set(emails))
    return {one.email: one for one in found}


def stranger(one: Happening | Enrolled) -> Person:
    """Return somebody of whom nothing is known but what happened to them."""
    return Person(
        email=one.email,
        name=one.name,
        customer_id=one.customer_id,
        is_listed=False,
        has_consent=False,
    )
