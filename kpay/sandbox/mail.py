"""What a mail does to the people who get it: wanting, tiring, clicking, leaving the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.sandbox.chance import BoolArray, Chance, FloatArray, IntArray
from kpay.sandbox.clock import DAY_S
from kpay.sandbox.happenings import Trace
from kpay.sandbox.parameters import PERSUADABLE, UNDISTURBED
from kpay.sandbox.people import People

DECAY: Final = (
    0.40,
    0.20,
    0.12,
    0.08,
    0.05,
    0.04,
    0.03,
    0.02,
    0.02,
    0.01,
    0.01,
    0.01,
    0.005,
    0.005,
)
"""Share of a mail's pull on each day after it; half is gone after two days."""
GENERAL_RELEVANCE: Final = 0.8
OWNED_RELEVANCE: Final = 0.0  # a mail about nothing but what the reader has is of no use
OWNED_ROOM: Final = 0.1  # less room than this for another copy means that it is owned
UNWANTED_COMPLAINT_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Mail:
    """One marketing mail that reached a person, and the slugs it is about (none: in general)."""

    person: int
    slugs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wave:
    """The mails of one day, at most one a person, and how strongly each person answers."""

    day: int
    persons: IntArray
    strength: FloatArray
    about: BoolArray  # shape (persons, items known that day)


@dataclass(frozen=True, slots=True)
class Reception:
    """What the readers of a day's mail do beside buying."""

    wave: Wave
    copies: IntArray
    opts_out: BoolArray
    traces: list[Trace]


def receive(
    mails: Sequence[Mail],
    *,
    day: int,
    midnight_s: int,
    people: People,
    luck: Chance,
    liking: FloatArray,
    room: FloatArray,
    positions: dict[str, int],
    pressure: FloatArray,
    has_opted_out: BoolArray,
) -> Reception:
    """Work out the answer to a day's mails; `liking` is appeal times `room`, of what is not owned."""
    persons, copies, about = _by_person(mails, positions, liking.shape[1])
    is_news = (about & (room[persons] > OWNED_ROOM)).any(axis=1) | ~about.any(axis=1)
    relevance = np.where(is_news, _relevance(liking, persons, about), OWNED_RELEVANCE)
    tired = np.exp(-people.parameters.fatigue * pressure[persons])
    lift = people.lift[persons]
    strength = np.where(lift > 0, lift * relevance * tired, lift)
    opts_out = luck.some("opt out", day, persons) < _opt_out_chance(
        people, persons, pressure[persons], relevance
    )
    traces = _traces(
        _Readers(day, midnight_s, luck, persons, _subjects(about, positions)),
        people,
        relevance,
        opts_out=opts_out,
        is_unwanted=has_opted_out[persons] | ~people.is_subscriber[persons],
    )
    return Reception(Wave(day, persons, strength, about), copies, opts_out, traces)


def _by_person(
    mails: Sequence[Mail], positions: dict[str, int], items: int
) -> tuple[IntArray, IntArray, BoolArray]:
    """Merge several mails to one person; return persons, copies and what they are about."""
    rows: dict[int, int] = {}
    for mail in sorted(mails, key=lambda mail: mail.person):
        rows.setdefault(mail.person, len(rows))
    copies = np.zeros(len(rows), dtype=np.int64)
    about = np.zeros((len(rows), items), dtype=np.bool_)
    for mail in mails:
        row = rows[mail.person]
        copies[row] += 1
        about[row, [positions[slug] for slug in mail.slugs if slug in positions]] = True
    return np.array(list(rows), dtype=np.int64), copies, about


def _relevance(liking: FloatArray, persons: IntArray, about: BoolArray) -> FloatArray:
    """Return how much the mail concerns each reader; 1 is the average item for an average person."""
    count = about.sum(axis=1)
    usual = max(float(liking.mean()), 1e-9) if liking.size else 1.0
    liked = (liking[persons] * about).sum(axis=1) / np.maximum(count, 1) / usual
    return np.where(count > 0, np.clip(0.35 + 0.65 * liked, 0.1, 2.2), GENERAL_RELEVANCE)


def _opt_out_chance(
    people: People, persons: IntArray, pressure: FloatArray, relevance: FloatArray
) -> FloatArray:
    parameters = people.parameters
    bored = 1 + parameters.boredom * np.maximum(0, 1 - relevance)
    annoyed = np.where(people.stratum[persons] == UNDISTURBED, 4.0, 1.0)
    hazard = parameters.opt_out_share * people.opt_out_factor[persons] * bored * annoyed
    return hazard * np.exp(parameters.opt_out_pressure * pressure)


@dataclass(frozen=True, slots=True)
class _Readers:
    """The people a day's mail reached, row by row."""

    day: int
    midnight_s: int
    luck: Chance
    persons: IntArray
    subjects: list[str]

    def act(self, kind: str, acts: BoolArray) -> list[Trace]:
        """Give each reader's act its time: most within hours, some the day after."""
        delays = self.luck.some(f"delay {kind}", self.day, self.persons) ** 2 * 1.5 * DAY_S
        return [
            Trace(
                self.midnight_s + 60 + int(delays[row]),
                int(self.persons[row]),
                kind,
                self.subjects[row],
            )
            for row in np.flatnonzero(acts).tolist()
        ]

    def perhaps(self, kind: str, share: FloatArray) -> list[Trace]:
        """Let each reader act with their own probability."""
        return self.act(kind, self.luck.some(f"mail {kind}", self.day, self.persons) < share)


def _traces(
    readers: _Readers,
    people: People,
    relevance: FloatArray,
    *,
    opts_out: BoolArray,
    is_unwanted: BoolArray,
) -> list[Trace]:
    parameters, persons = people.parameters, readers.persons
    keen = np.where(people.stratum[persons] == PERSUADABLE, 2.4, 0.8)
    annoyed = np.where(is_unwanted, UNWANTED_COMPLAINT_SHARE, parameters.complaint_share)
    return [
        *readers.perhaps("click", parameters.click_share * relevance * keen),
        *readers.perhaps("complaint", annoyed),
        *readers.perhaps("bounce", np.full(len(persons), parameters.late_bounce_share)),
        *readers.act("unsubscribe", opts_out),
    ]


def _subjects(about: BoolArray, positions: dict[str, int]) -> list[str]:
    """Return the first slug each mail is about, empty for a general one."""
    slugs = list(positions)
    firsts = np.argmax(about, axis=1) if about.shape[1] else np.zeros(len(about), dtype=np.int64)
    return [
        slugs[first] if about.shape[1] and row[first] else ""
        for first, row in zip(firsts.tolist(), about, strict=True)
    ]


def pull(waves: Sequence[Wave], day: int, people: int) -> FloatArray:
    """Return everyone's factor on buying from the mails of the last days; 1 without mail."""
    factor = np.ones(people)
    for wave in waves:
        share = DECAY[day - wave.day]
        factor[wave.persons] += np.where(wave.strength > 0, wave.strength * share, wave.strength)
    return np.maximum(factor, 0.05)
