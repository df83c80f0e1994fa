"""Pieces of content as letters show them: plain values with an address to click."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping

from kpay.domain.letterhead import Letterhead
from kpay.domain.money import format_minor
from kpay.domain.origins import AT_THE_TILL, ON_A_PAGE, carrying
from kpay.store import campaigns


def shown_pieces(connection: Connection, letterhead: Letterhead) -> dict[str, dict[str, Any]]:
    """Return every published piece by slug: title, summary, kind, language, price, url and buy_url.

    The address is the piece's page where there is a site, else where it can be bought.
    """
    shops = campaigns.payment_urls(connection)
    return {
        row["slug"]: {
            "slug": row["slug"],
            "title": row["title"],
            "summary": row["summary"],
            "kind": row["kind"],
            "language": row["language"],
            "price": price_text(row),
            "url": letterhead.page_url(row["slug"]) or shops.get(row["id"], ""),
            "buy_url": shops.get(row["id"], ""),
        }
        for row in campaigns.published(connection)
    }


def carrying_origin(piece: Mapping[str, Any], reference: str) -> dict[str, Any]:
    """Return a piece whose addresses say where they stood."""
    url, buy_url = piece["url"], piece.get("buy_url", "")
    if url:
        url = carrying(url, reference, AT_THE_TILL if url == buy_url else ON_A_PAGE)
    return {**piece, "url": url, "buy_url": buy_url and carrying(buy_url, reference)}


def price_text(content: RowMapping) -> str:
    """Return a price as people read it: "$29.00", "€9.00 a month", "from $5.00", "free"."""
    if content["pricing"] == "free" or not content["currency"]:
        return "free"
    amount = format_minor(content["amount_minor"], content["currency"])
    rhythm = f" a {content['interval']}" if content["interval"] else ""
    return f"{'from ' if content['pricing'] == 'from' else ''}{amount}{rhythm}"
