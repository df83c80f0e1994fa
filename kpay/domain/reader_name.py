"""A reader's name as letters may say it: anybody can write anything into a sign-up form."""

from __future__ import annotations

import re
from typing import Final

LONGEST_NAME: Final = 80
NO_NAME: Final = re.compile(
    r"://|\bwww\.|@|[<>{}\[\]|\\]|=\?|"
    r"\b[\w-]{2,}\.(?:com|net|org|info|biz|io|ru|cn|xyz|top|shop|site|online|link|click|app|me|co)\b",
    re.IGNORECASE,
)
UNSEEN: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]"
)


def shown_name(name: str) -> str:
    """Return a name on one line, without signs that turn the text around; "" for what is no name.

    An address of the web, markup or a whole paragraph is none: a letter that says it would carry a
    stranger's advertisement under the creator's own name.
    """
    plain = plain_name(name)
    return "" if len(plain) > LONGEST_NAME or NO_NAME.search(plain) else plain


def plain_name(name: str) -> str:
    """Return whatever was given as a name, on one line and with nothing unseen in it."""
    return " ".join(UNSEEN.sub(" ", name).split())
