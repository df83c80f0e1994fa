"""Which module makes which report; each is imported when it is asked for, so that all start fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kpay.domain.enums import ReportSection

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kpay.domain.document import Document
    from kpay.domain.reports.behind import Behind
    from kpay.domain.reports.scope import Scope


class Section(Protocol):
    """What a module of kpay.services.reporting offers."""

    def document(self, connection: Connection, scope: Scope, /) -> Document:
        """Make the report."""

    def explain(self, connection: Connection, scope: Scope, metric: str, /) -> Behind | None:
        """Open one of its metrics in the scope's period; None for one that it does not know."""


def section_module(section: ReportSection) -> Section:
    """Return the module that makes a section."""
    if section is ReportSection.SUMMARY:
        from kpay.services.reporting import summary

        return summary
    if section is ReportSection.REVENUE:
        from kpay.services.reporting import revenue

        return revenue
    if section is ReportSection.MRR:
        from kpay.services.reporting import mrr

        return mrr
    raise AssertionError(section)
