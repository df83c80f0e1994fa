"""Costs and other income, as imported: money of a day that no sale brought."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class Outlay(NamedTuple):
    """Money spent on a day, or with `is_income` received, in minor units."""

    day: date
    kind: str
    campaign: str
    amount_minor: int
    currency: str
    is_income: bool
