"""What campaigns are reported from: messages that left, what orders left over, who went, what was spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Subquery, and_, exists, func, select, union_all

from kpay.domain.enums import NoticeKind, OrderStatus
from kpay.domain.settlement import TAKEN_KINDS
from kpay.models import (
    BalanceTransaction,
    Charge,
    Cost,
    Customer,
    Delivery,
    Dispute,
    Event,
    MailNotice,
    Order,
    Refund,
)
from kpay.store.dialect import table_of
from kpay.store.figures import ledger

ORDERS, REFUNDS, DISPUTES = table_of(Order), table_of(Refund), table_of(Dispute)
BALANCE, CHARGES, CUSTOMERS = table_of(BalanceTransaction), table_of(Charge), table_of(Customer)
DELIVERY, EVENT, NOTICE = table_of(Delivery), table_of(Event), table_of(MailNotice)
COST = table_of(Cost)
COMPLAINT: Final = NoticeKind.COMPLAINT.value


@dataclass(frozen=True, slots=True)
class SettledOrder:
    """A paid order and what of it did not stay.

    `charged_minor` and `fee_minor` are of its charge on the balance, in the currency the bank settles;
    None where the balance does not know it.
    """

    email: str | None
    currency: str
    total_minor: int
    tax_minor: int
    refunded_minor: int
    refunded_tax_minor: int
    disputed_minor: int
    charged_minor: int | None
    fee_minor: int | None

    @property
    def net_minor(self) -> int:
        """What is left without tax, refunds, lost money and fees, in the currency of the order.

        A fee that the bank took in another currency is the same share of the order.
        """
        fee = 0
        if self.charged_minor and self.fee_minor:
            fee = round(self.total_minor * self.fee_minor / self.charged_minor)
        kept = self.total_minor - self.refunded_minor - self.disputed_minor
        return kept - (self.tax_minor - self.refunded_tax_minor) - fee


def sent(connection: Connection, until: datetime) -> dict[int, int]:
    """Count the messages of each campaign that left before a moment."""
    query = (
        select(DELIVERY.c.campaign_id, func.count())
        .where(DELIVERY.c.campaign_id.is_not(None), DELIVERY.c.sent_at < until)
        .group_by(DELIVERY.c.campaign_id)
    )
    return {campaign: int(count) for campaign, count in connection.execute(query)}


def settled_orders(
    connection: Connection, start: datetime, end: datetime, until: datetime
) -> Sequence[SettledOrder]:
    """Return the paid orders of [start, end) with what was taken from them before `until`."""
    inside = and_(
        ORDERS.c.status == OrderStatus.PAID.value,
        ORDERS.c.total_minor > 0,
        ORDERS.c.ordered_at >= start,
        ORDERS.c.ordered_at < end,
    )
    back, lost, booked = _given_back(inside, until), _lost(inside, until), _booked(inside, until)
    query = (
        select(
            func.coalesce(CUSTOMERS.c.email, ORDERS.c.email),
            ORDERS.c.currency,
            ORDERS.c.total_minor,
            ORDERS.c.tax_minor,
            func.coalesce(back.c.minor, 0),
            func.coalesce(back.c.tax, 0),
            func.coalesce(lost.c.minor, 0),
            booked.c.minor,
            booked.c.fee,
        )
        .outerjoin(CUSTOMERS, CUSTOMERS.c.id == ORDERS.c.customer_id)
        .outerjoin(back, back.c.order_id == ORDERS.c.id)
        .outerjoin(lost, lost.c.order_id == ORDERS.c.id)
        .outerjoin(booked, booked.c.order_id == ORDERS.c.id)
        .where(inside)
        .order_by(ORDERS.c.id)
    )
    return [SettledOrder(*row) for row in connection.execute(query)]


def _given_back(inside: ColumnElement[bool], until: datetime) -> Subquery:
    came_back = exists().where(ledger.brought_back(), BALANCE.c.created_at < until)
    return (
        select(
            REFUNDS.c.order_id,
            func.sum(REFUNDS.c.amount_minor).label("minor"),
            func.sum(ledger.refunded_tax()).label("tax"),
        )
        .join(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)
        .outerjoin(CHARGES, ledger.of_charge())
        .where(
            inside,
            ledger.is_given_back(),
            ~came_back,
            REFUNDS.c.refunded_at < until,
            CHARGES.c.is_sale.is_not(False),
        )
        .group_by(REFUNDS.c.order_id)
        .subquery()
    )


def _lost(inside: ColumnElement[bool], until: datetime) -> Subquery:
    """Return what disputes took from orders, and won ones brought back, as the balance tells it."""
    return (
        select(
            DISPUTES.c.order_id,
            func.sum(-BALANCE.c.net_minor).label("minor"),
        )
        .join(ORDERS, ORDERS.c.id == DISPUTES.c.order_id)
        .join(BALANCE, ledger.caused_by_dispute())
        .where(inside, BALANCE.c.created_at < until, BALANCE.c.currency == ORDERS.c.currency)
        .group_by(DISPUTES.c.order_id)
        .subquery()
    )


def _booked(inside: ColumnElement[bool], until: datetime) -> Subquery:
    charged = and_(
        BALANCE.c.source_external_id == ORDERS.c.charge_id,
        BALANCE.c.account == ORDERS.c.account,
        BALANCE.c.livemode == ORDERS.c.livemode,
    )
    return (
        select(
            ORDERS.c.id.label("order_id"),
            func.sum(BALANCE.c.amount_minor).label("minor"),
            func.sum(BALANCE.c.fee_minor).label("fee"),
        )
        .join(BALANCE, charged)
        .where(inside, BALANCE.c.created_at < until, BALANCE.c.kind.in_(sorted(TAKEN_KINDS)))
        .group_by(ORDERS.c.id)
        .subquery()
    )


def complaints(connection: Connection, until: datetime) -> Sequence[tuple[str, datetime]]:
    """Return (address, moment) of everyone who called a mail spam before a moment."""
    told = select(EVENT.c.email, EVENT.c.happened_at).where(
        EVENT.c.kind == COMPLAINT, EVENT.c.happened_at < until
    )
    noticed = select(NOTICE.c.email, NOTICE.c.noticed_at).where(
        NOTICE.c.kind == COMPLAINT, NOTICE.c.noticed_at < until
    )
    return [(email, at) for email, at in connection.execute(union_all(told, noticed))]


def costs(connection: Connection, last: date) -> Sequence[Any]:
    """Return day, kind, campaign, sum and currency of what was spent on campaigns up to a day."""
    query = (
        select(COST.c.day, COST.c.kind, COST.c.campaign, COST.c.amount_minor, COST.c.currency)
        .where(COST.c.campaign != "", COST.c.day <= last)
        .order_by(COST.c.day, COST.c.campaign, COST.c.kind, COST.c.currency)
    )
    return connection.execute(query).all()
