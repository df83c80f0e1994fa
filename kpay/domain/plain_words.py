"""Markdown as people read it in a plain-text mail, and the line that an inbox shows of a letter."""

from __future__ import annotations

import re
from typing import Final

IMAGE: Final = re.compile(r"!\[([^\]]*)\]\([^()\s]*\)")
LONE_LINK: Final = re.compile(r"^([ \t]*(?:[-*+]|\d+\.)?[ \t]*)\[([^\]]*)\]\(([^()\s]*)\)[ \t]*$")
LINK: Final = re.compile(r"\[([^\]]*)\]\(([^()\s]*)\)")
AUTOLINK: Final = re.compile(r"^([ \t]*)<((?:https?|mailto):[^\s<>]+)>[ \t]*$")
STRONG: Final = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
SOFT: Final = re.compile(r"(?<![\w*_\\])([*_])(?=[^\s*_])([^*_\n]*?)(?<=[^\s\\])\1(?![\w*_])")
STRUCK: Final = re.compile(r"~~(.+?)~~")
HEADING: Final = re.compile(r"^#{1,6}[ \t]+")
ESCAPED: Final = re.compile(r"\\([\\`*_{}\[\]()#+\-.!~|<>])")
HARD_BREAK: Final = re.compile(r"(?:\\|[ ]{2,})$")
FENCES: Final = ("```", "~~~")
TABLE_LINE: Final = re.compile(r"^[ \t]*\|?(?:[ \t]*:?-{3,}:?[ \t]*\|)+[ \t]*:?-*:?[ \t]*$")
ADDRESS: Final = re.compile(r"<[A-Za-z][\w+.-]*:[^<>]*>|\b(?:https?://|mailto:)\S+")
GREETING: Final = 60
SHOWN_OF_A_LETTER: Final = 110


def plain_markdown(text: str) -> str:
    """Return Markdown as people read it: addresses spelled out, stars and hashes left away.

    A block of code is indented instead of fenced, and nothing in it is touched.
    """
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        start = line.lstrip()[:3]
        if start in FENCES and (not fence or start == fence):
            fence = "" if fence else start
        elif fence:
            lines.append(f"    {line}" if line.strip() else "")
        elif not TABLE_LINE.match(line) or "|" not in line:
            lines.append(_plain_line(line))
    return "\n".join(lines)


def preheader_of(words: str) -> str:
    """Return what an inbox shows beside the subject: how the letter begins, without the greeting."""
    for number, passage in enumerate(words.split("\n\n")):
        shown = " ".join(ADDRESS.sub("", passage).split()).strip(">:# ")
        is_greeting = (
            not number and len(shown) <= GREETING and shown.endswith((",", "!", "，", "！", ":"))
        )
        if not is_greeting and any(sign.isalpha() for sign in shown):
            return _shortened(shown)
    return ""


def _shortened(text: str) -> str:
    if len(text) <= SHOWN_OF_A_LETTER:
        return text
    cut = text[:SHOWN_OF_A_LETTER]
    return f"{cut.rpartition(' ')[0] or cut}…"


def _plain_line(line: str) -> str:
    line = IMAGE.sub(lambda found: f"[{found[1]}]" if found[1] else "", line)
    line = STRUCK.sub(r"\1", SOFT.sub(r"\2", STRONG.sub(r"\2", line)))
    line = AUTOLINK.sub(r"\1\2", line)
    line = LONE_LINK.sub(lambda found: found[1] + _spelled_out(found[2], found[3], "{}: {}"), line)
    line = LINK.sub(lambda found: _spelled_out(found[1], found[2], "{} <{}>"), line)
    return ESCAPED.sub(r"\1", HARD_BREAK.sub("", HEADING.sub("", line)))


def _spelled_out(words: str, address: str, form: str) -> str:
    """Say words and address once where they are the same; angle brackets end an address (RFC 3986)."""
    return address if not words or words == address else form.format(words, address)
