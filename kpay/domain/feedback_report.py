"""What people said about the content: how they felt, what it was about, the best and the worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kpay.domain.document import Column, Document, Figure, Figures, Table, Text
from kpay.domain.period import instant_text

DIGITS = 3
TOLD_BY_WORDS = "No text came with a rating, so the mood is judged by a small list of English and Chinese words."


@dataclass(frozen=True, slots=True)
class Opinion:
    """One thing that somebody said; `mood` is -1 (complaint) to 1 (praise), None without a text."""

    email: str
    at: datetime
    content: str
    stars: float | None
    text: str
    mood: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the keys of one opinion."""
        return {
            "email": self.email,
            "at": instant_text(self.at),
            "content": self.content or None,
            "rating": self.stars,
            "text": self.text,
            "sentiment": rounded(self.mood),
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Opinions that belong together: about one topic, or about one piece."""

    name: str
    count: int
    stars: float | None
    mood: float | None
    example: str = ""

    def to_json(self, name: str) -> dict[str, Any]:
        """Return the keys of a group, its name under `name`."""
        return {
            name: self.name or None,
            "count": self.count,
            "rating_mean": rounded(self.stars),
            "sentiment": rounded(self.mood),
            **({"example": self.example} if self.example else {}),
        }


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """The answer of `kpay content feedback`; `top_stars` is how far the creator's scale goes."""

    slug: str | None
    everything: Group
    rated: int
    top_stars: int
    told_by_ratings: int
    topics: Sequence[Group]
    pieces: Sequence[Group]
    worst: Sequence[Opinion]
    best: Sequence[Opinion]

    def to_document(self) -> Document:
        """Show figures, topics and examples; a business nobody wrote to says how to begin."""
        about = f" about {self.slug}" if self.slug else ""
        if not self.everything.count:
            return Document(
                "kpay.content.feedback/1",
                f"No feedback{about} yet",
                payload=self._payload(),
                next_steps=("kpay import feedback FILE",),
            )
        lists = (self._topics(), self._pieces(), *self._examples())
        return Document(
            "kpay.content.feedback/1",
            f"What people said{about}",
            (self._figures(), *self._words(), *(block for block in lists if block.rows)),
            self._payload(),
            next_steps=("kpay customer show EMAIL",),
        )

    def _figures(self) -> Figures:
        return Figures(
            (
                Figure("opinions", self.everything.count),
                Figure(f"stars of {self.top_stars}", rounded(self.everything.stars), "number"),
                Figure("mood (-1 to 1)", rounded(self.everything.mood), "number"),
            )
        )

    def _words(self) -> tuple[Text, ...]:
        if self.told_by_ratings or self.everything.mood is None:
            return ()
        return (Text(TOLD_BY_WORDS),)

    def _topics(self) -> Table:
        rows = tuple(
            (one.name, one.count, rounded(one.stars), rounded(one.mood), one.example)
            for one in self.topics
        )
        columns = (*_measured("topic"), Column("for example"))
        return Table(columns, rows, title="What it is about, in people's own words")

    def _pieces(self) -> Table:
        rows = tuple(
            (one.name or "(no piece named)", one.count, rounded(one.stars), rounded(one.mood))
            for one in self.pieces
        )
        return Table(_measured("piece"), () if self.slug else rows, title="Piece by piece")

    def _examples(self) -> tuple[Table, Table]:
        return _opinions("The least happy", self.worst), _opinions("The happiest", self.best)

    def _payload(self) -> dict[str, Any]:
        return {
            "content": self.slug,
            "count": self.everything.count,
            "rated": self.rated,
            "rating_mean": rounded(self.everything.stars),
            "rating_top": self.top_stars,
            "sentiment": rounded(self.everything.mood),
            "sentiment_ratings": self.told_by_ratings,
            "topics": [one.to_json("topic") for one in self.topics],
            "pieces": [one.to_json("content") for one in self.pieces],
            "worst": [one.to_json() for one in self.worst],
            "best": [one.to_json() for one in self.best],
        }


def _measured(name: str) -> tuple[Column, ...]:
    return (
        Column(name),
        Column("opinions", "count"),
        Column("stars", "number"),
        Column("mood", "number"),
    )


def _opinions(title: str, opinions: Sequence[Opinion]) -> Table:
    rows = tuple(
        (one.email, one.at, one.content, one.stars, rounded(one.mood), one.text) for one in opinions
    )
    columns = (
        Column("email"),
        Column("at", "day"),
        Column("piece"),
        Column("stars"),
        Column("mood", "number"),
        Column("said"),
    )
    return Table(columns, rows, title=title)


def rounded(value: float | None) -> float | None:
    """Return a figure as it is told."""
    return None if value is None else round(value, DIGITS)
