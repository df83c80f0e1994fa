"""Calls to one Stripe account: pinned API version, short timeouts, own patience, raw JSON.

The library retries nothing unless asked and never a 429, and turning each object into its own
classes costs about nine times as much as the JSON itself: so lists stay plain dictionaries here.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe

from kpay.adapters.stripe_api.errors import translated
from kpay.adapters.stripe_api.pace import REQUESTS_A_SECOND, Pace
from kpay.adapters.stripe_api.patience import Patience, asked_wait_s
from kpay.adapters.stripe_api.transport import Limits, PlainAnswers
from kpay.domain.checkout import Account
from kpay.errors import (
    CredentialsMissing,
    RemoteProblem,
    ResourceForbidden,
    ResourceUnsupported,
    SettingsInvalid,
)

API_VERSION = "2026-10-28.endive"
KEY_MODES = {"sk_test_": False, "rk_test_": False, "sk_live_": True, "rk_live_": True}
LOOPBACK = ("127.0.0.1", "localhost", "::1")

log = logging.getLogger(__name__)


class StripeConnection:
    """An account's door: `get` and `post` answer with plain dictionaries or raise kpay's errors."""

    def __init__(
        self, key: str, base: str = "", pace: Pace | None = None, limits: Limits | None = None
    ) -> None:
        self.livemode = _mode_of(key)
        self.requests = 0
        self._key = key
        self._lock = threading.Lock()
        self._address = _checked_base(base) if base else stripe.DEFAULT_API_BASE
        self._limits = limits or Limits()
        is_near = urlsplit(self._address).hostname in LOOPBACK
        self._pace = pace or Pace(
            None if is_near else REQUESTS_A_SECOND, sleep=self._limits.is_unwanted.wait
        )
        self._patience = Patience()
        self._answers = PlainAnswers(self._limits, is_near=is_near)
        self._client = stripe.StripeClient(
            key,
            stripe_version=API_VERSION,
            max_network_retries=0,
            http_client=self._answers,
            base_addresses={"api": self._address},
        )

    def __repr__(self) -> str:
        return f"StripeConnection({'live' if self.livemode else 'test'})"

    @property
    def per_second(self) -> float | None:
        """The present pace of requests; None where there is no limit."""
        return self._pace.per_second

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

    def one(
        self, path: str, external_id: str, parameters: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        """Return one object, or None when there is no such object."""
        try:
            return self.get(f"{path}/{external_id}", parameters or {}, f"show {external_id}")
        except ResourceUnsupported:
            return None

    def account(self) -> Account:
        """Return the key's account; where the server does not tell, one is named after the key."""
        try:
            found = self.get("account", {}, "name the key's account")
            return Account(found["id"], self.livemode)
        except (ResourceUnsupported, ResourceForbidden):
            digest = hashlib.sha256(self._key.encode()).hexdigest()[:16]
            return Account(f"unknown:{digest}", self.livemode)

    def stop(self) -> None:
        """Let whatever is under way in other threads end within a second; nothing can be asked after."""
        self._limits.is_unwanted.set()

    def _call(
        self, method: str, path: str, parameters: Mapping[str, Any], what: str
    ) -> dict[str, Any]:
        began_at, tries = time.monotonic(), 0
        while True:
            dead = self._patience.given_up()
            if dead is not None:
                raise translated(dead, what, self._address) from dead
            if self._limits.is_unwanted.is_set():
                raise RemoteProblem(f"Stripe was not asked to {what}: the run was stopped", None)
            try:
                return self._ask(method, path, parameters, what)
            except stripe.StripeError as error:
                tries += 1
                if not self._patience.is_worth_another(error, method, tries, began_at):
                    raise translated(error, what, self._address) from error
                log.info("%s %s: %s; trying again", method, path, error.http_status or "no answer")
                if isinstance(error, stripe.RateLimitError):
                    self._pace.slow_down()
                self._pace.back_off(tries - 1, asked_wait_s(error))

    def _ask(
        self, method: str, path: str, parameters: Mapping[str, Any], what: str
    ) -> dict[str, Any]:
        """Make one request; the library raises what is no good answer."""
        self._pace.wait_turn()
        with self._lock:
            self.requests += 1
        began_at = time.monotonic()
        self._client.raw_request(method, f"/v1/{path}", **parameters)
        answer = self._answers.taken()
        self._patience.answered()
        log.info("%s %s in %.3f s", method, path, time.monotonic() - began_at)
        if isinstance(answer, dict):
            return answer
        raise RemoteProblem(f"Stripe did not {what} (its answer is no object)", "kpay doctor")


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
