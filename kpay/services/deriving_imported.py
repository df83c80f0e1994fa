"""Subscriptions from elsewhere: what their events and payments make of them, and what they grant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from kpay.domain.period import instant_text
from kpay.domain.records_billing import SubscriptionRecord
from kpay.domain.story_telling import tell
from kpay.domain.subscription_story import Story, ToldBill
from kpay.services.entitling import entitle_by_subscriptions
from kpay.store import catalog
from kpay.store import imported_books as stored
from kpay.store.dialect import chunks
from kpay.store.imported_people import ELSEWHERE, Named, meet

AT_ONCE = 2000
AS_STORED: Final = (
    "status", "amount_minor", "currency", "interval", "interval_count", "quantity", "started_at",
    "trial_end_at", "is_ending", "canceled_at", "ended_at", "cancel_reason", "pause_behavior",
    "resumes_at",
)  # fmt: skip
OURS: Final = {"account": ELSEWHERE.id, "livemode": ELSEWHERE.livemode}


@dataclass(frozen=True, slots=True)
class _Told:
    """A subscription with its name, and who its customer is here."""

    name: str
    story: Story
    customer_id: int
    content_id: int | None


def derive_imported(connection: Connection, touched: Iterable[str]) -> None:
    """Write anew what some imported subscriptions are, and those that wait for their end."""
    names = sorted({*touched, *stored.to_end(connection)})
    plans, contents = stored.plans(connection), catalog.content_ids(connection)
    known_until = stored.known_until(connection)
    for some in chunks(names, AT_ONCE):
        events, payments = stored.events(connection, some), stored.payments(connection, some)
        stories = {
            name: story
            for name in some
            if (story := tell(events[name], payments[name], plans, known_until)[0]) is not None
        }
        people = meet(connection, (Named(one.customer, one.began_at) for one in stories.values()))
        _write(
            connection,
            [
                _Told(name, story, people[story.customer], contents.get(story.plan.name))
                for name, story in stories.items()
            ],
        )


def _write(connection: Connection, told: Sequence[_Told]) -> None:
    stored.save(
        connection,
        [_subscription_row(one) for one in told],
        [row for one in told for row in _phase_rows(one)],
        [row for one in told for row in _invoice_rows(one)],
    )
    granting = [_record(one) for one in told if one.content_id is not None]
    entitle_by_subscriptions(connection, ELSEWHERE, granting)


def _subscription_row(one: _Told) -> dict[str, Any]:
    story = one.story
    return OURS | {
        "external_id": one.name,
        "customer_id": one.customer_id,
        "content_id": one.content_id,
        "price_external_id": story.plan.name,
        "status": story.status,
        "amount_minor": story.plan.amount_minor,
        "currency": story.plan.currency,
        "interval": story.plan.interval,
        "interval_count": story.plan.interval_count,
        "quantity": 1,
        "started_at": story.began_at,
        "trial_end_at": story.trial_end_at,
        "current_period_end_at": _period_end(story),
        "is_ending": story.is_ending,
        "canceled_at": story.canceled_at,
        "ended_at": story.ended_at,
        "cancel_reason": story.cancel_reason,
        "pause_behavior": "keep_as_draft" if story.is_paused else None,
        "resumes_at": None,
    }


def _phase_rows(one: _Told) -> list[dict[str, Any]]:
    bill = _bill_name(one.name, one.story.billed_since or one.story.began_at)
    return [
        OURS
        | {
            "subscription_external_id": one.name,
            "invoice_external_id": bill,
            "starts_at": phase.starts_at,
            "amount_minor": phase.amount_minor,
            "interval": phase.interval,
            "interval_count": phase.interval_count,
            "ending_discount_minor": phase.ending_discount_minor,
        }
        for phase in one.story.phases()
    ]


def _invoice_rows(one: _Told) -> list[dict[str, Any]]:
    return [_invoice_row(one, bill) for bill in one.story.bills]


def _invoice_row(one: _Told, bill: ToldBill) -> dict[str, Any]:
    is_first = bill.created_at == one.story.billed_since
    return OURS | {
        "external_id": _bill_name(one.name, bill.created_at),
        "customer_id": one.customer_id,
        "subscription_external_id": one.name,
        "status": _bill_status(one.story, bill),
        "billing_reason": "subscription_create" if is_first else "subscription_cycle",
        "currency": one.story.plan.currency,
        "subtotal_minor": bill.amount_minor,
        "total_minor": bill.amount_minor,
        "discount_minor": 0,
        "tax_minor": 0,
        "paid_minor": bill.amount_minor if bill.paid_at else 0,
        "attempts": bill.attempts,
        "created_at": bill.created_at,
        "paid_at": bill.paid_at,
        "period_start_at": None,
        "period_end_at": None,
    }


def _bill_status(story: Story, bill: ToldBill) -> str:
    if bill.paid_at is not None:
        return "paid"
    return "uncollectible" if story.ended_at is not None else "open"


def _bill_name(subscription: str, at: datetime) -> str:
    return f"{subscription} {instant_text(at)}"


def _period_end(story: Story) -> datetime | None:
    return story.period[1] if story.period else None


def _record(one: _Told) -> SubscriptionRecord:
    """Return the subscription in the shape in which rights are worked out."""
    row: Mapping[str, Any] = _subscription_row(one)
    period = one.story.period
    return SubscriptionRecord(
        id=one.name,
        customer=one.story.customer,
        content=None,
        price=one.story.plan.name,
        product=None,
        period_start_at=period[0] if period else None,
        period_end_at=_period_end(one.story),
        items=(),
        created_at=one.story.began_at,
        **{name: row[name] for name in AS_STORED},
    )
