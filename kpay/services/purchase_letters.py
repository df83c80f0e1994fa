"""The message that brings a buyer what they bought: the text inline, small files attached."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import RowMapping

from kpay.domain.enums import ContentKind
from kpay.domain.message import Attachment, Draft, wire_address, write_message
from kpay.domain.origins import ON_A_PAGE, BuyLinks, Origin, OriginKind, carrying
from kpay.domain.plain_words import plain_markdown
from kpay.domain.return_path import TOKEN_HEADER, reference_of
from kpay.ports import Envelope
from kpay.services.mail_desk import MailDesk
from kpay.services.receipts import receipt_behind
from kpay.store import content, deliveries

LARGEST_ATTACHMENTS = 7_000_000  # base64 makes 9.6 MB of it; common servers take 10
HEADERS = (("X-Kpay-Kind", "delivery"), ("Auto-Submitted", "auto-generated"))
OPENINGS: Mapping[str, str] = {
    ContentKind.ARTICLE: "Here is the whole text.",
    ContentKind.EBOOK: "Here is your book.",
    ContentKind.COURSE: "Here is your course.",
    ContentKind.AUDIO: "Here is your recording.",
    ContentKind.VIDEO: "Here is your video.",
    ContentKind.BUNDLE: "Everything in it comes in a mail of its own.",
    ContentKind.MEMBERSHIP: "Your membership has begun. Welcome!",
}


@dataclass(frozen=True, slots=True)
class Parcel:
    """What every buyer of one piece gets."""

    slug: str
    title: str
    kind: str
    language: str
    body: str
    includes: tuple[str, ...]
    attachments: tuple[Attachment, ...]
    left_out: tuple[str, ...]


class PurchasePress:
    """Writes the messages of purchases; each piece is read and packed once a run."""

    def __init__(self, desk: MailDesk) -> None:
        self._desk = desk
        self._parcel = cache(self._pack)
        with desk.store.reading() as connection:
            self._buy_links = BuyLinks(content.buy_addresses(connection))

    def envelope(self, row: RowMapping, now: datetime) -> Envelope:
        """Write the message for one delivery; ValueError for an address that cannot be mailed."""
        letterhead = self._desk.letterhead
        parcel = self._parcel(row["context"]["content_id"])
        reference = Origin(OriginKind.PURCHASE, parcel.slug).reference(row["id"])
        values = self._values(parcel, row["context"]["name"], reference)
        values["receipt"] = self._receipt(row["entitlement_id"])
        body = self._buy_links.tagged(parcel.body, reference)
        page = self._desk.renderer.render(
            "email/delivery.html", {**values, "body": self._desk.markdown.to_html(body)}
        )
        text = self._desk.renderer.render(
            "email/delivery.txt", {**values, "words": plain_markdown(body)}
        )
        token = self._desk.signer.sign(reference_of(row["message_id"]))
        draft = Draft(
            sender=letterhead.sender,
            recipient=row["email"],
            message_id=row["message_id"],
            subject=f"{parcel.title} · {letterhead.shown_business}",
            text=text,
            html=self._desk.renderer.inline_styles(page),
            sent_at=now,
            headers=(*HEADERS, (TOKEN_HEADER, token)),
            attachments=parcel.attachments,
        )
        return Envelope(
            letterhead.envelope_sender(row["message_id"]),
            wire_address(row["email"]),
            row["message_id"],
            write_message(draft),
        )

    def _receipt(self, entitlement_id: int) -> dict[str, object] | None:
        with self._desk.store.reading() as connection:
            return receipt_behind(connection, entitlement_id, self._desk.customs.timezone)

    def _values(self, parcel: Parcel, name: str, reference: str) -> dict[str, object]:
        letterhead = self._desk.letterhead
        page_url = letterhead.page_url(parcel.slug)
        return {
            "business": letterhead.shown_business,
            "postal_address": letterhead.postal_address,
            "language": parcel.language,
            "title": parcel.title,
            "kind": parcel.kind,
            "name": name,
            "opening": OPENINGS[parcel.kind],
            "files": [attachment.name for attachment in parcel.attachments],
            "left_out": parcel.left_out,
            "includes": parcel.includes,
            "page_url": page_url and carrying(page_url, reference, ON_A_PAGE),
        }

    def _pack(self, content_id: int) -> Parcel:
        with self._desk.store.reading() as connection:
            piece, body, includes = deliveries.parcel_of(connection, content_id)
        attachments, left_out = pack_files(self._desk.home, piece["attachments"])
        return Parcel(
            slug=piece["slug"],
            title=piece["title"],
            kind=piece["kind"],
            language=piece["language"],
            body=body,
            includes=tuple(includes),
            attachments=attachments,
            left_out=left_out,
        )


def pack_files(home: Path, names: Sequence[str]) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
    """Read the files that fit into one mail; return them, and the names of those that do not.

    A path that leads out of the business's folder is never read.
    """
    packed: list[Attachment] = []
    left_out: list[str] = []
    room = LARGEST_ATTACHMENTS
    for name in names:
        path = (home / name).resolve()
        is_ours = path.is_relative_to(home.resolve()) and path.is_file()
        if not is_ours or path.stat().st_size > room:
            left_out.append(path.name)
            continue
        content = path.read_bytes()
        room -= len(content)
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        packed.append(Attachment(path.name, media_type, content))
    return tuple(packed), tuple(left_out)
