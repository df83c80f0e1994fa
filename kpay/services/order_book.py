"""Looking orders up: a list of a time or of a person, and the whole story of one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from kpay.domain.address import normal_email
from kpay.domain.checkout import Account
from kpay.domain.money import format_minor
from kpay.domain.order_papers import (
    CouponFacts,
    MovementFacts,
    OrderPapers,
    OriginFacts,
    discounts_of,
)
from kpay.domain.order_story import (
    LineFacts,
    MoneyBackFacts,
    OrderStory,
    RightFacts,
    UnansweredRefund,
)
from kpay.domain.order_views import OrderFacts, OrderList
from kpay.domain.origins import OriginKind
from kpay.domain.period import Period, local_day
from kpay.domain.reports.scope import asked_period
from kpay.errors import NotFound, UsageProblem
from kpay.services import origins
from kpay.services.entitling import BY_ORDER, BY_SUBSCRIPTION
from kpay.services.provided import unpack
from kpay.store import entitlements, order_papers, orders, provider, refund_requests
from kpay.store.engine import Store

EVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
PROVIDER_IDS = ("charge_id", "payment_intent_id", "session_id", "invoice_id", "subscription_id")


def asked_time(since: str | None, until: str | None, *, now: datetime, timezone: str) -> Period:
    """Return the time that --since and --until (both days inside) ask for; all time without them."""
    try:
        asked = asked_period(None, since, until, last=local_day(now, timezone), timezone=timezone)
    except ValueError as problem:
        raise UsageProblem(str(problem), "kpay order list --since 2026-01-01") from problem
    return asked or Period(*EVER, timezone)


def list_orders(store: Store, period: Period, *, customer: str | None, limit: int) -> OrderList:
    """Return the newest orders of a time, of one person where an address is given."""
    email = normal_email(customer) if customer else None
    with store.reading() as connection:
        rows = orders.listed(connection, period, email=email, limit=limit)
        count = orders.counted(connection, period, email=email)
    return OrderList([_facts(row, row.bought or "") for row in rows], count)


def show_order(store: Store, name: str) -> OrderStory:
    """Return everything known about an order, named by any of its ids; raise NotFound."""
    with store.reading() as connection:
        row = orders.named(connection, name)
        if row is None:
            raise NotFound("order", name, "kpay order list")
        return OrderStory(
            order=_facts(row, ""),
            lines=[
                LineFacts(line.slug, line.name or line.product, line.quantity, line.amount_minor)
                for line in orders.lines_of(connection, row.id)
            ],
            money_back=_money_back(connection, row.id),
            rights=_rights(connection, row),
            provider_ids={
                one: getattr(row, one) for one in PROVIDER_IDS if getattr(row, one) is not None
            },
            papers=_papers(connection, row),
            unanswered=_unanswered(connection, row.id),
        )


def _unanswered(connection: Connection, order_id: int) -> UnansweredRefund | None:
    request = refund_requests.unanswered(connection, order_id)
    return UnansweredRefund(request.amount_minor, request.asked_at) if request else None


def _papers(connection: Connection, row: Any) -> OrderPapers:
    """Return what hangs on an order at the provider."""
    account = Account(row.account, row.livemode)
    back = (*orders.refunds_of(connection, row.id), *orders.disputes_of(connection, row.id))
    sources = [one for one in (row.charge_id, *(each.external_id for each in back)) if one]
    method = order_papers.payment_method(connection, account, row.charge_id or "")
    came_from = origins.find(connection, row.reference)
    return OrderPapers(
        movements=[
            MovementFacts(
                at=one.created_at,
                kind=one.kind,
                source=one.source_external_id,
                amount_minor=one.amount_minor,
                fee_minor=one.fee_minor,
                net_minor=one.net_minor,
                currency=one.currency,
                exchange_rate=one.exchange_rate,
                status=one.status,
            )
            for one in order_papers.movements(connection, account, sources)
        ],
        payment_method=method,
        coupons=_coupons(connection, account, row),
        origin=_origin(came_from) if came_from else None,
        tracking=row.tracking,
    )


def _origin(found: origins.Found) -> OriginFacts:
    name = found.origin.name
    is_mailing = found.origin.kind in (OriginKind.CAMPAIGN, OriginKind.SEQUENCE)
    content, campaign = (None, name) if is_mailing else (name, None)
    return OriginFacts(found.origin.kind.value, content, campaign, found.recipient)


def _coupons(connection: Connection, account: Account, row: Any) -> list[CouponFacts]:
    """Return what took something off, as the checkout and the invoice name it."""
    papers: list[dict[str, Any]] = []
    for kind, name in (("checkout.session", row.session_id), ("invoice", row.invoice_id)):
        kept = provider.payloads(connection, account, kind, [name] if name else [])
        papers += [unpack(payload) for payload in kept.values()]
    found = []
    for coupon, code in discounts_of(papers):
        known = order_papers.coupon(connection, account, coupon, code)
        word = known.code if known else None
        found.append(CouponFacts(coupon, word, _takes_off(known) if known else ""))
    return found


def _takes_off(coupon: Any) -> str:
    if coupon.percent_off is not None:
        return f"{coupon.percent_off} %"
    if coupon.amount_off_minor is None or coupon.currency is None:
        return ""
    return format_minor(coupon.amount_off_minor, coupon.currency)


def _money_back(connection: Connection, order_id: int) -> list[MoneyBackFacts]:
    refunds = [
        MoneyBackFacts(
            "refund",
            one.external_id,
            one.refunded_at,
            one.status,
            one.failure_reason or one.reason,
            one.amount_minor,
        )
        for one in orders.refunds_of(connection, order_id)
    ]
    disputes = [
        MoneyBackFacts(
            "dispute", one.external_id, one.opened_at, one.status, one.reason, one.amount_minor
        )
        for one in orders.disputes_of(connection, order_id)
    ]
    return sorted([*refunds, *disputes], key=lambda one: (one.at, one.external_id))


def _rights(connection: Connection, row: Any) -> list[RightFacts]:
    """Return what the order granted, or the subscription that it paid for."""
    granted = entitlements.described(connection, BY_ORDER, row.external_id)
    if row.subscription_id:
        granted += entitlements.described(connection, BY_SUBSCRIPTION, row.subscription_id)
    return [RightFacts(one.slug, one.granted_at, one.ended_at, one.end_reason) for one in granted]


def _facts(row: Any, bought: str) -> OrderFacts:
    return OrderFacts(
        id=row.id,
        external_id=row.external_id,
        source=row.source,
        ordered_at=row.ordered_at,
        email=row.email,
        name=row.customer_name or "",
        country=row.country,
        status=row.status,
        kind=row.kind,
        currency=row.currency,
        gross_minor=row.gross_minor,
        discount_minor=row.discount_minor,
        tax_minor=row.tax_minor,
        total_minor=row.total_minor,
        refunded_minor=row.refunded_minor,
        held_minor=row.held_minor,
        bought=bought,
    )
