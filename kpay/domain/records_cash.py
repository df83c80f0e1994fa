"""What the bank sees, as the provider keeps it: movements of the balance, and payouts."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from kpay.domain.checkout import RawObject
from kpay.domain.records_base import created, id_of, moment


class BalanceRecord(NamedTuple):
    """A movement of the balance; net = amount - fee, in the currency of settlement."""

    id: str
    kind: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    source: str | None
    status: str
    exchange_rate: str | None
    created_at: datetime
    available_at: datetime | None

    @property
    def belongs_to(self) -> str | None:
        """The charge, refund, dispute or payout that moved the balance."""
        return self.source


def read_balance(raw: RawObject) -> BalanceRecord:
    """Read a balance transaction; the rate is kept as text, exactly as it was written."""
    rate = raw.get("exchange_rate")
    return BalanceRecord(
        id=raw["id"],
        kind=raw["type"],
        amount_minor=raw["amount"],
        fee_minor=raw.get("fee") or 0,
        net_minor=raw["net"],
        currency=raw["currency"],
        source=id_of(raw.get("source")),
        status=raw.get("status") or "available",
        exchange_rate=None if rate is None else str(rate),
        created_at=created(raw),
        available_at=moment(raw.get("available_on")),
    )


class PayoutRecord(NamedTuple):
    """A transfer to the creator's bank."""

    id: str
    amount_minor: int
    currency: str
    status: str
    created_at: datetime
    arrives_at: datetime | None
    is_automatic: bool
    belongs_to: None = None


def read_payout(raw: RawObject) -> PayoutRecord:
    """Read a payout."""
    return PayoutRecord(
        id=raw["id"],
        amount_minor=raw["amount"],
        currency=raw["currency"],
        status=raw.get("status") or "paid",
        created_at=created(raw),
        arrives_at=moment(raw.get("arrival_date")),
        is_automatic=bool(raw.get("automatic", True)),
    )
