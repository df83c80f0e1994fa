"""The live world, everything that was done to it, and replays of any stretch of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection
from typing import Final

from kpay.sandbox.catalogue import Catalogue
from kpay.sandbox.chance import Chance
from kpay.sandbox.happenings import Happening
from kpay.sandbox.mail import Mail
from kpay.sandbox.world import Day, World

KEPT_SNAPSHOTS: Final = 12


class Timeline:
    """Steps the live world and records its inputs, so that it can be lived again.

    A replay starts from the newest snapshot before the asked day (day 0 is always kept) and never
    touches the live world. From today on it goes by what is on sale now and the mail received so far.
    """

    def __init__(self, world: World, shelves_now: Callable[[], Catalogue]) -> None:
        self.today = 0
        self._live = world
        self._shelves_now = shelves_now
        self._catalogue_days: list[int] = []
        self._catalogues: list[Catalogue] = []
        self._mails: dict[int, list[Mail]] = {}
        self._snapshots: dict[int, World] = {0: world.fork()}

    def post(self, mail: Mail) -> None:
        """Record a mail that arrived today; it acts when the day is lived."""
        self._mails.setdefault(self.today, []).append(mail)

    def mark(self) -> None:
        """Keep a snapshot of today, to replay from; the oldest but day 0 give way."""
        self._snapshots[self.today] = self._live.fork()
        for day in sorted(self._snapshots)[1:-KEPT_SNAPSHOTS]:
            del self._snapshots[day]

    def live(self) -> Day:
        """Live today for real and return what it brought."""
        catalogue = self._shelves_now()
        if not self._catalogues or catalogue is not self._catalogues[-1]:
            self._catalogue_days.append(self.today)
            self._catalogues.append(catalogue)
        mails = self._mails.get(self.today, [])
        lived = self._live.step(self.today, catalogue, mails, is_watched=True)
        self.today += 1
        return lived

    def world_at(self, day: int, luck: Chance | None = None) -> World:
        """Return a second world at the start of a day, past or future, free to go its own way."""
        if day == self.today:
            return self._live.fork(luck)
        origin = max(kept for kept in self._snapshots if kept <= day)
        world = self._snapshots[origin].fork()
        self._run(world, origin, day, unsent=())
        return world.fork(luck)

    def replay(
        self,
        since: int,
        until: int,
        *,
        unsent: Collection[tuple[int, int]] = (),
        luck: Chance | None = None,
    ) -> list[Happening]:
        """Live the days [since, until) again, without the mails given as (day, person)."""
        return self._run(self.world_at(since, luck), since, until, unsent)

    def mailed(self, since: int, until: int) -> set[tuple[int, int]]:
        """Return (day, person) of every mail that arrived in [since, until)."""
        return {
            (day, mail.person)
            for day, mails in self._mails.items()
            if since <= day < until
            for mail in mails
        }

    def catalogue_on(self, day: int) -> Catalogue:
        """Return what was on sale on a day; from today on, what is on sale now."""
        if day >= self.today:
            return self._shelves_now()
        return self._catalogues[bisect_right(self._catalogue_days, day) - 1]

    def _run(
        self, world: World, since: int, until: int, unsent: Collection[tuple[int, int]]
    ) -> list[Happening]:
        happenings: list[Happening] = []
        for day in range(since, until):
            mails = [mail for mail in self._mails.get(day, ()) if (day, mail.person) not in unsent]
            lived = world.step(day, self.catalogue_on(day), mails, is_watched=False)
            happenings += lived.happenings
        return happenings
