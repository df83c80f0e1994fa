"""Trained models on disk: JSON text whose checksum stands in the store and in its own head.

The head says whose model it is, so that a file which somebody put there is told apart from one that
was damaged. No file runs code: trees stay text until a child process reads them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from kpay.errors import DiskProblem, ModelDamaged, ModelForeign, ModelGone, ModelOutdated
from kpay.files import write_whole

FORMAT: Final = 2
LARGEST_BYTES: Final = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class Head:
    """Whose model a file is."""

    run: str
    target: str
    account: str
    columns_digest: str


def checksum_of(content: bytes) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(content).hexdigest()


def write_model(folder: Path, head: Head, model: dict[str, Any]) -> str:
    """Write a model and return its checksum; DiskProblem, and no file, when it cannot be kept."""
    kept = {**asdict(head), "format": FORMAT, "sha256": _sum_of(model)}
    text = json.dumps({"kpay_model": kept, "model": model}, sort_keys=True, allow_nan=False)
    write_whole(_path(folder, head.run), text.encode(), is_durable=True)
    return checksum_of(text.encode())


def is_there(folder: Path, run: str) -> bool:
    """Say whether a run has a file."""
    return _path(folder, run).is_file()


def is_whole(folder: Path, run: str, checksum: str) -> bool:
    """Say whether the file of a run is there and is the one that was written."""
    try:
        return checksum_of(_path(folder, run).read_bytes()) == checksum
    except OSError:
        return False


def read_model(folder: Path, head: Head, checksum: str) -> dict[str, Any]:
    """Read the model that `head` describes.

    Raises ModelGone, ModelForeign for a whole file of another model, ModelOutdated for one of another
    form, ModelDamaged for anything else whose checksum differs.
    """
    content = _content(_path(folder, head.run), head.run)
    if checksum_of(content) != checksum:
        _refuse_other(content, head)
        raise ModelDamaged(head.run, "its checksum differs from that of the trained one")
    found = _parsed(content)
    if "kpay_model" not in found or "model" not in found:
        raise ModelOutdated(head.run, "was written by another version of kpay")
    _check_head(found, head)
    model: dict[str, Any] = found["model"]
    return model


def _path(folder: Path, run: str) -> Path:
    return folder / f"{run}.json"


def _sum_of(model: Any) -> str:
    return checksum_of(json.dumps(model, sort_keys=True).encode())


def _content(path: Path, run: str) -> bytes:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ModelDamaged(run, f"it is larger than {LARGEST_BYTES // 1024**2} MB")
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelGone(run, str(path)) from None
    except OSError as error:
        raise DiskProblem(f"{path} cannot be read: {error.strerror}", f"ls -l {path}") from error


def _parsed(content: bytes) -> dict[str, Any]:
    """Return the JSON object of a file, an empty one for anything else."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _check_head(found: dict[str, Any], head: Head) -> None:
    said = found["kpay_model"]
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise ModelOutdated(head.run, "was written by another version of kpay")
    if any(said.get(name) != value for name, value in asdict(head).items()):
        raise _foreign(head, said)
    if said.get("sha256") != _sum_of(found["model"]):
        raise ModelDamaged(head.run, "its head and its body do not belong together")


def _refuse_other(content: bytes, head: Head) -> None:
    """Raise ModelForeign when a file whose checksum differs is the whole file of another model."""
    found = _parsed(content)
    said = found.get("kpay_model")
    if not isinstance(said, dict) or said.get("run") == head.run:
        return
    if said.get("sha256") == _sum_of(found.get("model")):
        raise _foreign(head, said)


def _foreign(head: Head, said: dict[str, Any]) -> ModelForeign:
    of_account = f" of account {said['account']}" if said.get("account") else ""
    return ModelForeign(
        head.run, f"cannot be used: its file holds the model {said.get('run')}{of_account}"
    )
