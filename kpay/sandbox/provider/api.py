"""The provider's HTTP API without the HTTP: routes, keys, idempotency, errors as JSON."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from threading import RLock
from typing import Final
from urllib.parse import unquote, urlsplit

from kpay.sandbox.provider import listing
from kpay.sandbox.provider.account import Account
from kpay.sandbox.provider.balance import balance_object
from kpay.sandbox.provider.creation import Clerk
from kpay.sandbox.provider.form import ApiError, parse, required
from kpay.sandbox.provider.payments import Cashier
from kpay.sandbox.provider.shelves import Json

KEY_PREFIXES: Final = ("sk_test_", "rk_test_")


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `headers` have lower-case names."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, always JSON."""

    status: int
    body: bytes
    is_replayed: bool = False


class Api:
    """Answers requests one at a time, so that what it shows is always whole."""

    def __init__(self, account: Account, cashier: Cashier, lock: RLock) -> None:
        self._account = account
        self._cashier = cashier
        self._clerk = Clerk(account, cashier)
        self._lock = lock
        self._answered: dict[str, tuple[str, Response]] = {}

    def answer(self, request: Request) -> Response:
        """Answer a request; a refusal is an answer too."""
        with self._lock:
            try:
                _check_key(request)
                return self._once(request)
            except ApiError as error:
                return Response(error.status, json.dumps(error.body).encode())

    def _once(self, request: Request) -> Response:
        """Answer a repeated POST with the first answer to its idempotency key."""
        key = request.headers.get("idempotency-key")
        if request.method != "POST" or not key:
            return Response(200, self._route(request))
        wish = f"{request.target}\n{request.body}"
        mark = hashlib.sha256(wish.encode()).hexdigest()
        if key in self._answered:
            first_mark, response = self._answered[key]
            if first_mark != mark:
                message = (
                    "Keys for idempotent requests can only be used with the same parameters "
                    f"they were first used with. Try using a key other than '{key}'."
                )
                raise ApiError(400, message, kind="idempotency_error")
            return Response(response.status, response.body, is_replayed=True)
        response = Response(200, self._route(request))
        self._answered[key] = (mark, response)
        return response

    def _route(self, request: Request) -> bytes:
        target = urlsplit(request.target)
        parts = [unquote(part) for part in target.path.strip("/").split("/")]
        if parts[:1] != ["v1"]:
            raise _unknown(request)
        parts = (
            ["checkout.sessions", *parts[3:]]
            if parts[1:3] == ["checkout", "sessions"]
            else parts[1:]
        )
        if request.method == "GET":
            return self._get(request, target.path, parts, parse(target.query))
        if parts[0] not in self._account.shelves:
            raise _unknown(request)
        return self._write(request, parts)

    def _get(self, request: Request, path: str, parts: list[str], params: Json) -> bytes:
        match parts:
            case ["account"]:
                return _text(self._account_object())
            case ["balance"]:
                return _text(balance_object(self._account))
            case ["subscription_items"]:
                return _text(self._subscription_items(params))
            case [resource] if resource in self._account.shelves:
                return listing.page(self._account, resource, params, path)
            case [resource, object_id] if resource in self._account.shelves:
                return listing.one(self._account, resource, object_id, params)
            case [resource, object_id, "line_items" | "lines" as part]:
                return _text(self._part(request, resource, object_id, part))
        raise _unknown(request)

    def _part(self, request: Request, resource: str, object_id: str, part: str) -> Json:
        if resource not in self._account.shelves:
            raise _unknown(request)
        shelf = self._account[resource]
        if object_id not in shelf:
            raise listing.missing(shelf, object_id)
        if resource == "invoices" and part == "lines":
            lines: Json = shelf.field(object_id, "lines")
            return lines
        return listing.line_items(self._account, object_id)

    def _write(self, request: Request, parts: list[str]) -> bytes:
        params = parse(request.body)
        match request.method, parts:
            case "POST", [resource]:
                object_id = self._clerk.create(resource, params)
            case "POST", [resource, object_id]:
                self._clerk.update(resource, object_id, params)
            case "DELETE", ["customers" as resource, object_id] if (
                object_id in self._account[resource]
            ):
                return _text(self._cashier.delete_customer(object_id, self._account.now))
            case _:
                raise _unknown(request)
        wanted = {"expand": params["expand"]} if "expand" in params else {}
        return listing.one(self._account, resource, object_id, wanted)

    def _account_object(self) -> Json:
        return {
            "id": self._account.account_id,
            "object": "account",
            "business_profile": {"name": "Sandbox", "url": None},
            "business_type": "individual",
            "charges_enabled": True,
            "country": "US",
            "default_currency": "usd",
            "details_submitted": True,
            "email": "creator@example.com",
            "metadata": {},
            "payouts_enabled": True,
            "settings": {"dashboard": {"display_name": "Sandbox", "timezone": "Etc/UTC"}},
            "type": "standard",
        }

    def _subscription_items(self, params: Json) -> Json:
        subscription_id = required(params, "subscription")
        shelf = self._account["subscriptions"]
        if subscription_id not in shelf:
            raise listing.missing(shelf, subscription_id, "subscription")
        items: Json = shelf.field(subscription_id, "items")
        return items


def _check_key(request: Request) -> None:
    """Accept any test key; whether it is a secret or a restricted one makes no difference here."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.startswith(KEY_PREFIXES):
        return
    message = "Invalid API Key provided." if key else "You did not provide an API key."
    raise ApiError(401, message)


def _unknown(request: Request) -> ApiError:
    path = urlsplit(request.target).path
    return ApiError(404, f"Unrecognized request URL ({request.method}: {path}).")


def _text(whole: Json) -> bytes:
    return json.dumps(whole, ensure_ascii=False).encode()
