"""Opening a file in the creator's browser, where there is one."""

from __future__ import annotations

import webbrowser
from pathlib import Path


def open_page(page: Path) -> bool:
    """Show a file in the browser; say whether one was found."""
    try:
        return webbrowser.open(page.resolve().as_uri())
    except (webbrowser.Error, OSError):
        return False
