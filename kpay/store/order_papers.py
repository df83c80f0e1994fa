"""What hangs on one order: movements of the balance, how it was paid, coupons, and its buy link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, select

from kpay.domain.checkout import Account
from kpay.models import (
    BalanceTransaction,
    Campaign,
    Charge,
    Content,
    Coupon,
    LinkToken,
    PromotionCode,
)
from kpay.store.dialect import table_of

_balance = table_of(BalanceTransaction)
_charges = table_of(Charge)
_coupons = table_of(Coupon)
_codes = table_of(PromotionCode)
_tokens = table_of(LinkToken)
_content = table_of(Content)
_campaigns = table_of(Campaign)


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


def origin(connection: Connection, reference: str) -> Any:
    """Return (kind, content slug, campaign) of the buy link with this token, or None."""
    joined = _tokens.outerjoin(_content, _content.c.id == _tokens.c.content_id)
    joined = joined.outerjoin(_campaigns, _campaigns.c.id == _tokens.c.campaign_id)
    query = select(_tokens.c.kind, _content.c.slug, _campaigns.c.name.label("campaign"))
    return connection.execute(query.select_from(joined).where(_tokens.c.token == reference)).first()
