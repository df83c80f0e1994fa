"""Subscriptions, their phases and invoices, from their records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from kpay.domain.checkout import Account
from kpay.domain.known_catalogue import Catalogue
from kpay.domain.phases import Phase, phase_of
from kpay.domain.records import InvoiceRecord, SubscriptionRecord
from kpay.services.deriving_people import People, Sighting
from kpay.services.provided import Provided
from kpay.store import billing, catalog, underived
from kpay.store.dialect import chunks

AT_ONCE = 2000


def derive_subscriptions(
    connection: Connection, account: Account, provided: Provided, catalogue: Catalogue
) -> list[str]:
    """Write the rows of the subscriptions that something underived reaches; return their ids.

    Someone on a trial has no order yet, but is a customer: there is something they may read.
    """
    ids = underived.subscriptions(connection, account)
    contents = catalog.content_ids(connection)
    for some in chunks(ids, AT_ONCE):
        found = provided.records("subscription", some)
        sessions = provided.hanging_on("checkout.session", some)
        people = People(connection, account)
        people.meet(_sighting(found[one], sessions.get(one)) for one in some)
        rows = []
        for one in found.values():
            slug = catalogue.content_sold(one.price, one.product) or one.content
            rows.append(
                _subscription_row(account, one, people) | {"content_id": contents.get(slug or "")}
            )
        billing.save_subscriptions(connection, rows)
        items = {one.id: {item.id for item in one.items} for one in found.values()}
        billing.drop_other_items(connection, account, items)
    return ids


def _subscription_row(account: Account, one: SubscriptionRecord, people: People) -> dict[str, Any]:
    return {
        "account": account.id,
        "livemode": account.livemode,
        "external_id": one.id,
        "customer_id": people.whose(one.customer, None),
        "price_external_id": one.price,
        "status": one.status,
        "amount_minor": one.amount_minor,
        "currency": one.currency,
        "interval": one.interval,
        "interval_count": one.interval_count,
        "quantity": one.quantity,
        "started_at": one.started_at,
        "trial_end_at": one.trial_end_at,
        "current_period_end_at": one.period_end_at,
        "is_ending": one.is_ending,
        "canceled_at": one.canceled_at,
        "ended_at": one.ended_at,
        "cancel_reason": one.cancel_reason,
        "pause_behavior": one.pause_behavior,
        "resumes_at": one.resumes_at,
    }


def _sighting(subscription: SubscriptionRecord, sessions: list[Any] | None) -> Sighting:
    session = sessions[-1] if sessions else None
    return Sighting(
        subscription.customer,
        session.email if session else None,
        session.name if session else "",
        session.country if session else None,
        subscription.started_at,
    )


def derive_invoices(
    connection: Connection, account: Account, provided: Provided, catalogue: Catalogue
) -> None:
    """Write the rows of invoices that are underived, and the phases that they begin.

    All invoices of a subscription are looked at together: of two that begin a phase at the same
    moment the later one counts.
    """
    billed = underived.billed_subscriptions(connection, account)
    if billed:
        catalogue = replace(catalogue, metered=_metered(provided, catalogue))
    for some in chunks(billed, AT_ONCE):
        siblings = provided.hanging_on("invoice", some)
        _save_invoices(connection, account, [one for bills in siblings.values() for one in bills])
        _save_phases(connection, account, siblings.values(), catalogue)
    for some in chunks(underived.single_invoices(connection, account), AT_ONCE):
        _save_invoices(connection, account, list(provided.records("invoice", some).values()))


def _metered(provided: Provided, catalogue: Catalogue) -> frozenset[str]:
    recurring = [price for price, terms in catalogue.prices.items() if terms.interval]
    found = provided.records("price", recurring)
    return frozenset(price for price, record in found.items() if record.is_metered)


def _save_invoices(
    connection: Connection, account: Account, invoices: Sequence[InvoiceRecord]
) -> None:
    people = People(connection, account)
    people.recall(one.customer for one in invoices)
    billing.save_invoices(connection, [_invoice_row(account, one, people) for one in invoices])


def _save_phases(
    connection: Connection,
    account: Account,
    siblings: Iterable[Sequence[InvoiceRecord]],
    catalogue: Catalogue,
) -> None:
    phases: dict[tuple[str, Any], Phase] = {}
    for invoices in siblings:
        for invoice in invoices:
            phase = phase_of(invoice, catalogue)
            if phase:
                phases[phase.subscription, phase.starts_at] = phase
    rows = [_phase_row(account, phase) for phase in phases.values()]
    rows.sort(key=lambda row: (row["starts_at"], row["invoice_external_id"]))
    billing.save_phases(connection, rows)


def _invoice_row(account: Account, invoice: InvoiceRecord, people: People) -> dict[str, Any]:
    return {
        "account": account.id,
        "livemode": account.livemode,
        "external_id": invoice.id,
        "customer_id": people.whose(invoice.customer, None),
        "subscription_external_id": invoice.subscription,
        "status": invoice.status,
        "billing_reason": invoice.billing_reason,
        "currency": invoice.currency,
        "subtotal_minor": invoice.subtotal_minor,
        "total_minor": invoice.total_minor,
        "discount_minor": invoice.discount_minor,
        "tax_minor": invoice.tax_minor,
        "paid_minor": invoice.paid_minor,
        "attempts": invoice.attempts,
        "created_at": invoice.created_at,
        "paid_at": invoice.paid_at,
        "period_start_at": invoice.period_start_at,
        "period_end_at": invoice.period_end_at,
    }


def _phase_row(account: Account, phase: Phase) -> dict[str, Any]:
    return {
        "account": account.id,
        "livemode": account.livemode,
        "subscription_external_id": phase.subscription,
        "invoice_external_id": phase.invoice,
        "starts_at": phase.starts_at,
        "amount_minor": phase.amount_minor,
        "interval": phase.interval,
        "interval_count": phase.interval_count,
        "ending_discount_minor": phase.ending_discount_minor,
    }
