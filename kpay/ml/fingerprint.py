"""A digest of everything that a model learns from, so that the same training is done once."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from kpay.ml.history import History


def fingerprint(everything: History) -> str:
    """Return the SHA-256 of a history; equal ones have equal ones, on every machine."""
    found = hashlib.sha256()
    _add(found, everything)
    return found.hexdigest()


def _add(found: Any, part: Any) -> None:
    """Add a value behind its kind and size, so that no two histories run into the same bytes."""
    if dataclasses.is_dataclass(part):
        for field in dataclasses.fields(part):
            found.update(f"{field.name}:".encode())
            _add(found, getattr(part, field.name))
    elif isinstance(part, np.ndarray):
        found.update(f"{part.dtype.str}{part.shape}".encode())
        found.update(np.ascontiguousarray(part).tobytes())
    elif isinstance(part, Mapping):
        found.update(f"of {len(part)}".encode())
        for name in sorted(part):
            _add(found, name)
            _add(found, part[name])
    elif isinstance(part, tuple):
        found.update(f"list of {len(part)}".encode())
        for item in part:
            _add(found, item)
    else:
        text = str(part).encode()
        found.update(f"{len(text)}:".encode() + text)
