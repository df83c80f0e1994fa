"""Refunds at Stripe: asked for once under a key, found again by it, and read back with what moved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kpay.adapters.stripe_api.connection import API_VERSION, StripeConnection
from kpay.domain.checkout import Account, RawObject
from kpay.domain.refunding import REFUND_KEY, RefundAsk


class StripeRefunds:
    """A RefundDesk on Stripe's API."""

    def __init__(self, connection: StripeConnection) -> None:
        self._connection = connection

    @property
    def api_version(self) -> str:
        """The pinned version of the API."""
        return API_VERSION

    def account(self) -> Account:
        """Return from whose account money is given back."""
        return self._connection.account()

    def ask(self, wish: RefundAsk) -> RawObject:
        """Give money back, once for each key."""
        parameters: dict[str, Any] = {
            "charge": wish.charge,
            "amount": wish.amount_minor,
            "metadata": {REFUND_KEY: wish.key},
        }
        if wish.reason:
            parameters["reason"] = wish.reason
        what = f"give money of {wish.charge} back"
        return self._connection.post("refunds", parameters, what, wish.key)

    def made(self, wish: RefundAsk) -> RawObject | None:
        """Return the refund that an earlier request with this key made, or None."""
        for raw in self._refunds_of(wish.charge):
            if (raw.get("metadata") or {}).get(REFUND_KEY) == wish.key:
                return raw
        return None

    def aftermath(self, refund: RawObject) -> list[RawObject]:
        """Return the charge as it stands now, and the movement of the balance if there is one yet."""
        moved = refund.get("balance_transaction")
        asked = [("charges", refund["charge"]), ("balance_transactions", moved)]
        return [
            self._connection.get(f"{path}/{name}", {}, f"show {name}")
            for path, name in asked
            if name
        ]

    def _refunds_of(self, charge: str) -> Iterator[RawObject]:
        position: dict[str, Any] = {}
        while True:
            asked = {"charge": charge, "limit": 100, **position}
            answer = self._connection.get("refunds", asked, f"list the refunds of {charge}")
            yield from answer["data"]
            if not answer.get("has_more") or not answer["data"]:
                return
            position = {"starting_after": answer["data"][-1]["id"]}
