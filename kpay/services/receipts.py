"""Receipts: what was bought, what it cost and how it was paid, in the mail of a purchase or alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, RowMapping

from kpay.domain.checkout import Account
from kpay.domain.enums import DeliveryState, MailKind
from kpay.domain.message import Draft, wire_address, write_message
from kpay.domain.money import format_minor
from kpay.domain.period import instant_text, local_day, parse_instant
from kpay.domain.records_base import part
from kpay.domain.return_path import TOKEN_HEADER, reference_of
from kpay.ports import Envelope
from kpay.services.mail_desk import MailDesk
from kpay.services.provided import unpack
from kpay.store import deliveries, facts, order_papers, orders, provider, receipts

SINCE: Final = "receipts_since"
FIRST_LOOK_BACK: Final = timedelta(days=1)
"""Renewals from before receipts were switched on have none."""
HEADERS: Final = (("X-Kpay-Kind", "receipt"), ("Auto-Submitted", "auto-generated"))


def receipt_of(connection: Connection, order_id: int, timezone: str) -> dict[str, Any]:
    """Return the plain values of an order's receipt: every amount as people read it."""
    order = orders.by_id(connection, order_id)

    def money(minor: int) -> str:
        return format_minor(minor, order.currency)

    lines = [
        {
            "name": line.name or line.product,
            "quantity": line.quantity,
            "amount": money(line.amount_minor),
        }
        for line in orders.lines_of(connection, order_id)
    ]
    return {
        "order": order.external_id,
        "day": local_day(order.ordered_at, timezone).isoformat(),
        "lines": lines,
        "discount": money(-order.discount_minor) if order.discount_minor else "",
        "tax": money(order.tax_minor) if order.tax_minor else "",
        "total": money(order.total_minor),
        "paid_by": _paid_by(connection, order) if order.total_minor else "",
    }


def receipt_behind(
    connection: Connection, entitlement_id: int, timezone: str
) -> dict[str, Any] | None:
    """Return the receipt that belongs into the mail of a right; None where none does."""
    order_id = receipts.order_behind(connection, entitlement_id)
    return None if order_id is None else receipt_of(connection, order_id, timezone)


def _paid_by(connection: Connection, order: Any) -> str:
    """Return how an order was paid: a card as its owner knows it, else the method's name."""
    account = Account(order.account, order.livemode)
    for payload in provider.payloads(
        connection, account, "charge", [order.charge_id or ""]
    ).values():
        card = part(unpack(payload), "payment_method_details", "card") or {}
        if card.get("last4"):
            return f"{str(card.get('brand') or 'card').title()} ending in {card['last4']}"
    method = order_papers.payment_method(connection, account, order.charge_id or "")
    return (method or "").replace("_", " ")


def plan(desk: MailDesk, *, now: datetime) -> int:
    """Queue a receipt for every renewal since receipts are sent; return how many are new."""
    if not desk.customs.receipts:
        return 0
    with desk.store.reading() as connection:
        is_first = facts.find(connection, SINCE) is None
        since = _since(connection, now)
        rows = [_delivery(desk, one, now) for one in receipts.without_receipt(connection, since)]
    if not (is_first or rows):
        return 0
    with desk.store.writing() as connection:
        if is_first:
            facts.keep(connection, SINCE, instant_text(since))
        return deliveries.queue_occasions(connection, MailKind.RECEIPT, rows)


def owed(desk: MailDesk, connection: Connection, *, now: datetime) -> list[RowMapping]:
    """Return the renewals that are still to get their receipt queued."""
    if not desk.customs.receipts:
        return []
    return list(receipts.without_receipt(connection, _since(connection, now)))


def _since(connection: Connection, now: datetime) -> datetime:
    kept = facts.find(connection, SINCE)
    return parse_instant(kept) if kept else now - FIRST_LOOK_BACK


def _delivery(desk: MailDesk, one: RowMapping, now: datetime) -> dict[str, Any]:
    return {
        "occasion": one["occasion"],
        "enrolment_id": None,
        "email": one["email"],
        "customer_id": one["customer_id"],
        "state": DeliveryState.QUEUED.value,
        "message_id": desk.identity(one["occasion"], one["email"]),
        "context": {"order_id": one["id"], "name": one["name"] or ""},
        "due_at": now,
        "is_test": not desk.allows_live,
    }


class ReceiptPress:
    """Writes the messages that are nothing but a receipt."""

    def __init__(self, desk: MailDesk) -> None:
        self._desk = desk

    def envelope(self, row: RowMapping, now: datetime) -> Envelope:
        """Write the message for one delivery; ValueError for an address that cannot be mailed."""
        desk, letterhead = self._desk, self._desk.letterhead
        with desk.store.reading() as connection:
            receipt = receipt_of(connection, row["context"]["order_id"], desk.customs.timezone)
        values = self._values(receipt, row["context"]["name"])
        page = desk.renderer.render("email/receipt.html", values)
        draft = Draft(
            sender=letterhead.sender,
            recipient=row["email"],
            message_id=row["message_id"],
            subject=f"Receipt · {letterhead.shown_business}",
            text=desk.renderer.render("email/receipt.txt", values),
            html=desk.renderer.inline_styles(page),
            sent_at=now,
            headers=(
                *HEADERS,
                (TOKEN_HEADER, desk.signer.sign(reference_of(row["message_id"]))),
            ),
        )
        sender = letterhead.envelope_sender(row["message_id"])
        return Envelope(sender, wire_address(row["email"]), row["message_id"], write_message(draft))

    def _values(self, receipt: Mapping[str, Any], name: str) -> dict[str, Any]:
        letterhead = self._desk.letterhead
        return {
            "business": letterhead.shown_business,
            "postal_address": letterhead.postal_address,
            "language": "en",
            "name": name,
            "receipt": receipt,
        }
