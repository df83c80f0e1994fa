"""Walking the provider's lists: several at a time, one page of each under way, one writer.

The next page of a list is asked for as soon as one is in. What has come in is written when no further
page follows at once, so a transaction holds a page on a slow line and many on a fast one, and a reader
that hangs keeps nothing back that others have read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Final

from kpay.domain.checkout import Account, RawObject
from kpay.domain.enums import Reread, ResourceStatus
from kpay.domain.permissions import permission_to_read
from kpay.domain.resources import Resource
from kpay.errors import Refused, RemoteProblem, ResourceForbidden, ResourceUnsupported
from kpay.ports import PaymentSource
from kpay.services.intake import Intake
from kpay.services.provided import Packed, pack
from kpay.services.walks import Walk
from kpay.store.provider import Cursor

READERS = 4
# While pages keep coming in, so many objects may wait to be written; a run that is killed reads them
# again. Where none comes for a moment, what waits is written at once.
OBJECTS_A_TRANSACTION = 1500
LINGER_S = 0.05
RESTARTS: Final = 3
PLACE_IS_GONE: Final = (400, 404)
Advance = Callable[[int, str], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page that was read; `completed` has an object's time for each request beyond it."""

    objects: Sequence[RawObject]
    has_more: bool
    completed: list[int | None]


class Walker:
    """Reads lists in a few threads and hands every page to the intake, which writes."""

    def __init__(
        self, source: PaymentSource, intake: Intake, advance: Advance, rereads: Counter[Reread]
    ) -> None:
        self._source = source
        self._intake = intake
        self._advance = advance
        self._rereads = rereads
        self._waiting: list[tuple[Walk, list[Packed]]] = []
        self.finished: dict[str, Walk] = {}

    def run(self, walks: Iterable[Walk]) -> None:
        """Walk every list to its end, or to where the provider refuses."""
        with ThreadPoolExecutor(READERS, thread_name_prefix="sync") as pool:
            under_way = {self._ask(pool, walk): walk for walk in walks}
            try:
                while under_way:
                    pause_s = LINGER_S if self._waiting else None
                    done, _ = wait(under_way, pause_s, return_when=FIRST_COMPLETED)
                    for future in done:
                        following = self._receive(future, under_way.pop(future))
                        if following is not None:
                            under_way[self._ask(pool, following)] = following
                    if not done or self._count_waiting() >= OBJECTS_A_TRANSACTION:
                        self._write()
            except BaseException:
                self._source.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        self._write()
        for walk in self.finished.values():
            self._intake.finish(walk.resource.name, walk.finished())

    def _ask(self, pool: ThreadPoolExecutor, walk: Walk) -> Future[Fetched]:
        asked = walk.parameters()
        return pool.submit(fetch, self._source, self._intake.account, walk.resource, asked)

    def _receive(self, future: Future[Fetched], walk: Walk) -> Walk | None:
        """Take a page; return the walk whose next page has to be asked for."""
        try:
            page = future.result()
            packed = [pack_known(raw) for raw in page.objects]
        except RemoteProblem as problem:
            return self._refused(walk, problem)
        self._advance(len(packed), walk.resource.name)
        self._intake.tally(walk.resource.name)
        self._count_rereads(walk, packed, page.completed)
        walk.note(packed)
        self._waiting.append((walk, packed))
        if page.has_more and packed:
            return walk
        self.finished[walk.resource.name] = walk
        return walk.following()

    def _count_rereads(
        self, walk: Walk, packed: Sequence[Packed], completed: Iterable[int | None]
    ) -> None:
        reason = walk.reread(packed)
        if reason is not None:
            self._rereads[reason] += 1
        known = sum(walk.is_known(created) for created in completed)
        if known:
            self._rereads[reason or Reread.LOOKBACK] += known

    def _refused(self, walk: Walk, problem: RemoteProblem) -> Walk | None:
        """Note why a list was not read; a place to go on from that is gone means starting again."""
        status = problem.details.get("status")
        if walk.starting_after and status in PLACE_IS_GONE and walk.restarts < RESTARTS:
            return walk.from_the_top()
        note_refusal(self._intake, walk.resource, problem)
        self.finished.pop(walk.resource.name, None)
        return None

    def _count_waiting(self) -> int:
        return sum(len(packed) for _, packed in self._waiting)

    def _write(self) -> None:
        """Hand the waiting pages over, with how far they bring each walk."""
        if not self._waiting:
            return
        cursors = {walk.resource.name: self._place(walk) for walk, _ in self._waiting}
        self._intake.take((one for _, packed in self._waiting for one in packed), cursors)
        self._waiting = []

    def _place(self, walk: Walk) -> Cursor:
        is_finished = self.finished.get(walk.resource.name) is walk
        return walk.finished() if is_finished else walk.unfinished()


def note_refusal(intake: Intake, resource: Resource, problem: RemoteProblem) -> None:
    """Note why a list was not read, or not whole; the first reason stands."""
    tally = intake.tally(resource.name)
    if tally.status is not ResourceStatus.OK:
        return
    tally.status, tally.reason = ResourceStatus.PARTIAL, problem.message
    if isinstance(problem, ResourceForbidden):
        tally.status = ResourceStatus.FORBIDDEN
        permission = permission_to_read(resource.name)
        tally.reason = f'the key lacks the permission "{permission}": {problem.message}'
    elif isinstance(problem, ResourceUnsupported):
        tally.status = ResourceStatus.UNSUPPORTED


def fetch(
    source: PaymentSource, account: Account, resource: Resource, asked: Mapping[str, Any]
) -> Fetched:
    """Read a page of a list, with the rest of embedded lists; runs in a reading thread.

    Packing is left to the thread that writes: it takes no waiting, and threads that all compute stand
    in each other's way.
    """
    page = source.page(resource.path, asked)
    refuse_other_mode(account, page.objects)
    completed = complete(source, resource, page.objects)
    return Fetched(page.objects, page.has_more, completed)


def pack_known(raw: RawObject) -> Packed:
    """Make an object ready to be kept; RemoteProblem names one whose shape kpay does not know."""
    try:
        return pack(raw)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise RemoteProblem(
            f"{raw.get('id')} came in a shape that kpay does not know "
            f"({type(error).__name__}: {error})",
            "kpay doctor",
        ) from error


def complete(
    source: PaymentSource, resource: Resource, objects: Iterable[dict[str, Any]]
) -> list[int | None]:
    """Fetch the rest of embedded lists that were cut; a long invoice loses no line.

    Returns when the object was made for each request it took.
    """
    asked: list[int | None] = []
    if resource.part is None:
        return asked
    for raw in objects:
        embedded = raw.get(resource.part.name)
        while isinstance(embedded, dict) and embedded.get("has_more"):
            last = embedded["data"][-1]["id"]
            path, parameters = resource.part.rest_of(raw["id"])
            page = source.page(path, {**parameters, "starting_after": last})
            asked.append(raw.get("created"))
            embedded["data"] = [*embedded["data"], *page.objects]
            embedded["has_more"] = page.has_more and bool(page.objects)
    return asked


def refuse_other_mode(account: Account, objects: Iterable[RawObject]) -> None:
    """Raise Refused for an object that says it belongs to the other mode; test and live never mix."""
    for raw in objects:
        if raw.get("livemode") is (not account.livemode):
            other = Account(account.id, not account.livemode)
            raise Refused(
                f"this business is {account.mode}, but {raw.get('id')} says it is {other.mode}; "
                "nothing of it was kept",
                "kpay config stripe_api_base",
                id=raw.get("id"),
            )
