"""Where the files that travel with kpay are: inside the package when installed, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """Return the folder "templates" or "examples" that came with this kpay."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name
