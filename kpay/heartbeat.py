"""When each kind of work last succeeded.

The times stand in a small file beside the store, so that running a command again changes no table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from kpay.files import disk_problems, write_whole

FILE = Path("logs") / "last-success.json"


def read(home: Path) -> dict[str, str]:
    """Return the last success of each kind of work, as RFC 3339 text; empty when none is known."""
    try:
        found = json.loads((home / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(at) for name, at in found.items()} if isinstance(found, Mapping) else {}


def record(home: Path, name: str, at: datetime) -> None:
    """Remember that a kind of work succeeded at a moment; DiskProblem when it cannot be kept."""
    path = home / FILE
    known = read(home) | {name: at.strftime("%Y-%m-%dT%H:%M:%SZ")}
    with disk_problems(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, json.dumps(known, sort_keys=True).encode())
