"""Reading the account: pages, filters, expansion."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

from kpay.sandbox.provider.account import Account
from kpay.sandbox.provider.form import ApiError, integer, refuse_unknown
from kpay.sandbox.provider.shelves import Json, Shelf

FOREVER: Final = (0, 2**62)
PAGING: Final = ("limit", "starting_after", "ending_before", "expand")
WITHOUT_CREATED: Final = ("payment_links",)
FILTERS: Final[dict[str, tuple[str, ...]]] = {
    "products": ("active", "ids"),
    "prices": ("active", "product", "currency", "type", "lookup_keys"),
    "coupons": (),
    "promotion_codes": ("active", "code", "coupon"),
    "payment_links": ("active",),
    "checkout.sessions": ("customer", "payment_intent", "payment_link", "subscription", "status"),
    "customers": ("email",),
    "payment_intents": ("customer",),
    "charges": ("customer", "payment_intent"),
    "invoices": ("customer", "status", "subscription"),
    "invoice_payments": ("invoice", "payment", "status"),
    "subscriptions": ("customer", "price", "status"),
    "refunds": ("charge", "payment_intent"),
    "disputes": ("charge", "payment_intent"),
    "balance_transactions": ("currency", "payout", "source", "type"),
    "payouts": ("status",),
    "events": ("type", "types"),
}
Test = Callable[[str], bool]


def page(account: Account, resource: str, params: Json, url: str) -> bytes:
    """Return one page of a list as JSON, newest first."""
    shelf = account[resource]
    created = () if resource in WITHOUT_CREATED else ("created",)
    refuse_unknown(params, (*PAGING, *created, *FILTERS[resource]))
    size = _page_size(params)
    tests = _tests(account, resource, params)
    wanted = (
        object_id for object_id in _walk(shelf, params) if all(test(object_id) for test in tests)
    )
    found = list(islice(wanted, size + 1))
    has_more, found = len(found) > size, found[:size]
    if "ending_before" in params:
        found.reverse()
    return _written_page(account, shelf, found, has_more, params, url)


def _written_page(
    account: Account, shelf: Shelf, found: list[str], has_more: bool, params: Json, url: str
) -> bytes:
    paths = expand_paths(params)
    if paths:
        whole = {"object": "list", "data": [shelf.whole(object_id) for object_id in found]}
        expand_all(account, whole, paths)
        texts = [json.dumps(one, ensure_ascii=False).encode() for one in whole["data"]]
    else:
        texts = [shelf.written(object_id) for object_id in found]
    ending = f'],"has_more":{str(has_more).lower()},"url":{json.dumps(url)}}}'
    return b'{"object":"list","data":[' + b",".join(texts) + ending.encode()


def _page_size(params: Json) -> int:
    size = integer(params, "limit")
    if size is None:
        return 10
    if not 1 <= size <= 100:
        raise ApiError(400, "Invalid integer: limit must be between 1 and 100", param="limit")
    return size


def _walk(shelf: Shelf, params: Json) -> Iterator[str]:
    made = _made(params)
    after, before = params.get("starting_after"), params.get("ending_before")
    for name in ("starting_after", "ending_before"):
        if params.get(name) and params[name] not in shelf:
            raise missing(shelf, params[name], name)
    if before:
        return shelf.oldest_first(before, made)
    return shelf.newest_first(after or None, made)


def _made(params: Json) -> tuple[int, int]:
    """Return the half-open range of creation times asked for."""
    asked = params.get("created")
    if asked is None:
        return FOREVER
    if not isinstance(asked, dict):
        exact = integer(params, "created") or 0
        return exact, exact + 1
    refuse_unknown(asked, ("gt", "gte", "lt", "lte"))
    edges = {name: integer(asked, name) for name in asked}
    lows = [edges.get("gte"), _next(edges.get("gt"))]
    highs = [edges.get("lt"), _next(edges.get("lte"))]
    return (
        max([low for low in lows if low is not None], default=FOREVER[0]),
        min([high for high in highs if high is not None], default=FOREVER[1]),
    )


def _next(edge: int | None) -> int | None:
    return None if edge is None else edge + 1


def _tests(account: Account, resource: str, params: Json) -> list[Test]:
    tests = [
        _test(account, resource, name, params[name])
        for name in FILTERS[resource]
        if name in params and not (name == "status" and params[name] == "all")
    ]
    if resource == "subscriptions" and "status" not in params:
        shelf = account[resource]
        tests.append(lambda object_id: shelf.field(object_id, "status") != "canceled")
    return tests


def _test(account: Account, resource: str, name: str, wanted: Any) -> Test:
    """Return the test for one filter; most compare a field with what is wanted."""
    shelf = account[resource]
    match resource, name:
        case "balance_transactions", "payout":
            return lambda object_id: account.payout_of.get(object_id) == wanted
        case "invoices", "subscription":
            return lambda object_id: _subscription_of(shelf, object_id) == wanted
        case "subscriptions", "price":
            return lambda object_id: (
                shelf.field(object_id, "items")["data"][0]["price"]["id"] == wanted
            )
        case "promotion_codes", "coupon":
            return lambda object_id: shelf.field(object_id, "promotion")["coupon"] == wanted
        case "invoice_payments", "payment":
            intent = wanted.get("payment_intent") if isinstance(wanted, dict) else wanted
            return lambda object_id: shelf.field(object_id, "payment")["payment_intent"] == intent
        case _, "ids":
            return lambda object_id: object_id in wanted
        case _, "types":
            return lambda object_id: shelf.field(object_id, "type") in wanted
        case _, "lookup_keys":
            return lambda object_id: shelf.field(object_id, "lookup_key") in wanted
        case _, "active":
            return lambda object_id: shelf.field(object_id, "active") == (wanted == "true")
        case _:
            return lambda object_id: shelf.field(object_id, name) == wanted


def _subscription_of(shelf: Shelf, invoice_id: str) -> Any:
    return shelf.field(invoice_id, "parent")["subscription_details"]["subscription"]


def missing(shelf: Shelf, object_id: str, param: str = "id") -> ApiError:
    """Return the 404 (for a path) or 400 (for a parameter) of an object that is not there."""
    name = shelf.kind.replace("_", " ").replace(".", " ")
    status = 404 if param == "id" else 400
    return ApiError(status, f"No such {name}: '{object_id}'", param=param, code="resource_missing")


def one(account: Account, resource: str, object_id: str, params: Json) -> bytes:
    """Return one object as JSON."""
    refuse_unknown(params, ("expand",))
    shelf = account[resource]
    if object_id not in shelf:
        raise missing(shelf, object_id)
    paths = expand_paths(params)
    if not paths:
        return shelf.written(object_id)
    whole = shelf.whole(object_id)
    expand_all(account, whole, paths)
    return json.dumps(whole, ensure_ascii=False).encode()


# ---------------------------------------------------------------------- expansion


def expand_paths(params: Json) -> list[list[str]]:
    """Return the paths to expand; at most four levels, as at the provider."""
    paths = [str(path).split(".") for path in params.get("expand", [])]
    for path in paths:
        if len(path) > 4:
            message = "You cannot expand more than 4 levels of a property."
            raise ApiError(400, message, param="expand")
    return paths


def expand_all(account: Account, whole: Json, paths: list[list[str]]) -> None:
    """Replace ids by the objects they stand for, along each path."""
    for path in paths:
        _expand(account, whole, path)


def _expand(account: Account, whole: Json, path: list[str]) -> None:
    head, *rest = path
    if head == "line_items" and "line_items" not in whole:
        whole[head] = line_items(account, whole["id"])
    if head not in whole:
        message = f"This property cannot be expanded ({head})."
        raise ApiError(400, message, param="expand")
    value = whole[head]
    if isinstance(value, str):
        shelf = account.shelf_of(value)
        if shelf is None:
            raise ApiError(400, f"This property cannot be expanded ({head}).", param="expand")
        value = whole[head] = shelf.whole(value)
    if rest:
        for below in value if isinstance(value, list) else [value]:
            if isinstance(below, dict):
                _expand(account, below, rest)


def line_items(account: Account, owner_id: str) -> Json:
    """Return the lines of a checkout session or of a payment link as a list object."""
    if owner_id in account.sold:
        lines = [_sold_item(account, owner_id)]
        url = f"/v1/checkout/sessions/{owner_id}/line_items"
    elif owner_id in account.linked:
        lines = [
            _linked_item(account, owner_id, price_id, quantity)
            for price_id, quantity in account.linked[owner_id]
        ]
        url = f"/v1/payment_links/{owner_id}/line_items"
    else:
        raise ApiError(400, "This property cannot be expanded (line_items).", param="expand")
    return {"object": "list", "data": lines, "has_more": False, "url": url}


def _sold_item(account: Account, session_id: str) -> Json:
    sold = account.sold[session_id]
    return {
        "id": account.id_for("li", session_id),
        "object": "item",
        "amount_discount": sold.discount_minor,
        "amount_subtotal": sold.subtotal_minor,
        "amount_tax": sold.tax_minor,
        "amount_total": sold.subtotal_minor - sold.discount_minor,
        "currency": sold.currency,
        "description": sold.description,
        "metadata": {},
        "price": account["prices"].whole(sold.price_id),
        "quantity": 1,
    }


def _linked_item(account: Account, link_id: str, price_id: str, quantity: int) -> Json:
    price = account["prices"].whole(price_id)
    amount = (price["unit_amount"] or 0) * quantity
    return {
        "id": account.id_for("li", link_id, price_id),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": account["products"].field(price["product"], "name"),
        "metadata": {},
        "price": price,
        "quantity": quantity,
    }
