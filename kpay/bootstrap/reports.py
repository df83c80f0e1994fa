"""Which module makes which report; each is imported when it is asked for, so that all start fast."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from kpay.domain.enums import MrrPolicy, ReportSection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from kpay.bootstrap import Business
    from kpay.domain.document import Document
    from kpay.domain.reports.behind import Behind
    from kpay.domain.reports.scope import Scope
    from kpay.services.reporting.making import Asked
    from kpay.store.engine import Store


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
    if section is ReportSection.COHORTS:
        from kpay.services.reporting import cohorts

        return cohorts
    if section is ReportSection.CUSTOMERS:
        from kpay.services.reporting import customers

        return customers
    if section is ReportSection.CONTENT:
        from kpay.services.reporting import content

        return content
    if section is ReportSection.TOPICS:
        from kpay.services.reporting import topics

        return topics
    if section is ReportSection.FUNNEL:
        from kpay.services.reporting import funnel

        return funnel
    if section is ReportSection.CAMPAIGNS:
        from kpay.services.reporting import campaigns

        return campaigns
    if section is ReportSection.PROFIT:
        from kpay.services.reporting import profit

        return profit
    if section is ReportSection.TAX:
        from kpay.services.reporting import tax

        return tax
    if section is ReportSection.BOOKS:
        from kpay.services.reporting import books

        return books
    if section is ReportSection.ALL:
        return _whole()
    raise AssertionError(section)


def _whole() -> Section:
    from kpay.services.reporting.whole import ORDER, Whole

    return Whole({one.value: section_module(one).document for one in ORDER})


@dataclass(frozen=True)
class ReportDesk:
    """Reports of one scope from one store, each made once."""

    store: Store
    scope: Scope
    made: dict[ReportSection, Document] = field(default_factory=dict)

    def document(self, section: ReportSection) -> Document:
        """Make a section's report."""
        from kpay.services.reporting.making import report

        if section not in self.made:
            self.made[section] = report(self.store, section_module(section).document, self.scope)
        return self.made[section]

    def opened(self, wish: str, section: ReportSection) -> Document:
        """Open a figure (METRIC or METRIC@MONTH): the rows behind it."""
        from kpay.services.reporting.opening import opened

        return opened(
            self.store,
            wish,
            section,
            self.scope,
            explain_in=lambda one: section_module(one).explain,
            document_in=lambda one: section_module(one).document,
        )

    def raise_if(self, texts: Sequence[str], section: ReportSection) -> None:
        """Raise ConditionHolds when a figure is where it should not be."""
        from kpay.services.reporting.alerting import conditions_of, raise_if_held

        raise_if_held(conditions_of(texts), section, self.document)


def report_desk(business: Business, asked: Asked, section: ReportSection) -> ReportDesk:
    """Return the reports of a business as they were asked for; UsageProblem where that cannot be."""
    from kpay.errors import UsageProblem
    from kpay.services.reporting.making import scope_of

    if asked.policy != MrrPolicy.KPAY and section is not ReportSection.MRR:
        raise UsageProblem(
            f"--policy {asked.policy} is about MRR, not about {section}",
            f"kpay report mrr --policy {asked.policy}",
        )

    scope = scope_of(
        asked,
        now=business.clock.now(),
        timezone=business.settings.timezone,
        base_currency=business.settings.base_currency,
        last_sync=business.last_success("sync"),
    )
    return ReportDesk(business.store, scope)
