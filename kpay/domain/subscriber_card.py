"""One place on the mailing list, with everything that proves or ends the consent to be mailed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kpay.domain.document import Cell, Column, Document, Table, Text
from kpay.domain.enums import SubscriberStatus
from kpay.domain.period import instant_text

INSTANTS = {
    "consented_at": "agreed",
    "confirm_sent_at": "asked by mail",
    "confirmed_at": "confirmed",
    "unsubscribed_at": "left",
    "created_at": "on the list since",
}


def subscriber_card(email: str, row: Mapping[str, Any] | None, reason: str | None) -> Document:
    """Show somebody's consent; `reason` is why the address must not be mailed, `row` None once erased."""
    found = row or {}
    status = found.get("status")
    may_be_mailed = status == SubscriberStatus.SUBSCRIBED and reason is None
    shown: list[tuple[Cell, ...]] = [
        ("name", found.get("name") or None),
        ("status", status or "not on the list (a hash of the address is kept)"),
        ("source of consent", found.get("consent_source") or None),
        ("agreed to", found.get("consent_wording")),
        *((label, _shown(found.get(name))) for name, label in INSTANTS.items()),
        ("time zone", found.get("timezone")),
        ("tags", ", ".join(found.get("tags", ())) or None),
        ("must not be mailed", reason),
    ]
    rows = tuple(line for line in shown if line[1] is not None)
    verdict = Text(
        "May be mailed." if may_be_mailed else "Is not mailed by campaigns.",
        "good" if may_be_mailed else "warning",
    )
    return Document(
        "kpay.subscriber.show/1",
        email,
        (verdict, Table((Column("what"), Column("proof")), rows)),
        {
            "email": email,
            "name": found.get("name", ""),
            "status": status,
            "may_be_mailed": may_be_mailed,
            "consent_source": found.get("consent_source", ""),
            "consent_wording": found.get("consent_wording"),
            **{name: _shown(found.get(name)) for name in INSTANTS},
            "timezone": found.get("timezone"),
            "tags": list(found.get("tags", ())),
            "suppressed_for": reason,
        },
    )


def _shown(moment: datetime | None) -> str | None:
    return None if moment is None else instant_text(moment)
