"""`kpay sync --watch`: a sync whenever the provider tells of something, politely asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NoReturn

from kpay.domain.enums import ResourceStatus
from kpay.domain.resources import EVENTS
from kpay.domain.sync_report import SyncReport
from kpay.errors import Busy, RemoteProblem, ResourceForbidden, ResourceUnsupported
from kpay.ports import PaymentSource

LEAST_EVERY_S: Final = 10
ANYWAY_EVERY_S: Final = 15 * 60
LONGEST_WAIT_S: Final = 15 * 60


@dataclass
class Watch:
    """Looks for news and syncs; one thing after the other, so that two syncs never overlap.

    `open_source` gives a fresh way to the provider, `sync` brings the store up to it, `show` is given a
    report that says something new, `say` a sentence about the line.
    """

    open_source: Callable[[], PaymentSource]
    sync: Callable[[], SyncReport]
    show: Callable[[SyncReport], None]
    say: Callable[[str], None]
    every_s: float
    sleep: Callable[[float], None]
    clock: Callable[[], float]
    _known: str | None = None
    _synced_at: float = float("-inf")
    _troubles: tuple[str, ...] = field(default=())

    def run(self) -> NoReturn:
        """Go on until interrupted; raises what does not pass, like a refused key."""
        wait_s = self.every_s
        while True:
            wait_s = self.look(wait_s)
            self.sleep(wait_s)

    def look(self, wait_s: float) -> float:
        """Ask once and sync if there is news; return how long to wait after that."""
        try:
            newest = self._newest_event()
            is_news = newest != self._known
            if is_news or self.clock() - self._synced_at >= ANYWAY_EVERY_S:
                self._sync(newest)
        except (RemoteProblem, Busy) as problem:
            if wait_s <= self.every_s:
                self.say(f"{problem.message}; trying again, less and less often")
            return min(2 * max(wait_s, self.every_s), LONGEST_WAIT_S)
        if wait_s > self.every_s:
            self.say("all is well again")
        return self.every_s

    def _sync(self, newest: str | None) -> None:
        report = self.sync()
        self._synced_at = self.clock()
        troubles = tuple(report.troubles())
        if report.changed or report.delivered.sentence or troubles != self._troubles:
            self.show(report)
        self._troubles = troubles
        is_broken_off = any(
            tally.status is ResourceStatus.PARTIAL for tally in report.tallies.values()
        )
        self._known = None if is_broken_off else newest

    def _newest_event(self) -> str | None:
        """Return the id of the newest event; None where events are not told."""
        try:
            page = self.open_source().page(EVENTS.path, {"limit": 1})
        except (ResourceForbidden, ResourceUnsupported):
            return None
        return str(page.objects[0]["id"]) if page.objects else None
