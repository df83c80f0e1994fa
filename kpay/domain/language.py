"""Guessing the language of a title from its script, where the creator did not say."""

from __future__ import annotations

from typing import Final

SCRIPTS: Final = (  # the first script found decides: kana and hangul before the Han they mix with
    ("ja", ((0x3040, 0x30FF),)),
    ("ko", ((0xAC00, 0xD7AF), (0x1100, 0x11FF))),
    ("zh", ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x20000, 0x323AF))),
    ("ru", ((0x0400, 0x04FF),)),
    ("el", ((0x0370, 0x03FF),)),
    ("he", ((0x0590, 0x05FF),)),
    ("ar", ((0x0600, 0x06FF),)),
    ("hi", ((0x0900, 0x097F),)),
    ("th", ((0x0E00, 0x0E7F),)),
)
RIGHT_TO_LEFT: Final = frozenset(("ar", "fa", "he", "ur", "yi"))


def language_of(text: str, otherwise: str = "en") -> str:
    """Return the most likely language of a text by its script, or `otherwise` for Latin letters."""
    codes = [ord(letter) for letter in text]
    for language, ranges in SCRIPTS:
        if any(low <= code <= high for code in codes for low, high in ranges):
            return language
    return otherwise


def is_right_to_left(language: str) -> bool:
    """Say whether a language is written from right to left."""
    return language.partition("-")[0] in RIGHT_TO_LEFT
