"""Giving money back once, however often it is asked for and wherever a run is cut off.

1. `plan` checks the wish against what is left, the bank's disputes and the business's own policy,
2. the request is kept with its key before Stripe is asked, 3. a request without an answer is looked
for at Stripe first and asked again under the same key, 4. the answer goes through `intake.keep`, so
that rights and reports follow at once. Every step that changes something is noted in the audit trail.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from kpay.domain.checkout import Account, RawObject
from kpay.domain.entitlements import HOLDING_DISPUTES, End, PaidOrder, taken_back
from kpay.domain.money import format_major, format_minor, parse_minor
from kpay.domain.order_refund import RefundDone, RefundPlan
from kpay.domain.refunding import (
    RefundableOrder,
    RefundAsk,
    RefundPolicy,
    why_impossible,
    why_too_much,
    why_too_old,
)
from kpay.errors import KpayError, NotFound, Refused, RemoteProblem, UsageProblem
from kpay.ports import RefundDesk
from kpay.services.accounts import UNKNOWN, refuse_other
from kpay.services.auditing import note
from kpay.services.entitling import BY_ORDER, BY_SUBSCRIPTION, orders_of_subscription
from kpay.services.intake import keep
from kpay.store import entitlements, orders, refund_requests
from kpay.store.engine import Store

log = logging.getLogger(__name__)

FAILED = ("failed", "canceled")
STILL_OPEN = (409, 429)


@dataclass(frozen=True, slots=True)
class RefundWish:
    """What was typed: an order by any of its ids, an amount in major units or all that is left."""

    order: str
    amount: str | None = None
    reason: str | None = None
    is_despite_policy: bool = False


def plan(store: Store, wish: RefundWish, *, policy: RefundPolicy, now: datetime) -> RefundPlan:
    """Return what is to be done; nothing is written and nobody asked.

    Raises NotFound, UsageProblem for an amount that is none, Refused for what may not be.
    """
    with store.reading() as connection:
        row = orders.named(connection, wish.order)
        if row is None:
            raise NotFound("order", wish.order, "kpay order list")
        order = _refundable(connection, row)
        amount_minor = _asked(wish, order)
        request = refund_requests.unanswered(connection, order.id)
        if request is None:
            amount_minor = _allowed(order, amount_minor, wish, policy, now)
        else:
            amount_minor = _same_again(order, request, amount_minor)
        if order.account.livemode and not policy.allows_live:
            raise Refused(
                f"{order.name} is LIVE money, and live = true is not set", "kpay config live"
            )
        return RefundPlan(
            order=order,
            amount_minor=amount_minor,
            email=row.email,
            bought=_bought(connection, order),
            reason=request.reason if request else wish.reason,
            ends=_would_end(connection, row, order, amount_minor, now),
            subscription=row.subscription_id,
            is_despite_policy=why_too_old(order, policy.days, now) is not None,
            unanswered=request.id if request else None,
            unanswered_since=request.asked_at if request else None,
        )


def _refundable(connection: Connection, row: Any) -> RefundableOrder:
    holding = [
        one for one in orders.disputes_of(connection, row.id) if one.status in HOLDING_DISPUTES
    ]
    return RefundableOrder(
        id=row.id,
        name=row.external_id,
        source=row.source,
        account=Account(row.account, row.livemode),
        status=row.status,
        charge=row.charge_id,
        ordered_at=row.ordered_at,
        currency=row.currency,
        total_minor=row.total_minor,
        refunded_minor=row.refunded_minor,
        held_minor=row.held_minor,
        dispute=holding[0].external_id if holding else None,
    )


def _asked(wish: RefundWish, order: RefundableOrder) -> int | None:
    """Return the amount that was typed in minor units, or None for all that is left."""
    if wish.amount is None:
        return None
    try:
        amount_minor = parse_minor(wish.amount, order.currency)
    except ValueError as problem:
        raise UsageProblem(str(problem), f"kpay order refund {order.name}") from problem
    if amount_minor <= 0:
        raise UsageProblem(
            f"{wish.amount} is nothing to give back", f"kpay order refund {order.name}"
        )
    return amount_minor


def _allowed(
    order: RefundableOrder,
    asked_minor: int | None,
    wish: RefundWish,
    policy: RefundPolicy,
    now: datetime,
) -> int:
    """Return how much to give back; raise Refused when that may not be."""
    impossible = why_impossible(order)
    if impossible:
        raise Refused(impossible, f"kpay order show {order.name}")
    amount_minor = order.left_minor if asked_minor is None else asked_minor
    too_much = why_too_much(order, amount_minor)
    if too_much:
        raise Refused(too_much, f"kpay order show {order.name}")
    too_old = why_too_old(order, policy.days, now)
    if too_old and not wish.is_despite_policy:
        amount = f" --amount {wish.amount}" if wish.amount else ""
        raise Refused(too_old, f"kpay order refund {order.name}{amount} --despite-policy")
    return amount_minor


def _same_again(order: RefundableOrder, request: Any, asked_minor: int | None) -> int:
    """Return the amount of a request that was cut off, when it is the one that is asked for now.

    All that is left is the same when the cut-off request was for all of it, whether or not a sync
    has seen it meanwhile.
    """
    wanted = asked_minor if asked_minor is not None else order.left_minor or request.amount_minor
    if wanted != request.amount_minor:
        amount = format_minor(request.amount_minor, request.currency)
        raise Refused(
            f"a refund of {amount} of {order.name} was asked for and its answer never came; "
            "finish that one first",
            f"kpay order refund {order.name} "
            f"--amount {format_major(request.amount_minor, request.currency)}",
        )
    return int(request.amount_minor)


def _bought(connection: Connection, order: RefundableOrder) -> str:
    lines = orders.lines_of(connection, order.id)
    return ", ".join(line.slug or line.name or line.product for line in lines) or order.name


def _would_end(
    connection: Connection, row: Any, order: RefundableOrder, amount_minor: int, now: datetime
) -> tuple[str, ...]:
    """Return the slugs to which the right ends with this refund."""
    if order.refunded_minor + amount_minor < order.total_minor:
        return ()
    if row.subscription_id:
        paid = orders_of_subscription(connection, order.account, row.subscription_id)
        after = [
            PaidOrder(one.name, one.kind, one.at, End(now, "refund"))
            if one.name == order.name
            else one
            for one in paid
        ]
        if taken_back(after) is None:
            return ()
    return tuple(sorted(_open_rights(connection, row, now)))


def _open_rights(connection: Connection, row: Any, now: datetime) -> set[str]:
    granted = entitlements.described(connection, BY_ORDER, row.external_id)
    if row.subscription_id:
        granted += entitlements.described(connection, BY_SUBSCRIPTION, row.subscription_id)
    return {one.slug for one in granted if one.ended_at is None or one.ended_at > now}


# ---------------------------------------------------------------------- the deed


def give_back(store: Store, desk: RefundDesk, plan: RefundPlan, *, now: datetime) -> RefundDone:
    """Give back what was planned, once; a plan with an unanswered request is finished.

    Raises Refused for another account's key or when the order changed meanwhile, RemoteProblem when
    Stripe says no (then the request is closed) or does not answer (then the same command goes on).
    """
    _check_account(desk, plan.order.account)
    number, wish = _requested(store, plan, now)
    before = _standing(store, plan, now)
    made = desk.made(wish) if plan.unanswered else None
    refund = made or _asked_of(store, desk, plan, number, wish, now)
    is_whole_news = _take_in(store, desk, plan.order.account, refund)
    _answer(store, plan, number, now, refund=refund)
    if refund.get("status") in FAILED:
        why = refund.get("failure_reason") or refund["status"]
        raise RemoteProblem(
            f"Stripe tried to give {plan.amount} of {plan.order.name} back, and it failed ({why}); "
            "the buyer has nothing",
            f"kpay order show {plan.order.name}",
        )
    after = _standing(store, plan, max(now, datetime.fromtimestamp(refund["created"], UTC)))
    return RefundDone(
        plan=plan,
        refund=refund["id"],
        status=refund.get("status") or "succeeded",
        ended=tuple(sorted(before.rights - after.rights)),
        left_minor=after.left_minor,
        was_made=made is not None,
        is_whole_news=is_whole_news,
    )


def _check_account(desk: RefundDesk, ours: Account) -> None:
    """Raise Refused for another account's key.

    Where the provider names no account, it is asked for a charge that only ours has: that is check
    enough, for another account's answer is a no.
    """
    account = desk.account()
    is_unnamed = any(one.id.startswith(UNKNOWN) for one in (account, ours))
    if account != ours and not (is_unnamed and account.livemode is ours.livemode):
        refuse_other(ours, account)


@dataclass(frozen=True, slots=True)
class _Standing:
    rights: set[str]
    left_minor: int


def _standing(store: Store, plan: RefundPlan, now: datetime) -> _Standing:
    with store.reading() as connection:
        row = orders.by_id(connection, plan.order.id)
        return _Standing(
            _open_rights(connection, row, now), _refundable(connection, row).left_minor
        )


def _requested(store: Store, plan: RefundPlan, now: datetime) -> tuple[int, RefundAsk]:
    """Keep the request, or find the one that has no answer; return its number and what it asks."""
    with store.writing() as connection:
        request = refund_requests.unanswered(connection, plan.order.id)
        if (request.id if request else None) != plan.unanswered:
            raise Refused(
                f"another refund of {plan.order.name} was begun meanwhile",
                f"kpay order show {plan.order.name}",
            )
        if request is None:
            number = _keep_request(connection, plan, now)
            request = refund_requests.found(connection, number)
    ask = RefundAsk(
        charge=request.charge_id,
        amount_minor=request.amount_minor,
        currency=request.currency,
        key=request.idempotency_key,
        reason=request.reason,
    )
    return request.id, ask


def _keep_request(connection: Connection, plan: RefundPlan, now: datetime) -> int:
    order = plan.order
    standing = _refundable(connection, orders.by_id(connection, order.id))
    if standing.left_minor < plan.amount_minor:
        raise Refused(
            f"{order.name} changed meanwhile: {order.shown(standing.left_minor)} of it is left",
            f"kpay order show {order.name}",
        )
    number = refund_requests.add(
        connection,
        {
            "order_id": order.id,
            "charge_id": order.charge,
            "amount_minor": plan.amount_minor,
            "currency": order.currency,
            "idempotency_key": f"kpay-refund-{uuid.uuid4().hex}",
            "reason": plan.reason,
            "asked_at": now,
        },
    )
    _note(connection, "refund.asked", plan, number, now, is_despite_policy=plan.is_despite_policy)
    return number


def _asked_of(
    store: Store, desk: RefundDesk, plan: RefundPlan, number: int, wish: RefundAsk, now: datetime
) -> RawObject:
    """Ask for the refund; a no closes the request, silence leaves it open."""
    try:
        return desk.ask(wish)
    except KpayError as problem:
        status = problem.details.get("status")
        if status is None or status < 400 or status >= 500 or status in STILL_OPEN:
            raise RemoteProblem(
                f"{problem.message}; whether the money went back is not known yet",
                plan.command,
                status=status,
            ) from problem
        _answer(store, plan, number, now, refusal=problem.message)
        if isinstance(problem, RemoteProblem):
            problem.hint = f"kpay sync   # then: kpay order show {plan.order.name}"
        raise


def _take_in(store: Store, desk: RefundDesk, account: Account, refund: RawObject) -> bool:
    """Keep the refund with what hangs on it; say whether all of that could be read."""
    try:
        hanging = desk.aftermath(refund)
    except RemoteProblem as problem:
        log.info("the refund is made; the rest comes with the next sync: %s", problem.message)
        keep(store, account, desk.api_version, [refund])
        return False
    keep(store, account, desk.api_version, [refund, *hanging])
    return True


def _answer(
    store: Store,
    plan: RefundPlan,
    number: int,
    now: datetime,
    *,
    refund: RawObject | None = None,
    refusal: str | None = None,
) -> None:
    name = refund["id"] if refund else None
    deed = "refund.answered" if refund else "refund.refused"
    with store.writing() as connection:
        if refund_requests.answer(connection, number, at=now, refund=name, refusal=refusal):
            _note(connection, deed, plan, number, now, refund=name)


def _note(
    connection: Connection, deed: str, plan: RefundPlan, number: int, now: datetime, **more: Any
) -> None:
    detail: dict[str, Any] = {
        "request": number,
        "amount_minor": plan.amount_minor,
        "currency": plan.order.currency,
        "mode": plan.order.account.mode.lower(),
    }
    known = {name: value for name, value in more.items() if value}
    note(connection, deed, f"order {plan.order.name}", detail | known, at=now)
