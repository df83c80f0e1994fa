"""What the creator's other tools export: the mailing list, tracked events, traffic, feedback."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from kpay.sandbox.catalogue import Appeal, Catalogue
from kpay.sandbox.chance import FloatArray
from kpay.sandbox.clock import DAY_S, WorldClock, instant
from kpay.sandbox.happenings import Sale, Trace
from kpay.sandbox.people import People
from kpay.sandbox.season import season
from kpay.sandbox.timeline import Timeline
from kpay.sandbox.voices import remark

SOURCES: Final = {"search": 0.42, "social": 0.27, "direct": 0.19, "referral": 0.12}
VISITS_PER_ITEM: Final = 26.0
BUTTON_SHARE: Final = 0.06
FEEDBACK_SHARE: Final = 0.08
Row = Sequence[object]


def stamp(second: int) -> str:
    """Return a Unix second as RFC 3339 in UTC."""
    return instant(second).strftime("%Y-%m-%dT%H:%M:%SZ")


def written(columns: str, rows: Iterable[Row]) -> str:
    """Return a CSV file with a header as text."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(columns.split(","))
    writer.writerows(rows)
    return sheet.getvalue()


class Papers:
    """Writes the exports; ranges are half-open in day numbers."""

    def __init__(
        self, people: People, clock: WorldClock, timeline: Timeline, appeal: Appeal
    ) -> None:
        self._people = people
        self._clock = clock
        self._timeline = timeline
        self._appeal = appeal

    def subscribers(self, has_opted_out: Sequence[bool], catalogue: Catalogue) -> str:
        """Return who is on the list now, with the topics they ticked when they joined."""
        people, today = self._people, self._timeline.today
        listed = np.flatnonzero(
            people.is_subscriber & (people.joined_day < today) & ~np.asarray(has_opted_out)
        )
        topics = self._topics(catalogue)
        hours = people.chance.some("joined hour", 0, listed)
        rows = []
        for person, hour in zip(listed.tolist(), hours, strict=True):
            email, name, _, timezone = people.profiles[person]
            joined_s = self._clock.second(int(people.joined_day[person])) + int(hour * DAY_S)
            rows.append((email, name, "signup form", stamp(joined_s), timezone, topics[person]))
        return written("email,name,consent_source,consented_at,timezone,tags", rows)

    def events(self, traces: Iterable[Trace], since: int, until: int) -> str:
        """Return what trackers and mail servers noted about known people, oldest first."""
        first_s, last_s = self._clock.second(since), self._clock.second(until)
        noted = sorted(
            (trace for trace in traces if first_s <= trace.at < last_s),
            key=lambda trace: (trace.at, trace.person, trace.kind),
        )
        rows = (
            (self._people.email(trace.person), stamp(trace.at), trace.kind, trace.content, "")
            for trace in noted
        )
        return written("email,happened_at,kind,content,value", rows)

    def traffic(self, since: int, until: int) -> str:
        """Return anonymous daily visits and clicks on the buy button, by source and content."""
        rows: list[Row] = []
        for day in range(since, until):
            catalogue = self._timeline.catalogue_on(day)
            popularity = self._popularity(catalogue)
            for place, item in enumerate(catalogue.items):
                if item.offers:
                    rows += self._item_traffic(day, item.slug, float(popularity[place]))
        return written("day,source,content,visits,clicks", rows)

    def feedback(self, sales: Iterable[Sale], until: int) -> str:
        """Return what buyers said by `until`, a few days after they bought."""
        rows = [row for sale in sales if (row := self._opinion(sale, until)) is not None]
        rows.sort(key=lambda row: str(row[1]))
        return written("email,at,kind,content,rating,text", rows)

    def _topics(self, catalogue: Catalogue) -> list[str]:
        """Return the topics each person ticked: what they like most, if they bothered."""
        tags = sorted({tag for item in catalogue.items for tag in item.tags})
        if not tags:
            return [""] * len(self._people)
        likings = np.column_stack([self._appeal.interest(tag) for tag in tags])
        bothered = self._people.chance.everyone("ticked topics", 0) < 0.6
        return [
            ",".join(tags[place] for place in np.argsort(-row)[:2] if row[place] > 1)
            if ticks
            else ""
            for row, ticks in zip(likings, bothered, strict=True)
        ]

    def _popularity(self, catalogue: Catalogue) -> FloatArray:
        appeal = self._appeal.matrix(catalogue).mean(axis=0)
        return np.asarray(appeal / max(float(appeal.mean()), 1e-9)) if appeal.size else appeal

    def _item_traffic(self, day: int, slug: str, popularity: float) -> list[Row]:
        generator = self._people.chance.generator(f"traffic {slug}", day)
        expected = VISITS_PER_ITEM * popularity * season(self._clock.calendar_day(day))
        visits = generator.poisson([expected * share for share in SOURCES.values()])
        clicks = generator.binomial(visits, BUTTON_SHARE)
        today = self._clock.calendar_day(day).isoformat()
        counts = zip(SOURCES, visits.tolist(), clicks.tolist(), strict=True)
        return [(today, source, slug, seen, clicked) for source, seen, clicked in counts if seen]

    def _opinion(self, sale: Sale, until: int) -> Row | None:
        chance, person = self._people.chance, sale.buyer.person
        day = self._clock.day(sale.at)
        if chance.one("feedback", day, person) >= FEEDBACK_SHARE:
            return None
        at = sale.at + int((1 + 9 * chance.one("feedback delay", day, person)) * DAY_S)
        if at >= self._clock.second(until):
            return None
        catalogue = self._timeline.catalogue_on(day)
        place = catalogue.position(sale.slug)
        liking = 0.0 if place is None else float(self._appeal.matrix(catalogue)[person, place])
        mood = chance.one("feedback mood", day, person) + min(liking, 2.0) / 2
        rating = 1 + int(np.searchsorted((0.25, 0.45, 0.75, 1.1), mood))
        text = remark(sale.buyer.country, rating, chance.one("feedback text", day, person))
        email = self._people.email(person)
        return email, stamp(at), "review", sale.slug, rating, text
