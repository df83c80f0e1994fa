"""The content report as figures, tables and charts."""

from __future__ import annotations

from typing import Final

from kpay.domain.document import (
    Block,
    Cell,
    Chart,
    Column,
    Document,
    Figure,
    Figures,
    Kind,
    Table,
    Text,
)
from kpay.domain.money import Money, exponent
from kpay.domain.reports import content_tables as tables
from kpay.domain.reports.content import ContentReport
from kpay.domain.reports.customer_rows import rounded, share

CHARTED: Final = 12


def document_of(report: ContentReport) -> Document:
    """Return the report as every format tells it."""
    return Document(
        "kpay.report.content/1",
        "Content",
        _blocks(report),
        report.payload(),
        subtitle=report.scope.subtitle(report.period),
        next_steps=report.next_steps(),
        metrics=report.metrics(),
    )


def _blocks(report: ContentReport) -> tuple[Block, ...]:
    if not report.pieces:
        return (Text("Nothing is published and nothing was sold in these days."),)
    found = (
        tables.together(report),
        tables.refunds(report),
        tables.looks(report),
        tables.reviews(report),
        tables.fading(report),
    )
    return (
        _figures(report),
        *_chart(report),
        _sales(report),
        *(table for table in found if table.rows),
        *tables.others(report),
        Text(
            "Net is after discounts, tax and refunds (when they were given), before fees and disputes; "
            "what was paid or given back for several pieces is shared by their prices."
        ),
    )


def _figures(report: ContentReport) -> Figures:
    kinds: tuple[tuple[str, Cell, Kind], ...] = (
        ("Net revenue", Money(report.net_minor, report.currency), "money"),
        ("Orders", report.orders, "count"),
        ("Pieces", len(report.pieces), "count"),
        ("Without an order", report.unsold, "count"),
        ("Orders refunded", report.refunds.share, "share"),
        ("Visits that buy", report.looks.rate.share, "share"),
        (f"Stars of {report.ratings.top}", rounded(report.ratings.mean), "number"),
    )
    return Figures(
        tuple(Figure(*each) for each in kinds), title=f"Content ({report.currency.upper()})"
    )


def _chart(report: ContentReport) -> list[Block]:
    scale = 10 ** exponent(report.currency)
    best = [piece for piece in report.pieces if piece.sum_in(report.currency).net_minor > 0]
    if not best:
        return []
    values = tuple(piece.sum_in(report.currency).net_minor / scale for piece in best[:CHARTED])
    title = f"Net by piece ({report.currency.upper()})"
    return [Chart(title, tuple(piece.name for piece in best[:CHARTED]), values, style="bars")]


def _sales(report: ContentReport) -> Table:
    columns = (
        Column("Piece"),
        Column("Slug"),
        Column("Kind"),
        Column("Orders", "count"),
        Column("Renewals", "count"),
        Column("Gross", "money"),
        Column("Net", "money"),
        Column("Of revenue", "share"),
    )
    rows = tuple(
        (
            piece.name,
            piece.content,
            piece.kind,
            piece.orders,
            piece.renewals,
            *piece.money_in(report.currency),
            share(piece.sum_in(report.currency).net_minor, report.net_minor),
        )
        for piece in report.pieces
    )
    note = (
        "orders are those of all currencies, renewals of memberships among them; a dash: bought in other "
        "currencies only"
    )
    return Table(columns, rows, title=f"Sales ({report.currency.upper()})", note=note)
