"""Questions before something that cannot be taken back."""

from __future__ import annotations

import sys

from kpay.errors import ConfirmationNeeded, Refused
from kpay.manners import manners, same_command


def is_attended() -> bool:
    """Say whether somebody sits at a terminal and may be asked or shown something."""
    return not manners().no_input and sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, *, yes: bool) -> None:
    """Go on only with a yes: from --yes, or typed at a terminal.

    Raises ConfirmationNeeded without a terminal or with --no-input, Refused on a no.
    """
    if yes:
        return
    if not is_attended():
        raise ConfirmationNeeded(
            f"nobody is there to answer: {question}",
            same_command("--yes"),
        )
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused("you said no; nothing was changed")
