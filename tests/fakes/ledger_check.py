"""The provider's own books against the store's typed rows, by SQL alone: nothing of kpay is asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

TABLES: Final = {
    "products": "product",
    "prices": "price",
    "coupons": "coupon",
    "promotion_codes": "promotion_code",
    "payment_links": "payment_link",
    "checkout.sessions": "checkout_session",
    "customers": "provider_customer",
    "payment_intents": "payment_intent",
    "charges": "charge",
    "invoices": "invoice",
    "invoice_payments": "invoice_payment",
    "subscriptions": "subscription",
    "refunds": "refund",
    "disputes": "dispute",
    "balance_transactions": "balance_transaction",
    "payouts": "payout",
}
MONEY: Final = {
    "gross_minor": "SELECT sum(captured_minor) FROM charge WHERE is_sale AND currency = ?",
    "charges": "SELECT count(*) FROM orders WHERE source = 'stripe' AND currency = ?",
    "refunds_minor": "SELECT -sum(amount_minor) FROM balance_transaction "
    "WHERE kind = 'refund' AND currency = ?",
    "fees_minor": "SELECT sum(fee_minor) FROM balance_transaction "
    "WHERE kind != 'payout' AND currency = ?",
    "net_minor": "SELECT sum(net_minor) FROM balance_transaction "
    "WHERE kind != 'payout' AND currency = ?",
    "payouts_minor": "SELECT sum(amount_minor) FROM payout WHERE currency = ?",
}


def differences(store: Path, ledger: Mapping[str, Any]) -> list[str]:
    """Return every count and every sum in which a store differs from the provider's books."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        found = []
        for resource, table in TABLES.items():
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            living = " WHERE NOT is_deleted" if "is_deleted" in columns else ""
            [(count,)] = connection.execute(f"SELECT count(*) FROM {table}{living}")
            if count != ledger["counts"][resource]:
                found.append(f"{resource}: {count}, not {ledger['counts'][resource]}")
        for currency, sums in ledger["currencies"].items():
            for name, query in MONEY.items():
                [(kept,)] = connection.execute(query, (currency,))
                if (kept or 0) != sums[name]:
                    found.append(f"{name} {currency}: {kept}, not {sums[name]}")
        return found
