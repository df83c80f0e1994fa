"""What the letters of a plan are held against, read from the store once a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from kpay.domain.campaign_file import Offer
from kpay.domain.letter_checks import LetterFacts, passage_of, without_tags
from kpay.domain.letter_links import KnownAddresses
from kpay.domain.letterhead import Letterhead
from kpay.domain.plain_words import plain_markdown
from kpay.domain.preview import blocks
from kpay.domain.price_claims import Priced
from kpay.services.letters import Wording
from kpay.store import content

FREE = "free"


def letter_facts(
    connection: Connection, letterhead: Letterhead, wording: Wording, offer: Offer | None
) -> LetterFacts:
    """Read what is published, what it costs, where it is sold, and which text is for owners only."""
    texts = content.published_texts(connection)
    links = content.open_links(connection)
    paid = [row for row in texts if row["pricing"] != FREE]
    return LetterFacts(
        pieces={row["slug"]: _priced(row, letterhead, links) for row in texts},
        about=tuple(piece["slug"] for piece in wording.shared["contents"]),
        addresses=KnownAddresses(
            site_url=letterhead.site_url,
            slugs=frozenset(row["slug"] for row in texts),
            closed=content.closed_links(connection),
            files=_files(paid),
        ),
        passages=_passages(paid, texts),
        unsubscribe=letterhead.unsubscribe_link(""),
        postal_address=letterhead.postal_address,
        prose="\n".join(_prose(wording, letterhead, texts)),
        offer=offer,
    )


def _priced(row: Mapping[str, Any], letterhead: Letterhead, links: Mapping[int, str]) -> Priced:
    addresses = (letterhead.page_url(row["slug"]), links.get(row["id"], ""))
    return Priced(
        title=row["title"],
        pricing=row["pricing"],
        amount_minor=row["amount_minor"],
        currency=row["currency"] or "",
        interval=row["interval"] or "",
        addresses=tuple(address for address in addresses if address),
    )


def _files(paid: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {file.rpartition("/")[2]: row["slug"] for row in paid for file in row["attachments"]}


def _passages(
    paid: Iterable[Mapping[str, Any]], texts: Iterable[Mapping[str, Any]]
) -> dict[str, str]:
    """Return the paragraphs behind the till, each with its piece; what a preview shows is public."""
    public = {
        passage
        for row in texts
        for passage in _paragraphs(row["body"] if row["pricing"] == FREE else row["preview"])
    }
    return {
        passage: row["slug"]
        for row in paid
        for passage in _paragraphs(row["body"])
        if passage not in public
    }


def _paragraphs(body: str) -> Iterable[str]:
    passages = (passage_of(plain_markdown(block)) for block in blocks(body))
    return (passage for passage in passages if passage)


def _prose(
    wording: Wording, letterhead: Letterhead, texts: Iterable[Mapping[str, Any]]
) -> Iterable[str]:
    """Yield what stands in letters because somebody wrote it there."""
    yield from map(without_tags, (*wording.subjects, wording.body))
    yield from (letterhead.business, letterhead.postal_address)
    for row in texts:
        yield from (row["title"], row["summary"])
