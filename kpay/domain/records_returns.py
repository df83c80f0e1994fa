"""Money that went back, as the provider keeps it: refunds and disputes."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from kpay.domain.checkout import RawObject
from kpay.domain.records_base import created, id_of


class RefundRecord(NamedTuple):
    """Money given back."""

    id: str
    charge: str | None
    amount_minor: int
    currency: str
    status: str
    reason: str | None
    failure_reason: str | None
    balance_transaction: str | None
    created_at: datetime

    @property
    def belongs_to(self) -> str | None:
        """The charge."""
        return self.charge


def read_refund(raw: RawObject) -> RefundRecord:
    """Read a refund."""
    return RefundRecord(
        id=raw["id"],
        charge=id_of(raw.get("charge")),
        amount_minor=raw["amount"],
        currency=raw["currency"],
        status=raw.get("status") or "succeeded",
        reason=raw.get("reason"),
        failure_reason=raw.get("failure_reason"),
        balance_transaction=id_of(raw.get("balance_transaction")),
        created_at=created(raw),
    )


class DisputeRecord(NamedTuple):
    """Money pulled back by the buyer's bank."""

    id: str
    charge: str | None
    amount_minor: int
    currency: str
    status: str
    reason: str | None
    created_at: datetime

    @property
    def belongs_to(self) -> str | None:
        """The charge."""
        return self.charge


def read_dispute(raw: RawObject) -> DisputeRecord:
    """Read a dispute."""
    return DisputeRecord(
        id=raw["id"],
        charge=id_of(raw.get("charge")),
        amount_minor=raw["amount"],
        currency=raw["currency"],
        status=raw["status"],
        reason=raw.get("reason"),
        created_at=created(raw),
    )
