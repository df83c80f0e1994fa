"""A provider's account of any size that holds none of its objects: pages are written as they are asked.

Every object can be told from its number alone, so memory and the cost of a page do not grow with the
account. `tests.fakes.servers` serves it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from kpay.sandbox.provider.api import Request, Response
from kpay.sandbox.provider.shapes import SHAPES

KEY: Final = "sk_test_big0123456789"
START: Final = 1_767_225_600  # 2026-01-01
SECONDS_A_SALE: Final = 90
PRICE: Final = 1900
FEE: Final = 85
REFUND_EVERY: Final = 20
OBJECTS_A_SALE: Final = 4 + 1 / 2 + 2 / REFUND_EVERY


@dataclass(frozen=True)
class Shelf:
    """One list: how many objects, what sale the n-th belongs to, and the text of each."""

    path: str
    count: int
    sale: Callable[[int], int]
    template: str

    def written(self, number: int) -> str:
        """Return the JSON of an object."""
        sale = self.sale(number)
        made = START + sale * SECONDS_A_SALE
        buyer = sale // 2
        return self.template % {"n": number, "sale": sale, "made": made, "buyer": buyer}

    def page(self, after: str | None, since: int, limit: int) -> bytes:
        """Return a page, newest first."""
        top = int(after.rsplit("_", 1)[1]) - 1 if after else self.count - 1
        numbers = range(top, max(-1, top - limit), -1)
        texts = [self.written(one) for one in numbers if self._made(one) >= since]
        is_more = len(texts) == limit and top - limit >= 0
        has_more = is_more and self._made(top - limit) >= since
        inside = ",".join(texts)
        ending = f'"has_more":{str(has_more).lower()},"url":"/v1/{self.path}"'
        return f'{{"object":"list","data":[{inside}],{ending}}}'.encode()

    def _made(self, number: int) -> int:
        return START + self.sale(number) * SECONDS_A_SALE


def template(resource: str, prefix: str, **fields: Any) -> str:
    """Return an object's JSON with places for its numbers; "@sale@" and the like mark them."""
    kind, _, shape = SHAPES[resource]
    whole = {"id": f"{prefix}_@n@", "object": kind, **shape, "created": "@made@", **fields}
    text = json.dumps(whole).replace("%", "%%")
    text = text.replace('"@made@"', "%(made)d")
    for name in ("n", "sale", "buyer"):
        text = text.replace(f"@{name}@", f"%({name})09d")
    return text


def shelves(sales: int) -> dict[str, Shelf]:
    """Return every list of an account with so many sales."""
    same: Callable[[int], int] = lambda number: number  # noqa: E731
    return {
        "payment_intents": Shelf("payment_intents", sales, same, _intent()),
        "charges": Shelf("charges", sales, same, _charge()),
        "checkout/sessions": Shelf("checkout/sessions", sales, same, _session()),
        "balance_transactions": Shelf("balance_transactions", sales, same, _movement()),
        "customers": Shelf("customers", sales // 2, lambda number: number * 2, _customer()),
        "refunds": Shelf("refunds", sales // REFUND_EVERY, _refunded, _refund()),
        "products": Shelf("products", 1, same, _product()),
        "prices": Shelf("prices", 1, same, _price()),
    }


def _refunded(number: int) -> int:
    return number * REFUND_EVERY


def _intent() -> str:
    return template("payment_intents", "pi", amount=PRICE, currency="usd", customer="cus_@buyer@")


def _charge() -> str:
    details = {"email": "buyer@buyer@@example.com", "name": "Ana Lee", "address": {"country": "DE"}}
    return template(
        "charges",
        "ch",
        amount=PRICE,
        amount_captured=PRICE,
        currency="usd",
        customer="cus_@buyer@",
        payment_intent="pi_@sale@",
        balance_transaction="txn_@sale@",
        billing_details=details,
    )


def _session() -> str:
    line = {
        "id": "li_@n@",
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": PRICE,
        "amount_tax": 0,
        "amount_total": PRICE,
        "currency": "usd",
        "description": "The guide",
        "price": json.loads(_price() % {"n": 0, "made": START}),
        "quantity": 1,
    }
    return template(
        "checkout.sessions",
        "cs",
        amount_subtotal=PRICE,
        amount_total=PRICE,
        currency="usd",
        customer="cus_@buyer@",
        customer_details={"email": "buyer@buyer@@example.com", "name": "Ana Lee"},
        line_items={"object": "list", "data": [line], "has_more": False},
        metadata={"kpay_content": "guide"},
        payment_intent="pi_@sale@",
    )


def _movement() -> str:
    return template(
        "balance_transactions",
        "txn",
        amount=PRICE,
        fee=FEE,
        net=PRICE - FEE,
        currency="usd",
        source="ch_@sale@",
        status="available",
        type="charge",
    )


def _customer() -> str:
    return template("customers", "cus", email="buyer@n@@example.com", name="Ana Lee")


def _refund() -> str:
    return template(
        "refunds", "re", amount=PRICE, charge="ch_@sale@", currency="usd", status="succeeded"
    )


def _product() -> str:
    return template("products", "prod", name="The guide", metadata={"kpay_content": "guide"})


def _price() -> str:
    return template("prices", "price", product="prod_000000000", unit_amount=PRICE, currency="usd")


class BigAccount:
    """Answers list requests and single reads as an `Api` does."""

    def __init__(self, objects: int) -> None:
        self._shelves = shelves(round(objects / OBJECTS_A_SALE))

    @property
    def objects(self) -> int:
        """How many objects there are."""
        return sum(shelf.count for shelf in self._shelves.values())

    def answer(self, request: Request) -> Response:
        """Answer a request."""
        asked = urlsplit(request.target)
        path = asked.path.removeprefix("/v1/")
        parameters = dict(parse_qsl(asked.query))
        if path == "account":
            return Response(200, b'{"id": "acct_big", "object": "account"}')
        if path in self._shelves:
            after, since = parameters.get("starting_after"), parameters.get("created[gte]", 0)
            limit = int(parameters.get("limit", 10))
            return Response(200, self._shelves[path].page(after, int(since), limit))
        folder, _, last = path.rpartition("/")
        if folder in self._shelves:
            text = self._shelves[folder].written(int(last.rsplit("_", 1)[1]))
            return Response(200, text.encode())
        nothing = f'{{"object":"list","data":[],"has_more":false,"url":"{asked.path}"}}'
        return Response(200, nothing.encode())
