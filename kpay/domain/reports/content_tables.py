"""The tables of the content report that stand below its sales."""

from __future__ import annotations

from kpay.domain.document import Block, Column, Table
from kpay.domain.money import Money
from kpay.domain.reports.content import ContentReport
from kpay.domain.reports.content_rows import PieceLine
from kpay.domain.reports.customer_rows import rounded, share


def together(report: ContentReport) -> Table:
    """What else buyers of a piece bought, at once and ever."""
    columns = (
        Column("Piece"),
        Column("Orders with more", "share"),
        Column("Buyers ever", "count"),
        Column("Bought others too", "share"),
        Column("Most often"),
    )
    rows = tuple(
        (
            piece.name,
            share(piece.together, piece.baskets),
            piece.buyers,
            share(piece.also, piece.buyers),
            piece.often_with,
        )
        for piece in report.pieces
        if piece.buyers or piece.baskets
    )
    return Table(columns, rows, title="Bought together")


def refunds(report: ContentReport) -> Table:
    """How many orders with a piece were given back, against the shop."""
    columns = (
        Column("Piece"),
        Column("Orders refunded", "count"),
        Column("Share", "share"),
        Column("At least", "share"),
        Column("At most", "share"),
        Column("Against the shop"),
    )
    usual, looks = report.refunds.share, sum(piece.refunds.of > 0 for piece in report.pieces)
    rows = tuple(
        (
            piece.name,
            piece.refunds.count,
            piece.refunds.share,
            *piece.refunds.range,
            piece.refunds.against(usual, looks) or None,
        )
        for piece in report.pieces
        if piece.refunds.of
    )
    said = f"the shop: {usual:.1%}; " if usual is not None else ""
    note = f"{said}orders of the period (renewals apart) that were refunded by its end, wholly or in part; 95 % range"
    return Table(columns, rows if report.refunds.count else (), title="Refunds", note=note)


def looks(report: ContentReport) -> Table:
    """How many of those who looked bought."""
    columns = (
        Column("Piece"),
        Column("Visits", "count"),
        Column("Clicks", "count"),
        Column("Purchases", "count"),
        Column("Visits that buy", "share"),
        Column("At least", "share"),
        Column("At most", "share"),
        Column("Counted by"),
    )
    rows = tuple(
        (
            piece.name,
            piece.looks.visits,
            piece.looks.clicks,
            piece.looks.purchases,
            piece.looks.rate.share,
            *piece.looks.rate.range,
            piece.looks.source,
        )
        for piece in report.pieces
        if piece.looks.source
    )
    note = (
        "purchases of the days on which visits were counted; events: known people who looked, and "
        "those of them who bought; 95 % range"
    )
    return Table(columns, rows, title="Looked at and bought", note=note)


def reviews(report: ContentReport) -> Table:
    """What buyers thought."""
    columns = (
        Column("Piece"),
        Column("Ratings", "count"),
        Column("Mean", "number"),
        Column("Drawn to all", "number"),
        Column("Unhappy", "share"),
    )
    rows = tuple(
        (
            piece.name,
            piece.ratings.count,
            rounded(piece.ratings.mean),
            rounded(piece.ratings.shrunk),
            share(piece.ratings.unhappy, piece.ratings.count),
        )
        for piece in report.pieces
        if piece.ratings.count
    )
    note = (
        "all ratings up to the end of the period; a mean of few is drawn to everybody's as if five "
        "usual ratings had come too; unhappy: at most two fifths of the stars"
    )
    return Table(columns, rows, title=f"Reviews (stars of {report.ratings.top})", note=note)


def fading(report: ContentReport) -> Table:
    """How the sales of a piece go on after it came out."""
    columns = (
        Column("Piece"),
        Column("Out since", "day"),
        Column("First 90 days", "count"),
        Column("Last 90 days", "count"),
        Column("Half sold within", "text"),
        Column("State"),
    )
    rows = tuple(
        (
            piece.name,
            piece.published,
            piece.fading.first_orders,
            piece.fading.recent_orders,
            _half(piece),
            piece.fading.pace.value,
        )
        for piece in report.pieces
        if piece.fading
    )
    note = (
        "half of the orders of its first 180 days (or as many as there were) came within so many days, "
        "with the 95 % range; steady sales: the middle of those days; renewals are not counted"
    )
    return Table(columns, rows, title="How they fade", note=note)


def _half(piece: PieceLine) -> str | None:
    fading = piece.fading
    if fading is None or fading.half_life_days is None:
        return None
    days = f"{fading.half_life_days} of {fading.stretch_days} days"
    return f"{days} ({fading.half_life_low} to {fading.half_life_high})"


def others(report: ContentReport) -> list[Block]:
    """What was sold in other currencies."""
    rows = tuple(
        (piece.name, code.upper(), Money(sums.gross_minor, code), Money(sums.net_minor, code))
        for piece in report.pieces
        for code, sums in sorted(piece.sums.items())
        if code != report.currency and (sums.gross_minor or sums.net_minor)
    )
    columns = (
        Column("Piece"),
        Column("Currency"),
        Column("Gross", "money"),
        Column("Net", "money"),
    )
    return [Table(columns, rows, title="In other currencies")] if rows else []
