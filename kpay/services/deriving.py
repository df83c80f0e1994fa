"""From provider objects to the business: typed rows of everything that was touched.

It runs after all pages are in, in one transaction, so that the order in which objects arrived does
not matter, and either all of it holds or none. Until it has, the fact "underived" stands, and the
next run derives everything that is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from kpay.domain.checkout import Account
from kpay.services.deriving_billing import derive_cash, derive_invoices, derive_subscriptions
from kpay.services.deriving_catalog import derive_catalog, read_catalogue
from kpay.services.deriving_people import People
from kpay.services.deriving_sales import derive_disputes, derive_refunds, derive_sales
from kpay.services.entitling import entitle_by_orders, entitle_by_subscriptions
from kpay.services.provided import Provided, Touched, everything
from kpay.store import facts, orders

UNDERIVED = "underived"


@dataclass(frozen=True, slots=True)
class Derived:
    """What was looked at again: counts of orders and subscriptions, and of entitlements written."""

    orders: int = 0
    subscriptions: int = 0
    entitlements: int = 0


def mark_underived(connection: Connection) -> None:
    """Note, in the transaction that keeps objects, that rows have to follow."""
    facts.keep(connection, UNDERIVED, "1")


def is_underived(connection: Connection) -> bool:
    """Say whether an earlier run kept objects and was stopped before it derived from them."""
    return facts.find(connection, UNDERIVED) is not None


def derive(connection: Connection, account: Account, touched: Touched) -> Derived:
    """Bring the typed rows in line with the touched objects and what hangs on them."""
    provided = Provided(connection, account, touched)
    derive_catalog(connection, account, provided)
    catalogue = read_catalogue(connection, account)
    people = People(connection, account, provided)
    order_ids = set(
        derive_sales(connection, account, provided, touched, catalogue=catalogue, people=people)
    )
    subscriptions = derive_subscriptions(
        connection, account, provided, catalogue=catalogue, people=people
    )
    derive_invoices(connection, account, provided, catalogue=catalogue, people=people)
    derive_cash(connection, account, provided)
    people.update(provided.touched("customer"))
    charges = derive_refunds(connection, account, provided)
    charges |= derive_disputes(connection, account, provided)
    orders.tie_to_orders(connection)
    order_ids |= set(orders.ids_by_charge(connection, account, charges).values())
    order_ids |= set(orders.adopt_content(connection))
    written = entitle_by_orders(connection, order_ids)
    written += entitle_by_subscriptions(connection, account, provided.touched("subscription"))
    facts.forget(connection, UNDERIVED)
    return Derived(len(order_ids), len(subscriptions), written)


def derive_everything(connection: Connection, account: Account) -> Derived:
    """Derive from all that is kept, as if it had just arrived."""
    return derive(connection, account, everything(connection, account))
