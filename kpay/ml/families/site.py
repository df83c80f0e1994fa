"""The site and the content: which pages were looked at, which lessons were taken."""

from __future__ import annotations

from typing import Final

import numpy as np

from kpay.ml.families.acts import Acts, unknown
from kpay.ml.families.family import Family
from kpay.ml.frames import Floats, Ints
from kpay.ml.history import History

WINDOWS_DAYS: Final = (7, 30, 90)
COLUMNS: Final = (
    *(f"site_visits_{days}" for days in WINDOWS_DAYS),
    "site_visits",
    "site_pieces_90",
    "site_new_30",
    "site_visit_days",
    "site_lessons_30",
    "site_lessons_90",
    "site_lesson_days",
)


def read(known: History, customers: Ints, cutoff: int) -> dict[str, Floats]:
    """Return visits and lessons; `site_new_30` are visits of the last month to what is not owned."""
    visits = Acts.of(known.of("visit"), customers, cutoff)
    lessons = Acts.of(known.of("lesson"), customers, cutoff)
    columns = unknown(COLUMNS, len(customers))
    if len(known.of("visit")):
        columns |= {f"site_visits_{days}": visits.within(days).counts() for days in WINDOWS_DAYS}
        columns["site_visits"] = visits.counts()
        columns["site_pieces_90"] = visits.within(90).pieces()
        columns["site_new_30"] = _unowned(visits.within(30), known, customers, cutoff).counts()
        columns["site_visit_days"] = visits.days_since()
    if len(known.of("lesson")):
        columns["site_lessons_30"] = lessons.within(30).counts()
        columns["site_lessons_90"] = lessons.within(90).counts()
        columns["site_lesson_days"] = lessons.days_since()
    return columns


def _unowned(visits: Acts, known: History, customers: Ints, cutoff: int) -> Acts:
    """Return the visits to pieces that their visitor has not bought."""
    bought = Acts.of(known.bought, customers, cutoff)
    pieces = len(known.pieces) + 1
    has = np.unique(bought.who * pieces + bought.content + 1)
    is_owned = np.isin(visits.who * pieces + visits.content + 1, has)
    return visits.where(~is_owned & (visits.content >= 0))


def _is_known(known: History) -> bool:
    return len(known.of("visit")) > 0 or len(known.of("lesson")) > 0


SITE: Final = Family("site", COLUMNS, _is_known, read)
