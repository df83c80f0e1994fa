"""What changed at the provider since the last sync, told by its events.

An event's own copy of the object is never trusted: it has the shape of the API version of its day,
and events come in any order. It only says which objects have to be read again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from kpay.domain.enums import ResourceStatus
from kpay.domain.records_base import moment
from kpay.domain.resources import BY_KIND, EVENTS, EVENTS_KEPT_DAYS, Resource
from kpay.errors import RemoteProblem, ResourceForbidden, ResourceUnsupported
from kpay.ports import PaymentSource
from kpay.services.intake import Intake
from kpay.services.provided import Packed, pack
from kpay.services.walking import LOOKBACK, READERS, Walk, complete
from kpay.store.provider import Cursor

MOST_READ_SINGLY = 300


@dataclass
class Changes:
    """Objects that events named, by resource, with when each was created; and the newest event.

    A deleted object has no creation time here: no list shows it, so it is always asked for singly.
    """

    dirty: dict[str, dict[str, datetime | None]] = field(default_factory=lambda: defaultdict(dict))
    newest: datetime | None = None

    def edge(self, resource: Resource) -> datetime | None:
        """Return how far back a walk has to go because too many objects changed to read singly."""
        named = self.dirty.get(resource.name, {})
        if len(named) <= MOST_READ_SINGLY:
            return None
        return min((made for made in named.values() if made), default=None)

    def read_singly(self, walk: Walk) -> list[str]:
        """Return what a walk does not see anyway; one that goes on in the middle sees nothing surely."""
        named = self.dirty.get(walk.resource.name, {})
        if not walk.resource.has_created_filter:
            return []
        if walk.is_resumed:
            return sorted(named)
        lower = walk.lower
        return sorted(
            one for one, made in named.items() if made is None or (lower and made < lower)
        )


def newest_event(source: PaymentSource) -> datetime | None:
    """Return when the newest event was made: where a first sync's successor begins to read them."""
    page = source.page(EVENTS.path, {"limit": 1})
    return moment(page.objects[0].get("created")) if page.objects else None


def read_changes(source: PaymentSource, since: datetime | None) -> Changes:
    """Read the events since a moment, an hour earlier to be safe."""
    changes = Changes(newest=since)
    asked: dict[str, Any] = EVENTS.list_parameters()
    if since is not None:
        asked["created"] = {"gte": int((since - LOOKBACK).timestamp())}
    while True:
        page = source.page(EVENTS.path, asked)
        for event in page.objects:
            _note(changes, event)
        if not page.has_more or not page.objects:
            return changes
        asked["starting_after"] = page.objects[-1]["id"]


def _note(changes: Changes, event: dict[str, Any]) -> None:
    made = moment(event.get("created"))
    if made and (changes.newest is None or made > changes.newest):
        changes.newest = made
    named = (event.get("data") or {}).get("object") or {}
    resource = BY_KIND.get(named.get("object") or "")
    if resource is None or not named.get("id"):
        return
    is_gone = resource.omits_deleted and str(event.get("type")).endswith(".deleted")
    known = changes.dirty[resource.name]
    if is_gone or known.get(named["id"], named) is not None:
        known[named["id"]] = None if is_gone else moment(named.get("created"))


def has_gap(since: datetime | None, last_success: datetime | None, now: datetime) -> bool:
    """Say whether events may have been lost: the provider keeps them for thirty days."""
    known = max((at for at in (since, last_success) if at), default=None)
    return known is not None and now - known > timedelta(days=EVENTS_KEPT_DAYS - 1)


def reread(
    source: PaymentSource,
    intake: Intake,
    wanted: Iterable[tuple[Resource, str]],
    advance: Callable[[int], None],
) -> bool:
    """Read objects one by one and take them in; say whether every one could be read."""
    wanted = list(wanted)
    with ThreadPoolExecutor(READERS, thread_name_prefix="reread") as pool:
        answers = list(pool.map(lambda pair: _read_one(source, *pair), wanted))
    packed: list[Packed] = []
    gone: dict[str, list[str]] = defaultdict(list)
    is_whole = True
    for (resource, external_id), answer in zip(wanted, answers, strict=True):
        if isinstance(answer, RemoteProblem):
            _note_refusal(intake, resource, answer)
            is_whole = False
        elif answer is None:
            gone[resource.kind].append(external_id)
        else:
            packed.append(answer)
    intake.take(packed, {})
    for kind, ids in gone.items():
        intake.drop(kind, ids)
    advance(len(wanted))
    return is_whole


def _read_one(
    source: PaymentSource, resource: Resource, external_id: str
) -> Packed | RemoteProblem | None:
    """Return an object, None for a deleted one, or the problem that kept it from being read."""
    try:
        raw = source.one(resource.path, external_id, resource.one_parameters())
        if raw is None or raw.get("deleted"):
            return None
        complete(source, resource, [raw])
        return pack(raw)
    except RemoteProblem as problem:
        return problem


def _note_refusal(intake: Intake, resource: Resource, problem: RemoteProblem) -> None:
    tally = intake.tally(resource.name)
    if tally.status is ResourceStatus.OK:
        is_forbidden = isinstance(problem, ResourceForbidden)
        tally.status = ResourceStatus.FORBIDDEN if is_forbidden else ResourceStatus.PARTIAL
        tally.reason = problem.message


def move_events_cursor(intake: Intake, changes: Changes) -> None:
    """Remember up to which event changes are known, or will be once a first sync is through."""
    if changes.newest is not None:
        intake.finish(EVENTS.name, Cursor(changes.newest))


def try_events(read: Callable[[], Changes]) -> tuple[Changes | None, str | None]:
    """Read changes where the provider tells them; else return why it does not."""
    try:
        return read(), None
    except (ResourceForbidden, ResourceUnsupported) as refusal:
        return None, refusal.message
