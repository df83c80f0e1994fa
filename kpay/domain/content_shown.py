"""What is published, as `kpay content` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kpay.domain.document import Column, Document, Table, Text
from kpay.domain.money import Money
from kpay.domain.period import instant_text


@dataclass(frozen=True, slots=True)
class ShownPiece:
    """A piece of content with what it has sold; `sold` counts lines of paid orders."""

    slug: str
    title: str
    kind: str
    summary: str
    language: str
    tags: tuple[str, ...]
    includes: tuple[str, ...]
    price: str
    status: str
    version: int
    published_at: datetime | None
    file: str
    page: str | None
    buy_url: str | None
    sold: int
    revenue: tuple[Money, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the keys of one piece."""
        return {
            "slug": self.slug,
            "title": self.title,
            "kind": self.kind,
            "summary": self.summary,
            "language": self.language,
            "tags": list(self.tags),
            "includes": list(self.includes),
            "price": self.price,
            "status": self.status,
            "version": self.version,
            "published_at": instant_text(self.published_at) if self.published_at else None,
            "file": self.file,
            "page": self.page,
            "buy_url": self.buy_url,
            "sold": self.sold,
            "revenue": {money.currency: {"gross_minor": money.minor} for money in self.revenue},
        }

    @property
    def revenue_text(self) -> str:
        """The gross of each currency, for people."""
        return " + ".join(str(money) for money in self.revenue)


@dataclass(frozen=True, slots=True)
class PieceList:
    """The answer of `kpay content list`."""

    pieces: Sequence[ShownPiece]

    def to_document(self) -> Document:
        """Show one line for each piece."""
        if not self.pieces:
            return Document(
                "kpay.content.list/1",
                "No content yet.",
                payload={"content": []},
                next_steps=("kpay publish",),
            )
        columns = (
            Column("slug"),
            Column("kind"),
            Column("price"),
            Column("status"),
            Column("published", "day"),
            Column("sold", "count"),
            Column("gross", "money"),
        )
        rows = tuple(
            (
                piece.slug,
                piece.kind,
                piece.price,
                piece.status,
                piece.published_at.date() if piece.published_at else None,
                piece.sold,
                piece.revenue_text or None,
            )
            for piece in self.pieces
        )
        return Document(
            "kpay.content.list/1",
            f"{len(self.pieces)} pieces of content"
            if len(self.pieces) > 1
            else "1 piece of content",
            (Table(columns, rows),),
            {"content": [piece.to_json() for piece in self.pieces]},
        )


@dataclass(frozen=True, slots=True)
class PieceCard:
    """The answer of `kpay content show`; `versions` are (number, since when), newest first."""

    piece: ShownPiece
    versions: Sequence[tuple[int, datetime]]

    def to_document(self) -> Document:
        """Show everything about one piece."""
        piece = self.piece
        facts = {
            "kind": piece.kind,
            "price": piece.price,
            "status": piece.status,
            "published": instant_text(piece.published_at) if piece.published_at else None,
            "tags": ", ".join(piece.tags),
            "includes": ", ".join(piece.includes),
            "language": piece.language,
            "file": piece.file,
            "page": piece.page,
            "buy": piece.buy_url,
            "sold": f"{piece.sold:,}",
            "gross": piece.revenue_text,
        }
        table = Table(
            (Column("slug"), Column(piece.slug)),
            tuple((name, text) for name, text in facts.items() if text),
        )
        history = Table(
            (Column("version", "count"), Column("since", "instant")),
            tuple(self.versions),
            title="Versions",
        )
        return Document(
            "kpay.content.show/1",
            piece.title,
            (*((Text(piece.summary),) if piece.summary else ()), table, history),
            {
                **piece.to_json(),
                "versions": [
                    {"version": number, "since": instant_text(since)}
                    for number, since in self.versions
                ],
            },
        )
