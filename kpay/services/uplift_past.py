"""What past campaigns teach of whom mail moves: everybody they drew, as they stood just before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

import numpy as np
from sqlalchemy import Connection

from kpay.domain.address import normal_email
from kpay.domain.campaign_results import WINDOW_DAYS
from kpay.ml import readers
from kpay.ml.frames import Floats
from kpay.ml.history import History
from kpay.ml.qini import Trial
from kpay.ml.readers import Moments, Readers
from kpay.services import histories
from kpay.store import campaigns, trials

MOST_ROWS: Final = 500_000
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Past:
    """Everybody on the list and what is known of them before `moment`, from which days count."""

    moment: datetime
    history: History
    number: dict[str, int]
    readers: Readers

    @classmethod
    def read(cls, connection: Connection, moment: datetime) -> Self:
        """Read it from the store."""
        history = histories.read(connection, moment)
        rows = trials.people(connection)
        number = {row.email: place for place, row in enumerate(rows)}
        ids = history.purchases.customer_ids
        place = {int(one): at for at, one in enumerate(ids)}
        customer = np.array([place.get(row.id, -1) for row in rows], dtype=np.int64)
        joined = np.array([_day(row.joined, moment) for row in rows], dtype=float)
        known = Readers.of(
            history,
            customer,
            joined,
            _moments(trials.mails(connection, moment), number, moment),
            _moments(trials.clicks(connection, moment), number, moment),
        )
        return cls(moment, history, number, known)

    def columns(self, emails: Sequence[str], at: datetime | None = None) -> Floats:
        """Return what is known of some of them at a moment, one row each."""
        person = np.array([self.number[email] for email in emails], dtype=np.int64)
        day = 0.0 if at is None else _day(at, self.moment)
        return readers.columns(self.readers, self.history, person, day, WINDOW_DAYS)


@dataclass(frozen=True, slots=True)
class Pooled:
    """All finished campaigns with a holdout: one row for each person that each of them drew.

    `day` counts from the moment of reading.
    """

    matrix: Floats
    trial: Trial
    day: Floats
    campaigns: tuple[str, ...]

    @property
    def people(self) -> int:
        """How many different people they drew."""
        return len(np.unique(self.trial.person))


def pool(connection: Connection, past: Past) -> Pooled:
    """Put the campaigns together whose window is over, the newest first up to MOST_ROWS rows."""
    matrices: list[Floats] = [np.zeros((0, len(readers.COLUMNS)))]
    rows: list[tuple[bool, bool, int, float]] = []
    names: list[str] = []
    until = past.moment - timedelta(days=WINDOW_DAYS)
    for campaign in trials.with_holdout(connection, until):
        drawn = [row for row in trials.drawn(connection, campaign.id) if row[0] in past.number]
        if len(rows) + len(drawn) > MOST_ROWS:
            break
        begun = campaign.first_sent_at
        bought, day = _buyers(connection, begun), _day(begun, past.moment)
        matrices.append(past.columns([email for email, _ in drawn], begun))
        rows += [
            (not is_held_out, email in bought, past.number[email], day)
            for email, is_held_out in drawn
        ]
        names.append(campaign.name)
    treated, responded, person, days = zip(*rows, strict=True) if rows else ((),) * 4
    trial = Trial(
        np.array(treated, dtype=bool),
        np.array(responded, dtype=bool),
        np.array(person, dtype=np.int64),
    )
    return Pooled(np.vstack(matrices), trial, np.array(days, dtype=float), tuple(names))


def _buyers(connection: Connection, begun: datetime) -> set[str]:
    orders = campaigns.orders_between(connection, begun, begun + timedelta(days=WINDOW_DAYS))
    return {normal_email(row["email"]) for row in orders if row["email"] and row["total_minor"] > 0}


def _moments(rows: trials.Rows, number: dict[str, int], moment: datetime) -> Moments:
    known = [(number[email], _day(at, moment)) for email, at in rows if email in number]
    return Moments.of([person for person, _ in known], [day for _, day in known])


def _day(at: datetime | None, moment: datetime) -> float:
    return np.nan if at is None else (at - moment).total_seconds() / DAY_S
