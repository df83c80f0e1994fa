"""From provider objects to the business: orders, people, rights of everything that is underived.

It runs after all pages are in, in one transaction, so that the order in which objects arrived does
not matter, and either all of it holds or none. Until it has, the objects stand in `underived`, and
the next run derives from them. It goes in portions, so that memory does not grow with the shop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from kpay.domain import records
from kpay.domain.checkout import Account
from kpay.services.auditing import note
from kpay.services.deriving_billing import derive_invoices, derive_subscriptions
from kpay.services.deriving_catalog import derive_catalog, read_catalogue
from kpay.services.deriving_people import update_people
from kpay.services.deriving_sales import derive_sales
from kpay.services.entitling import entitle_by_orders, entitle_by_subscriptions
from kpay.services.housekeeping import undisturbed
from kpay.services.mirroring import mirror
from kpay.services.provided import Provided
from kpay.store import orders, underived, unmapped
from kpay.store.dialect import chunks
from kpay.store.engine import Store

AT_ONCE = 2000
NUMBERED: Final = ("price", "refund", "dispute", "balance_transaction", "payout")
"""Mirrored kinds whose rows have numbers of their own: written in one certain order, not as they come."""

DERIVED_FROM: Final = frozenset(
    {
        "charge",
        "checkout.session",
        "customer",
        "invoice",
        "invoice_payment",
        "payment_intent",
        "payment_link",
        "product",
        "subscription",
        *NUMBERED,
    }
)
"""The kinds from which something follows beyond a mirror row that is written with the object."""


@dataclass(frozen=True, slots=True)
class Derived:
    """What was looked at again: counts of objects, orders and subscriptions; entitlements written."""

    objects: int = 0
    orders: int = 0
    subscriptions: int = 0
    entitlements: int = 0


def is_underived(connection: Connection, account: Account) -> bool:
    """Say whether objects are kept from which orders, people or rights have yet to follow."""
    return underived.count(connection, account) > 0


def derive(connection: Connection, account: Account) -> Derived:
    """Bring orders, people and rights in line with all that is underived."""
    objects = underived.count(connection, account)
    if not objects:
        return Derived()
    provided = Provided(connection, account)
    _mirror_kinds(connection, provided, NUMBERED)
    derive_catalog(connection, account, provided)
    unmapped.add_what_the_catalogue_reaches(connection, account)
    catalogue = read_catalogue(connection, account)
    order_ids = set(derive_sales(connection, account, provided, catalogue))
    fallen = underived.fallen_sales(connection, account)
    orders.mark_failed(connection, fallen)
    order_ids |= set(fallen)
    subscription_ids = derive_subscriptions(connection, account, provided, catalogue)
    derive_invoices(connection, account, provided, catalogue)
    update_people(connection, account)
    orders.tie_to_orders(connection)
    order_ids |= set(underived.orders_with_money_back(connection, account))
    order_ids |= set(orders.adopt_content(connection))
    written = _entitle(connection, provided, sorted(order_ids), subscription_ids)
    underived.clear(connection, account)
    return Derived(objects, len(order_ids), len(subscription_ids), written)


def _entitle(
    connection: Connection, provided: Provided, order_ids: Sequence[int], touched: Sequence[str]
) -> int:
    """Write the rights of orders, and of the subscriptions that are touched or that orders paid."""
    written = 0
    for some in chunks(order_ids, AT_ONCE):
        written += entitle_by_orders(connection, some)
    paid = orders.subscriptions_of(connection, order_ids)
    for names in chunks(sorted(paid | set(touched)), AT_ONCE):
        found = provided.records("subscription", names)
        written += entitle_by_subscriptions(
            connection, provided.account, [found[name] for name in names if name in found]
        )
    return written


def derive_everything(connection: Connection, account: Account) -> Derived:
    """Derive from all that is kept, as if it had just arrived; the mirror rows are made anew too."""
    underived.add_everything(connection, account)
    mirror_underived(connection, account)
    return derive(connection, account)


def mirror_underived(connection: Connection, account: Account) -> None:
    """Write the mirror rows of all that is underived, which an older kpay may not have written."""
    kinds = [kind for kind in records.READERS if kind not in NUMBERED]
    _mirror_kinds(connection, Provided(connection, account), kinds)


def _mirror_kinds(connection: Connection, provided: Provided, kinds: Sequence[str]) -> None:
    for kind in kinds:
        for some in chunks(underived.ids(connection, provided.account, kind), AT_ONCE):
            found = provided.records(kind, some)
            mirror(connection, provided.account, [found[one] for one in some if one in found])


@undisturbed()
def rebuild(store: Store, account: Account, *, at: datetime) -> Derived:
    """Make every typed row anew from the objects that are kept, asking the provider nothing.

    When that changes what somebody may read, it is noted in the audit trail.
    """
    with store.writing() as connection:
        derived = derive_everything(connection, account)
        if derived.entitlements:
            changed = {"rights": derived.entitlements, "objects": derived.objects}
            note(connection, "rights.rebuilt", f"account {account.id}", changed, at=at)
        return derived
