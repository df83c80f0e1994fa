"""What the models predict, in words; a target is "purchase", "content:SLUG", "renewal", "refund" or "uplift"."""

from __future__ import annotations

from typing import Final

PLAIN: Final = {
    "purchase": ("buys", "buy", "bought", "buyers"),
    "renewal": ("stays subscribed", "stay subscribed", "stayed", "who stayed"),
    "refund": ("asks for money back", "ask for money back", "asked for money back", "refunds"),
    "uplift": ("buys because of a mail", "buy because of a mail", "bought", "buyers"),
}


def _forms(target: str) -> tuple[str, str, str, str]:
    kind, _, slug = target.partition(":")
    if kind == "content":
        return f"buys {slug}", f"buy {slug}", "bought it", "buyers"
    return PLAIN.get(target, PLAIN["purchase"])


def who_does(target: str, horizon_days: int) -> str:
    """Return what a model answers: "who buys within 90 days"."""
    return f"who {_forms(target)[0]} within {horizon_days} days".replace(
        "subscribed within", "subscribed for"
    )


def to_do(target: str, horizon_days: int) -> str:
    """Return what a probability is of: "to buy within 90 days"."""
    return f"to {_forms(target)[1]} within {horizon_days} days".replace(
        "subscribed within", "subscribed for"
    )


def did(target: str) -> str:
    """Return what somebody did for whom it came true: "bought"."""
    return _forms(target)[2]


def doers(target: str) -> str:
    """Return those for whom it came true: "buyers"."""
    return _forms(target)[3]


def train_again(target: str, horizon_days: int) -> str:
    """Return the command that trains a model of the same target and horizon."""
    asked = "" if target == "purchase" else f" --target {target}"
    return f"kpay train{asked} --horizon {horizon_days}d"
