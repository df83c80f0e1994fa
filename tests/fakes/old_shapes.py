"""The same account as the API showed it before 2025-03-31: fields stand where they stood then."""

from __future__ import annotations

from typing import Any

from tests.fakes.provider import FakeProvider

Raw = dict[str, Any]


def grow_older(provider: FakeProvider) -> None:
    """Turn every object of an account into its older shape, and take away the list that was not there."""
    objects = provider.objects
    for paid in objects.pop("invoice_payment", {}).values():
        _tie(objects, paid)
    for invoice in objects.get("invoice", {}).values():
        _older_invoice(invoice, objects.get("price", {}))
    for subscription in objects.get("subscription", {}).values():
        _older_subscription(subscription)
    for code in objects.get("promotion_code", {}).values():
        code["coupon"] = objects["coupon"][code.pop("promotion")["coupon"]]
    provider.unsupported.add("invoice_payments")


def _tie(objects: dict[str, dict[str, Raw]], paid: Raw) -> None:
    """Name the invoice on its payment and its charge, and both on the invoice."""
    invoice = objects["invoice"][paid["invoice"]]
    intent = objects["payment_intent"][paid["payment"]["payment_intent"]]
    charges = objects["charge"].values()
    [charge] = [one for one in charges if one["payment_intent"] == intent["id"]]
    intent["invoice"] = charge["invoice"] = invoice["id"]
    invoice |= {"payment_intent": intent["id"], "charge": charge["id"]}


def _older_invoice(invoice: Raw, prices: dict[str, Raw]) -> None:
    origin = invoice.pop("parent")["subscription_details"]
    invoice |= {
        "subscription": origin["subscription"],
        "subscription_details": {"metadata": origin["metadata"]},
        "paid": invoice["status"] == "paid",
        "tax": sum(one["amount"] for one in invoice["total_taxes"]) or None,
        "total_tax_amounts": [
            {"amount": one["amount"], "inclusive": one["tax_behavior"] == "inclusive"}
            for one in invoice.pop("total_taxes")
        ],
    }
    for line in invoice["lines"]["data"]:
        line["price"] = prices[line.pop("pricing")["price_details"]["price"]]
        line["proration"] = line.pop("parent")["subscription_item_details"]["proration"]
        line["tax_amounts"] = line.pop("taxes")


def _older_subscription(subscription: Raw) -> None:
    for item in subscription["items"]["data"]:
        for edge in ("current_period_start", "current_period_end"):
            subscription[edge] = item.pop(edge)
