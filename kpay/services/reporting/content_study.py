"""What was sold of each piece: one pass over the lines of all orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from kpay.domain.allocation import allocated
from kpay.domain.enums import OrderKind
from kpay.domain.period import instant_text
from kpay.store.figures.content import Line
from kpay.store.figures.customers import MoneyBack

AGAIN = (OrderKind.RENEWAL.value, OrderKind.SUBSCRIPTION_UPDATE.value)


@dataclass(slots=True)
class Tally:
    """What was sold of one piece: the sums in the period, the moments and buyers since the beginning.

    `baskets`, `together`, `paid` and `refunded` count orders of the period, renewals apart.
    """

    orders: int = 0
    renewals: int = 0
    gross_minor: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    net_minor: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    baskets: int = 0
    together: int = 0
    paid: int = 0
    refunded: int = 0
    moments: list[str] = field(default_factory=list)  # purchases ever, renewals apart
    buyers: set[int] = field(default_factory=set)  # known people, ever
    buyers_inside: set[int] = field(default_factory=set)  # known people, in the period

    def bought(self, at: str, customer: int) -> None:
        """Count a purchase, whenever it was."""
        self.moments.append(at)
        if customer:
            self.buyers.add(customer)

    def ordered(self, customer: int, pieces: int, *, is_again: bool) -> None:
        """Count an order of the period that held so many different pieces."""
        self.orders += 1
        if is_again:
            self.renewals += 1
            return
        self.baskets += 1
        self.together += pieces > 1
        if customer:
            self.buyers_inside.add(customer)


@dataclass(frozen=True, slots=True)
class Part:
    """One piece's part of an order or of a refund: what explains a figure."""

    piece: str
    at: str
    customer: int
    provider: str
    is_refund: bool
    gross_minor: int
    net_minor: int


class ContentStudy:
    """Tallies by piece, from lines in the order of `sold` and all refunds up to the period's end.

    After `open` the parts of a piece's sums, or of all, are kept, to be shown row by row.
    """

    def __init__(self, start: datetime) -> None:
        self._start = instant_text(start)
        self._opens = False
        self._piece: str | None = None
        self._currency = ""
        self.tallies: dict[str, Tally] = defaultdict(Tally)
        self.parts: list[Part] = []
        self.orders: dict[str, int] = defaultdict(int)  # by currency, in the period
        self.paid = 0
        self.refunded = 0

    def open(self, piece: str | None, currency: str) -> None:
        """Keep the parts of one piece's sums in a currency, or of all pieces'."""
        self._opens, self._piece, self._currency = True, piece, currency

    def count(self, lines: Iterable[Line], back: Iterable[MoneyBack]) -> ContentStudy:
        """Count every order once, with what was given back for it."""
        returned: dict[int, list[MoneyBack]] = defaultdict(list)
        for one in back:
            returned[one.order].append(one)
        for order, some in groupby(lines, key=itemgetter(0)):
            self._order(list(some), returned.get(order, []))
        return self

    def _order(self, lines: list[Line], returned: list[MoneyBack]) -> None:
        _, customer, provider, kind, at, currency, _, total, tax, gross, piece = lines[0]
        one = len(lines) == 1
        weights = [gross] if one else [line[9] for line in lines]
        pieces = [piece] if one else [line[10] for line in lines]
        once = pieces if one else sorted(set(pieces))
        is_again = kind in AGAIN and not self._is_first(once, customer)
        is_inside = self._start <= at
        is_refunded = bool(returned)
        if is_inside:
            self.orders[currency] += 1
            if total and not is_again:
                self.paid += 1
                self.refunded += is_refunded
        for name in once:
            tally = self.tallies[name]
            if not is_again:
                tally.bought(at, customer)
            if is_inside:
                tally.ordered(customer, len(once), is_again=is_again)
                if total and not is_again:
                    tally.paid += 1
                    tally.refunded += is_refunded
        if is_inside:
            nets = [total - tax] if one else allocated(total - tax, weights)
            self._add(pieces, currency, weights, nets, (at, customer, provider, False))
        for back in returned:
            if self._start <= back.at:
                nets = [-part for part in allocated(back.net_minor, weights)]
                told = (back.at, customer, back.provider, True)
                self._add(pieces, back.currency, [0] * len(pieces), nets, told)

    def _is_first(self, pieces: Sequence[str], customer: int) -> bool:
        """Say whether a renewal is the first that was paid, after a trial."""
        return customer > 0 and not any(customer in self.tallies[one].buyers for one in pieces)

    def _add(
        self,
        pieces: list[str],
        currency: str,
        gross: list[int],
        nets: list[int],
        told: tuple[str, int, str, bool],
    ) -> None:
        for piece, gross_minor, net_minor in zip(pieces, gross, nets, strict=True):
            tally = self.tallies[piece]
            tally.gross_minor[currency] += gross_minor
            tally.net_minor[currency] += net_minor
            if self._opens and currency == self._currency and self._piece in (None, piece):
                self.parts.append(Part(piece, *told, gross_minor, net_minor))
