"""Deciding what publishing a piece changes, and saying so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from kpay.domain.document import Column, Document, Table
from kpay.domain.enums import ContentStatus
from kpay.domain.period import instant_text

PUBLISHED = ContentStatus.PUBLISHED
SCHEDULED = ContentStatus.SCHEDULED


@dataclass(frozen=True, slots=True)
class Wish:
    """What the creator asked for: a draft, a later moment, or (named) these files and no others."""

    is_draft: bool = False
    at: datetime | None = None
    is_named: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How a piece stands in the store."""

    status: ContentStatus
    version: int
    digest: str
    published_at: datetime | None


class Change(StrEnum):
    """What publishing does to one piece."""

    NEW = "new"
    CHANGED = "changed"
    RELEASED = "released"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a piece, and since when it is (or from when it will be) published."""

    change: Change
    status: ContentStatus
    version: int
    published_at: datetime | None


def decide(standing: Standing | None, digest: str, wish: Wish, now: datetime) -> Decision:
    """Return what publishing does to a piece; ValueError when it may not be done.

    Without names, a draft stays a draft, an archived piece stays archived and a scheduled one waits
    for its moment; naming a file publishes it.
    """
    status, published_at = _goal(standing, wish, now)
    if standing is None:
        return Decision(Change.NEW, status, 1, published_at)
    if standing.digest != digest:
        return Decision(Change.CHANGED, status, standing.version + 1, published_at)
    is_same = (standing.status, standing.published_at) == (status, published_at)
    change = Change.UNCHANGED if is_same else Change.RELEASED
    return Decision(change, status, standing.version, published_at)


def _goal(
    standing: Standing | None, wish: Wish, now: datetime
) -> tuple[ContentStatus, datetime | None]:
    before = standing.status if standing else None
    since = standing.published_at if standing else None
    later = wish.at is not None and wish.at > now
    if before is PUBLISHED and (wish.is_draft or later):
        raise ValueError("is published already; a change of it cannot wait as a draft")
    if wish.is_draft:
        return ContentStatus.DRAFT, None
    if later:
        return SCHEDULED, wish.at
    if before is PUBLISHED:
        return PUBLISHED, since
    if wish.at or wish.is_named or before is None:
        return PUBLISHED, wish.at or now
    if before is SCHEDULED and since is not None and since <= now:
        return PUBLISHED, since
    return before, since


@dataclass(frozen=True, slots=True)
class PublishedPiece:
    """One piece in the answer of `kpay publish`."""

    slug: str
    title: str
    kind: str
    price: str
    change: Change
    status: ContentStatus
    version: int
    published_at: datetime | None
    page: str | None = None
    buy_url: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the keys of one piece."""
        return {
            "slug": self.slug,
            "title": self.title,
            "kind": self.kind,
            "price": self.price,
            "change": self.change.value,
            "status": self.status.value,
            "version": self.version,
            "published_at": instant_text(self.published_at) if self.published_at else None,
            "page": self.page,
            "buy_url": self.buy_url,
        }


@dataclass(frozen=True, slots=True)
class PublishResult:
    """The answer of `kpay publish`: the pieces it looked at, pages written, offers put on sale."""

    pieces: Sequence[PublishedPiece]
    pages_written: int = 0
    put_on_sale: int = 0
    not_on_sale: Sequence[str] = ()
    is_rehearsal: bool = False

    def to_document(self) -> Document:
        """Say what was published, or that there was nothing to do."""
        changed = [piece for piece in self.pieces if piece.change is not Change.UNCHANGED]
        return Document(
            "kpay.publish/1",
            self._sentence(len(changed)),
            (_table(changed),) if changed else (),
            self._payload(),
            next_steps=self._next_steps(bool(changed)),
        )

    def _sentence(self, changed: int) -> str:
        if self.is_rehearsal and changed:
            return f"{_pieces(changed)} would be published (--dry-run); nothing was changed."
        if changed:
            return f"{_pieces(changed)} published, {self.put_on_sale} put on sale."
        if self.put_on_sale or self.pages_written:
            return f"{_pieces(self.put_on_sale)} put on sale, {self.pages_written} pages written."
        return f"{_pieces(len(self.pieces))}, all as published; nothing to do."

    def _payload(self) -> dict[str, Any]:
        counts = dict.fromkeys(Change, 0)
        for piece in self.pieces:
            counts[piece.change] += 1
        return {
            **{change.value: count for change, count in counts.items()},
            "pages_written": self.pages_written,
            "put_on_sale": self.put_on_sale,
            "not_on_sale": list(self.not_on_sale),
            "dry_run": self.is_rehearsal,
            "pieces": [piece.to_json() for piece in self.pieces],
        }

    def _next_steps(self, is_changed: bool) -> tuple[str, ...]:
        if self.is_rehearsal and is_changed:
            return ("kpay publish",)
        if self.not_on_sale or not is_changed:
            return ()
        return ("kpay sync", "kpay content list")


def _pieces(count: int) -> str:
    return f"{count} piece{'' if count == 1 else 's'}"


def _table(pieces: Sequence[PublishedPiece]) -> Table:
    columns = ("", "slug", "kind", "price", "status", "page")
    return Table(
        tuple(Column(name) for name in columns),
        tuple(
            (piece.change.value, piece.slug, piece.kind, piece.price, _status(piece), piece.page)
            for piece in pieces
        ),
    )


def _status(piece: PublishedPiece) -> str:
    if piece.status is SCHEDULED and piece.published_at:
        return f"scheduled for {instant_text(piece.published_at)}"
    return piece.status.value
