"""Which topics people ask for: what they searched, asked and ticked, read by the words of the topics."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

WORD: Final = re.compile(r"[^\W_]+")
FEWEST_PEOPLE: Final = 3
"""So many people must have asked for something that no piece has before it is told."""
LONGEST_PHRASE: Final = 40


@dataclass(frozen=True, slots=True)
class Ask:
    """One person's words: `how` is search, question or wish (ticked when they joined the list)."""

    how: str
    who: str
    at: datetime
    text: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """The asks of each topic, and the searches that no topic answers, by what was typed."""

    by_topic: Mapping[str, tuple[Ask, ...]]
    unanswered: tuple[tuple[str, int], ...]

    def people(self, topic: str) -> int:
        """Count the people who asked for a topic, each once however often they asked."""
        return len({ask.who for ask in self.by_topic.get(topic, ())})


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text, small, plurals in -s like their singulars."""
    return frozenset(_singular(word) for word in WORD.findall(text.casefold()))


def _singular(word: str) -> str:
    is_plural = len(word) > 3 and word.endswith("s") and not word.endswith("ss")
    return word[:-1] if is_plural and word.isascii() else word


def asked(
    asks: Iterable[Ask], topics: Sequence[str], tags_of: Mapping[str, Sequence[str]]
) -> Asked:
    """Say which topics each ask is about: whose words all stand in it, else those of its piece.

    A topic in a script without spaces is found wherever it stands. `tags_of` are the topics of pieces.
    """
    known = {topic: words_of(topic) for topic in topics}
    by_topic: dict[str, list[Ask]] = defaultdict(list)
    unanswered: dict[str, set[str]] = defaultdict(set)
    for ask in asks:
        found = _topics(ask, known) or list(tags_of.get(ask.content, ()))
        for topic in found:
            by_topic[topic].append(ask)
        if not found and ask.how == "search":
            unanswered[_phrase(ask.text)].add(ask.who)
    told = {phrase: len(who) for phrase, who in unanswered.items() if phrase}
    often = [(phrase, people) for phrase, people in told.items() if people >= FEWEST_PEOPLE]
    return Asked(
        {topic: tuple(some) for topic, some in sorted(by_topic.items())},
        tuple(sorted(often, key=lambda one: (-one[1], one[0]))),
    )


def _topics(ask: Ask, known: Mapping[str, frozenset[str]]) -> list[str]:
    said, plain = words_of(ask.text), ask.text.casefold()
    return [
        topic
        for topic, words in known.items()
        if (words and words <= said) or (not topic.isascii() and topic.casefold() in plain)
    ]


def _phrase(text: str) -> str:
    return " ".join(text.casefold().split())[:LONGEST_PHRASE]
