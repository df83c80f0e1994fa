"""What came back about messages: notices, each counted once, and the messages they are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from kpay.domain.enums import DeliveryState, NoticeKind
from kpay.models import Delivery, MailNotice
from kpay.store.dialect import insert_missing, table_of

DELIVERY, NOTICE = table_of(Delivery), table_of(MailNotice)
AFTER_THE_AT = "A"  # the character that follows @: no Message-ID stands between


def delivery_of(connection: Connection, references: Iterable[str]) -> RowMapping | None:
    """Return the message that the first known reference names; any domain may follow it."""
    for reference in references:
        query = select(
            DELIVERY.c.id,
            DELIVERY.c.email,
            DELIVERY.c.state,
            DELIVERY.c.kind,
            DELIVERY.c.message_id,
        ).where(
            DELIVERY.c.message_id >= f"<{reference}@",
            DELIVERY.c.message_id < f"<{reference}{AFTER_THE_AT}",
        )
        found = connection.execute(query.limit(1)).mappings().first()
        if found is not None:
            return found
    return None


def add(connection: Connection, notice: Mapping[str, Any]) -> bool:
    """Keep a notice; say whether it is new."""
    return insert_missing(connection, MailNotice, [notice], key=["fingerprint"]) == 1


def soft_among_last(connection: Connection, email: str, messages: int) -> int:
    """Return how many of the last messages to an address bounced softly."""
    last = (
        select(DELIVERY.c.id)
        .where(DELIVERY.c.email == email, DELIVERY.c.state == DeliveryState.SENT.value)
        .order_by(DELIVERY.c.sent_at.desc(), DELIVERY.c.id.desc())
        .limit(messages)
    )
    query = select(func.count(NOTICE.c.delivery_id.distinct())).where(
        NOTICE.c.delivery_id.in_(last), NOTICE.c.kind == NoticeKind.SOFT_BOUNCE.value
    )
    return connection.execute(query).scalar_one()
