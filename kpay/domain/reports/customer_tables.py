"""The tables of the customers report that name people, groups and countries."""

from __future__ import annotations

from typing import Final

from kpay.domain.customer_groups import RFM_GROUPS
from kpay.domain.document import Block, Column, Table, Text
from kpay.domain.money import Money
from kpay.domain.reports.customer_rows import share
from kpay.domain.reports.customers import CustomersReport

SHOWN: Final = 15
COUNTRIES: Final = 10


def top(report: CustomersReport) -> Table:
    """Who brought most, by number."""
    rows = tuple(
        (
            f"#{one.number}",
            one.shown,
            one.orders,
            Money(one.net_minor, report.currency),
            share(one.net_minor, report.net_minor),
            one.last_day,
            one.group,
        )
        for one in report.top
    )
    columns = (
        Column("Number"),
        Column("Customer"),
        Column("Orders", "count"),
        Column("Net", "money"),
        Column("Of revenue", "share"),
        Column("Last order", "day"),
        Column("Group"),
    )
    return Table(columns, rows, title=f"Who brought most ({report.currency.upper()})")


def groups(report: CustomersReport) -> list[Block]:
    """How many are in each group by recency, frequency and money."""
    everybody, paid = report.everybody, report.ever_paid_minor
    if not everybody:
        return []
    rows = tuple(
        (
            one.name,
            one.customers,
            share(one.customers, everybody),
            Money(one.paid_minor, report.currency),
            share(one.paid_minor, paid),
            RFM_GROUPS[one.name],
        )
        for one in report.groups
    )
    columns = (
        Column("Group"),
        Column("Customers", "count"),
        Column("Share", "share"),
        Column("Ever paid", "money"),
        Column("Of revenue", "share"),
        Column("What it means"),
    )
    day = report.scope.known(report.period).last_day
    return [Table(columns, rows, title=f"How lately, how often, for how much, on {day}")]


def lapsing(report: CustomersReport) -> list[Block]:
    """The usual gap, and who is late by their own rhythm."""
    gap = f"{report.usual_gap_days} days"
    told = f"is taken to be {gap}" if report.is_gap_assumed else f"is {gap}"
    rhythm = Text(
        f"The usual gap between two purchases {told}. {report.due_30d:,} customers are due in the "
        "next 30 days by their own rhythm."
    )
    if not report.lapsing:
        return [rhythm]
    rows = tuple(
        (
            f"#{one.number}",
            one.shown,
            one.group,
            one.times,
            one.gap_days,
            one.last_day,
            one.expected_day,
            Money(one.year_minor, report.currency),
        )
        for one in report.lapsing[:SHOWN]
    )
    columns = (
        Column("Number"),
        Column("Customer"),
        Column("Group"),
        Column("Purchases", "count"),
        Column("Gap in days", "count"),
        Column("Last", "day"),
        Column("Was expected", "day"),
        Column("Their last year", "money"),
    )
    hidden = len(report.lapsing) - len(rows)
    note = f"and {hidden:,} more (kpay report customers --explain lapsing)" if hidden else ""
    return [rhythm, Table(columns, rows, title="Lapsing: late by their own rhythm", note=note)]


def countries(report: CustomersReport) -> Table:
    """Where orders came from."""
    rows = tuple(
        (
            one.code or "(not known)",
            one.customers,
            one.orders,
            Money(one.net_minor, report.currency),
            share(one.net_minor, report.net_minor),
        )
        for one in report.countries[:COUNTRIES]
    )
    columns = (
        Column("Country"),
        Column("Customers", "count"),
        Column("Orders", "count"),
        Column("Net", "money"),
        Column("Of revenue", "share"),
    )
    hidden = len(report.countries) - len(rows)
    return Table(columns, rows, title="Countries", note=f"and {hidden} more" if hidden > 0 else "")


def others(report: CustomersReport) -> list[Block]:
    """What was sold in other currencies."""
    if not report.others:
        return []
    rows = tuple(
        (code.upper(), orders, Money(minor, code))
        for code, (orders, minor) in report.others.items()
    )
    columns = (Column("Currency"), Column("Orders", "count"), Column("Net", "money"))
    return [Table(columns, rows, title="In other currencies, not counted above")]
