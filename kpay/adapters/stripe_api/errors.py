"""What each of the payment library's exceptions means to kpay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

import stripe
from stripe import _error as errors
from stripe import oauth_error

from kpay.errors import (
    CredentialsMissing,
    KpayError,
    RemoteProblem,
    ResourceForbidden,
    ResourceUnsupported,
)

MEANINGS: Final[dict[type[Exception], type[KpayError]]] = {
    stripe.AuthenticationError: CredentialsMissing,
    stripe.PermissionError: ResourceForbidden,
    stripe.InvalidRequestError: ResourceUnsupported,
    stripe.APIError: RemoteProblem,
    stripe.APIConnectionError: RemoteProblem,
    stripe.RateLimitError: RemoteProblem,
    stripe.CardError: RemoteProblem,
    stripe.IdempotencyError: RemoteProblem,
    stripe.SignatureVerificationError: RemoteProblem,
    errors.StripeErrorWithParamCode: RemoteProblem,
    errors.AlreadyCanceledError: RemoteProblem,
    errors.BlockedByStripeError: RemoteProblem,
    errors.CannotProceedError: RemoteProblem,
    errors.CapabilityNotEnabledError: RemoteProblem,
    errors.ControlledByAlternateResourceError: RemoteProblem,
    errors.FeatureNotEnabledError: ResourceUnsupported,
    errors.FinancialAccountNotOpenError: RemoteProblem,
    errors.FxQuoteNeedsRefreshError: RemoteProblem,
    errors.InsufficientFundsError: RemoteProblem,
    errors.InvalidPaymentMethodError: RemoteProblem,
    errors.InvalidPayoutMethodError: RemoteProblem,
    errors.InvalidVaultedCredentialError: RemoteProblem,
    errors.NotCancelableError: RemoteProblem,
    errors.QuotaExceededError: RemoteProblem,
    errors.RecipientNotNotifiableError: RemoteProblem,
    errors.TemporarySessionExpiredError: RemoteProblem,
    errors.VerificationAttemptFailedError: RemoteProblem,
    errors.VerificationExpiredError: RemoteProblem,
    errors.VerificationNotInitiatedError: RemoteProblem,
    oauth_error.OAuthError: RemoteProblem,
    oauth_error.InvalidClientError: RemoteProblem,
    oauth_error.InvalidGrantError: RemoteProblem,
    oauth_error.InvalidRequestError: RemoteProblem,
    oauth_error.InvalidScopeError: RemoteProblem,
    oauth_error.UnsupportedGrantTypeError: RemoteProblem,
    oauth_error.UnsupportedResponseTypeError: RemoteProblem,
}
"""Every exception class of the library; a test fails when a new one is missing here."""

PASSING: Final = (429, 500, 502, 503, 504)
KEY_PATTERN: Final = re.compile(r"\b([sr]k_(?:test|live))_\w+")
LOGIN_PATTERN: Final = re.compile(r"//[^/@]*@")


def will_pass(error: stripe.StripeError) -> bool:
    """Say whether the same request may succeed a moment later.

    A lock that another request holds is 409; a proxy's page in place of JSON comes with status 200.
    """
    if isinstance(error, stripe.APIConnectionError | stripe.RateLimitError):
        return True
    status = error.http_status or 0
    is_conflict = status == 409 and not isinstance(error, stripe.IdempotencyError)
    return status in PASSING or is_conflict or (status == 200 and type(error) is stripe.APIError)


def translated(error: stripe.StripeError, what: str, address: str) -> KpayError:
    """Return kpay's error for one of the library's, without any secret in it.

    `what` completes the sentence "Stripe did not ..."; `address` is where Stripe was looked for.
    """
    meaning = MEANINGS.get(type(error), RemoteProblem)
    status = error.http_status
    if meaning is CredentialsMissing:
        return CredentialsMissing(
            "Stripe refuses the key in KPAY_STRIPE_KEY", "kpay doctor", status=status
        )
    said = KEY_PATTERN.sub(r"\1_...", _first_line(error))
    if meaning is ResourceForbidden:
        sentence = f"this key may not {what} ({said})"
        return ResourceForbidden(
            sentence, "kpay sync   # when the key has that permission", status=status
        )
    if isinstance(error, stripe.APIConnectionError):
        is_elsewhere = address != stripe.DEFAULT_API_BASE
        address = LOGIN_PATTERN.sub("//", address)
        return RemoteProblem(
            f"Stripe cannot be reached at {address} to {what} ({_why_unreachable(error)})",
            "kpay config stripe_api_base" if is_elsewhere else "kpay doctor",
            address=address,
        )
    if meaning is ResourceUnsupported and status != HTTPStatus.NOT_FOUND:
        meaning = RemoteProblem  # our own request was refused: that is no answer to what was asked
    return meaning(f"Stripe did not {what} ({said})", "kpay doctor", status=status)


def _why_unreachable(error: BaseException) -> str:
    """Return what the system says, which lies below the exceptions of three libraries."""
    for cause in causes(error):
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
    names = [type(cause).__name__ for cause in causes(error)]
    if any("Timeout" in name for name in names):
        return "no answer in time"
    return "the connection broke off"


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield what lies below an exception, the nearest first."""
    cause = error.__cause__ or error.__context__
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _first_line(error: stripe.StripeError) -> str:
    text = str(error.user_message or error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
