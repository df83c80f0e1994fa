"""The part of a paid piece that anyone may read before buying."""

from __future__ import annotations

from itertools import groupby

FENCES = ("```", "~~~")


def first_blocks(body: str, count: int) -> str:
    """Return the first `count` paragraphs of a Markdown text; headings on the way come along."""
    kept: list[str] = []
    paragraphs = 0
    for block in blocks(body):
        if paragraphs == count:
            break
        kept.append(block)
        paragraphs += not block.startswith("#")
    return "\n\n".join(kept)


def blocks(body: str) -> list[str]:
    """Cut a Markdown text at its blank lines, but not inside a fenced block of code."""
    fence = ""
    number = 0
    marked: list[tuple[int, str]] = []
    for line in body.splitlines():
        start = line.lstrip()[:3]
        if not line.strip() and not fence:
            number += 1
            continue
        if start in FENCES and (not fence or start == fence):
            fence = "" if fence else start
        marked.append((number, line))
    return [
        "\n".join(line for _, line in run) for _, run in groupby(marked, key=lambda pair: pair[0])
    ]
