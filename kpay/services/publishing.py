"""Publishing: files become content with versions, offers at the provider, and pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from kpay.domain.bought_together import also_bought
from kpay.domain.checkout import Listing, Offer
from kpay.domain.enums import ContentStatus
from kpay.domain.origins import BuyLinks, Origin, OriginKind, carrying
from kpay.domain.period import parse_instant
from kpay.domain.pricing import PriceTag, price_text
from kpay.domain.publishing import (
    Change,
    Decision,
    PublishedPiece,
    PublishResult,
    Standing,
    Wish,
    decide,
)
from kpay.errors import KpayError, Refused, UsageProblem
from kpay.ports import CheckoutPublisher, SourceReader
from kpay.services.content_sources import KnownPiece, ReadPiece, find_files, read_pieces
from kpay.services.entitling import entitle_by_orders
from kpay.services.selling import put_on_sale, withdraw_from_sale
from kpay.services.site import PublishedText, SiteWriter, page_of, price_of
from kpay.store import content, facts, orders, shelf
from kpay.store.engine import Store

Row = Mapping[str, Any]
ALSO_SHOWN = 3  # pieces that buyers of a piece also bought, on its page
OWED = "owed_to_checkout"  # the fact that names pieces whose offers the provider has yet to hear of


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where publishing happens and what it needs; `checkout` is asked only when there is a sale."""

    home: Path
    store: Store
    reader: SourceReader
    site: SiteWriter
    checkout: Callable[[], CheckoutPublisher]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done, and why some of it could not be put on sale (else None)."""

    result: PublishResult
    trouble: KpayError | None

    def raise_trouble(self) -> None:
        """Raise what kept pieces from going on sale; what was published here stays."""
        if self.trouble is not None:
            raise self.trouble


@dataclass(frozen=True, slots=True)
class _Step:
    """One piece and what becomes of it."""

    read: ReadPiece
    decision: Decision


def publish(
    workplace: Workplace,
    named: Sequence[str],
    wish: Wish,
    *,
    start: Path,
    now: datetime,
    is_rehearsal: bool = False,
) -> Outcome:
    """Publish the named files and folders (seen from `start`), or what changed in content/.

    Raises InputInvalid with every problem of every file, and then nothing is changed. When the
    provider cannot be reached or has no key, everything else is done and the outcome says so.
    """
    with workplace.store.reading() as connection:
        rows = {row["slug"]: row for row in content.everything(connection)}
    files = find_files(workplace.home, named, start)
    known = [KnownPiece(row["slug"], row["file"]) for row in rows.values()]
    pieces = read_pieces(workplace.reader, workplace.home, files, known)
    steps = [_Step(read, _decided(read, rows.get(read.slug), wish, now)) for read in pieces]
    if is_rehearsal:
        return Outcome(PublishResult([_answer(step) for step in steps], is_rehearsal=True), None)
    moved = [step for step in steps if rows.get(step.read.slug, {}).get("file") != step.read.file]
    _save(workplace.store, steps, moved, now)
    sold, trouble = _sell(workplace, now)
    pages = workplace.site.write(published_texts(workplace))
    return Outcome(_result(workplace, steps, pages, sold), trouble)


def _decided(read: ReadPiece, row: Row | None, wish: Wish, now: datetime) -> Decision:
    standing = None
    if row is not None:
        status = ContentStatus(row["status"])
        standing = Standing(status, row["version"], row["digest"], row["published_at"])
    try:
        return decide(standing, read.digest, wish, now)
    except ValueError as error:
        raise Refused(f"{read.slug} {error}", f"kpay publish {read.file}") from None


def _save(store: Store, steps: Sequence[_Step], moved: Sequence[_Step], now: datetime) -> None:
    changed = [step for step in steps if step.decision.change is not Change.UNCHANGED]
    if not changed and not moved:
        return
    with store.writing() as connection:
        for step in (*changed, *(step for step in moved if step not in changed)):
            existing = content.by_slug(connection, step.read.slug)
            is_new_text = step.decision.change in (Change.NEW, Change.CHANGED)
            content.save(
                connection,
                _content_row(step, existing or {"created_at": now}),
                _version_row(step, now) if is_new_text else None,
            )
        _note_owed(connection, [step.read.slug for step in changed])
        entitle_by_orders(connection, orders.adopt_content(connection))


def _content_row(step: _Step, before: Row) -> dict[str, Any]:
    piece, decision = step.read.piece, step.decision
    is_archived = decision.status is ContentStatus.ARCHIVED
    return {
        "slug": step.read.slug,
        "kind": piece.kind.value,
        "title": piece.title,
        "summary": piece.summary,
        "language": piece.language,
        "tags": list(piece.tags),
        "includes": list(piece.includes),
        "pricing": piece.price.pricing,
        "amount_minor": piece.price.amount_minor,
        "currency": piece.price.currency,
        "interval": piece.price.interval.value if piece.price.interval else None,
        "trial_days": piece.trial_days,
        "status": decision.status.value,
        "version": decision.version,
        "digest": step.read.digest,
        "file": step.read.file,
        "attachments": list(step.read.attachments),
        "published_at": decision.published_at,
        "archived_at": before.get("archived_at") if is_archived else None,
        "created_at": before["created_at"],
    }


def _version_row(step: _Step, now: datetime) -> dict[str, Any]:
    return {
        "version": step.decision.version,
        "digest": step.read.digest,
        "front_matter": _front_matter(step.read),
        "preview": step.read.preview,
        "body": step.read.body,
        "created_at": now,
    }


def _front_matter(read: ReadPiece) -> dict[str, Any]:
    """Return what the file said of this version, beside its text."""
    return {
        "cover": read.cover,
        "price": price_text(read.piece.price),
        "after": list(read.piece.after),
        "title": read.piece.title,
        "summary": read.piece.summary,
    }


def _sell(workplace: Workplace, now: datetime) -> tuple[list[str], KpayError | None]:
    """Put on sale what is new, changed or without a link; take off sale what must not be sold.

    What is owed to the provider stays noted in the store until the provider has it.
    """
    with workplace.store.reading() as connection:
        owed = _owed(connection)
        rows = content.everything(connection)
        links = content.open_links(connection)
    offers = [
        _offer(row)
        for row in rows
        if _is_for_sale(row) and (row["slug"] in owed or row["id"] not in links)
    ]
    ended = [row["slug"] for row in rows if not _is_for_sale(row) and row["id"] in links]
    listings: list[Listing] = []
    if offers or ended:
        try:
            publisher = workplace.checkout()
            if ended:
                withdraw_from_sale(workplace.store, publisher, ended)
            if offers:
                listings = put_on_sale(workplace.store, publisher, offers, now=now)
        except KpayError as error:
            return [], _explained(error, len(offers))
    if owed:
        with workplace.store.writing() as connection:
            facts.forget(connection, OWED)
    return [listing.slug for listing in listings if listing.changed], None


def _owed(connection: Connection) -> set[str]:
    return set(json.loads(facts.find(connection, OWED) or "[]"))


def _note_owed(connection: Connection, slugs: Iterable[str]) -> None:
    owed = sorted(_owed(connection).union(slugs))
    facts.keep(connection, OWED, json.dumps(owed, ensure_ascii=False))


def _is_for_sale(row: Row) -> bool:
    is_out: bool = row["status"] == ContentStatus.PUBLISHED
    return is_out and row["pricing"] != "free"


def _offer(row: Row) -> Offer:
    price = price_of(row)
    return Offer(
        slug=row["slug"],
        title=row["title"],
        kind=row["kind"],
        tags=tuple(row["tags"]),
        amount_minor=price.amount_minor,
        currency=str(price.currency),
        interval=price.interval,
        trial_days=row["trial_days"],
        buyer_names_amount=price.pricing == "from",
        summary=row["summary"],
    )


def _explained(error: KpayError, unsold: int) -> KpayError:
    if unsold:
        pieces = "piece" if unsold == 1 else "pieces"
        said = f"published here, but {unsold} paid {pieces} cannot be bought yet: {error.message}"
    else:
        said = f"published here, but what is free now is still on sale: {error.message}"
    return retold(error, said)


def retold(error: KpayError, sentence: str) -> KpayError:
    """Give an error another sentence; its class, code and next step stay."""
    error.message, error.args = sentence, (sentence,)
    return error


def published_texts(workplace: Workplace) -> list[PublishedText]:
    """Return everything that is published, as its pages show it."""
    with workplace.store.reading() as connection:
        rows = content.published_texts(connection)
        links = content.open_links(connection)
        buy_links = BuyLinks(content.buy_addresses(connection))
        together = shelf.buyers(connection)
    shown = {row["slug"] for row in rows if row["pricing"] != "free"}
    also = also_bought(together, shown, ALSO_SHOWN)
    texts = (_text(workplace.home, row, links, buy_links) for row in rows)
    return [replace(text, also=tuple(_besides(text.row, also))) for text in texts]


def _besides(row: Row, also: Mapping[str, Sequence[str]]) -> list[str]:
    """Return what a page names besides its piece: nothing that is inside of it anyway."""
    return [slug for slug in also.get(row["slug"], ()) if slug not in row["includes"]]


def _text(home: Path, row: Row, links: Mapping[int, str], buy_links: BuyLinks) -> PublishedText:
    """Return one text; what is bought from its page will say so."""
    cover = row["front_matter"].get("cover")
    path = home / cover if cover else None
    reference = Origin(OriginKind.PAGE, row["slug"]).reference()
    shop = links.get(row["id"]) if _is_for_sale(row) else None
    tagged = {name: buy_links.tagged(row[name], reference) for name in ("body", "preview")}
    return PublishedText(
        row={**row, **tagged},
        price=price_of(row),
        buy_url=carrying(shop, reference) if shop else None,
        cover=path if path and path.is_file() else None,
    )


def _result(
    workplace: Workplace, steps: Sequence[_Step], pages: int, sold: Sequence[str]
) -> PublishResult:
    with workplace.store.reading() as connection:
        rows = content.everything(connection)
        links = content.open_links(connection)
    urls = {row["slug"]: links[row["id"]] for row in rows if row["id"] in links}
    answers = [_answer(step) for step in steps]
    return PublishResult(
        pieces=[replace(answer, buy_url=urls.get(answer.slug)) for answer in answers],
        pages_written=pages,
        put_on_sale=len(sold),
        not_on_sale=[row["slug"] for row in rows if _is_for_sale(row) and row["slug"] not in urls],
    )


def _answer(step: _Step) -> PublishedPiece:
    decision = step.decision
    is_out = decision.status is ContentStatus.PUBLISHED
    price: PriceTag = step.read.piece.price
    return PublishedPiece(
        slug=step.read.slug,
        title=step.read.piece.title,
        kind=step.read.piece.kind.value,
        price=price_text(price),
        change=decision.change,
        status=decision.status,
        version=decision.version,
        published_at=decision.published_at,
        page=f"site/{page_of(step.read.slug)}" if is_out else None,
    )


def wish_from(at: str | None, timezone: str, *, is_draft: bool, is_named: bool) -> Wish:
    """Read what was asked for on the command line; raise UsageProblem for what cannot be meant."""
    if at is None:
        return Wish(is_draft, None, is_named)
    if is_draft:
        raise UsageProblem("--draft and --at do not go together", "kpay publish --help")
    try:
        return Wish(is_draft, parse_instant(at, timezone), is_named)
    except (ValueError, OverflowError):
        raise UsageProblem(
            f"--at {at} is not a time (write 2026-12-01 or 2026-12-01T09:00)", "kpay publish --help"
        ) from None
