"""Taking a piece away from readers and off sale; who bought it keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kpay.domain.document import Document, done
from kpay.domain.enums import ContentStatus
from kpay.errors import KpayError
from kpay.services.catalogue import wanted
from kpay.services.publishing import Workplace, published_texts, retold
from kpay.services.selling import withdraw_from_sale
from kpay.store import content


@dataclass(frozen=True, slots=True)
class Archived:
    """What was archived, and why its offer could not be taken off sale (else None)."""

    slug: str
    file: str
    is_new: bool
    trouble: KpayError | None

    def to_document(self) -> Document:
        """Say that the piece is archived, or was already."""
        payload = {"slug": self.slug, "archived": self.is_new}
        if not self.is_new:
            return done(
                "kpay.content.archive/1",
                f"{self.slug} is archived already; nothing to do.",
                payload,
            )
        return done(
            "kpay.content.archive/1",
            f"{self.slug} is archived: no page, no offer. Who bought it keeps it.",
            payload,
            f"kpay publish {self.file}   # brings it back",
        )

    def raise_trouble(self) -> None:
        """Raise what kept the offer from being closed."""
        if self.trouble is not None:
            raise self.trouble


def archive(workplace: Workplace, slug: str, now: datetime) -> Archived:
    """Archive a piece: its page goes, its offer is closed; raise NotFound for an unknown slug.

    Archiving again closes an offer that could not be closed the first time.
    """
    with workplace.store.reading() as connection:
        row = wanted(connection, slug, "kpay content archive")
    is_new = row["status"] != ContentStatus.ARCHIVED
    if is_new:
        with workplace.store.writing() as connection:
            content.archive(connection, slug, now)
    trouble = _close_offer(workplace, row["id"], slug)
    workplace.site.remove(slug)
    workplace.site.write(published_texts(workplace))
    return Archived(slug, row["file"], is_new, trouble)


def _close_offer(workplace: Workplace, content_id: int, slug: str) -> KpayError | None:
    with workplace.store.reading() as connection:
        is_on_sale = content_id in content.open_links(connection)
    if not is_on_sale:
        return None
    try:
        withdraw_from_sale(workplace.store, workplace.checkout(), [slug])
    except KpayError as error:
        return retold(error, f"{slug} is archived here, but still on sale: {error.message}")
    return None
