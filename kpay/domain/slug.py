"""Names of content in addresses and file names: readable in any script, safe everywhere."""

from __future__ import annotations

import unicodedata
from itertools import groupby
from typing import Final

LONGEST: Final = 60
LONGEST_BYTES: Final = 180  # a file name may have 255, and an ending follows
SILENT: Final = frozenset("'’ʼ`´\u200b\u200c\u200d\ufeff")


def slugify(title: str) -> str:
    """Return the slug of a title: lower case, letters and digits of any script, joined by hyphens.

    The result is NFC, at most 60 characters and 180 bytes, and empty when nothing can be kept.
    """
    text = unicodedata.normalize("NFKC", title).lower()
    text = unicodedata.normalize("NFKC", text)
    kept = [letter for letter in text if letter not in SILENT]
    words = ["".join(run) for is_word, run in groupby(kept, key=_is_word_part) if is_word]
    return _shortened([word for word in words if _begins_well(word)])


def is_slug(text: str) -> bool:
    """Say whether a text already is a slug."""
    return bool(text) and slugify(text) == text


def _is_word_part(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LNM"


def _begins_well(word: str) -> bool:
    """A mark that follows no letter would join the hyphen before it."""
    return unicodedata.category(word[0])[0] != "M"


def _shortened(words: list[str]) -> str:
    slug = "-".join(words)
    while _is_too_long(slug) and len(words) > 1:
        words = words[:-1]
        slug = "-".join(words)
    while _is_too_long(slug) or (slug and unicodedata.normalize("NFKC", slug) != slug):
        slug = slug[:-1]
    return slug


def _is_too_long(slug: str) -> bool:
    return len(slug) > LONGEST or len(slug.encode()) > LONGEST_BYTES
