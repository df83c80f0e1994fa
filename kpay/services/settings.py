"""Describing the settings of a business."""

from __future__ import annotations

from dataclasses import fields
from difflib import get_close_matches

from kpay.config import KEYS, Settings
from kpay.domain.document import Column, Document, Table
from kpay.errors import NotFound

HELP = {item.name: item.metadata["help"] for item in fields(Settings) if item.name in KEYS}


def describe(settings: Settings, key: str | None, *, show_origin: bool) -> Document:
    """Return the settings, or one of them; NotFound for a key that kpay does not know."""
    if key is not None and key not in KEYS:
        close = get_close_matches(key, KEYS, n=1)
        raise NotFound("setting", key, f"kpay config {close[0]}" if close else "kpay config")
    chosen = (key,) if key else KEYS
    columns = [Column("setting"), Column("value")]
    columns += [Column("from")] if show_origin else [Column("what it does")]
    rows = tuple(
        (
            name,
            getattr(settings, name),
            settings.origins[name] if show_origin else HELP[name],
        )
        for name in chosen
    )
    payload = {
        name: {"value": getattr(settings, name), "origin": settings.origins[name]}
        for name in chosen
    }
    return Document(
        "kpay.config/1", "Settings", (Table(tuple(columns), rows),), {"settings": payload}
    )
