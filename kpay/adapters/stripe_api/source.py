"""Reading lists and single objects from Stripe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpay.adapters.stripe_api.connection import API_VERSION, StripeConnection
from kpay.domain.checkout import Account
from kpay.errors import RemoteProblem
from kpay.ports import Page


class StripeSource:
    """A PaymentSource on Stripe's API."""

    def __init__(self, connection: StripeConnection) -> None:
        self._connection = connection

    @property
    def requests(self) -> int:
        """How many requests were made so far, repeated ones included."""
        return self._connection.requests

    @property
    def api_version(self) -> str:
        """The pinned version of the API."""
        return API_VERSION

    def account(self) -> Account:
        """Return whose objects these are."""
        return self._connection.account()

    def page(self, path: str, parameters: Mapping[str, Any]) -> Page:
        """Return one page of a list."""
        answer = self._connection.get(path, parameters, f"list {path}")
        objects = answer.get("data")
        if not isinstance(objects, list):
            raise RemoteProblem(
                f"Stripe did not list {path} (its answer is no list)", "kpay doctor"
            )
        return Page(objects, bool(answer.get("has_more")))

    def one(
        self, path: str, external_id: str, parameters: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        """Return one object, or None when there is no such object."""
        return self._connection.one(path, external_id, parameters)

    def stop(self) -> None:
        """Let what other threads are asking end soon."""
        self._connection.stop()
