"""What people said about the content, read with the models of sentiment and topics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from math import nan
from statistics import fmean
from typing import Final

import numpy as np
from sqlalchemy import RowMapping

from kpay.domain.feedback_report import FeedbackReport, Group, Opinion
from kpay.ml.sentiment import Sentiment
from kpay.ml.topics import topics
from kpay.services.catalogue import wanted
from kpay.store import feedback
from kpay.store.engine import Store

SHOWN_EXAMPLES: Final = 3
CLEAR_MOOD: Final = 0.1  # nearer to nought nobody is called happy or unhappy
FIVE_STARS, TEN_STARS = 5, 10


def feedback_on(store: Store, slug: str | None, now: datetime) -> FeedbackReport:
    """Return what people said until now, about one piece or about everything; NotFound for a stranger.

    How the words of one piece felt is judged by what all ratings teach.
    """
    with store.reading() as connection:
        if slug is not None:
            wanted(connection, slug, "kpay content feedback")
        rows = feedback.until(connection, now)
    stars = np.array([nan if row["rating"] is None else row["rating"] for row in rows], dtype=float)
    model = Sentiment.fit([row["text"] for row in rows], stars)
    about = [row for row in rows if slug in (None, row["content"])]
    opinions = _opinions(about, model)
    given = stars[~np.isnan(stars)]
    ranked = sorted(
        (one for one in opinions if one.mood is not None),
        key=lambda one: (one.mood, one.stars or 0),
    )
    return FeedbackReport(
        slug=slug,
        everything=_group("", opinions),
        rated=sum(one.stars is not None for one in opinions),
        top_stars=TEN_STARS if len(given) and given.max() > FIVE_STARS else FIVE_STARS,
        told_by_ratings=model.rated,
        topics=_topics(opinions),
        pieces=_by_piece(opinions),
        worst=_examples(one for one in ranked if _feeling(one) <= -CLEAR_MOOD),
        best=_examples(one for one in reversed(ranked) if _feeling(one) >= CLEAR_MOOD),
    )


def _opinions(rows: Sequence[RowMapping], model: Sentiment) -> list[Opinion]:
    moods = model.of([row["text"] for row in rows])
    return [
        Opinion(
            row["email"],
            row["at"],
            row["content"],
            row["rating"],
            row["text"],
            float(mood) if row["text"].strip() else None,
        )
        for row, mood in zip(rows, moods, strict=True)
    ]


def _examples(opinions: Iterable[Opinion]) -> list[Opinion]:
    """Return the first few that say different things."""
    different: dict[str, Opinion] = {}
    for one in opinions:
        different.setdefault(one.text, one)
    return list(different.values())[:SHOWN_EXAMPLES]


def _feeling(one: Opinion) -> float:
    return one.mood or 0.0


def _group(name: str, opinions: Sequence[Opinion], example: str = "") -> Group:
    return Group(
        name,
        len(opinions),
        _mean(one.stars for one in opinions),
        _mean(one.mood for one in opinions),
        example,
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _topics(opinions: Sequence[Opinion]) -> list[Group]:
    found = []
    for topic in topics([one.text for one in opinions]):
        members = [opinions[place] for place in topic.texts]
        found.append(_group(topic.name, members, members[-1].text))
    return found


def _by_piece(opinions: Sequence[Opinion]) -> list[Group]:
    pieces: dict[str, list[Opinion]] = defaultdict(list)
    for one in opinions:
        pieces[one.content].append(one)
    groups = [_group(slug, members) for slug, members in pieces.items()]
    return sorted(groups, key=lambda group: (-group.count, group.name))
