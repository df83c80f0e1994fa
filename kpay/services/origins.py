"""From the reference of a sale back to the page or the message that its buy link stood in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from kpay.domain.origins import Origin, OriginKind, read_reference
from kpay.store import enrolments, origins


@dataclass(frozen=True, slots=True)
class Found:
    """Where a buy link stood; `message` is the number of the mail, `recipient` who got it."""

    origin: Origin
    message: int | None
    recipient: str | None


def find(connection: Connection, reference: str | None) -> Found | None:
    """Return where a sale came from, or None: no reference, a creator's own, or long forgotten."""
    read = read_reference(reference)
    if read is None:
        return None
    slugs = origins.slugs(connection)
    known = (
        *(Origin(OriginKind.CAMPAIGN, name) for name in origins.campaign_names(connection)),
        *(Origin(OriginKind.SEQUENCE, name) for name in enrolments.names(connection)),
        *(Origin(kind, slug) for kind in (OriginKind.PAGE, OriginKind.PURCHASE) for slug in slugs),
    )
    origin = next((one for one in known if one.token == read.token), None)
    if origin is None:
        return None
    to = None if read.message is None else origins.recipient(connection, read.message)
    return Found(origin, read.message, to)
