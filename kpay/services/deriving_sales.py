"""Orders and their lines, from the charges, checkouts, invoices and payments that make a sale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from kpay.domain.address import normal_email
from kpay.domain.checkout import Account
from kpay.domain.enums import OrderStatus
from kpay.domain.records import ChargeRecord
from kpay.domain.sales import Catalogue, Sale, SaleLine, sale_of
from kpay.services.deriving_people import People, Sighting
from kpay.services.provided import Provided, Touched
from kpay.store import catalog, orders
from kpay.store.dialect import chunks

SALES_AT_ONCE = 5000


def derive_sales(
    connection: Connection,
    account: Account,
    provided: Provided,
    touched: Touched,
    *,
    catalogue: Catalogue,
    people: People,
) -> list[int]:
    """Write the order of every succeeded charge that something touched; return the orders' ids."""
    writer = _OrderWriter(connection, account, people)
    ids: list[int] = []
    for some in chunks(_affected_charges(connection, account, provided, touched), SALES_AT_ONCE):
        ids += writer.write(_sales(provided, some, catalogue))
    return ids


def _affected_charges(
    connection: Connection, account: Account, provided: Provided, touched: Touched
) -> list[str]:
    """Return the charges that are touched, or whose checkout, payment or invoice is.

    The oldest come first, as far as that is known.
    """
    charges = {record.id: record for record in provided.touched("charge")}
    sessions = provided.touched("checkout.session")
    payments = provided.touched("invoice_payment")
    intents = {one.payment_intent for one in (*sessions, *payments)}
    intents |= set(touched.ids("payment_intent"))
    covered = {charge.payment_intent for charge in charges.values()}
    for hanging in provided.hanging_on("charge", intents - covered).values():
        charges |= {charge.id: charge for charge in hanging}
    named = {one.charge for one in payments if one.charge} - charges.keys()
    charges |= provided.records("charge", named)
    invoices = set(touched.ids("invoice")) | {one.invoice for one in sessions if one.invoice}
    paid = orders.charges_of_invoices(connection, account, invoices) - charges.keys()
    charges |= provided.records("charge", paid)
    ordered = sorted(charges.values(), key=lambda charge: (charge.created_at, charge.id))
    return [charge.id for charge in ordered if charge.is_sale]


def _sales(provided: Provided, charge_ids: Sequence[str], catalogue: Catalogue) -> list[Sale]:
    """Put each charge together with its checkout, its invoice and its payment."""
    found = provided.records("charge", charge_ids)
    charges: list[ChargeRecord] = [found[charge_id] for charge_id in charge_ids]
    intents = [charge.payment_intent for charge in charges]
    settled = provided.hanging_on("invoice_payment", [*intents, *charge_ids])
    invoice_ids = {charge.id: _invoice_of(charge, settled) for charge in charges}
    invoices = provided.records("invoice", invoice_ids.values())
    sessions = provided.hanging_on("checkout.session", [*intents, *invoice_ids.values()])
    payments = provided.records("payment_intent", intents)
    sales = []
    for charge in charges:
        invoice_id = invoice_ids[charge.id]
        session = _last(sessions, charge.payment_intent) or _last(sessions, invoice_id)
        payment = payments.get(charge.payment_intent or "")
        sales.append(
            sale_of(
                charge,
                session,
                invoices.get(invoice_id or ""),
                catalogue,
                payment_content=payment.content if payment else None,
            )
        )
    return sales


def _invoice_of(charge: ChargeRecord, settled: dict[str, list[Any]]) -> str | None:
    """Return the invoice that a charge paid, by either version's way of saying so."""
    payment = _last(settled, charge.payment_intent) or _last(settled, charge.id)
    invoice: str | None = payment.invoice if payment else None
    return charge.invoice or invoice


def _last(tied: dict[str, list[Any]], parent: str | None) -> Any:
    found = tied.get(parent or "")
    return found[-1] if found else None


class _OrderWriter:
    """Writes sales as rows; what a line sold stays as it was frozen the first time."""

    def __init__(self, connection: Connection, account: Account, people: People) -> None:
        self._connection = connection
        self._account = account
        self._people = people
        self._contents = catalog.content_ids(connection)

    def write(self, sales: Sequence[Sale]) -> list[int]:
        """Upsert orders and lines; return the orders' ids."""
        self._people.meet(_sighting(sale) for sale in sales)
        orders.save(self._connection, [self._order_row(sale) for sale in sales])
        ids = orders.ids_by_charge(
            self._connection, self._account, (one.charge.id for one in sales)
        )
        frozen = orders.sold_content(self._connection, ids.values())
        rows = [
            self._line_row(ids[sale.charge.id], position, line, frozen)
            for sale in sales
            for position, line in enumerate(sale.lines)
        ]
        orders.save_lines(self._connection, rows)
        gone = frozen.keys() - {(row["order_id"], row["position"]) for row in rows}
        orders.drop_lines(self._connection, sorted(gone))
        return sorted(ids.values())

    def _order_row(self, sale: Sale) -> dict[str, Any]:
        charge = sale.charge
        return {
            "source": orders.STRIPE,
            "account": self._account.id,
            "livemode": self._account.livemode,
            "external_id": charge.id,
            "customer_id": self._people.whose(sale.customer, sale.email),
            "email": normal_email(sale.email) if sale.email else None,
            "ordered_at": charge.created_at,
            "currency": charge.currency,
            "gross_minor": sale.gross_minor,
            "discount_minor": sale.discount_minor,
            "tax_minor": sale.tax_minor,
            "total_minor": sale.total_minor,
            "status": OrderStatus.PAID.value,
            "kind": sale.kind.value,
            "country": sale.country,
            "charge_id": charge.id,
            "payment_intent_id": charge.payment_intent,
            "session_id": sale.session,
            "invoice_id": sale.invoice,
            "subscription_id": sale.subscription,
            "reference": sale.reference,
            "tracking": sale.tracking,
        }

    def _line_row(
        self,
        order_id: int,
        position: int,
        line: SaleLine,
        frozen: dict[tuple[int, int], Any],
    ) -> dict[str, Any]:
        before = frozen.get((order_id, position))
        if before is not None and before.content_id is not None:
            content_id, product = before.content_id, before.product
        else:
            content_id = self._contents.get(line.content or "")
            product = line.content or line.product_name
        return {
            "order_id": order_id,
            "position": position,
            "content_id": content_id,
            "product": product,
            "price_external_id": line.price,
            "name": line.name or line.product_name,
            "quantity": line.quantity,
            "amount_minor": line.gross_minor,
        }


def _sighting(sale: Sale) -> Sighting:
    return Sighting(sale.customer, sale.email, sale.name, sale.country, sale.charge.created_at)


def derive_refunds(connection: Connection, account: Account, provided: Provided) -> set[str]:
    """Write the rows of touched refunds; return their charges."""
    touched = provided.touched("refund")
    orders.save_refunds(
        connection,
        [
            {
                "source": orders.STRIPE,
                "account": account.id,
                "livemode": account.livemode,
                "external_id": one.id,
                "charge_id": one.charge,
                "amount_minor": one.amount_minor,
                "currency": one.currency,
                "status": one.status,
                "reason": one.reason,
                "refunded_at": one.created_at,
            }
            for one in touched
        ],
    )
    return _charges(touched)


def derive_disputes(connection: Connection, account: Account, provided: Provided) -> set[str]:
    """Write the rows of touched disputes; return their charges."""
    touched = provided.touched("dispute")
    orders.save_disputes(
        connection,
        [
            {
                "account": account.id,
                "livemode": account.livemode,
                "external_id": one.id,
                "charge_id": one.charge,
                "amount_minor": one.amount_minor,
                "currency": one.currency,
                "status": one.status,
                "reason": one.reason,
                "opened_at": one.created_at,
            }
            for one in touched
        ],
    )
    return _charges(touched)


def _charges(touched: Iterable[Any]) -> set[str]:
    return {one.charge for one in touched if one.charge}
