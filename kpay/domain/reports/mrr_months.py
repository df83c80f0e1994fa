"""A month of recurring revenue as a report shows it: movements, rates, and how it stands at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kpay.domain.document import Cell, Column, Metric, Table
from kpay.domain.money import Money
from kpay.domain.reports.mrr_rates import Rates
from kpay.domain.subscriptions import MonthOfMrr

MOVEMENTS = (
    ("start_minor", "Start"),
    ("new_minor", "New"),
    ("expansion_minor", "Expansion"),
    ("reactivation_minor", "Back"),
    ("contraction_minor", "Contraction"),
    ("churn_minor", "Churn"),
    ("fx_minor", "FX"),
    ("end_minor", "End"),
)
LOSSES = frozenset({"contraction_minor", "churn_minor"})
COUNTS = (
    "subscribers_start",
    "subscribers_new",
    "subscribers_reactivated",
    "subscribers_churned",
    "subscribers_churned_opening",
    "subscribers_churned_involuntary",
    "subscribers_end",
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a month's last MRR stands: what of it is past due, and who has asked to leave."""

    past_due_minor: int = 0
    cancelling_minor: int = 0
    cancelling_subscribers: int = 0


@dataclass(frozen=True, slots=True)
class MonthLine:
    """One month of the report."""

    month: MonthOfMrr
    rates: Rates
    standing: Standing = Standing()

    @property
    def label(self) -> str:
        """The month, and that it is not over."""
        return f"{self.month.first_day:%Y-%m}{' so far' if self.month.is_partial else ''}"

    def payload(self) -> dict[str, Any]:
        """Return the object of one month in `months`."""
        month, standing = self.month, self.standing
        return {
            "month": f"{month.first_day:%Y-%m}",
            "is_partial": month.is_partial,
            "mrr_start_minor": month.start_minor,
            "new_minor": month.new_minor,
            "expansion_minor": month.expansion_minor,
            "contraction_minor": month.contraction_minor,
            "churn_minor": month.churn_minor,
            "churn_voluntary_minor": month.churn_voluntary_minor,
            "churn_involuntary_minor": month.churn_involuntary_minor,
            "reactivation_minor": month.reactivation_minor,
            "fx_minor": month.fx_minor,
            "mrr_end_minor": month.end_minor,
            "arr_end_minor": month.end_minor * 12,
            "mrr_excluding_past_due_minor": month.end_minor - standing.past_due_minor,
            "past_due_minor": standing.past_due_minor,
            "cancelling_minor": standing.cancelling_minor,
            "cancelling_subscribers": standing.cancelling_subscribers,
            "committed_mrr_minor": month.end_minor - standing.cancelling_minor,
            **{name: getattr(month, name) for name in COUNTS},
            **{name: getattr(self.rates, name) for name in Rates.__slots__},
        }

    def metrics(self, currency: str) -> dict[str, Metric]:
        """Return its figures by name, money without its unit; `mrr` is that of the end."""
        found = {}
        for name, value in self.payload().items():
            if name not in ("month", "is_partial"):
                plain = name.removesuffix("_minor")
                found[plain] = Metric(value, currency if plain != name else None)
        return {"mrr": found["mrr_end"], **found}


def money(minor: int | None, code: str) -> Money | None:
    """Return an amount, or None for none."""
    return None if minor is None else Money(minor, code)


def signed(month: MonthOfMrr, name: str) -> int:
    """Return a movement with the sign with which it enters the sum."""
    minor = int(getattr(month, name))
    return -minor if name in LOSSES else minor


def movement_table(code: str, lines: Sequence[MonthLine]) -> Table:
    """Show what led from the start of each month to its end."""
    columns = (
        Column(f"Month ({code.upper()})"),
        *(Column(heading, "money") for _, heading in MOVEMENTS),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (line.label, *(Money(signed(line.month, name), code) for name, _ in MOVEMENTS))
        for line in lines
    )
    return Table(columns, rows, title=f"Movements ({code.upper()})")


def rate_table(code: str, lines: Sequence[MonthLine]) -> Table:
    """Show the rates of each month."""
    columns = (
        Column(f"Month ({code.upper()})"),
        Column("Subscribers", "count"),
        Column("Per subscriber", "money"),
        Column("Gross churn", "share"),
        Column("Net churn", "share"),
        Column("Customers lost", "share"),
        Column("Involuntary", "money"),
        Column("Quick ratio", "number"),
        Column("LTV", "money"),
        Column("LTV, 3 months", "money"),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            line.label,
            line.month.subscribers_end,
            money(line.rates.arpu_minor, code),
            line.rates.gross_churn_share,
            line.rates.net_churn_share,
            line.rates.logo_churn_share,
            Money(line.month.churn_involuntary_minor, code),
            line.rates.quick_ratio,
            money(line.rates.ltv_minor, code),
            money(line.rates.ltv_3m_minor, code),
        )
        for line in lines
    )
    note = "Churn is a share of what the month began with; a dash is not defined."
    return Table(columns, rows, title=f"Rates ({code.upper()})", note=note)


def standing_table(code: str, lines: Sequence[MonthLine]) -> Table:
    """Show of each month's last MRR what is uncertain, and who came and went."""
    columns = (
        Column(f"Month ({code.upper()})"),
        Column("MRR", "money"),
        Column("Past due", "money"),
        Column("Cancelling", "money"),
        Column("Committed", "money"),
        Column("ARR", "money"),
        Column("New", "count"),
        Column("Back", "count"),
        Column("Lost", "count"),
        Column("Cancelling customers", "count"),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            line.label,
            Money(line.month.end_minor, code),
            Money(line.standing.past_due_minor, code),
            Money(line.standing.cancelling_minor, code),
            Money(line.month.end_minor - line.standing.cancelling_minor, code),
            Money(line.month.end_minor * 12, code),
            line.month.subscribers_new,
            line.month.subscribers_reactivated,
            line.month.subscribers_churned,
            line.standing.cancelling_subscribers,
        )
        for line in lines
    )
    note = (
        "Past due: a bill is unpaid and its grace is running. Cancelling: they asked to leave and "
        "still pay; committed is what is left without them."
    )
    return Table(columns, rows, title=f"At the end of each month ({code.upper()})", note=note)
