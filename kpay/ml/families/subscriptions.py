"""Memberships: who has one, since when, until when, and when it is charged next."""

from __future__ import annotations

from typing import Final

import numpy as np

from kpay.ml.families.acts import places
from kpay.ml.families.family import Family
from kpay.ml.frames import Flags, Floats, Ints
from kpay.ml.history import OPEN, History

COLUMNS: Final = (
    "member_active",
    "member_leaving",
    "member_trial",
    "member_days",
    "member_period_days",
    "member_charge_days",
    "member_count",
    "member_ended_days",
)


def read(known: History, customers: Ints, cutoff: int) -> dict[str, Floats]:
    """Return what each customer's subscriptions say; days are NaN without an active one."""
    spans, size = known.spans, len(customers)
    who, is_asked = places(customers, spans.customer)
    is_active = is_asked & (spans.end >= cutoff)
    is_leaving = is_active & (spans.notice < OPEN)
    is_trial = is_active & (spans.trial_end >= cutoff)
    stays = is_active & ~is_leaving
    ended = is_asked & (spans.end < cutoff)
    age, gone = _floats(cutoff - 1 - spans.start), _floats(cutoff - 1 - spans.end)
    to_next = _days_to_charge(spans.trial_end, spans.interval_days, cutoff)
    return {
        "member_active": _counted(who, is_active, size),
        "member_leaving": _counted(who, is_leaving, size),
        "member_trial": _counted(who, is_trial, size),
        "member_days": _largest(who, age, is_active, size),
        "member_period_days": -_largest(who, -spans.interval_days, is_active, size),
        "member_charge_days": -_largest(who, -to_next, stays, size),
        "member_count": _counted(who, is_asked, size),
        "member_ended_days": -_largest(who, -gone, ended, size),
    }


def _days_to_charge(first_charge: Ints, interval_days: Floats, cutoff: int) -> Floats:
    """Return the days from the cutoff to the next charge: the end of the trial, then every interval."""
    gone = cutoff - first_charge
    periods = np.maximum(np.ceil(gone / np.maximum(interval_days, 1.0)), 0.0)
    return np.asarray(periods * interval_days - gone)


def _floats(days: Ints) -> Floats:
    return np.asarray(days, dtype=float)


def _counted(who: Ints, keep: Flags, size: int) -> Floats:
    return np.bincount(who[keep], minlength=size).astype(float)


def _largest(who: Ints, value: Floats, keep: Flags, size: int) -> Floats:
    found = np.full(size, -np.inf)
    np.maximum.at(found, who[keep], value[keep])
    return np.where(np.isinf(found), np.nan, found)


SUBSCRIPTIONS: Final = Family("subscriptions", COLUMNS, lambda known: len(known.spans) > 0, read)
