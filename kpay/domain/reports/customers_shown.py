"""The customers report as figures, tables and charts."""

from __future__ import annotations

from typing import Final

from kpay.domain.document import Block, Chart, Column, Document, Figure, Figures, Table, Text
from kpay.domain.money import Money, exponent
from kpay.domain.reports import customer_tables as tables
from kpay.domain.reports.customer_rows import rounded, share
from kpay.domain.reports.customers import CustomersReport
from kpay.domain.reports.scope import month_label

EARLY_MONTHS: Final = 2


def document_of(report: CustomersReport) -> Document:
    """Return the report as every format tells it."""
    return Document(
        "kpay.report.customers/1",
        "Customers",
        _blocks(report),
        report.payload(),
        subtitle=report.scope.subtitle(report.period),
        next_steps=report.next_steps(),
        metrics=report.metrics(),
    )


def _blocks(report: CustomersReport) -> tuple[Block, ...]:
    """Show the first figures, then new and returning, the spread, the groups, the late, countries."""
    if not report.orders:
        return (Text("Nobody bought anything in these days."), *tables.others(report))
    return (
        _figures(report),
        *_new_and_returning(report),
        *_spread(report),
        tables.top(report),
        *tables.groups(report),
        *tables.lapsing(report),
        tables.countries(report),
        *tables.others(report),
        *_notes(report),
    )


def _figures(report: CustomersReport) -> Figures:
    code = report.currency
    people = tuple(
        float(month.new_customers + month.returning_customers) for month in report.months
    )
    new = tuple(float(month.new_customers) for month in report.months)
    largest = report.spread.largest_share
    return Figures(
        (
            Figure("Customers", report.customers, line=people),
            Figure("New customers", report.new_customers, line=new),
            Figure("Net revenue", Money(report.net_minor, code), "money"),
            Figure("From returning", share(report.returning_minor, report.net_minor), "share"),
            Figure("From the largest", rounded(largest), "share"),
            Figure("Lapsing", len(report.lapsing)),
            Figure("Brought in their last year", Money(report.at_risk_year_minor, code), "money"),
        ),
        title=f"Customers ({code.upper()})",
    )


def _new_and_returning(report: CustomersReport) -> list[Block]:
    code, scale = report.currency, 10 ** exponent(report.currency)
    known = report.scope.known(report.period)
    labels = tuple(month_label(month.month, known) for month in report.months)
    columns = (
        Column(f"Month ({code.upper()})"),
        Column("New", "count"),
        Column("Returning", "count"),
        Column("From new", "money"),
        Column("From returning", "money"),
        Column("From guests", "money"),
    )
    rows = tuple(
        (
            label,
            month.new_customers,
            month.returning_customers,
            Money(month.new_minor, code),
            Money(month.returning_minor, code),
            Money(month.guests_minor, code),
        )
        for label, month in zip(labels, report.months, strict=True)
    )
    table = Table(
        columns,
        rows,
        title="New and returning",
        note="new: in the month of their first order; guests: orders whose buyer is not known",
    )
    values = tuple(month.returning_minor / scale for month in report.months)
    if len(values) < EARLY_MONTHS:
        return [table]
    return [Chart(f"From returning customers ({code.upper()})", labels, values), table]


def _spread(report: CustomersReport) -> list[Block]:
    spread = report.spread
    if not spread.people:
        return []
    rows = tuple(
        (
            f"the largest {top.people_share:.0%}",
            top.people,
            None if top.amount_minor is None else Money(top.amount_minor, report.currency),
            rounded(top.revenue_share),
        )
        for top in spread.tops
    )
    columns = (
        Column("Customers"),
        Column("How many", "count"),
        Column("Net", "money"),
        Column("Of revenue", "share"),
    )
    note = "a dash: less than one customer" if spread.tops[0].people is None else ""
    return [Table(columns, rows, title="How much hangs on few", note=note), Text(_said(report))]


def _said(report: CustomersReport) -> str:
    spread = report.spread
    name = f"{report.currency.upper()} revenue"
    largest = (
        f"Without the largest customer {spread.largest_share:.1%} of the {name} would be gone."
    )
    if spread.gini is None:
        return largest
    how = "evenly spread" if spread.gini < 0.3 else "uneven" if spread.gini < 0.6 else "very uneven"
    return (
        f"{largest} Half of it comes from {spread.half_people:,} of {spread.people:,} "
        f"customers: {how} (Gini {spread.gini:.2f}; as if "
        f"{spread.alike_people:,.0f} customers of one size brought everything)."
    )


def _notes(report: CustomersReport) -> list[Block]:
    words = "Net is after discounts, tax and refunds, before fees and disputes."
    if report.guest_orders:
        words += f" {report.guest_orders:,} orders have no known buyer and count for no customer."
    return [Text(words)]
