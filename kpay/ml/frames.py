"""The column contract of the orders frame, and the compact form that every model reads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

from kpay.ml.arrays import Flags as Flags
from kpay.ml.arrays import Floats as Floats
from kpay.ml.arrays import Ints as Ints

Frame: TypeAlias = pd.DataFrame

ORDER_COLUMNS: Final = ("customer", "at", "amount_minor", "currency", "content", "order")
MICROSECONDS_A_DAY: Final = 86_400_000_000


def check_orders(orders: pd.DataFrame) -> None:
    """Raise ValueError, naming the column, when the frame breaks the contract.

    One row is one line of an order: `customer` and `order` are integers, `at` is an aware UTC instant,
    `amount_minor` an integer in minor units beside its `currency`, `content` a slug or "".
    """
    missing = [name for name in ORDER_COLUMNS if name not in orders.columns]
    if missing:
        raise ValueError(f"the orders frame lacks {', '.join(missing)}")
    for name in ("customer", "amount_minor", "order"):
        if not pd.api.types.is_integer_dtype(orders[name]):
            raise ValueError(f"orders.{name} is {orders[name].dtype}, not an integer")
    if not isinstance(orders["at"].dtype, pd.DatetimeTZDtype):
        raise ValueError(f"orders.at is {orders['at'].dtype}, not an aware instant")


@dataclass(frozen=True, slots=True)
class Purchases:
    """What was bought, one row for a customer, a day and a currency, sorted by customer and day.

    Days count from the as-of instant: -1 is the last known day, so a cutoff `c` knows the rows with
    `day < c` and the horizon `h` after it is `c <= day < c + h`.
    """

    customer_ids: Ints  # one for each customer, ascending
    currencies: tuple[str, ...]
    customer: Ints  # index into customer_ids
    day: Ints
    currency: Ints  # index into currencies
    amount_minor: Ints
    lines: Ints
    new_contents: Ints  # contents that this customer had not bought before
    opens_day: Flags  # False for the second currency of one customer's day

    @property
    def first_day(self) -> int:
        """The earliest day with a purchase; 0 when there is none."""
        return int(self.day.min()) if len(self.day) else 0

    @property
    def buyers(self) -> Ints:
        """Each customer with a purchase, once, ascending."""
        return self.customer[np.diff(self.customer, prepend=-1) > 0]

    def before(self, cutoff: int) -> Purchases:
        """Return only what was known when day `cutoff` began."""
        return self._rows(self.day < cutoff)

    def of(self, customers: Flags) -> Purchases:
        """Return only the purchases of the customers marked, one flag for each of `customer_ids`."""
        return self._rows(customers[self.customer])

    def _rows(self, keep: Flags) -> Purchases:
        return Purchases(
            self.customer_ids,
            self.currencies,
            self.customer[keep],
            self.day[keep],
            self.currency[keep],
            self.amount_minor[keep],
            self.lines[keep],
            self.new_contents[keep],
            self.opens_day[keep],
        )


def purchases(orders: pd.DataFrame, as_of: datetime) -> Purchases:
    """Gather the order lines known before `as_of` into customer-days.

    A customer-day is one purchase occasion, as in the papers of the buy-till-you-die models: three
    orders within an hour are one visit.
    """
    check_orders(orders)
    known = orders[orders["at"] < as_of]
    customer, customer_ids = pd.factorize(known["customer"].to_numpy(np.int64), sort=True)
    currency, currencies = pd.factorize(known["currency"], sort=True)
    day = days_from(known["at"], as_of)
    first_day = int(day.min()) if len(day) else 0
    customer_day = customer * (1 - first_day) + day - first_day
    key = customer_day * max(1, len(currencies)) + currency
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    amount_minor = known["amount_minor"].to_numpy(np.int64)
    one = order[starts]
    return Purchases(
        customer_ids,
        tuple(str(code) for code in currencies),
        customer[one],
        day[one],
        currency[one],
        _sums(amount_minor[order], starts),
        np.diff(starts, append=len(order)),
        _sums(_first_of_content(known, customer)[order], starts),
        np.diff(customer_day[one], prepend=-1) > 0,
    )


def _sums(column: Ints, starts: Ints) -> Ints:
    return np.add.reduceat(column, starts) if len(starts) else np.zeros(0, dtype=np.int64)


def median_days(known: Purchases) -> Floats:
    """Return the median amount of a customer-day in each currency, in minor units, free ones apart."""
    medians = np.zeros(len(known.currencies))
    for index in range(len(known.currencies)):
        paid = known.amount_minor[(known.currency == index) & (known.amount_minor > 0)]
        medians[index] = np.median(paid) if len(paid) else 0.0
    return medians


def digest(orders: pd.DataFrame) -> bytes:
    """Return a digest of the rows, so that equal frames can be told from others."""
    found = hashlib.sha256()
    for name in ("customer", "at", "amount_minor", "order"):
        found.update(orders[name].astype("int64").to_numpy().tobytes())
    for name in ("currency", "content"):
        found.update("\0".join(orders[name]).encode())
    return found.digest()


def days_from(at: pd.Series[Any], as_of: datetime) -> Ints:
    """Return the day of each moment, counted from the as-of instant: -1 is the last known day."""
    elapsed = at.dt.as_unit("us") - pd.Timestamp(as_of).as_unit("us")
    microseconds = elapsed.astype("int64").to_numpy(np.int64)
    return np.asarray(np.floor_divide(microseconds, MICROSECONDS_A_DAY), dtype=np.int64)


def _first_of_content(lines: pd.DataFrame, customer: Ints) -> Ints:
    """Mark the first line of each customer and content, in time order."""
    content, names = pd.factorize(lines["content"])
    order = np.argsort(lines["at"].astype("int64").to_numpy(), kind="stable")
    piece = pd.Series((customer * max(1, len(names)) + content)[order])
    is_first = np.zeros(len(lines), dtype=np.int64)
    is_first[order] = ~piece.duplicated().to_numpy(bool)
    return np.where(lines["content"].to_numpy() != "", is_first, 0)
