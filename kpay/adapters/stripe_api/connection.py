"""Calls to one Stripe account: pinned API version, short timeouts, own patience, raw JSON.

The library retries nothing unless asked and never a 429, and turning each object into its own
classes costs about nine times as much as the JSON itself: so lists stay plain dictionaries here.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import stripe

from kpay.adapters.stripe_api.errors import translated, will_pass
from kpay.adapters.stripe_api.pace import Pace
from kpay.domain.checkout import Account
from kpay.errors import (
    CredentialsMissing,
    RemoteProblem,
    ResourceForbidden,
    ResourceUnsupported,
    SettingsInvalid,
)

API_VERSION = "2026-10-28.endive"
TIMEOUT_S = (5.0, 15.0)  # to connect, and between two pieces of an answer
ATTEMPTS = 6
ATTEMPTS_UNREACHABLE = 3  # nobody there: say so soon
TEST_REQUESTS_A_SECOND = 20.0  # Stripe allows 25 (https://docs.stripe.com/rate-limits)
LIVE_REQUESTS_A_SECOND = 80.0  # Stripe allows 100
KEY_MODES = {"sk_test_": False, "rk_test_": False, "sk_live_": True, "rk_live_": True}
LOOPBACK = ("127.0.0.1", "localhost", "::1")

log = logging.getLogger(__name__)


class _PlainAnswers(stripe.RequestsClient):
    """Reads good answers itself, once, into plain dictionaries.

    The library would read each body into ordered ones, at twice the price, for every object of a
    list. It is handed an empty object instead; refusals it reads as ever.
    """

    def __init__(self) -> None:
        super().__init__(timeout=TIMEOUT_S)
        self._of_thread = threading.local()

    def request(  # type: ignore[override]  # its own subclasses differ from its base the same way
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Make one request; called by the library."""
        body, status, answered = super().request(method, url, headers, post_data)
        if status != HTTPStatus.OK:
            return body, status, answered
        try:
            self._of_thread.answer = json.loads(body)
        except ValueError:  # a proxy's page: the library knows how to complain of it
            return body, status, answered
        return b"{}", status, answered

    def taken(self) -> Any:
        """Return the answer to this thread's last request, and let go of it."""
        answer, self._of_thread.answer = self._of_thread.answer, None
        return answer


class StripeConnection:
    """An account's door: `get` and `post` answer with plain dictionaries or raise kpay's errors."""

    def __init__(self, key: str, base: str = "", pace: Pace | None = None) -> None:
        self.livemode = _mode_of(key)
        self.requests = 0
        self._key = key
        self._lock = threading.Lock()
        limit = LIVE_REQUESTS_A_SECOND if self.livemode else TEST_REQUESTS_A_SECOND
        self._pace = pace or Pace(None if base else limit)
        self._address = _checked_base(base) if base else stripe.DEFAULT_API_BASE
        self._answers = _PlainAnswers()
        self._client = stripe.StripeClient(
            key,
            stripe_version=API_VERSION,
            max_network_retries=0,
            http_client=self._answers,
            base_addresses={"api": self._address},
        )

    def __repr__(self) -> str:
        return f"StripeConnection({'live' if self.livemode else 'test'})"

    def get(self, path: str, parameters: Mapping[str, Any], what: str) -> dict[str, Any]:
        """Read; `what` completes the sentence "Stripe did not ..." of an error."""
        return self._call("get", path, parameters, what)

    def post(
        self,
        path: str,
        parameters: Mapping[str, Any],
        what: str,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Create, with a key that makes it safe to send again, or set fields, which is safe anyway."""
        options = {"idempotency_key": idempotency_key} if idempotency_key else {}
        return self._call("post", path, {**parameters, **options}, what)

    def account(self) -> Account:
        """Return the key's account; where the server does not tell, one is named after the key."""
        try:
            found = self.get("account", {}, "name the key's account")
            return Account(found["id"], self.livemode)
        except (ResourceUnsupported, ResourceForbidden):
            digest = hashlib.sha256(self._key.encode()).hexdigest()[:16]
            return Account(f"unknown:{digest}", self.livemode)

    def _call(
        self, method: str, path: str, parameters: Mapping[str, Any], what: str
    ) -> dict[str, Any]:
        attempt = 0
        while True:
            self._pace.wait_turn()
            with self._lock:
                self.requests += 1
            began = time.monotonic()
            try:
                self._client.raw_request(method, f"/v1/{path}", **parameters)
            except stripe.StripeError as error:
                if not will_pass(error) or attempt + 1 >= _patience(error):
                    raise translated(error, what, self._address) from error
                log.info("%s %s: %s; trying again", method, path, error.http_status or "no answer")
                if isinstance(error, stripe.RateLimitError):
                    self._pace.slow_down()
                self._pace.back_off(attempt)
                attempt += 1
                continue
            answer = self._answers.taken()
            log.info("%s %s in %.3f s", method, path, time.monotonic() - began)
            if isinstance(answer, dict):
                return answer
            raise RemoteProblem(f"Stripe did not {what} (its answer is no object)", "kpay doctor")


def _patience(error: stripe.StripeError) -> int:
    return ATTEMPTS_UNREACHABLE if isinstance(error, stripe.APIConnectionError) else ATTEMPTS


def _mode_of(key: str) -> bool:
    """Say whether a key is live; raise CredentialsMissing for what is no secret key."""
    for prefix, livemode in KEY_MODES.items():
        if key.startswith(prefix):
            return livemode
    raise CredentialsMissing(
        "the text in KPAY_STRIPE_KEY is no secret or restricted key "
        "(they begin with sk_test_, rk_test_, sk_live_ or rk_live_)",
        "read -rs KPAY_STRIPE_KEY && export KPAY_STRIPE_KEY",
    )


def _checked_base(base: str) -> str:
    """Return the address without its last slash; plain http is for this machine alone."""
    address = urlsplit(base)
    if address.scheme == "https" or (address.scheme == "http" and address.hostname in LOOPBACK):
        return base.rstrip("/")
    raise SettingsInvalid(
        f"stripe_api_base {base!r} is neither https nor on this machine",
        "kpay config stripe_api_base",
    )
