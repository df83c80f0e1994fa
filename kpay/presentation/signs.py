"""What is written where an output cannot show a sign: a plain one that says the same."""

from __future__ import annotations

import codecs
import json
from typing import Final

from kpay.domain.enums import OutputFormat

PLAIN: Final = {
    **dict(zip("▁▂▃▄▅▆▇█", "_.-=+*%#", strict=True)),
    **dict.fromkeys("▏▎▍", " "),
    **dict.fromkeys("▌▋▊▉", "#"),
    "░": ".",
    "▒": ":",
    "▓": "+",
    "│": "|",
    "▲": "^",
    "─": "-",
    "═": "=",
    "–": "-",
    "×": "x",
    "±": "+-",
    "€": "EUR ",
    "£": "GBP ",
    "¥": "JPY ",
    "’": "'",
    "…": "...",
}
UNKNOWN: Final = "?"
HANDLER: Final = "kpay.plain"


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    return "".join(PLAIN.get(sign, UNKNOWN) for sign in signs), error.end


codecs.register_error(HANDLER, _stand_in)


def within(encoding: str | None, text: str) -> str:
    """Return a text with plain signs for those that an encoding does not have."""
    known = encoding or "utf-8"
    return text.encode(known, HANDLER).decode(known)


def written_in(encoding: str | None, text: str, fmt: OutputFormat) -> str:
    """Return a text in a format so that an encoding holds it: JSON and HTML lose nothing."""
    known = encoding or "utf-8"
    try:
        text.encode(known)
    except UnicodeEncodeError:
        if fmt is OutputFormat.JSON:
            return json.dumps(json.loads(text)) + "\n"
        errors = "xmlcharrefreplace" if fmt is OutputFormat.HTML else HANDLER
        return text.encode(known, errors).decode(known)
    return text
