"""Walking the provider's lists: several at a time, one page of each under way, one writer.

Lists are newest first. A walk has a lower edge (the watermark less a lookback, inclusive) and, when
it was cut off earlier, a place to go on from. The watermark becomes the newest creation time that
the walk began with, and only when the walk is whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from kpay.domain.enums import ResourceStatus
from kpay.domain.records import BalanceRecord
from kpay.domain.resources import Resource
from kpay.errors import RemoteProblem, ResourceForbidden, ResourceUnsupported
from kpay.ports import PaymentSource
from kpay.services.intake import Intake
from kpay.services.provided import Packed, pack
from kpay.store.provider import Cursor

READERS = 4
# Each transaction ends with a checkpoint; a run that is killed reads so many again.
OBJECTS_A_TRANSACTION = 5000
# Late rows: objects appear in lists a little after their creation time.
LOOKBACK = timedelta(hours=1)


@dataclass
class Walk:
    """One pass over a list; `lower` is inclusive, None means back to the first object."""

    resource: Resource
    lower: datetime | None
    watermark: datetime | None
    target: datetime | None = None
    starting_after: str | None = None
    is_resumed: bool = False
    seen_ids: set[str] = field(default_factory=set)
    net: Counter[str] = field(default_factory=Counter)

    @property
    def is_whole(self) -> bool:
        """Say whether this walk sees every object of the list."""
        return self.lower is None and not self.is_resumed

    def parameters(self) -> dict[str, Any]:
        """Return what the next page is asked with."""
        asked = self.resource.list_parameters()
        if self.lower is not None and self.resource.has_created_filter:
            asked["created"] = {"gte": int(self.lower.timestamp())}
        if self.starting_after:
            asked["starting_after"] = self.starting_after
        return asked

    def note(self, packed: list[Packed]) -> None:
        """Move on behind a page, and remember what a whole walk has to know."""
        if packed and self.target is None:
            newest = max(one.created or 0 for one in packed)
            self.target = datetime.fromtimestamp(newest, UTC) if newest else None
        if packed:
            self.starting_after = packed[-1].id
        if self.is_whole and self.resource.omits_deleted:
            self.seen_ids.update(one.id for one in packed)
        for one in packed:
            if isinstance(one.record, BalanceRecord):
                self.net[one.record.currency] += one.record.net_minor

    def unfinished(self) -> Cursor:
        """Return the cursor from which a stopped walk goes on."""
        return Cursor(self.watermark, self.target, self.starting_after)

    def finished(self) -> Cursor:
        """Return the cursor of a whole walk."""
        known = [one for one in (self.watermark, self.target) if one is not None]
        return Cursor(max(known, default=None), None, None)


def first_walk(resource: Resource, cursor: Cursor, *, is_full: bool, edge: datetime | None) -> Walk:
    """Return the walk that a resource needs now; `edge` asks to go back at least that far."""
    if is_full or not resource.has_created_filter:
        return Walk(resource, None, cursor.watermark_at)
    lower = cursor.watermark_at - LOOKBACK if cursor.watermark_at else None
    if cursor.starting_after:
        return Walk(
            resource, lower, cursor.watermark_at, cursor.target_at, cursor.starting_after, True
        )
    if lower and edge:
        lower = min(lower, edge)
    return Walk(resource, lower, cursor.watermark_at)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page that was read and packed."""

    packed: list[Packed]
    has_more: bool


class Walker:
    """Reads lists in a few threads and hands every page to the intake, which writes."""

    def __init__(
        self, source: PaymentSource, intake: Intake, advance: Callable[[int], None]
    ) -> None:
        self._source = source
        self._intake = intake
        self._advance = advance
        self._waiting: list[tuple[Walk, list[Packed]]] = []
        self.finished: dict[str, Walk] = {}

    def run(self, walks: Iterable[Walk]) -> None:
        """Walk every list to its end, or to where the provider refuses."""
        with ThreadPoolExecutor(READERS, thread_name_prefix="sync") as pool:
            under_way = {pool.submit(fetch, self._source, walk): walk for walk in walks}
            try:
                while under_way:
                    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                    for future in done:
                        walk = under_way.pop(future)
                        following = self._receive(future, walk)
                        if following is not None:
                            under_way[pool.submit(fetch, self._source, following)] = following
                        self._write(OBJECTS_A_TRANSACTION)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        self._write(1)
        for walk in self.finished.values():
            self._intake.finish(walk.resource.name, walk.finished())

    def _receive(self, future: Future[Fetched], walk: Walk) -> Walk | None:
        """Take a page; return the walk whose next page has to be asked for."""
        try:
            page = future.result()
        except (ResourceForbidden, ResourceUnsupported, RemoteProblem) as problem:
            return self._refused(walk, problem)
        self._advance(len(page.packed))
        self._intake.tally(walk.resource.name)
        walk.note(page.packed)
        self._waiting.append((walk, page.packed))
        if page.has_more and page.packed:
            return walk
        self.finished[walk.resource.name] = walk
        if walk.is_resumed:  # what is newer than the cut walk began with has not been seen yet
            mark = walk.finished().watermark_at
            return Walk(walk.resource, mark - LOOKBACK if mark else None, mark)
        return None

    def _refused(self, walk: Walk, problem: RemoteProblem) -> Walk | None:
        """Note why a list was not read; a place to go on from that is gone means starting again."""
        if walk.is_resumed and isinstance(problem, ResourceUnsupported):
            return Walk(walk.resource, walk.lower, walk.watermark)
        statuses = {
            ResourceForbidden: ResourceStatus.FORBIDDEN,
            ResourceUnsupported: ResourceStatus.UNSUPPORTED,
        }
        tally = self._intake.tally(walk.resource.name)
        tally.status = statuses.get(type(problem), ResourceStatus.PARTIAL)
        tally.reason = problem.message
        self.finished.pop(walk.resource.name, None)
        return None

    def _write(self, at_least: int) -> None:
        """Hand the waiting pages over once they are worth a transaction."""
        if sum(len(packed) for _, packed in self._waiting) < at_least:
            return
        cursors = {walk.resource.name: walk.unfinished() for walk, _ in self._waiting}
        self._intake.take((one for _, packed in self._waiting for one in packed), cursors)
        self._waiting = []


def fetch(source: PaymentSource, walk: Walk) -> Fetched:
    """Read the next page of a walk; runs in a reading thread, which also packs."""
    page = source.page(walk.resource.path, walk.parameters())
    complete(source, walk.resource, page.objects)
    return Fetched([pack(raw) for raw in page.objects], page.has_more)


def complete(source: PaymentSource, resource: Resource, objects: Iterable[dict[str, Any]]) -> None:
    """Fetch the rest of embedded lists that were cut; a long invoice loses no line."""
    if resource.whole_part is None:
        return
    name, below = resource.whole_part
    for raw in objects:
        embedded = raw.get(name)
        while isinstance(embedded, dict) and embedded.get("has_more"):
            last = embedded["data"][-1]["id"]
            path = f"{resource.path}/{raw['id']}/{below}"
            page = source.page(path, {"limit": 100, "starting_after": last})
            embedded["data"] = [*embedded["data"], *page.objects]
            embedded["has_more"] = page.has_more and bool(page.objects)
