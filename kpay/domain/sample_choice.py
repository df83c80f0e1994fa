"""Choosing the few people of a plan whose messages differ most, so that they can be looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

SHOWN_PEOPLE: Final = 8
FIRST: Final = "the first of the list"
LONGEST: Final = "the longest name"


class SampleChoice:
    """Sees everybody of a plan once, in any order, and remembers one person for each trait."""

    def __init__(self) -> None:
        self._by_trait: dict[str, str] = {}
        self._longest = -1

    def see(self, email: str, context: Mapping[str, Any]) -> None:
        """Look at one person."""
        for trait in _traits(context):
            self._by_trait.setdefault(trait, email)
        length = len(str(context.get("name") or ""))
        if length > self._longest:
            self._longest = length
            self._by_trait[LONGEST] = email

    def chosen(self) -> dict[str, tuple[str, ...]]:
        """Return the addresses with what each of them stands for."""
        found: dict[str, list[str]] = {}
        for trait, email in self._by_trait.items():
            if email in found or len(found) < SHOWN_PEOPLE:
                found.setdefault(email, []).append(trait)
        return {email: tuple(traits) for email, traits in found.items()}


def _traits(context: Mapping[str, Any]) -> Iterator[str]:
    yield FIRST
    if not str(context.get("name") or "").isascii():
        yield "a name beyond ASCII"
    if "band" in context:
        yield f"the {context['band']} band"
    if "owned" in context:
        yield "owns something" if context["owned"] else "owns nothing"
    if "recommendations" in context:
        count = len(context["recommendations"] or ())
        yield f"{count} recommendation{'' if count == 1 else 's'}"
