"""What typer says about a command line that it cannot read, in one plain sentence."""

from __future__ import annotations

import re
from difflib import get_close_matches

from kpay.manners import manners

PLAINER = (
    (r"Value error, ", ""),
    (r"Input should be a valid integer.*", "a whole number is wanted"),
    (r"Input should be a valid number.*", "a number is wanted"),
    (r"Input should be greater than or equal to (\S+)", r"\1 is the least"),
    (r"Input should be less than or equal to (\S+)", r"\1 is the most"),
    (r"No such option: (\S+)", r"there is no option \1"),
    (r"No such command", "there is no command"),
    (r"[. ]*\(?Possible options: ([^,)]+).*", r"; did you mean \1?"),
    (r"\. Did you mean", "; did you mean"),
    (r"\. Choose from:\s*", ": one of "),
    (r"Got unexpected extra argument\S* \((.*)\)", r"one word too many: '\1'"),
)
A_CHOICE = re.compile(r"'([^']*)' is not one of (.*)", re.DOTALL)


def sentence_of(error: Exception) -> str:
    """Return what is wrong in one line, with the word that was probably meant."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return f"{_path(error)} needs one of its commands"
    text = error.format_message().rstrip(".")  # type: ignore[attr-defined]
    for pattern, plainer in PLAINER:
        text = re.sub(pattern, plainer, text, flags=re.IGNORECASE)
    text = " ".join(text.split())
    return text[:1].lower() + text[1:] + _probably_meant(text)


def _probably_meant(text: str) -> str:
    choice = A_CHOICE.search(text)
    if not choice or "did you mean" in text.lower():
        return ""
    close = get_close_matches(choice[1], re.findall(r"'([^']+)'", choice[2]), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def where_help_is(error: Exception) -> str:
    """Return the command that explains the one that was typed."""
    return f"{_path(error)} --help"


def _path(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    if context is not None:
        return str(context.command_path)
    return " ".join(("kpay", *manners().words[:1]))  # a missing value: typer names no command
