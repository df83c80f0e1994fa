"""The content report: from the lines of orders, looks and ratings in the store to a line a piece."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Connection

from kpay.domain.document import Document
from kpay.domain.period import parse_instant
from kpay.domain.reports.behind import Behind, BehindRow
from kpay.domain.reports.content import ContentReport
from kpay.domain.reports.content_rows import PieceLine, Rate
from kpay.domain.reports.content_shown import document_of
from kpay.domain.reports.scope import Scope
from kpay.services.reporting.content_shelf import Shelf, shelf
from kpay.services.reporting.content_study import Part
from kpay.services.reporting.customer_behind import Shown

OPENED = ("gross", "net")


def document(connection: Connection, scope: Scope) -> Document:
    """Make the content report."""
    return document_of(content_report(shelf(connection, scope)))


def content_report(known: Shelf) -> ContentReport:
    """Say of each piece that was out or sold in the period what it did."""
    lines = [known.line(name) for name in sorted(known.names)]
    lines.sort(key=lambda line: (-line.sum_in(known.currency).net_minor, -line.orders))
    others: Counter[str] = Counter()
    for line in lines:
        others.update({code: sums.net_minor for code, sums in line.sums.items()})
    others.pop(known.currency, None)
    return ContentReport(
        known.scope,
        known.period,
        known.currency,
        tuple(lines),
        sum(known.study.orders.values()),
        Rate(known.study.refunded, known.study.paid),
        known.all_looks,
        known.all_ratings,
        dict(sorted(others.items())),
    )


def explain(connection: Connection, scope: Scope, metric: str) -> Behind | None:
    """Open gross, net, gross:PIECE and net:PIECE: the orders and refunds they are made of."""
    name, is_piece, piece = metric.partition(":")
    if name not in OPENED:
        return None
    known = shelf(connection, scope, opening=piece if is_piece else None)
    report = content_report(known)
    if is_piece and piece not in known.names:
        return None
    parts = known.study.parts
    value = _of(report, piece, name) if is_piece else int(report.metrics()[name].value or 0)
    shown = Shown(connection, (part.customer for part in parts), scope)
    rows = tuple(
        BehindRow(
            parse_instant(part.at),
            shown.said(part.customer),
            "refund" if part.is_refund else (part.piece or "order"),
            _amount(part, name),
            part.provider,
        )
        for part in sorted(parts, key=lambda part: (part.at, part.provider, part.piece))
        if _amount(part, name)
    )
    note = "Before discounts." if name == "gross" else "Without tax, before fees and disputes."
    return Behind(metric, scope, known.period, value, rows, known.currency, note)


def _of(report: ContentReport, piece: str, name: str) -> int:
    line: PieceLine = next(line for line in report.pieces if line.content == piece)
    sums = line.sum_in(report.currency)
    return sums.gross_minor if name == "gross" else sums.net_minor


def _amount(part: Part, name: str) -> int:
    return part.gross_minor if name == "gross" else part.net_minor
