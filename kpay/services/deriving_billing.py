"""Subscriptions, their phases, invoices, balance transactions and payouts, from their records."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from kpay.domain.checkout import Account
from kpay.domain.records import (
    BalanceRecord,
    InvoiceRecord,
    PayoutRecord,
    SubscriptionRecord,
)
from kpay.domain.sales import Catalogue, Phase, phase_of
from kpay.services.deriving_people import People, Sighting
from kpay.services.provided import Provided
from kpay.store import billing, catalog


def derive_subscriptions(
    connection: Connection,
    account: Account,
    provided: Provided,
    *,
    catalogue: Catalogue,
    people: People,
) -> list[str]:
    """Write the rows of touched subscriptions; return their provider ids.

    Someone on a trial has no order yet, but is a customer: there is something they may read.
    """
    touched: list[SubscriptionRecord] = provided.touched("subscription")
    sessions = provided.hanging_on("checkout.session", [one.id for one in touched])
    people.meet(_sighting(one, sessions.get(one.id)) for one in touched)
    contents = catalog.content_ids(connection)
    rows = []
    for one in touched:
        slug = catalogue.content_sold(one.price, one.product) or one.content
        rows.append(
            {
                "account": account.id,
                "livemode": account.livemode,
                "external_id": one.id,
                "customer_id": people.whose(one.customer, None),
                "content_id": contents.get(slug or ""),
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
            }
        )
    billing.save_subscriptions(connection, rows)
    return [one.id for one in touched]


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
    connection: Connection,
    account: Account,
    provided: Provided,
    *,
    catalogue: Catalogue,
    people: People,
) -> None:
    """Write the rows of touched invoices, and the phases that they begin.

    Of two invoices that begin a phase at the same moment the later one counts.
    """
    touched: list[InvoiceRecord] = provided.touched("invoice")
    people.recall(one.customer for one in touched)
    billing.save_invoices(connection, [_invoice_row(account, one, people) for one in touched])
    siblings = provided.hanging_on("invoice", {one.subscription for one in touched})
    phases: dict[tuple[str, Any], Phase] = {}
    for invoices in siblings.values():
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
        "customer_id": people.whose(invoice.customer, invoice.email),
        "subscription_external_id": invoice.subscription,
        "status": invoice.status,
        "billing_reason": invoice.billing_reason,
        "currency": invoice.currency,
        "subtotal_minor": invoice.subtotal_minor,
        "total_minor": invoice.total_minor,
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
    }


def derive_cash(connection: Connection, account: Account, provided: Provided) -> None:
    """Write the rows of touched balance transactions and payouts."""
    billing.save_balance_transactions(
        connection, [_balance_row(account, one) for one in provided.touched("balance_transaction")]
    )
    billing.save_payouts(
        connection, [_payout_row(account, one) for one in provided.touched("payout")]
    )


def _balance_row(account: Account, movement: BalanceRecord) -> dict[str, Any]:
    return {
        "account": account.id,
        "livemode": account.livemode,
        "external_id": movement.id,
        "kind": movement.kind,
        "amount_minor": movement.amount_minor,
        "fee_minor": movement.fee_minor,
        "net_minor": movement.net_minor,
        "currency": movement.currency,
        "source_external_id": movement.source,
        "status": movement.status,
        "exchange_rate": movement.exchange_rate,
        "created_at": movement.created_at,
        "available_at": movement.available_at,
    }


def _payout_row(account: Account, payout: PayoutRecord) -> dict[str, Any]:
    return {
        "account": account.id,
        "livemode": account.livemode,
        "external_id": payout.id,
        "amount_minor": payout.amount_minor,
        "currency": payout.currency,
        "status": payout.status,
        "created_at": payout.created_at,
        "arrives_at": payout.arrives_at,
    }
