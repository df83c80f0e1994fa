"""Looking at what is published."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection

from kpay.domain.content_shown import PieceCard, PieceList, ShownPiece
from kpay.domain.enums import ContentStatus
from kpay.domain.money import Money
from kpay.domain.pricing import price_text
from kpay.errors import NotFound
from kpay.services.site import page_of, price_of
from kpay.store import content
from kpay.store.engine import Store

Sales = Mapping[str, tuple[int, int]]


def list_content(store: Store, *, kind: str | None = None) -> PieceList:
    """Return all content (of one kind), newest first, with what each piece has sold."""
    with store.reading() as connection:
        rows = content.everything(connection)
        links = content.open_links(connection)
        sales = content.sales(connection)
    return PieceList(
        [
            _shown(row, links.get(row["id"]), sales.get(row["id"], {}))
            for row in rows
            if kind in (None, row["kind"])
        ]
    )


def show_content(store: Store, slug: str) -> PieceCard:
    """Return one piece with its versions; raise NotFound with the slug that was probably meant."""
    with store.reading() as connection:
        row = wanted(connection, slug, "kpay content show")
        links = content.open_links(connection)
        sales = content.sales(connection)
        versions = content.versions(connection, row["id"])
    piece = _shown(row, links.get(row["id"]), sales.get(row["id"], {}))
    return PieceCard(piece, [(version["version"], version["created_at"]) for version in versions])


def wanted(connection: Connection, slug: str, command: str) -> dict[str, Any]:
    """Return the row of a piece; raise NotFound, with `command` for the slug probably meant."""
    row = content.by_slug(connection, slug)
    if row is not None:
        return row
    slugs = [known["slug"] for known in content.everything(connection)]
    close = get_close_matches(slug, slugs, n=1) or [s for s in slugs if s.startswith(slug)]
    raise NotFound("content", slug, f"{command} {close[0]}" if close else "kpay content list")


def _shown(row: Mapping[str, Any], buy_url: str | None, sales: Sales) -> ShownPiece:
    is_out = row["status"] == ContentStatus.PUBLISHED
    return ShownPiece(
        slug=row["slug"],
        title=row["title"],
        kind=row["kind"],
        summary=row["summary"],
        language=row["language"],
        tags=tuple(row["tags"]),
        includes=tuple(row["includes"]),
        price=price_text(price_of(row)),
        status=row["status"],
        version=row["version"],
        published_at=row["published_at"],
        file=row["file"],
        page=f"site/{page_of(row['slug'])}" if is_out else None,
        buy_url=buy_url,
        sold=sum(lines for lines, _ in sales.values()),
        revenue=tuple(Money(minor, currency) for currency, (_, minor) in sales.items()),
    )
