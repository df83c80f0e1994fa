"""From what a creator writes of an audience to a checked syntax tree; nothing is ever executed.

The language borrows the grammar of Python's expressions, read by the standard library's `ast`.
`tag:NAME`, `owns:SLUG`, `bought:SLUG` and `segment:NAME` stand for calls: each is put aside and
replaced by a name of the same length, so that places in the tree are places in the text.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from kpay.domain.person_fields import FIELDS, QUESTIONS, WORDS

PREFIXES: Final = (*QUESTIONS, "segment")
CALLS: Final = (*PREFIXES, "subscribed")
LONGEST: Final = 2000
DEEPEST: Final = 40
SHOWN: Final = 60
MOST_NODES: Final = 1000
PIECE: Final = re.compile(
    r"""(?P<quoted>'[^']*'|"[^"]*")|(?P<prefix>(?<![\w.])[^\W\d]\w*):(?P<value>[^\s()]*)"""
)
UNHEARD: Final = {"\\": "a backslash", "#": "a #", "'''": "a triple quote", '"""': "a triple quote"}


class AudienceUnknown(ValueError):
    """An audience that kpay cannot read."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A syntax tree, the text as it was parsed and as it was meant, and the short forms by place."""

    tree: ast.expr
    written: str
    text: str
    short_forms: Mapping[int, tuple[str, str]]

    def short_form(self, node: ast.expr) -> tuple[str, str] | None:
        """Return the prefix and value of `tag:NAME` and the like, where the node is one."""
        return self.short_forms.get(self._place(node.col_offset))

    def source(self, node: ast.expr) -> str:
        """Return what was written for a node, shortened for a message."""
        end = node.end_col_offset or node.col_offset
        return _short(self.text[self._place(node.col_offset) : self._place(end)])

    def _place(self, octets: int) -> int:
        """Turn the parser's count of octets into one of letters: lengths are kept, octets are not."""
        return len(self.written.encode()[:octets].decode())


def parse(text: str) -> Parsed:
    """Parse an audience; AudienceUnknown for what is too long, too deep or no expression."""
    plain = re.sub(r"\s", " ", text).strip()
    if not plain:
        raise AudienceUnknown("the audience is empty (write all)")
    if len(plain) > LONGEST:
        raise AudienceUnknown(f"the audience is too long ({len(plain):,} signs of {LONGEST:,})")
    for sign, name in UNHEARD.items():
        if sign in plain:
            raise AudienceUnknown(f"{name} has no place in an audience")
    written, short_forms = _without_short_forms(plain)
    tree = _tree(written, plain)
    _check_size(tree)
    return Parsed(tree, written, plain, short_forms)


def texts_compared(text: str, field: str) -> set[str]:
    """Return the texts that an audience compares a field with, as texts are compared."""
    compared = [
        node
        for node in ast.walk(parse(text).tree)
        if isinstance(node, ast.Compare)
        and any(isinstance(part, ast.Name) and part.id == field for part in ast.walk(node))
    ]
    return {
        part.value.casefold()
        for node in compared
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }


def _without_short_forms(text: str) -> tuple[str, dict[int, tuple[str, str]]]:
    found: dict[int, tuple[str, str]] = {}

    def put_aside(match: re.Match[str]) -> str:
        if match["quoted"] is not None:
            return match[0]
        prefix, value = match["prefix"], match["value"]
        if prefix not in PREFIXES or not value:
            raise unknown(match[0] if value else f"{prefix}:")
        found[match.start()] = (prefix, value)
        return "_" * len(match[0])

    return PIECE.sub(put_aside, text), found


def _tree(written: str, shown: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(written, mode="eval").body
    except SyntaxError as error:
        rest = shown[error.offset - 1 :].strip() if error.offset else ""
        if not rest or "was never closed" in error.msg:
            raise AudienceUnknown(f"the audience ends too early: {_short(shown)}") from None
        raise AudienceUnknown(f"{_short(rest)} is not expected there in {_short(shown)}") from None
    except (ValueError, MemoryError, RecursionError):
        raise AudienceUnknown("the audience is too deeply nested, or holds odd signs") from None


def _check_size(tree: ast.expr) -> None:
    level: list[ast.AST] = [tree]
    count = depth = 0
    while level:
        count, depth = count + len(level), depth + 1
        if count > MOST_NODES or depth > DEEPEST:
            raise AudienceUnknown("the audience is too deeply nested or has too many parts")
        level = [child for node in level for child in ast.iter_child_nodes(node)]


def unknown(word: str) -> AudienceUnknown:
    """Return the refusal of a word, with the one that was most likely meant."""
    short_forms = [f"{prefix}:" for prefix in PREFIXES]
    close = get_close_matches(word, [*WORDS, *FIELDS, *CALLS, *short_forms], n=1)
    if not close and ":" in word:
        close = get_close_matches(word.partition(":")[0] + ":", short_forms, n=1)
    meant = (
        f"did you mean {close[0]!r}?"
        if close
        else f"known are {', '.join(WORDS)}, {', '.join(f'{call}()' for call in CALLS)}, "
        f"{', '.join(FIELDS)}; a segment in an expression is segment('NAME')"
    )
    return AudienceUnknown(f"{_short(word)} is not an audience ({meant})")


def _short(text: str) -> str:
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")
