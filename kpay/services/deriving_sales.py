"""Orders and their lines, from the charges, checkouts, invoices and payments that make a sale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from kpay.domain.address import normal_email
from kpay.domain.checkout import Account
from kpay.domain.enums import OrderStatus
from kpay.domain.known_catalogue import Catalogue
from kpay.domain.records import ChargeRecord
from kpay.domain.sales import Sale, SaleLine, free_sale_of, sale_of
from kpay.services.deriving_people import People, Sighting
from kpay.services.provided import Provided
from kpay.store import catalog, mirrors, orders, underived
from kpay.store.dialect import chunks

SALES_AT_ONCE = 2000


def derive_sales(
    connection: Connection, account: Account, provided: Provided, catalogue: Catalogue
) -> list[int]:
    """Write the order of every sale that something underived reaches; return the orders' ids."""
    writer = _OrderWriter(connection, account)
    ids: list[int] = []
    for some in chunks(underived.sales(connection, account), SALES_AT_ONCE):
        charges = mirrors.charges(connection, account, some)
        known = [_charge_of(charges[charge_id]) for charge_id in some]
        contents = mirrors.payment_contents(
            connection, account, {one.payment_intent for one in known if one.payment_intent}
        )
        ids += writer.write(_sales(provided, known, contents, catalogue))
    for some in chunks(underived.free_checkouts(connection, account), SALES_AT_ONCE):
        sessions = provided.records("checkout.session", some)
        ids += writer.write([free_sale_of(sessions[one], catalogue) for one in some])
    return ids


def _charge_of(row: Any) -> ChargeRecord:
    """Return the record of a charge, read back from its mirror row."""
    return ChargeRecord(
        id=row.external_id,
        payment_intent=row.payment_intent_external_id,
        invoice=row.invoice_external_id,
        customer=row.customer_external_id,
        balance_transaction=row.balance_transaction_external_id,
        asked_minor=row.amount_minor,
        amount_minor=row.captured_minor,
        refunded_minor=row.refunded_minor,
        currency=row.currency,
        status=row.status,
        is_sale=row.is_sale,
        failure_code=row.failure_code,
        payment_method=row.payment_method,
        email=row.email,
        name=row.name,
        country=row.country,
        content=row.content,
        description=row.description,
        created_at=row.created_at,
    )


def _sales(
    provided: Provided,
    charges: Sequence[ChargeRecord],
    contents: dict[str, str],
    catalogue: Catalogue,
) -> list[Sale]:
    """Put each charge together with its checkout and its invoice."""
    intents = [charge.payment_intent for charge in charges]
    settled = provided.hanging_on("invoice_payment", [*intents, *(one.id for one in charges)])
    invoice_ids = {charge.id: _invoice_of(charge, settled) for charge in charges}
    invoices = provided.records("invoice", invoice_ids.values())
    sessions = provided.hanging_on("checkout.session", [*intents, *invoice_ids.values()])
    return [
        sale_of(
            charge,
            _best(sessions, charge.payment_intent) or _best(sessions, invoice_ids[charge.id]),
            invoices.get(invoice_ids[charge.id] or ""),
            catalogue,
            payment_content=contents.get(charge.payment_intent or ""),
        )
        for charge in charges
    ]


def _invoice_of(charge: ChargeRecord, settled: dict[str, list[Any]]) -> str | None:
    """Return the invoice that a charge paid, by either version's way of saying so."""
    payment = _best(settled, charge.payment_intent) or _best(settled, charge.id)
    invoice: str | None = payment.invoice if payment else None
    return charge.invoice or invoice


def _best(tied: dict[str, list[Any]], parent: str | None) -> Any:
    """Return the newest that came about; a checkout or payment that was given up does not count."""
    found = [one for one in tied.get(parent or "", ()) if one.status != "canceled"]
    return max(reversed(found), key=lambda one: one.status in ("complete", "paid"), default=None)


class _OrderWriter:
    """Writes sales as rows; what a line sold stays as it was frozen the first time."""

    def __init__(self, connection: Connection, account: Account) -> None:
        self._connection = connection
        self._account = account
        self._contents = catalog.content_ids(connection)

    def write(self, sales: Sequence[Sale]) -> list[int]:
        """Upsert orders and lines; return the orders' ids."""
        people = People(self._connection, self._account)
        people.meet(_sighting(sale) for sale in sales)
        orders.save(self._connection, [self._order_row(sale, people) for sale in sales])
        ids = orders.ids_of(self._connection, self._account, (one.external_id for one in sales))
        frozen = orders.sold_content(self._connection, ids.values())
        rows = [
            self._line_row(ids[sale.external_id], position, line, frozen)
            for sale in sales
            for position, line in enumerate(sale.lines)
        ]
        orders.save_lines(self._connection, rows)
        gone = frozen.keys() - {(row["order_id"], row["position"]) for row in rows}
        orders.drop_lines(self._connection, sorted(gone))
        return sorted(ids.values())

    def _order_row(self, sale: Sale, people: People) -> dict[str, Any]:
        return {
            "source": orders.STRIPE,
            "account": self._account.id,
            "livemode": self._account.livemode,
            "external_id": sale.external_id,
            "customer_id": people.whose(sale.customer, sale.email),
            "email": normal_email(sale.email) if sale.email else None,
            "ordered_at": sale.ordered_at,
            "currency": sale.currency,
            "gross_minor": sale.gross_minor,
            "discount_minor": sale.discount_minor,
            "tax_minor": sale.tax_minor,
            "total_minor": sale.total_minor,
            "status": OrderStatus.PAID.value,
            "kind": sale.kind.value,
            "country": sale.country,
            "charge_id": sale.charge,
            "payment_intent_id": sale.payment_intent,
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
    return Sighting(sale.customer, sale.email, sale.name, sale.country, sale.ordered_at)
