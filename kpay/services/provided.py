"""The provider's objects: packed for the store, and found again as records."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from kpay.domain import records
from kpay.domain.checkout import Account, RawObject
from kpay.store import provider

WINDOW_BITS, MEMORY_LEVEL = 12, 5  # zlib's defaults clear 256 KiB for every object of 1 KiB


@dataclass(frozen=True, slots=True)
class Packed:
    """One object made ready to be kept: its text compressed, the text's digest, its record."""

    kind: str
    id: str
    created: int | None
    payload: bytes
    digest: bytes
    record: records.Record


def pack(raw: RawObject) -> Packed:
    """Make an object ready: sorted keys, so that equal objects have equal digests."""
    text = canonical(raw)
    return Packed(
        raw["object"],
        raw["id"],
        raw.get("created"),
        _compress(text),
        hashlib.sha256(text).digest(),
        records.read(raw),
    )


def canonical(raw: RawObject) -> bytes:
    """Return the one text that equal objects have: sorted keys, no spaces.

    Half a character, which JSON can spell but UTF-8 cannot, is spelled as JSON does.
    """
    try:
        return orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return json.dumps(raw, sort_keys=True, separators=(",", ":")).encode()


def _compress(text: bytes) -> bytes:
    """Return zlib data at the fastest level, at a sixth of what `zlib.compress` takes for it."""
    compressor = zlib.compressobj(1, zlib.DEFLATED, WINDOW_BITS, MEMORY_LEVEL)
    return compressor.compress(text) + compressor.flush()


def unpack(payload: bytes) -> dict[str, Any]:
    """Return the object that was kept."""
    text = zlib.decompress(payload)
    try:
        whole: dict[str, Any] = orjson.loads(text)
    except ValueError:  # half a character
        whole = json.loads(text)
    return whole


def row_of(account: Account, api_version: str, packed: Packed) -> dict[str, Any]:
    """Return the row that keeps an object."""
    made = packed.created
    return {
        "account": account.id,
        "livemode": account.livemode,
        "object": packed.kind,
        "external_id": packed.id,
        "created_at": datetime.fromtimestamp(made, UTC) if made else None,
        "belongs_to": packed.record.belongs_to,
        "api_version": api_version,
        "digest": packed.digest,
        "payload": packed.payload,
        "is_deleted": False,
    }


class Provided:
    """The objects that are kept, as records."""

    def __init__(self, connection: Connection, account: Account) -> None:
        self.account = account
        self._connection = connection

    def records(self, kind: str, ids: Iterable[str | None]) -> dict[str, Any]:
        """Return the records of the objects that are kept, by id."""
        wanted = sorted({one for one in ids if one})
        kept = provider.payloads(self._connection, self.account, kind, wanted)
        return {one: records.read(unpack(payload)) for one, payload in kept.items()}

    def hanging_on(self, kind: str, parents: Iterable[str | None]) -> dict[str, list[Any]]:
        """Return the records of a kind that belong to each of the parents, oldest first."""
        wanted = sorted({parent for parent in parents if parent})
        pairs = list(provider.hanging_on(self._connection, self.account, kind, wanted))
        found = self.records(kind, [external_id for _, external_id in pairs])
        tied: dict[str, list[Any]] = defaultdict(list)
        for parent, external_id in pairs:
            tied[parent].append(found[external_id])
        return tied
