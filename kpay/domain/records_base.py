"""Reading single fields of provider objects, whatever version of the API shaped them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from kpay.domain.checkout import CONTENT_KEY, RawObject


def moment(seconds: Any) -> datetime | None:
    """Return a provider's Unix seconds as aware UTC, or None."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def created(raw: RawObject) -> datetime:
    """Return when an object was made; the epoch where it does not say."""
    return datetime.fromtimestamp(raw.get("created") or 0, UTC)


def id_of(value: Any) -> str | None:
    """Return the id of a reference, which is an id, a whole (expanded) object, or nothing."""
    if isinstance(value, dict):
        value = value.get("id")
    return value or None


def customer_of(raw: RawObject) -> str | None:
    """Return whom an object names; accounts on the newer customer model say it in another field."""
    return id_of(raw.get("customer")) or id_of(raw.get("customer_account"))


def part(raw: RawObject, *names: str) -> Any:
    """Return a nested field, or None as soon as one level is missing or null."""
    value: Any = raw
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def content_of(*carriers: Any) -> str | None:
    """Return the slug that the first of several metadata maps names."""
    for metadata in carriers:
        if isinstance(metadata, dict) and metadata.get(CONTENT_KEY):
            return str(metadata[CONTENT_KEY])
    return None


def listed(value: Any) -> list[RawObject]:
    """Return the members of an embedded list, which is `{"data": [...]}`, a plain list, or nothing."""
    if isinstance(value, dict):
        value = value.get("data")
    return list(value) if value else []


def total(amounts: Iterable[Any], key: str = "amount") -> int:
    """Add up an amount of several small objects; what is null counts as nothing."""
    return sum(amount.get(key) or 0 for amount in amounts)
