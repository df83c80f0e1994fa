"""How often one request is made again, and when a line counts as dead for all of them."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from typing import Final

import stripe

from kpay.adapters.stripe_api.errors import causes, will_pass

TRIES: Final = 6  # of a cut, stalled, garbled or refused answer
TRIES_NOBODY_THERE: Final = 3
NOBODY_THERE: Final = (ConnectionRefusedError, socket.gaierror)
# No further try begins after this: a socket that stalls on each try costs three of them, not six.
PATIENCE_S: Final = 40.0
# Once one request was given up and nothing else was answered meanwhile, the others need not find
# out for themselves.
DEAD_LINE_S: Final = 10.0


class Patience:
    """Remembers what happened on one account's line; used by all its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered_at = float("-inf")
        self._dead_until = float("-inf")
        self._reason: stripe.StripeError | None = None

    def answered(self) -> None:
        """Note that somebody is there."""
        self._answered_at = time.monotonic()

    def given_up(self) -> stripe.StripeError | None:
        """Return why the line counts as dead, while it does."""
        with self._lock:
            return self._reason if time.monotonic() < self._dead_until else None

    def is_worth_another(
        self, error: stripe.StripeError, method: str, tries: int, began_at: float
    ) -> bool:
        """Say whether a request should be made again after `tries` of them failed."""
        now = time.monotonic()
        is_answer = error.http_status is not None
        if is_answer:
            self._answered_at = now
        if (
            _may_pass(error, method)
            and tries < _worth(error)
            and now - began_at < PATIENCE_S
            and self.given_up() is None
        ):
            return True
        if not is_answer and self._answered_at < began_at:
            with self._lock:
                self._reason, self._dead_until = error, now + DEAD_LINE_S
        return False


def asked_wait_s(error: stripe.StripeError) -> float:
    """Return how long the other side asks to be left alone, 0 when it does not say."""
    asked = _header(error, "retry-after")
    return float(asked) if asked.isdecimal() else 0.0


def _may_pass(error: stripe.StripeError, method: str) -> bool:
    """Say whether the same request may succeed, minding what Stripe itself says of it.

    It says "false" of most failures because it would replay a failed write; a read is never replayed,
    and a refusal for haste passes with time, so both are made again all the same.
    """
    advice = _header(error, "stripe-should-retry")
    if advice == "true":
        return True
    is_final = advice == "false" and method == "post"
    if is_final and not isinstance(error, stripe.RateLimitError):
        return False
    return will_pass(error)


def _worth(error: stripe.StripeError) -> int:
    below = list(causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in below):
        return 1
    is_nobody_there = any(isinstance(cause, NOBODY_THERE) for cause in below)
    return TRIES_NOBODY_THERE if is_nobody_there else TRIES


def _header(error: stripe.StripeError, name: str) -> str:
    headers = {key.lower(): value for key, value in (error.headers or {}).items()}
    return str(headers.get(name, "")).strip().lower()
