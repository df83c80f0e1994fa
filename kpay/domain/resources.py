"""The provider's lists that `kpay sync` reads: their names, paths and how each is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Part:
    """An embedded list, and where the rest of it is: below its object, or a list that is asked for it."""

    name: str
    path: str
    asked_by: str | None = None

    def rest_of(self, external_id: str) -> tuple[str, dict[str, Any]]:
        """Return the path and the parameters of an object's rest."""
        by = {self.asked_by: external_id} if self.asked_by else {}
        return self.path.format(id=external_id), {"limit": 100, **by}


@dataclass(frozen=True, slots=True)
class Resource:
    """One list. `kind` is what its objects call themselves.

    Lists without a `created` filter are always read whole. `omits_deleted` lists show what is missing
    after a whole walk to be deleted. `part` is an embedded list that may be cut at ten members.
    """

    name: str
    kind: str
    path: str
    parameters: dict[str, Any] = field(default_factory=dict)
    expand: tuple[str, ...] = ()
    has_created_filter: bool = True
    omits_deleted: bool = False
    part: Part | None = None

    def list_parameters(self) -> dict[str, Any]:
        """Return what a page of the list is asked with, apart from its place."""
        expanded = {"expand": [f"data.{name}" for name in self.expand]} if self.expand else {}
        return {"limit": 100, **self.parameters, **expanded}

    def one_parameters(self) -> dict[str, Any]:
        """Return what a single object is asked with, so that it has the shape of the list's."""
        return {"expand": list(self.expand)} if self.expand else {}


LINES: Final = ("line_items",)

RESOURCES: Final[tuple[Resource, ...]] = (
    Resource(
        "checkout_sessions",
        "checkout.session",
        "checkout/sessions",
        expand=LINES,
        part=Part("line_items", "checkout/sessions/{id}/line_items"),
    ),
    Resource("charges", "charge", "charges"),
    Resource("balance_transactions", "balance_transaction", "balance_transactions"),
    Resource("payment_intents", "payment_intent", "payment_intents"),
    Resource(
        "invoices",
        "invoice",
        "invoices",
        expand=("discounts",),
        part=Part("lines", "invoices/{id}/lines"),
    ),
    Resource("invoice_payments", "invoice_payment", "invoice_payments"),
    Resource("customers", "customer", "customers", omits_deleted=True),
    Resource(
        "subscriptions",
        "subscription",
        "subscriptions",
        parameters={"status": "all"},
        part=Part("items", "subscription_items", asked_by="subscription"),
    ),
    Resource("refunds", "refund", "refunds"),
    Resource("disputes", "dispute", "disputes"),
    Resource("payouts", "payout", "payouts"),
    Resource("products", "product", "products", omits_deleted=True),
    Resource("prices", "price", "prices"),
    Resource("coupons", "coupon", "coupons", omits_deleted=True),
    Resource("promotion_codes", "promotion_code", "promotion_codes"),
    Resource(
        "payment_links",
        "payment_link",
        "payment_links",
        expand=LINES,
        has_created_filter=False,
        part=Part("line_items", "payment_links/{id}/line_items"),
    ),
)
"""Every list, the longest first, so that the slowest does not begin last."""

BY_NAME: Final = {resource.name: resource for resource in RESOURCES}
BY_KIND: Final = {resource.kind: resource for resource in RESOURCES}
EVENTS: Final = Resource("events", "event", "events")
EVENTS_KEPT_DAYS: Final = 30
