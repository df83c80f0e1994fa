"""Mailing once more what one order bought, also what was bought before deliveries began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from kpay.domain.enums import DeliveryState
from kpay.errors import NotFound, Refused
from kpay.services import delivering
from kpay.services.entitling import BY_ORDER, BY_SUBSCRIPTION
from kpay.services.mail_desk import MailDesk
from kpay.store import deliveries, orders

FIXED = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNCERTAIN, DeliveryState.SKIPPED)


@dataclass(frozen=True, slots=True)
class OrderParcel:
    """What an order gives the right to, each piece with its delivery if there was one."""

    order: str
    email: str
    rights: Sequence[RowMapping]

    def question(self, desk: MailDesk) -> str:
        """Return what is asked before it is mailed: TEST or LIVE, what, to whom, and by which way."""
        mailer = desk.open_mailer()
        pieces = ", ".join(right["slug"] for right in self.rights)
        mode = "LIVE" if mailer.is_live else "TEST"
        return f"{mode} mail: deliver {pieces} to {self.email} again, over {mailer.where}?"


def parcel_of_order(desk: MailDesk, name: str, *, now: datetime) -> OrderParcel:
    """Return what an order, named by any of its ids, gives the right to.

    Raises NotFound, or Refused when that is nothing, nothing any more, or nobody's address is known.
    """
    with desk.store.reading() as connection:
        row = orders.named(connection, name)
        if row is None:
            raise NotFound("order", name, "kpay order list")
        sources = [(BY_ORDER, row.external_id)]
        sources += [(BY_SUBSCRIPTION, row.subscription_id)] if row.subscription_id else []
        granted = deliveries.of_rights(connection, sources)
    alive = [right for right in granted if right["ended_at"] is None or right["ended_at"] > now]
    rights = [right for right in alive if right["email"]]
    if not rights:
        why = _why_nothing(row.external_id, granted, is_over=not alive)
        raise Refused(why, f"kpay order show {row.external_id}")
    return OrderParcel(row.external_id, rights[0]["email"], rights)


def _why_nothing(order: str, granted: Sequence[RowMapping], *, is_over: bool) -> str:
    if not granted:
        return f"{order} bought nothing that kpay has published"
    if is_over:
        return f"the right to what {order} bought has ended ({granted[0]['end_reason']})"
    return f"nobody's address is known to whom {order} could be mailed"


def queue_again(desk: MailDesk, parcel: OrderParcel, *, now: datetime) -> int:
    """Queue the mails of an order once more as new messages; return how many.

    What waits to be sent anyway stays as it is.
    """
    new = [delivering.new_delivery(desk, one, now) for one in parcel.rights if one["id"] is None]
    sent = [one for one in parcel.rights if one["state"] in FIXED]
    with desk.store.writing() as connection:
        deliveries.queue_purchases(connection, new)
        if sent:
            deliveries.queue_again(
                connection, [delivering.next_delivery(desk, one, now) for one in sent]
            )
    return len(new) + len(sent)
