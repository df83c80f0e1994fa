"""Objects below the look-back that have to be read again: one by one, or by walking further down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Final

from kpay.domain.enums import Reread
from kpay.domain.resources import Resource
from kpay.errors import RemoteProblem
from kpay.ports import PaymentSource
from kpay.services.intake import Intake
from kpay.services.provided import Packed
from kpay.services.walking import (
    READERS,
    Advance,
    complete,
    note_refusal,
    pack_known,
    refuse_other_mode,
)
from kpay.services.walks import LOOKBACK
from kpay.store.dialect import chunks
from kpay.store.provider import Cursor

Answer = Packed | RemoteProblem | None
PAGE: Final = 100
AT_ONCE: Final = 200


@dataclass
class Owed:
    """Objects of one list that have to be read again: when each was made, and why."""

    made: dict[str, datetime | None] = field(default_factory=dict)
    why: dict[str, Reread] = field(default_factory=dict)

    def add(self, objects: Iterable[tuple[str, datetime | None]], why: Reread) -> None:
        """Note objects; what is owed for two reasons counts for the first."""
        for external_id, made in objects:
            self.made.setdefault(external_id, made)
            self.why.setdefault(external_id, why)


@dataclass(frozen=True, slots=True)
class Plan:
    """How what is owed is paid: a lower edge for the walk and its reason, and what is read singly."""

    edge: datetime | None = None
    reason: Reread = Reread.LOOKBACK
    singly: tuple[tuple[str, Reread], ...] = ()


def plan(
    resource: Resource,
    cursor: Cursor | None,
    owed: Owed,
    count_between: Callable[[datetime, datetime], int],
) -> Plan:
    """Choose what takes fewer requests: reading the objects, or the pages down to the oldest of them.

    A walk that goes on in the middle sees none of them surely, and what is pending can wait for the next
    sync; a whole walk sees all that there are.
    """
    if not owed.made or not resource.has_created_filter:
        return Plan()
    known = cursor or Cursor()
    if known.starting_after:
        told = [one for one, why in owed.why.items() if why is Reread.CHANGED]
        return Plan(singly=_with_reasons(told, owed))
    gone = [one for one, made in owed.made.items() if made is None]
    if known.watermark_at is None:
        return Plan(singly=_with_reasons(gone, owed))
    lower = known.watermark_at - LOOKBACK
    below = {one: made for one, made in owed.made.items() if made is not None and made < lower}
    if not below:
        return Plan(singly=_with_reasons(gone, owed))
    oldest = min(below, key=lambda one: below[one])
    pages = max(1, ceil(count_between(below[oldest], lower) / PAGE))
    if len(below) <= pages:
        return Plan(singly=_with_reasons([*gone, *below], owed))
    return Plan(below[oldest], owed.why[oldest], _with_reasons(gone, owed))


def _with_reasons(external_ids: Iterable[str], owed: Owed) -> tuple[tuple[str, Reread], ...]:
    return tuple((one, owed.why[one]) for one in sorted(external_ids))


def reread(
    source: PaymentSource,
    intake: Intake,
    wanted: Sequence[tuple[Resource, str]],
    advance: Advance,
) -> bool:
    """Read objects one by one and take them in; say whether every one could be read."""
    is_whole = True
    with ThreadPoolExecutor(READERS, thread_name_prefix="reread") as pool:
        try:
            for some in chunks(wanted, AT_ONCE):
                answers = list(pool.map(lambda pair: _read_one(source, intake, *pair), some))
                is_whole &= _take(intake, zip(some, answers, strict=True))
                advance(len(some), "what changed")
        except BaseException:
            source.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return is_whole


def _take(intake: Intake, answered: Iterable[tuple[tuple[Resource, str], Answer]]) -> bool:
    packed: list[Packed] = []
    gone: dict[str, list[str]] = defaultdict(list)
    is_whole = True
    for (resource, external_id), answer in answered:
        if isinstance(answer, RemoteProblem):
            note_refusal(intake, resource, answer)
            is_whole = False
        elif answer is None:
            gone[resource.kind].append(external_id)
        else:
            packed.append(answer)
    intake.take(packed, {})
    for kind, ids in gone.items():
        intake.drop(kind, ids)
    return is_whole


def _read_one(
    source: PaymentSource, intake: Intake, resource: Resource, external_id: str
) -> Answer:
    """Return an object, None for a deleted one, or the problem that kept it from being read."""
    try:
        raw = source.one(resource.path, external_id, resource.one_parameters())
        if raw is None or raw.get("deleted"):
            return None
        refuse_other_mode(intake.account, [raw])
        complete(source, resource, [raw])
        return pack_known(raw)
    except RemoteProblem as problem:
        return problem
