"""A RefundDesk in memory: it gives money of a FakeProvider's charges back, once for each key."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from kpay.domain.checkout import Account, RawObject
from kpay.domain.refunding import REFUND_KEY, RefundAsk
from kpay.errors import RemoteProblem
from tests.fakes.provider import FakeProvider


class FakeRefundDesk:
    """Refuses what Stripe refuses; `silence` and `deafness` lose the answer or the request.

    `status` is the state in which the next refunds are made.
    """

    api_version = "fake"

    def __init__(self, provider: FakeProvider, at: int, *, livemode: bool = False) -> None:
        self.provider = provider
        self.at = at
        self.livemode = livemode
        self.status = "succeeded"
        self.silence = 0
        self.deafness = 0
        self.asked: list[RefundAsk] = []
        self._answers: dict[str, dict[str, Any]] = {}

    @property
    def refunds(self) -> list[dict[str, Any]]:
        """Every refund that was made."""
        return list(self.provider.objects.get("refund", {}).values())

    def account(self) -> Account:
        """Return the provider's account."""
        return Account(self.provider.account or "unknown:0000", self.livemode)

    def ask(self, wish: RefundAsk) -> RawObject:
        """Give money back, once for each key."""
        self.asked.append(wish)
        if self.deafness:
            self.deafness -= 1
            raise RemoteProblem("the line is dead", "kpay doctor")
        if wish.key not in self._answers:
            self._answers[wish.key] = self._make(wish)
        if self.silence:
            self.silence -= 1
            raise RemoteProblem("the line is dead", "kpay doctor")
        return copy.deepcopy(self._answers[wish.key])

    def made(self, wish: RefundAsk) -> RawObject | None:
        """Return the refund of an earlier request, found by its key."""
        found = (raw for raw in self.refunds if raw["metadata"].get(REFUND_KEY) == wish.key)
        return copy.deepcopy(next(found, None))

    def aftermath(self, refund: RawObject) -> Sequence[RawObject]:
        """Return the charge and the movement of the balance."""
        movements = self.provider.objects["balance_transaction"].values()
        moved = [raw for raw in movements if raw["source"] == refund["id"]]
        return copy.deepcopy([self.provider.objects["charge"][refund["charge"]], *moved])

    def _make(self, wish: RefundAsk) -> dict[str, Any]:
        charge = self.provider.objects["charge"].get(wish.charge)
        if charge is None:
            raise _no(404, f"No such charge: '{wish.charge}'")
        left = charge["amount"] - charge["amount_refunded"]
        disputes = self.provider.objects.get("dispute", {}).values()
        if any(raw["charge"] == wish.charge for raw in disputes):
            raise _no(400, f"Charge {wish.charge} has been charged back")
        if wish.amount_minor > left:
            raise _no(400, f"Refund amount ({wish.amount_minor}) is greater than {left}")
        number = len(self.refunds) + 1
        raw = self.provider.add(
            {
                "id": f"re_desk_{number}",
                "object": "refund",
                "created": self.at,
                "amount": wish.amount_minor,
                "currency": charge["currency"],
                "charge": wish.charge,
                "status": self.status,
                "reason": wish.reason,
                "metadata": {REFUND_KEY: wish.key},
                "balance_transaction": f"txn_desk_{number}",
            }
        )
        self._move(raw, number)
        back = charge["amount_refunded"] + wish.amount_minor
        self.provider.change(
            charge, self.at, None, amount_refunded=back, refunded=back == charge["amount"]
        )
        return raw

    def _move(self, refund: dict[str, Any], number: int) -> None:
        self.provider.add(
            {
                "id": f"txn_desk_{number}",
                "object": "balance_transaction",
                "created": self.at,
                "type": "refund",
                "amount": -refund["amount"],
                "fee": 0,
                "net": -refund["amount"],
                "currency": refund["currency"],
                "source": refund["id"],
                "status": "pending",
                "available_on": self.at,
                "exchange_rate": None,
            }
        )


def _no(status: int, message: str) -> RemoteProblem:
    return RemoteProblem(
        f"Stripe did not give money back ({message})", "kpay doctor", status=status
    )
