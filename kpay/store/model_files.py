"""Trained models on disk: JSON text whose checksum stands in the store. No file runs code."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from kpay.errors import DiskProblem, Refused
from kpay.files import write_whole


def checksum_of(text: str) -> str:
    """Return the SHA-256 of a model's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def write_model(folder: Path, run: str, model: dict[str, Any]) -> str:
    """Write a model and return its checksum; DiskProblem, and no file, when it cannot be kept."""
    text = json.dumps(model, sort_keys=True, allow_nan=False)
    write_whole(folder / f"{run}.json", text.encode(), is_durable=True)
    return checksum_of(text)


def is_whole(folder: Path, run: str, checksum: str) -> bool:
    """Say whether the file of a run is there and is the one that was written."""
    try:
        return checksum_of((folder / f"{run}.json").read_text(encoding="utf-8")) == checksum
    except (OSError, UnicodeDecodeError):
        return False


def read_model(folder: Path, run: str, checksum: str) -> dict[str, Any]:
    """Read a model whose checksum holds; Refused when it is gone or was changed."""
    path = folder / f"{run}.json"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Refused(f"the model file {path} is gone", "kpay train", run=run) from None
    except UnicodeDecodeError:
        text = ""
    except OSError as error:
        raise DiskProblem(f"{path} cannot be read: {error.strerror}", f"ls -l {path}") from error
    if checksum_of(text) != checksum:
        raise Refused(
            f"the model file {path} is not the one that was trained (its checksum differs)",
            "kpay train",
            run=run,
        )
    model: dict[str, Any] = json.loads(text)
    return model
