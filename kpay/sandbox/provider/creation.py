"""Writing to the account: what the creator's program may make and change."""

from __future__ import annotations

from typing import Any, Final

from kpay.domain.money import normal_currency
from kpay.sandbox.provider.account import Account
from kpay.sandbox.provider.form import (
    ApiError,
    boolean,
    integer,
    metadata,
    refuse_unknown,
    required,
    typed,
)
from kpay.sandbox.provider.listing import missing
from kpay.sandbox.provider.payments import Cashier
from kpay.sandbox.provider.shelves import Json, identifier

CREATES: Final[dict[str, tuple[str, ...]]] = {
    "products": (
        "name", "active", "description", "id", "images", "metadata", "url", "tax_code",
        "statement_descriptor", "unit_label", "shippable", "expand",
    ),
    "prices": (
        "currency", "product", "unit_amount", "custom_unit_amount", "recurring", "active",
        "lookup_key", "metadata", "nickname", "tax_behavior", "expand",
    ),
    "payment_links": (
        "line_items", "metadata", "after_completion", "allow_promotion_codes", "automatic_tax",
        "billing_address_collection", "custom_fields", "customer_creation", "inactive_message",
        "payment_intent_data", "payment_method_collection", "restrictions", "subscription_data",
        "expand",
    ),
    "coupons": (
        "id", "percent_off", "amount_off", "currency", "duration", "duration_in_months", "name",
        "max_redemptions", "redeem_by", "metadata", "expand",
    ),
    "refunds": ("charge", "payment_intent", "amount", "reason", "metadata", "expand"),
}  # fmt: skip
UPDATES: Final[dict[str, tuple[str, ...]]] = {
    "products": (
        "name", "active", "description", "default_price", "images", "metadata", "url", "expand",
    ),
    "prices": ("active", "lookup_key", "metadata", "nickname", "tax_behavior", "expand"),
    "payment_links": (
        "active", "metadata", "after_completion", "allow_promotion_codes", "inactive_message",
        "payment_intent_data", "subscription_data", "expand",
    ),
    "coupons": ("name", "metadata", "expand"),
}  # fmt: skip
REFUND_REASONS: Final = ("duplicate", "fraudulent", "requested_by_customer")
INTERVALS: Final = ("day", "week", "month", "year")


class Clerk:
    """Carries out creations and updates and tells the feed of events."""

    def __init__(self, account: Account, cashier: Cashier) -> None:
        self._account = account
        self._cashier = cashier

    def create(self, resource: str, params: Json) -> str:
        """Make an object and return its id; raises ApiError when the wish is not in order."""
        if resource not in CREATES:
            raise ApiError(404, f"Unrecognized request URL (POST: /v1/{resource}).")
        refuse_unknown(params, CREATES[resource])
        if resource == "refunds":
            return self._refund(params)
        makers = {
            "products": self._product,
            "prices": self._price,
            "payment_links": self._payment_link,
            "coupons": self._coupon,
        }
        facts = makers[resource](params) | {
            "created": self._account.now,
            "metadata": metadata(params),
        }
        shelf = self._account[resource]
        asked_id = facts.pop("id", None)
        if asked_id is not None and asked_id in shelf:
            raise ApiError(
                400, f"{shelf.kind.title()} already exists.", code="resource_already_exists"
            )
        object_id: str = shelf.add(facts, asked_id)["id"]
        if resource == "payment_links":
            self._account.linked[object_id] = self._lines(params)
        self._account.emit(f"{shelf.kind}.created", resource, object_id, self._account.now)
        return object_id

    def update(self, resource: str, object_id: str, params: Json) -> str:
        """Change an object; a wish that changes nothing leaves no trace."""
        shelf = self._account[resource]
        if object_id not in shelf:
            raise missing(shelf, object_id)
        if resource not in UPDATES:
            raise ApiError(404, f"Unrecognized request URL (POST: /v1/{resource}/{object_id}).")
        refuse_unknown(params, UPDATES[resource])
        wanted = {
            name: self._updated(resource, object_id, name, params)
            for name in params
            if name != "expand"
        }
        changes = {
            name: value for name, value in wanted.items() if shelf.field(object_id, name) != value
        }
        if changes:
            if resource == "products":
                changes["updated"] = self._account.now
            before = shelf.change(object_id, **changes)
            kind = f"{shelf.kind}.updated"
            self._account.emit(kind, resource, object_id, self._account.now, before)
        return object_id

    def _updated(self, resource: str, object_id: str, name: str, params: Json) -> Any:
        shelf = self._account[resource]
        if name == "metadata":
            return metadata(params, shelf.field(object_id, name))
        if name == "active":
            return boolean(params, name, default=True)
        if name == "default_price":
            return self._known("prices", params[name], name)
        value = typed(params[name])
        before = shelf.field(object_id, name)
        if isinstance(value, dict) and isinstance(before, dict):
            return {**before, **value}
        return None if value == "" else value

    def _known(self, resource: str, object_id: Any, param: str) -> str:
        shelf = self._account[resource]
        if object_id not in shelf:
            raise missing(shelf, str(object_id), param)
        return str(object_id)

    # ------------------------------------------------------------------ one maker a resource

    def _product(self, params: Json) -> Json:
        required(params, "name")
        plain = (
            "name",
            "description",
            "id",
            "url",
            "statement_descriptor",
            "unit_label",
            "tax_code",
        )
        facts: Json = {name: params[name] for name in plain if params.get(name)}
        images = params.get("images") or []
        return facts | {
            "active": boolean(params, "active", default=True),
            "images": images if isinstance(images, list) else [images],
            "updated": self._account.now,
        }

    def _price(self, params: Json) -> Json:
        currency = _currency(required(params, "currency"))
        amount_minor = integer(params, "unit_amount")
        named = params.get("custom_unit_amount")
        if amount_minor is None and named is None:
            required(params, "unit_amount")
        if amount_minor is not None and amount_minor < 0:
            raise ApiError(400, "Invalid non-negative integer", param="unit_amount")
        recurring = _recurring(params.get("recurring"))
        return {
            "active": boolean(params, "active", default=True),
            "currency": currency,
            "custom_unit_amount": None if named is None else _named_by_buyer(named),
            "lookup_key": params.get("lookup_key") or None,
            "nickname": params.get("nickname") or None,
            "product": self._known("products", required(params, "product"), "product"),
            "recurring": recurring,
            "tax_behavior": params.get("tax_behavior") or "inclusive",
            "type": "one_time" if recurring is None else "recurring",
            "unit_amount": amount_minor,
            "unit_amount_decimal": None if amount_minor is None else str(amount_minor),
        }

    def _payment_link(self, params: Json) -> Json:
        lines = self._lines(params)
        prices = self._account["prices"]
        is_recurring = any(prices.field(price_id, "recurring") for price_id, _ in lines)
        other_mode = "payment_intent_data" if is_recurring else "subscription_data"
        if params.get(other_mode):
            mode = "subscription" if is_recurring else "payment"
            raise ApiError(
                400, f"You can not pass `{other_mode}` in `{mode}` mode.", param=other_mode
            )
        plain = set(CREATES["payment_links"]) - {"line_items", "metadata", "expand"}
        facts: Json = {name: typed(params[name]) for name in sorted(plain) if name in params}
        token = identifier(
            "test", 20, self._account.seed, "link", len(self._account["payment_links"])
        )
        return facts | {
            "currency": prices.field(lines[0][0], "currency"),
            "url": f"https://buy.stripe.com/{token}",
        }

    def _lines(self, params: Json) -> list[tuple[str, int]]:
        given = required(params, "line_items")
        if not isinstance(given, list) or not all(isinstance(line, dict) for line in given):
            raise ApiError(400, "Invalid array", param="line_items")
        lines = []
        for place, line in enumerate(given):
            param = f"line_items[{place}][price]"
            price_id = self._known("prices", required(line, "price"), param)
            if not self._account["prices"].field(price_id, "active"):
                message = "The price specified is inactive. This field only accepts active prices."
                raise ApiError(400, message, param=param)
            lines.append((price_id, integer(line, "quantity") or 1))
        return lines

    def _coupon(self, params: Json) -> Json:
        percent, amount = params.get("percent_off"), integer(params, "amount_off")
        if (percent is None) == (amount is None):
            raise ApiError(
                400, "You must set either percent_off or amount_off.", param="percent_off"
            )
        facts: Json = {
            name: params[name] for name in ("id", "name", "duration") if params.get(name)
        }
        return facts | {
            "amount_off": amount,
            "currency": _currency(params["currency"]) if params.get("currency") else None,
            "duration_in_months": integer(params, "duration_in_months"),
            "max_redemptions": integer(params, "max_redemptions"),
            "percent_off": None if percent is None else float(percent),
            "redeem_by": integer(params, "redeem_by"),
        }

    def _refund(self, params: Json) -> str:
        charge_id = self._charge_to_refund(params)
        left_minor = self._cashier.refundable_minor(charge_id)
        amount_minor = integer(params, "amount")
        if amount_minor is None:
            amount_minor = left_minor
        if left_minor == 0:
            message = f"Charge {charge_id} has already been refunded."
            raise ApiError(400, message, code="charge_already_refunded")
        if not 0 < amount_minor <= left_minor:
            message = (
                f"Refund amount ({amount_minor}) is not between 1 and what is left ({left_minor})."
            )
            raise ApiError(400, message, param="amount")
        reason = params.get("reason") or None
        if reason is not None and reason not in REFUND_REASONS:
            raise ApiError(400, f"Invalid reason: {reason}", param="reason")
        return self._cashier.refund(
            charge_id, amount_minor, reason=reason, at=self._account.now, metadata=metadata(params)
        )

    def _charge_to_refund(self, params: Json) -> str:
        if params.get("charge"):
            return self._known("charges", params["charge"], "charge")
        intent_id = self._known(
            "payment_intents", required(params, "payment_intent"), "payment_intent"
        )
        charge_id = self._account["payment_intents"].field(intent_id, "latest_charge")
        if charge_id is None:
            raise ApiError(400, "This PaymentIntent does not have a successful charge to refund.")
        return str(charge_id)


def _currency(text: Any) -> str:
    try:
        return normal_currency(str(text))
    except ValueError:
        raise ApiError(400, f"Invalid currency: {text}", param="currency") from None


def _recurring(given: Any) -> Json | None:
    if given is None:
        return None
    if not isinstance(given, dict) or given.get("interval") not in INTERVALS:
        raise ApiError(
            400, "Invalid recurring[interval]: must be one of day, week, month, year",
            param="recurring[interval]",
        )  # fmt: skip
    return {
        "interval": given["interval"],
        "interval_count": integer(given, "interval_count") or 1,
        "meter": None,
        "trial_period_days": integer(given, "trial_period_days"),
        "usage_type": given.get("usage_type") or "licensed",
    }


def _named_by_buyer(given: Any) -> Json:
    if not isinstance(given, dict) or not boolean(given, "enabled", default=False):
        raise ApiError(
            400, "custom_unit_amount[enabled] must be true.", param="custom_unit_amount[enabled]"
        )
    return {name: integer(given, name) for name in ("maximum", "minimum", "preset")}
