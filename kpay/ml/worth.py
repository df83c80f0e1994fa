"""What an event is expected to bring or to cost within the model's horizon, in whole minor units.

A purchase: the days of purchase to come times what one brings. One piece: its price. A renewal: the
payments that fall due while the subscription lasts. A refund: what was bought of late and could be
asked back. Currencies are never added: each customer's amount is in one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.domain.money import LARGEST_MINOR
from kpay.ml import targets
from kpay.ml.features import Snapshot
from kpay.ml.frames import Floats, Ints, Purchases
from kpay.ml.history import History
from kpay.ml.propensity import Propensity
from kpay.ml.value import Amounts

SMALLEST: Final = 1e-12
MOST_MOVED: Final = 4.0


@dataclass(frozen=True, slots=True)
class Worth:
    """An expected amount of each customer of a snapshot, and its currency's index."""

    minor: Ints
    currency: Ints


def expected(
    everything: History, now: Snapshot, model: Propensity, amounts: Amounts, probability: Floats
) -> Worth:
    """Return what a model's event is expected to bring; of a refund, to cost."""
    latest = latest_currency(everything.purchases, now)
    kind = model.target.kind
    if kind == "renewal":
        return _of_renewals(everything, now, model, probability, latest)
    if kind == "refund":
        return Worth(whole_minor(probability * _refundable(everything.purchases, now)), latest)
    if kind == "content":
        piece = everything.pieces.slug.index(model.target.slug)
        price, currency = everything.pieces.price_minor[piece], everything.pieces.currency[piece]
        if currency >= 0:
            return Worth(whole_minor(probability * price), np.full(len(latest), currency))
        return Worth(purchases_minor(everything, now, amounts, probability), latest)
    days = expected_days(now, model, probability, model.horizon_days)
    return Worth(purchases_minor(everything, now, amounts, days), latest)


def latest_currency(known: Purchases, now: Snapshot) -> Ints:
    """Return the currency of each customer's latest purchase."""
    latest = np.zeros(len(known.customer_ids), dtype=np.int64)
    latest[known.customer] = known.currency
    return latest[now.customer]


def expected_days(
    now: Snapshot, model: Propensity, probability: Floats, horizon_days: int
) -> Floats:
    """Return the expected days of purchase within a horizon; `probability` is for the model's own.

    The middle (geometric) of two counts: the BG/NBD's, and the model's chance to buy times the days
    that the BG/NBD expects of a buyer. Another horizon is the BG/NBD's, moved by as much.
    """
    by_bg = model.bg.expected_purchases(now.seen, model.horizon_days)
    once = model.bg.any_purchase(now.seen, model.horizon_days)
    of_a_buyer = np.maximum(by_bg / np.maximum(once, SMALLEST), 1.0)
    moved = np.sqrt(probability * of_a_buyer / np.maximum(by_bg, SMALLEST))
    if horizon_days != model.horizon_days:
        by_bg = model.bg.expected_purchases(now.seen, horizon_days)
    return np.asarray(moved * np.maximum(by_bg, SMALLEST))


def purchases_minor(everything: History, now: Snapshot, amounts: Amounts, days: Floats) -> Ints:
    """Return what so many days of purchase bring, in the currency of the latest one."""
    multiple = amounts.expected(everything.purchases, now.cutoff)[now.customer]
    unit = now.unit_minor[latest_currency(everything.purchases, now)]
    return whole_minor(days * multiple * unit)


def _of_renewals(
    everything: History, now: Snapshot, model: Propensity, probability: Floats, latest: Ints
) -> Worth:
    """Return the payments to come, in the currency of the latest subscription.

    The survival of renewals says when they fall due; where the model is more or less confident that
    the customer stays, they are moved by as much.
    """
    spans, size = everything.spans, len(everything.purchases.customer_ids)
    staying = model.prior.staying if model.prior else None
    if staying is None:
        return Worth(np.zeros(len(latest), dtype=np.int64), latest)
    coming = staying.renewals(spans, now.cutoff, model.horizon_days)
    paid_in, currency = spans.currency[coming.row], np.full(size, -1)
    currency[coming.customer[paid_in >= 0]] = paid_in[paid_in >= 0]
    counts = (paid_in >= 0) & (paid_in == currency[coming.customer])
    due = coming.payments * spans.amount_minor[coming.row] * counts
    minor = np.bincount(coming.customer, due, minlength=size)
    customer, stays = staying.stays(spans, now.cutoff, model.horizon_days)
    believed = np.ones(size)
    believed[customer] = np.maximum(stays, SMALLEST)
    moved = np.clip(probability / believed[now.customer], 1 / MOST_MOVED, MOST_MOVED)
    own = currency[now.customer]
    return Worth(whole_minor(moved * minor[now.customer]), np.where(own >= 0, own, latest))


def _refundable(known: Purchases, now: Snapshot) -> Floats:
    """Return what each customer bought, of late, in the currency of the latest purchase."""
    latest = np.full(len(known.customer_ids), -1)
    latest[known.customer] = known.currency
    recent = (known.day >= now.cutoff - targets.REFUNDABLE_DAYS) & (known.day < now.cutoff)
    recent &= known.currency == latest[known.customer]
    spent = np.bincount(
        known.customer[recent], known.amount_minor[recent], minlength=len(known.customer_ids)
    )
    return np.asarray(spent[now.customer])


def whole_minor(amount: Floats) -> Ints:
    """Return amounts rounded to whole minor units, none below zero or too large to be kept."""
    return np.asarray(np.rint(np.clip(amount, 0, LARGEST_MINOR)), dtype=np.int64)
