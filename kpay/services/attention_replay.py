"""The past lived again: what was known before each campaign mail, and what came of it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from kpay.ml import attention, relevance
from kpay.ml.frames import Flags, Floats, Ints
from kpay.ml.relevance import Known, Pieces
from kpay.services.attention_past import Past

LEAVES_WITHIN_DAYS: Final = 14.0
CLICKS_WITHIN_DAYS: Final = 7.0


@dataclass(frozen=True, slots=True)
class Lessons:
    """Past campaign mails, one row each: what was known before, and what came of it."""

    traits: Floats
    pressure: Floats
    is_owned: Flags
    clicked: Floats
    left: Floats


class Replay:
    """Goes through the past mails in the order of time, for as many people as one table holds."""

    def __init__(self, past: Past) -> None:
        emails = list(past.person_of)
        mailed = np.unique(past.mails.person)
        chosen = sorted(mailed.tolist(), key=lambda person: zlib.crc32(emails[person].encode()))
        chosen = chosen[: past.people_at_once]
        row = np.full(len(emails), -1, dtype=np.int64)
        row[chosen] = np.arange(len(chosen))
        shape = (len(chosen), len(past.slugs))
        self._past = past
        self._mails, self._held = past.mails.of(row), past.held.of(row)
        self._clicks = past.clicked.of(row)
        self._left_day = past.left_day[chosen]
        self._last_before_leaving = self._last_mails(len(chosen))
        self._asked, self._has_asked = past.asked([emails[person] for person in chosen])
        self._bought, self._clicked = np.zeros(shape), np.zeros(shape)
        self._mailed = np.zeros(shape)
        self._pressure, self._day = np.zeros(len(chosen)), np.zeros(len(chosen))

    def _last_mails(self, people: int) -> Floats:
        """Return the day of each leaver's last mail before leaving, of others -inf."""
        mails = self._mails
        is_before = mails.day <= self._left_day[mails.person]
        last = np.full(people, -np.inf)
        np.maximum.at(last, mails.person[is_before], mails.day[is_before])
        return last

    def lessons(self) -> Lessons:
        """Return every campaign mail with what it taught."""
        found: list[tuple[Any, ...]] = []
        until = -np.inf
        for rows in self._mailings():
            began = float(self._mails.day[rows].min())
            self._learn_acts(until, began)
            until = began
            lesson = self._lesson(rows)
            found += [lesson] if lesson is not None else []
            self._press(rows)
        empty = (np.zeros((0, len(relevance.TRAITS))), *[np.zeros(0)] * 4)
        columns = [np.concatenate(part) for part in zip(empty, *found, strict=True)]
        traits, pressure, is_owned, clicked, left = columns
        return Lessons(traits, pressure, is_owned.astype(bool), clicked, left)

    def _mailings(self) -> list[Ints]:
        """Return the rows of each campaign, and of each day's sequence mails, by their first day."""
        mails = self._mails
        if not len(mails.day):
            return []
        key = np.where(mails.what > 0, mails.what, -np.floor(mails.day).astype(np.int64))
        order = np.argsort(key, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(key[order])) + 1)
        return sorted(groups, key=lambda rows: float(mails.day[rows].min()))

    def _learn_acts(self, since: float, until: float) -> None:
        self._bought[self._held.between(since, until)] = 1.0
        np.add.at(self._clicked, self._clicks.between(since, until), 1.0)

    def _lesson(self, rows: Ints) -> tuple[Any, ...] | None:
        """Return what a campaign's mails taught; a sequence's mails teach nothing but pressure."""
        campaign = int(self._mails.what[rows[0]])
        if not campaign:
            return None
        persons, day = self._mails.person[rows], self._mails.day[rows]
        about = self._past.abouts[campaign]
        left = (day == self._last_before_leaving[persons]) & (
            self._left_day[persons] - day <= LEAVES_WITHIN_DAYS
        )
        is_owned = (self._bought[persons][:, about] > 0).all(axis=1) & bool(len(about))
        clickers = self._clickers(about, day)
        return (
            self._traits(persons, about),
            self._rested(persons, day),
            is_owned,
            np.isin(persons, clickers).astype(float),
            left.astype(float),
        )

    def _clickers(self, about: Ints, day: Floats) -> Ints:
        who, what = self._clicks.between(float(day.min()), float(day.max()) + CLICKS_WITHIN_DAYS)
        return who[np.isin(what, about)]

    def _traits(self, persons: Ints, about: Ints) -> Floats:
        """Return the mean traits of what a mail was about; a general mail has none."""
        if not len(about):
            return np.zeros((len(persons), len(relevance.TRAITS)))
        pieces = Pieces(
            self._past.likeness,
            self._bought.sum(axis=0),
            self._clicked.sum(axis=0),
            self._mailed.sum(axis=0),
        )
        known = Known(
            self._bought[persons],
            self._clicked[persons],
            self._mailed[persons],
            self._asked[persons],
            self._has_asked[persons],
        )
        return np.asarray(pieces.traits(known, about).mean(axis=1))

    def _rested(self, persons: Ints, day: Floats) -> Floats:
        """Return the pressure that is left of earlier mails."""
        rest_days = np.maximum(day - self._day[persons], 0.0)
        return np.asarray(self._pressure[persons] * 0.5 ** (rest_days / attention.HALF_LIFE_DAYS))

    def _press(self, rows: Ints) -> None:
        persons, day = self._mails.person[rows], self._mails.day[rows]
        self._pressure[persons] = self._rested(persons, day) + 1.0
        self._day[persons] = day
        about = self._past.abouts.get(int(self._mails.what[rows[0]]))
        if about is not None:
            self._mailed[np.ix_(persons, about)] += 1.0
