"""The funnel report: reach, click rate, purchase rate and order value, and what each did to revenue."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from kpay.domain import funnel
from kpay.domain.document import (
    Block,
    Cell,
    Column,
    Document,
    Figure,
    Figures,
    Kind,
    Metric,
    Step,
    Table,
    Text,
    Waterfall,
)
from kpay.domain.funnel import CLICK, CONVERSION, ORDER, PURCHASE, REACH, Steps
from kpay.domain.money import exponent
from kpay.domain.period import Period
from kpay.domain.reports import funnel_words as words
from kpay.domain.reports.funnel_channel import (
    FIGURE_KINDS,
    TENTH,
    WORDS,
    Channel,
    as_float,
    money_cell,
    money_cells,
    rounded,
    share_cells,
)
from kpay.domain.reports.scope import Scope, before_in_words


@dataclass(frozen=True)
class FunnelReport:
    """Channels of a period: the whole business, the site, the mail, and each source of them.

    `known` is the part of `period` whose days are over. `apart` are paid orders in other currencies,
    `sourceless` the orders of the site that name no source; `reach_of` says what reach counts.
    """

    scope: Scope
    period: Period
    known: Period
    currency: str
    total: Channel
    site: Channel
    mail: Channel
    sources: tuple[Channel, ...]
    apart: tuple[tuple[str, int, int], ...] = ()
    sourceless: int = 0
    hint: tuple[str, ...] = ()

    @property
    def lead(self) -> Channel:
        """The channel that the figures are about: all together where its factors are known."""
        channels = (self.total, self.site, self.mail)
        for wanted in (funnel.FOUR, funnel.THREE):
            for channel in channels:
                if channel.now.known_factors() == wanted:
                    return channel
        return self.total

    def to_document(self) -> Document:
        """Show the factors, who brought them, what moved revenue, and what a tenth more is worth."""
        blocks: tuple[Block, ...]
        if self._is_empty:
            blocks = (Text("No visit, no message and no order is known in these days."),)
        else:
            blocks = (self._figures(), *self._moved(), *self._tables(), *map(Text, self._notes()))
        return Document(
            "kpay.report.funnel/1",
            "Funnel",
            blocks,
            self._payload(),
            subtitle=self.scope.subtitle(self.period),
            next_steps=self.hint,
            metrics=self._metrics(),
        )

    @property
    def _is_empty(self) -> bool:
        now = self.total.now
        parts = (self.site.now, self.mail.now)
        return not now.orders and not any(one.reach or one.clicks for one in parts)

    @property
    def _channels(self) -> tuple[Channel, ...]:
        """Return the rows of the tables: sources, then the sums of those that have several."""
        has_mail = any(one.kind == "mail" for one in self.sources)
        sums = (self.site, self.mail, self.total) if has_mail else (self.total,)
        return (*self.sources, *sums)

    def _payload(self) -> dict[str, Any]:
        code = self.currency
        return {
            **self.scope.head(self.period),
            "counted": self.known.to_json(),
            "currency": code,
            "total": self.total.to_json(code),
            "site": self.site.to_json(code),
            "mail": self.mail.to_json(code),
            "sources": [one.to_json(code) for one in self.sources],
            "other_currencies": [
                {"currency": other, "orders": orders, "paid_minor": minor}
                for other, orders, minor in self.apart
            ],
            "orders_without_source": self.sourceless,
            "notes": self._notes(),
        }

    def _figures(self) -> Figures:
        lead = self.lead
        against = before_in_words(self.period)
        shown = [name for name in funnel.FOUR if lead.now.factor(name) is not None] or [REACH]
        figures = [
            Figure(
                WORDS[name].capitalize(),
                _cell(lead.now, name, self.currency),
                FIGURE_KINDS.get(name, "share"),
                _relative(lead.before.factor(name), lead.now.factor(name)),
                against,
            )
            for name in shown
        ]
        paid, earlier = lead.now.paid_minor, lead.before.paid_minor
        change = _relative(_fraction(earlier), _fraction(paid))
        revenue = Figure("Revenue", money_cell(paid, self.currency), "money", change, against)
        return Figures((*figures, revenue), title=words.title(lead))

    def _moved(self) -> tuple[Waterfall, ...]:
        lead, unit = self.lead, 10 ** exponent(self.currency)
        parts = funnel.change_parts(lead.before, lead.now)
        if parts is None:
            return ()
        ends = (lead.before.paid_minor or 0, lead.now.paid_minor or 0)
        steps = [Step(WORDS[name].capitalize(), part / unit) for name, part in parts.items()]
        first, last = Step("Before", ends[0] / unit, True), Step("Now", ends[1] / unit, True)
        title = f"Revenue {before_in_words(self.period)}"
        return (Waterfall(title, (first, *steps, last), self.currency.upper()),)

    def _tables(self) -> tuple[Table, ...]:
        return (self._steps(), self._rates(), *self._factors())

    def _steps(self) -> Table:
        headings: tuple[tuple[str, Kind], ...] = (
            ("Source", "text"),
            ("Reach", "count"),
            ("Clicks", "count"),
            ("Orders", "count"),
            ("Revenue", "money"),
            ("Order value", "money"),
            ("low 95 %", "money"),
            ("high 95 %", "money"),
        )
        rows = [
            (
                words.shown_name(one),
                one.now.reach,
                one.now.clicks,
                one.now.orders,
                money_cell(one.now.paid_minor, self.currency),
                *money_cells(one.now.interval(ORDER), self.currency),
            )
            for one in self._channels
        ]
        note = f"Revenue is what buyers paid in {self.currency.upper()}, tax inside, before refunds and fees."
        columns = tuple(Column(heading, kind) for heading, kind in headings)
        return Table(columns, tuple(rows), title="Steps", note=note)

    def _rates(self) -> Table:
        names = (CLICK, PURCHASE) if self.lead.now.factor(CLICK) is not None else (CONVERSION,)
        columns = [
            Column(heading, "share")
            for name in names
            for heading in (WORDS[name].capitalize(), "low 95 %", "high 95 %")
        ]
        rows = [
            (
                words.shown_name(one),
                *(cell for name in names for cell in share_cells(one.now.interval(name))),
            )
            for one in self._channels
        ]
        return Table((Column("Source"), *columns), tuple(rows), title="Rates")

    def _factors(self) -> list[Table]:
        lead = self.lead
        names = lead.now.known_factors()
        if not names:
            return []
        parts = funnel.change_parts(lead.before, lead.now) or {}
        code = self.currency
        rows: list[tuple[Cell, ...]] = [
            (
                WORDS[name].capitalize(),
                money_cell(parts.get(name), code),
                *money_cells(funnel.worth_of(lead.now, (name,), TENTH), code),
            )
            for name in names
        ]
        change = sum(parts.values()) if parts else None
        everything = money_cells(funnel.worth_of(lead.now, names, TENTH), code)
        rows.append(("Together", money_cell(change, code), *everything))
        headings = ("Part of the change", "10 % more is worth", "low 95 %", "high 95 %")
        columns = (Column("Factor"), *(Column(heading, "money") for heading in headings))
        return [
            Table(columns, tuple(rows), title=f"What moved revenue ({words.title(lead).lower()})")
        ]

    def _notes(self) -> list[str]:
        return [
            words.moved(self.lead, self.currency),
            *words.refusals(self._channels),
            *words.apart(self.apart),
            *words.origins(self.site.now, self.mail.now, self.sourceless),
        ]

    def _metrics(self) -> dict[str, Metric]:
        channels = (("", self.total), ("site_", self.site), ("mail_", self.mail))
        return {
            f"{prefix}{name}": metric
            for prefix, one in channels
            for name, metric in one.metrics(self.currency).items()
        }


def _cell(steps: Steps, name: str, currency: str) -> Cell:
    if name == REACH:
        return steps.reach
    if name == ORDER:
        return money_cell(rounded(steps.factor(ORDER)), currency)
    return as_float(steps.factor(name))


def _relative(before: Fraction | None, now: Fraction | None) -> float | None:
    return float(now / before - 1) if before and now is not None else None


def _fraction(minor: int | None) -> Fraction | None:
    return None if minor is None else Fraction(minor)
