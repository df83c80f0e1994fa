"""Reviews and words: the stars that customers gave, and how those felt who wrote."""

from __future__ import annotations

from typing import Final

import numpy as np

from kpay.ml.families.acts import Acts
from kpay.ml.families.family import Family
from kpay.ml.frames import Floats, Ints
from kpay.ml.history import History, Marks
from kpay.ml.sentiment import Sentiment, stretched

COLUMNS: Final = (
    "review_count",
    "review_stars",
    "review_last_stars",
    "review_days",
    "words_count",
    "words_mood",
    "words_last_mood",
)


def read(known: History, customers: Ints, cutoff: int) -> dict[str, Floats]:
    """Return stars as 0 to 1 of the creator's own scale, and moods as -1 to 1.

    Both are judged by what was known at the cutoff: the scale by the ratings until then, the moods by
    what those ratings teach about words.
    """
    given = known.of("review")
    scaled = Marks(given.customer, given.day, given.content, stretched(given.value))
    stars = Acts.of(scaled, customers, cutoff)
    moods = Acts.of(_moods(known, customers), customers, cutoff)
    return {
        "review_count": stars.counts(),
        "review_stars": stars.means(),
        "review_last_stars": stars.last_values(),
        "review_days": stars.days_since(),
        "words_count": moods.counts(),
        "words_mood": moods.means(),
        "words_last_mood": moods.last_values(),
    }


def _moods(known: History, customers: Ints) -> Marks:
    """Return the moods of what the customers asked about wrote, by what everybody's ratings teach."""
    words = known.words
    in_time = np.argsort(words.day, kind="stable")
    model = Sentiment.fit([words.text[at] for at in in_time], words.stars[in_time])
    asked = np.flatnonzero(np.isin(words.customer, customers))
    moods = model.of([words.text[at] for at in asked])
    return Marks(words.customer[asked], words.day[asked], words.content[asked], moods)


def _is_known(known: History) -> bool:
    return len(known.of("review")) > 0 or len(known.words) > 0


REVIEWS: Final = Family("reviews", COLUMNS, _is_known, read)
