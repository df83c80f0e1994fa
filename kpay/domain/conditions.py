"""Conditions on the figures of reports: "gross_churn_share > 0.08", "mrr < 5000usd", "refunds > 3%"."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from kpay.domain.document import Metric
from kpay.domain.money import exponent, format_minor

COMPARISON: Final = re.compile(
    r"(?:(?P<section>[a-z]+)\.)?(?P<metric>[a-z][a-z0-9_]*)\s*(?P<sign><=|>=|<|>|==|=|!=)\s*"
    r"(?P<number>-?\d+(?:\.\d+)?)\s*(?P<unit>%|[A-Za-z]{3})?"
)
SIGNS: Final[Mapping[str, tuple[Callable[[Decimal, Decimal], bool], str]]] = {
    "<": (operator.lt, "below"),
    "<=": (operator.le, "at or below"),
    ">": (operator.gt, "above"),
    ">=": (operator.ge, "at or above"),
    "=": (operator.eq, "exactly"),
    "==": (operator.eq, "exactly"),
    "!=": (operator.ne, "not"),
}
EXAMPLE: Final = "gross_churn_share > 0.08"


@dataclass(frozen=True, slots=True)
class Condition:
    """A figure by its name (of one section, or wherever it is), compared with a number.

    `unit` is "%", a currency, or "" for the figure's own unit: whole units of its currency for money,
    or its minor units where the name was written with `_minor`.
    """

    text: str
    section: str | None
    metric: str
    sign: str
    number: Decimal
    unit: str
    is_minor: bool = False

    def holds(self, metric: Metric) -> bool:
        """Say whether a figure meets the condition; one that is not defined never does.

        Raises ValueError for a unit that the figure does not have.
        """
        if metric.value is None:
            return False
        return SIGNS[self.sign][0](Decimal(str(metric.value)), self._threshold(metric))

    def sentence(self, metric: Metric) -> str:
        """Say what the figure is, and what it was held against."""
        here = _shown(self.metric, Decimal(str(metric.value)), metric)
        there = _shown(self.metric, self._threshold(metric), metric)
        return f"{self.metric} is {here}, {SIGNS[self.sign][1]} {there}"

    def _threshold(self, metric: Metric) -> Decimal:
        if self.unit == "%":
            if metric.currency:
                raise ValueError(f"{self.metric} is money, not a share: leave the % out")
            return self.number / 100
        if self.unit and self.unit != metric.currency:
            said = f"in {metric.currency.upper()}" if metric.currency else "no money"
            raise ValueError(f"{self.metric} is {said}, not in {self.unit.upper()}")
        if metric.currency and not self.is_minor:
            return self.number.scaleb(exponent(metric.currency))
        return self.number


def read_condition(text: str) -> Condition:
    """Read "NAME OPERATOR NUMBER" or "SECTION.NAME OPERATOR NUMBER"; ValueError for anything else."""
    found = COMPARISON.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a condition (write {EXAMPLE!r})")
    return Condition(
        text.strip(),
        found["section"],
        found["metric"].removesuffix("_minor"),
        found["sign"],
        Decimal(found["number"]),
        (found["unit"] or "").lower(),
        found["metric"].endswith("_minor"),
    )


def _shown(name: str, value: Decimal, metric: Metric) -> str:
    if metric.currency:
        return format_minor(int(value), metric.currency)
    if name.endswith("_share"):
        return f"{value:.2%}"
    return f"{value.normalize():,f}"
