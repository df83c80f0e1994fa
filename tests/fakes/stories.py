"""Stories of a small shop: what may happen, in any order, told to the provider as it would be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import strategies as st

from tests.fakes.stripe_shop import DAY, START, Sale, Shop

PEOPLE: Final = ("ana@example.com", "BO@example.com", "cy@example.com")
KINDS: Final = (
    "sell",
    "guest",
    "fail",
    "refund",
    "refund_fails",
    "dispute",
    "dispute_ends",
    "subscribe",
    "renew",
    "leave",
    "settle",
    "rename",
    "describe",
)
Happening = tuple[str, int, int]
happenings = st.lists(
    st.tuples(
        st.sampled_from(KINDS), st.integers(0, 2), st.sampled_from([0, 60, 900, DAY, 9 * DAY])
    ),
    min_size=1,
    max_size=14,
)
"""What happens, to whom, and how many seconds after the last."""


class Story:
    """A shop and the time in it."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.at = START
        offer = self.shop.offer
        self._offers = [offer("guide", 2900), offer("audio", 900, "eur"), offer("other", 500)]
        self._club = offer("club", 900, interval="month")
        self._customers = [self.shop.customer(email, START) for email in PEOPLE]
        self._sales: list[Sale] = []
        self._members: list[Sale] = []
        self._refunds: list[Any] = []
        self._disputes: list[Any] = []

    @property
    def now(self) -> datetime:
        """The moment at which the last thing happened."""
        return datetime.fromtimestamp(self.at, UTC)

    def live(self, happening: Happening) -> None:
        """Have something happen, where there is anything that it can happen to."""
        what, who, pause = happening
        self.at += pause
        getattr(self, f"_{what}")(who)

    def _change(self, raw: Any, tells: str | None, **fields: Any) -> None:
        self.shop.provider.change(raw, self.at, tells, **fields)

    def _sell(self, who: int) -> None:
        known = self._customers[who]
        sale = self.shop.sell(self._offers[who], self.at, PEOPLE[who], customer=known)
        self._sales.append(sale)

    def _guest(self, who: int) -> None:
        self._sales.append(self.shop.sell(self._offers[who], self.at, PEOPLE[who]))

    def _fail(self, who: int) -> None:
        self.shop.sell(self._offers[who], self.at, PEOPLE[who], status="failed")

    def _refund(self, who: int) -> None:
        for sale in self._sales[who : who + 1]:
            part = 100 if who else sale.charge["amount"]
            status = "pending" if who == 1 else "succeeded"
            self._refunds.append(self.shop.refund(sale, part, self.at, status))

    def _refund_fails(self, who: int) -> None:
        for refund in self._refunds[who : who + 1]:
            self._change(refund, "refund.failed", status="failed")

    def _dispute(self, who: int) -> None:
        for sale in self._sales[who : who + 1]:
            self._disputes.append(self.shop.dispute(sale, self.at))

    def _dispute_ends(self, who: int) -> None:
        for dispute in self._disputes[who : who + 1]:
            status = ("lost", "won", "under_review")[who]
            self._change(dispute, "charge.dispute.closed", status=status)

    def _subscribe(self, who: int) -> None:
        days = 7 * (who % 2)
        member = self.shop.subscribe(self._club, self.at, self._customers[who], trial_days=days)
        self._members.append(member)

    def _renew(self, who: int) -> None:
        for member in self._members[who : who + 1]:
            assert member.subscription
            assert member.customer
            self.shop.bill(
                member.subscription,
                self._club[1],
                self.at,
                member.customer,
                "subscription_cycle",
                900,
            )

    def _leave(self, who: int) -> None:
        for member in self._members[who : who + 1]:
            ends = {"status": "canceled", "canceled_at": self.at, "ended_at": self.at}
            self._change(member.subscription, "customer.subscription.deleted", **ends)

    def _settle(self, _who: int) -> None:
        """Money becomes available without an event."""
        for movement in self.shop.provider.objects.get("balance_transaction", {}).values():
            if movement["available_on"] <= self.at:
                self._change(movement, None, status="available")

    def _rename(self, who: int) -> None:
        self._change(self._customers[who], "customer.updated", name=f"Name of {self.at}")

    def _describe(self, who: int) -> None:
        for sale in self._sales[who : who + 1]:
            self._change(sale.charge, "charge.updated", description=f"Words of {self.at}")
