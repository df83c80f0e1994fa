"""Opening a file in the creator's browser, where there is a screen to show it on."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


def open_page(page: Path) -> bool:
    """Show a file in the browser; say whether one was found.

    Far from any screen the standard library would start a browser for text, which takes the
    terminal away from whoever works there.
    """
    has_screen = sys.platform in ("darwin", "win32") or any(map(os.environ.get, SCREENS))
    try:
        return has_screen and webbrowser.open(page.resolve().as_uri())
    except (webbrowser.Error, OSError):
        return False
