"""The bare SQL behind each report: the sums it needs, with nothing round them.

Run as `python -m tests.bench.bare_sums STORE SECTION`; the periods are those of the reports as of the
last day of tests.bench.big_business.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing

LAST, MONTH_BEFORE, YEAR_BEFORE = "2026-09-01", "2026-08-02", "2025-08-02"
OF_A_CUSTOMER = "SELECT customer_id, min(ordered_at), max(ordered_at), count(*), sum(total_minor)"
PAID = "FROM orders WHERE status = 'paid'"

MONTHLY_BILLS = (
    "SELECT substr(created_at, 1, 7), count(*), sum(total_minor) FROM invoice GROUP BY 1"
)
SUMS: dict[str, tuple[str, ...]] = {
    "summary": (
        f"SELECT count(*), sum(total_minor), count(DISTINCT customer_id) {PAID}"
        f" AND ordered_at BETWEEN '{MONTH_BEFORE}' AND '{LAST}'",
        f"SELECT count(*), sum(total_minor), count(DISTINCT customer_id) {PAID}"
        f" AND ordered_at BETWEEN '{YEAR_BEFORE}' AND '2025-09-01'",
        "SELECT kind, sum(amount_minor), sum(fee_minor) FROM balance_transaction"
        f" WHERE created_at BETWEEN '{MONTH_BEFORE}' AND '{LAST}' GROUP BY kind",
        f"SELECT count(*) FROM (SELECT min(ordered_at) AS at {PAID} GROUP BY customer_id)"
        f" WHERE at >= '{MONTH_BEFORE}'",
        "SELECT count(*) FROM subscriber",
        "SELECT sum(amount_minor) FROM subscription WHERE ended_at IS NULL",
    ),
    "revenue": (
        "SELECT substr(ordered_at, 1, 7), count(*), sum(gross_minor), sum(discount_minor),"
        f" sum(tax_minor), count(DISTINCT customer_id) {PAID} GROUP BY 1",
        "SELECT substr(refunded_at, 1, 7), sum(amount_minor) FROM refund GROUP BY 1",
        "SELECT substr(created_at, 1, 7), kind, sum(amount_minor), sum(fee_minor)"
        " FROM balance_transaction GROUP BY 1, 2",
    ),
    "mrr": (
        MONTHLY_BILLS,
        "SELECT substr(started_at, 1, 7), sum(amount_minor) FROM subscription GROUP BY 1",
        "SELECT substr(ended_at, 1, 7), sum(amount_minor) FROM subscription GROUP BY 1",
    ),
    "cohorts": (
        f"SELECT substr(o.ordered_at, 1, 7), f.first, count(*), sum(o.total_minor) FROM orders o JOIN"
        f" (SELECT customer_id, substr(min(ordered_at), 1, 7) AS first {PAID} GROUP BY customer_id) f"
        " ON f.customer_id = o.customer_id GROUP BY 1, 2",
    ),
    "customers": (f"{OF_A_CUSTOMER} {PAID} GROUP BY customer_id",),
    "content": (
        "SELECT content_id, substr(o.ordered_at, 1, 7), count(*), sum(amount_minor) FROM line_item l"
        " JOIN orders o ON o.id = l.order_id GROUP BY 1, 2",
    ),
    "funnel": (
        f"SELECT currency, count(*), sum(total_minor) {PAID}"
        f" AND ordered_at BETWEEN '{MONTH_BEFORE}' AND '{LAST}' GROUP BY 1",
        f"SELECT currency, count(*), sum(total_minor) {PAID}"
        f" AND ordered_at BETWEEN '2026-07-03' AND '{MONTH_BEFORE}' GROUP BY 1",
        "SELECT day, source, sum(visits), sum(clicks) FROM traffic GROUP BY 1, 2",
        "SELECT kind, count(*) FROM delivery WHERE sent_at IS NOT NULL GROUP BY kind",
    ),
    "tax": (
        f"SELECT country, sum(tax_minor), sum(total_minor) {PAID} GROUP BY country",
        "SELECT o.country, sum(r.amount_minor) FROM refund r JOIN orders o ON o.id = r.order_id"
        " GROUP BY 1",
    ),
    "profit": (
        f"SELECT substr(ordered_at, 1, 7), sum(total_minor) {PAID} GROUP BY 1",
        "SELECT substr(created_at, 1, 7), sum(fee_minor) FROM balance_transaction GROUP BY 1",
    ),
}


def add_up(database: str, section: str) -> None:
    """Run a section's statements and read every row."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        for statement in SUMS[section]:
            connection.execute(statement).fetchall()


if __name__ == "__main__":
    add_up(*sys.argv[1:3])
