"""Objects that are kept but not derived from yet, and the sales, people and rights they reach.

The questions are asked of the database as a whole, so that a first sync of any size needs no more
memory than the ids of what has to be written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    func,
    insert,
    literal,
    select,
    union,
)

from kpay.domain.checkout import Account
from kpay.models import (
    Charge,
    CheckoutSession,
    Dispute,
    Invoice,
    InvoicePayment,
    Order,
    ProviderObject,
    Refund,
    Underived,
)
from kpay.store.dialect import insert_missing, table_of

_due = table_of(Underived)
_objects = table_of(ProviderObject)
_charges = table_of(Charge)
_sessions = table_of(CheckoutSession)
_payments = table_of(InvoicePayment)
_refunds = table_of(Refund)
_orders = table_of(Order)
_disputes = table_of(Dispute)
_bills = table_of(Invoice)


def add(connection: Connection, account: Account, objects: Iterable[tuple[str, str]]) -> None:
    """Note that (kind, id) objects have to be derived from."""
    rows: Sequence[Mapping[str, Any]] = [
        {
            "account": account.id,
            "livemode": account.livemode,
            "object": kind,
            "external_id": external_id,
        }
        for kind, external_id in objects
    ]
    insert_missing(
        connection, Underived, rows, key=["account", "livemode", "object", "external_id"]
    )


def add_everything(connection: Connection, account: Account) -> None:
    """Note that every object that is kept has to be derived from."""
    clear(connection, account)
    columns = ["account", "livemode", "object", "external_id"]
    kept = select(*(_objects.c[name] for name in columns)).where(_of(_objects, account))
    connection.execute(insert(_due).from_select(columns, kept))


def add_bills_of_nobody(connection: Connection, account: Account) -> None:
    """Note the invoices whose customer was nobody here when they were derived."""
    named = [_bills.c.account, _bills.c.livemode, literal("invoice"), _bills.c.external_id]
    query = select(*named).where(_of(_bills, account), _bills.c.customer_id.is_(None))
    add_chosen(connection, query)


def add_chosen(connection: Connection, chosen: Select[Any]) -> None:
    """Note what a query of (account, livemode, kind, id) yields."""
    columns = ["account", "livemode", "object", "external_id"]
    connection.execute(insert(_due).prefix_with("OR IGNORE").from_select(columns, chosen))


def clear(connection: Connection, account: Account) -> None:
    """Note that everything is derived."""
    connection.execute(delete(_due).where(_of(_due, account)))


def count(connection: Connection, account: Account) -> int:
    """Return how many objects have to be derived from."""
    query = select(func.count()).select_from(_due).where(_of(_due, account))
    return int(connection.execute(query).scalar_one())


def ids(connection: Connection, account: Account, kind: str) -> list[str]:
    """Return the ids of a kind that have to be derived from, in one certain order."""
    query = _ids(account, kind).order_by(_due.c.external_id)
    return list(connection.scalars(query).all())


def sales(connection: Connection, account: Account) -> list[str]:
    """Return the charges that are sales and are reached by something underived, oldest first.

    A charge is reached by itself, its payment, its checkout, its invoice and what ties the two.
    """
    intents = union(
        _ids(account, "payment_intent"),
        _named(_sessions, "payment_intent_external_id", account, _ids(account, "checkout.session")),
        _named(_payments, "payment_intent_external_id", account, _reached_payments(account)),
    )
    reached = union(
        _ids(account, "charge"),
        select(_objects.c.external_id).where(
            _of(_objects, account),
            _objects.c.object == "charge",
            _objects.c.belongs_to.in_(select(intents.subquery().c[0])),
        ),
        _named(_payments, "charge_external_id", account, _reached_payments(account)),
        select(_charges.c.external_id).where(
            _of(_charges, account),
            _charges.c.invoice_external_id.in_(_reached_invoices(account)),
        ),
    ).subquery()
    query = select(_charges.c.external_id).where(
        _of(_charges, account),
        _charges.c.is_sale.is_(True),
        _charges.c.external_id.in_(select(reached.c[0])),
    )
    return list(
        connection.scalars(query.order_by(_charges.c.created_at, _charges.c.external_id)).all()
    )


def fallen_sales(connection: Connection, account: Account) -> list[int]:
    """Return the orders whose charge turned out not to bring the money: a debit that came back."""
    query = select(_orders.c.id).where(
        _of(_orders, account),
        _orders.c.charge_id.in_(
            select(_charges.c.external_id).where(
                _of(_charges, account),
                _charges.c.is_sale.is_(False),
                _charges.c.external_id.in_(_ids(account, "charge")),
            )
        ),
    )
    return list(connection.scalars(query.order_by(_orders.c.id)).all())


def free_checkouts(connection: Connection, account: Account) -> list[str]:
    """Return the underived checkouts in which something was bought for nothing, oldest first."""
    query = select(_sessions.c.external_id).where(
        _of(_sessions, account),
        _sessions.c.mode == "payment",
        _sessions.c.status == "complete",
        _sessions.c.payment_status == "no_payment_required",
        _sessions.c.payment_intent_external_id.is_(None),
        _sessions.c.external_id.in_(_ids(account, "checkout.session")),
    )
    return list(
        connection.scalars(query.order_by(_sessions.c.created_at, _sessions.c.external_id)).all()
    )


def subscriptions(connection: Connection, account: Account) -> list[str]:
    """Return the subscriptions reached by something underived: themselves or their checkouts."""
    reached = union(
        _ids(account, "subscription"),
        _named(_sessions, "subscription_external_id", account, _ids(account, "checkout.session")),
    ).subquery()
    query = select(_objects.c.external_id).where(
        _of(_objects, account),
        _objects.c.object == "subscription",
        _objects.c.external_id.in_(select(reached.c[0])),
    )
    return list(connection.scalars(query.order_by(_objects.c.external_id)).all())


def billed_subscriptions(connection: Connection, account: Account) -> list[str]:
    """Return the subscriptions that an underived invoice bills."""
    query = (
        select(_objects.c.belongs_to)
        .distinct()
        .where(
            _of(_objects, account),
            _objects.c.object == "invoice",
            _objects.c.belongs_to.is_not(None),
            _objects.c.external_id.in_(_ids(account, "invoice")),
        )
    )
    return list(connection.scalars(query.order_by(_objects.c.belongs_to)).all())


def single_invoices(connection: Connection, account: Account) -> list[str]:
    """Return the underived invoices that no subscription brought."""
    query = select(_objects.c.external_id).where(
        _of(_objects, account),
        _objects.c.object == "invoice",
        _objects.c.belongs_to.is_(None),
        _objects.c.external_id.in_(_ids(account, "invoice")),
    )
    return list(connection.scalars(query.order_by(_objects.c.external_id)).all())


def orders_with_money_back(connection: Connection, account: Account) -> list[int]:
    """Return the orders of which an underived refund or dispute tells something."""
    tied = union(
        *(
            select(table.c.order_id).where(
                _of(table, account),
                table.c.order_id.is_not(None),
                table.c.external_id.in_(_ids(account, kind)),
            )
            for table, kind in ((_refunds, "refund"), (_disputes, "dispute"))
        )
    ).subquery()
    return list(connection.scalars(select(tied.c[0]).order_by(tied.c[0])).all())


def _reached_invoices(account: Account) -> Select[Any]:
    """The invoices that are underived, or whose checkouts are."""
    by_checkout = _named(
        _sessions, "invoice_external_id", account, _ids(account, "checkout.session")
    )
    return select(union(_ids(account, "invoice"), by_checkout).subquery().c[0])


def _reached_payments(account: Account) -> Select[Any]:
    """The invoice payments that are underived, or whose invoices are reached."""
    of_invoices = select(_payments.c.external_id).where(
        _of(_payments, account), _payments.c.invoice_external_id.in_(_reached_invoices(account))
    )
    return select(union(_ids(account, "invoice_payment"), of_invoices).subquery().c[0])


def _named(table: Any, column: str, account: Account, wanted: Select[Any]) -> Select[Any]:
    """The ids that a column of some of a table's rows names."""
    return select(table.c[column]).where(
        _of(table, account), table.c[column].is_not(None), table.c.external_id.in_(wanted)
    )


def _ids(account: Account, kind: str) -> Select[Any]:
    return select(_due.c.external_id).where(_of(_due, account), _due.c.object == kind)


def _of(table: Any, account: Account) -> ColumnElement[bool]:
    return and_(table.c.account == account.id, table.c.livemode == account.livemode)
