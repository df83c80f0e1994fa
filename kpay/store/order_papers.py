"""What hangs on one order: movements of the balance, how it was paid, and coupons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, select

from kpay.domain.checkout import Account
from kpay.models import (
    BalanceTransaction,
    Charge,
    Coupon,
    PromotionCode,
)
from kpay.store.dialect import table_of

_balance = table_of(BalanceTransaction)
_charges = table_of(Charge)
_coupons = table_of(Coupon)
_codes = table_of(PromotionCode)


def movements(connection: Connection, account: Account, sources: Sequence[str]) -> list[Any]:
    """Return the movements of the balance that some charges, refunds or disputes caused."""
    query = select(_balance).where(
        _balance.c.account == account.id,
        _balance.c.livemode == account.livemode,
        _balance.c.source_external_id.in_(sources),
    )
    return list(connection.execute(query.order_by(_balance.c.created_at, _balance.c.external_id)))


def payment_method(connection: Connection, account: Account, charge: str) -> str | None:
    """Return how a charge was paid: card, alipay, wechat_pay..."""
    query = select(_charges.c.payment_method).where(
        _charges.c.account == account.id,
        _charges.c.livemode == account.livemode,
        _charges.c.external_id == charge,
    )
    return connection.execute(query).scalar()


def coupon(connection: Connection, account: Account, coupon: str, code: str | None) -> Any:
    """Return a coupon with the word of a promotion code, or None when it is not kept."""
    its_code = and_(
        _codes.c.account == _coupons.c.account,
        _codes.c.livemode == _coupons.c.livemode,
        _codes.c.external_id == code,
    )
    query = (
        select(_coupons, _codes.c.code)
        .select_from(_coupons.outerjoin(_codes, its_code))
        .where(
            _coupons.c.account == account.id,
            _coupons.c.livemode == account.livemode,
            _coupons.c.external_id == coupon,
        )
    )
    return connection.execute(query).first()
