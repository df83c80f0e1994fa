"""Whether every payout is accounted for: what left the balance, and the movements it paid out.

An automatic payout can be traced to its movements once Stripe has put it together; one that was sent
by hand never can. What is traced is remembered in the store, so each payout is asked for once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from kpay.domain.checkout import Account, RawObject
from kpay.domain.money import format_minor
from kpay.domain.resources import BY_NAME, Resource
from kpay.domain.verified import Differences, PayoutSums
from kpay.errors import RemoteProblem, ResourceForbidden, ResourceUnsupported
from kpay.ports import PaymentSource
from kpay.store import verification
from kpay.store.engine import Store

MOVEMENTS, PAYOUTS = BY_NAME["balance_transactions"], BY_NAME["payouts"]
CAME_BACK = ("failed", "canceled")
COMPARED = ("amount", "currency", "status")

Advance = Callable[[int], None]


def listed(
    source: PaymentSource, resource: Resource, wanted: Mapping[str, Any]
) -> Iterator[Sequence[RawObject]]:
    """Yield a whole list page by page."""
    asked = {**resource.list_parameters(), **wanted}
    while True:
        page = source.page(resource.path, asked)
        yield page.objects
        if not page.has_more or not page.objects:
            return
        asked["starting_after"] = page.objects[-1]["id"]


@dataclass(frozen=True, slots=True)
class _Payout:
    """A payout as the provider lists it."""

    id: str
    amount_minor: int
    currency: str
    status: str
    is_automatic: bool
    is_put_together: bool

    @property
    def text(self) -> str:
        """The amount as people read it."""
        return format_minor(self.amount_minor, self.currency)

    @property
    def came_back(self) -> bool:
        """Say whether the bank sent the money back, or it never left."""
        return self.status in CAME_BACK


def _read(raw: RawObject) -> _Payout:
    return _Payout(
        raw["id"],
        raw["amount"],
        raw["currency"],
        raw.get("status") or "paid",
        bool(raw.get("automatic", True)),
        raw.get("reconciliation_status", "completed") == "completed",
    )


class PayoutCheck:
    """Compares the provider's payouts with the store's, and traces them."""

    def __init__(
        self,
        store: Store,
        source: PaymentSource,
        account: Account,
        differences: Differences,
        advance: Advance,
    ) -> None:
        self._store, self._source, self._account = store, source, account
        self._differences, self._advance = differences, advance
        self._payouts: list[_Payout] = []
        self._brought: dict[str, int] = {}
        self._refusal: str | None = None

    def compare(self) -> None:
        """Read every payout again and note what does not agree."""
        try:
            for page in listed(self._source, PAYOUTS, {}):
                self._payouts += map(_read, page)
                self._advance(len(page))
        except (ResourceForbidden, ResourceUnsupported) as refusal:
            self._refusal = refusal.message
            return
        self._compare_rows()
        self._trace()
        self._compare_money()

    def _compare_rows(self) -> None:
        with self._store.reading() as connection:
            kept = verification.payouts(connection, self._account)
        for one in self._payouts:
            row = kept.pop(one.id, None)
            if row is None:
                self._differences.add(f"{one.id} ({one.text}) is at Stripe but not in the store")
                continue
            here = (format_minor(row.amount_minor, row.currency), row.status)
            if here != (one.text, one.status):
                self._differences.add(
                    f"{one.id} is {' '.join(here)} in the store but {one.text} {one.status} at Stripe"
                )
        for gone in sorted(kept):
            self._differences.add(f"{gone} is in the store but not at Stripe")

    def _trace(self) -> None:
        """Ask for the movements of each payout of which they are not known, and remember them."""
        with self._store.reading() as connection:
            known = verification.brought_by(connection, self._account)
        for one in self._payouts:
            if _is_traceable(one) and known.get(one.id) != one.amount_minor:
                self._remember(one.id, self._movements_of(one.id))
        with self._store.reading() as connection:
            self._brought = verification.brought_by(connection, self._account)

    def _movements_of(self, payout: str) -> list[str]:
        """Return what a payout brought to the bank, itself apart; nothing where that is not told."""
        found: list[str] = []
        try:
            for page in listed(self._source, MOVEMENTS, {"payout": payout}):
                found += [raw["id"] for raw in page if raw.get("source") != payout]
                self._advance(len(page))
        except ResourceUnsupported:
            return []
        except RemoteProblem as refusal:
            if refusal.details.get("status") != HTTPStatus.BAD_REQUEST:
                raise
            return []
        return found

    def _remember(self, payout: str, movement_ids: Sequence[str]) -> None:
        with self._store.reading() as connection:
            known = verification.ties(connection, self._account, movement_ids)
        news = [one for one in movement_ids if known.get(one) != payout]
        if news:
            with self._store.writing() as connection:
                verification.tie(connection, self._account, payout, news)

    def _compare_money(self) -> None:
        with self._store.reading() as connection:
            moved = verification.moved_by(
                connection, self._account, [one.id for one in self._payouts]
            )
        for one in self._payouts:
            self._compare_balance(one, -moved.get(one.id, 0))
            brought = self._brought.get(one.id)
            if _is_traceable(one) and brought not in (None, one.amount_minor):
                text = format_minor(brought or 0, one.currency)
                self._differences.add(
                    f"{one.id} paid {one.text}, but its movements add up to {text}"
                )

    def _compare_balance(self, one: _Payout, left_minor: int) -> None:
        """A payout takes its amount from the balance; one that came back takes nothing."""
        due_minor = 0 if one.came_back else one.amount_minor
        if left_minor != due_minor:
            due, left = (format_minor(minor, one.currency) for minor in (due_minor, left_minor))
            self._differences.add(
                f"{one.id} ({one.status}) should have taken {due} from the balance, and took {left}"
            )

    def sums(self) -> dict[str, PayoutSums]:
        """Return the payouts of each currency, by how they are accounted for."""
        found: dict[str, Counter[str]] = {}
        for one in self._payouts:
            counts = found.setdefault(one.currency, Counter())
            counts["count"] += 1
            counts[self._standing(one)] += 1
            if not one.came_back:
                counts["paid_minor"] += one.amount_minor
            if self._standing(one) == "tied":
                counts["tied_minor"] += one.amount_minor
                counts["brought_minor"] += self._brought[one.id]
        return {code: PayoutSums(**counts) for code, counts in sorted(found.items())}

    def _standing(self, one: _Payout) -> str:
        if one.came_back:
            return "failed"
        if not one.is_automatic:
            return "by_hand"
        return "tied" if one.id in self._brought else "open"

    def notes(self) -> tuple[str, ...]:
        """Return what cannot be traced, which is no difference."""
        if self._refusal is not None:
            return (f"Payouts were not compared: {self._refusal}",)
        standings = Counter(self._standing(one) for one in self._payouts)
        told = {
            "by_hand": "sent by hand, which Stripe does not trace to movements",
            "open": "not put together by Stripe yet",
        }
        return tuple(
            f"{standings[name]:,} payout{' was' if standings[name] == 1 else 's were'} {words}."
            for name, words in told.items()
            if standings[name]
        )


def _is_traceable(one: _Payout) -> bool:
    return one.is_automatic and one.is_put_together and not one.came_back
