"""Whom to mail this week: everyone, the likeliest buyers, who does not own it, or the value rule.

They see the records alone; the world's people are hidden from them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from kpay.ml import attention, bgnbd, frames, relevance, text
from tests.fakes.mail_year import Answer, Policy, Question

DAY_0 = datetime(2025, 1, 6, tzinfo=UTC)
DAYS_BETWEEN = 7.0


class Nobody(Policy):
    def choose(self, question: Question) -> np.ndarray:
        return np.zeros(len(question.listed), dtype=bool)


class Everyone(Policy):
    def choose(self, question: Question) -> np.ndarray:
        return np.ones(len(question.listed), dtype=bool)


class WhoDoesNotOwnIt(Policy):
    def choose(self, question: Question) -> np.ndarray:
        return question.records.bought[question.listed, question.piece] == 0


class LikeliestBuyers(Policy):
    """The fifth of the list with the highest propensity (BG/NBD, 90 days), fitted every week."""

    def choose(self, question: Question) -> np.ndarray:
        chance = np.zeros(len(question.records.has_left))
        now = DAY_0 + timedelta(days=question.day)
        bought = frames.purchases(_orders(question), now)
        seen = bgnbd.histories(bought, 0)
        chance[bought.customer_ids] = bgnbd.fit(seen).any_purchase(seen, 90)
        rank = np.argsort(np.argsort(-chance[question.listed], kind="stable"))
        return rank < 0.2 * len(rank)


class ValueRule(Policy):
    """kpay's own rule, learning anew from all mails so far every week."""

    def __init__(self) -> None:
        self._traits: list[np.ndarray] = []
        self._pressure: list[np.ndarray] = []
        self._clicked: list[np.ndarray] = []
        self._left: list[np.ndarray] = []
        self._of_question: np.ndarray = np.zeros((0, 4))

    def choose(self, question: Question) -> np.ndarray:
        records, listed = question.records, question.listed
        on_sale = records.on_sale(question.day)
        traits = _traits(question)
        self._of_question = traits[:, question.piece]
        past = np.concatenate([*self._traits, np.zeros((0, 4))])
        model = relevance.learn(past, np.concatenate([*self._clicked, np.zeros(0)]))
        opt_outs = attention.learn_opt_outs(
            np.concatenate([*self._pressure, np.zeros(0)]),
            model.of(past),
            np.concatenate([*self._left, np.zeros(0)]),
        )
        is_new = records.bought[listed] == 0
        relevances = model.of(traits) * is_new
        usual = relevances[:, on_sale].sum(axis=1) / np.maximum(is_new[:, on_sale].sum(axis=1), 1)
        to_come = relevances[:, on_sale] / np.maximum(usual, 1e-3)[:, None]
        balance = attention.weigh(
            opt_outs,
            attention.look_ahead(opt_outs, to_come, DAYS_BETWEEN),
            pressure=records.pressure[listed],
            relevance=relevances[:, question.piece],
            usual=usual,
        )
        return balance.is_worth

    def see(self, question: Question, answer: Answer) -> None:
        was_mailed = np.isin(question.listed, answer.persons)
        self._traits.append(self._of_question[was_mailed])
        self._pressure.append(question.records.pressure[answer.persons])
        self._clicked.append(answer.clicked.astype(float))
        self._left.append(answer.left.astype(float))


def _traits(question: Question) -> np.ndarray:
    records, listed = question.records, question.listed
    likeness = text.likeness([" ".join((item.kind, *item.tags)) for item in records.items])
    np.fill_diagonal(likeness, 1.0)
    pieces = relevance.Pieces(
        likeness, records.sold, records.clicked.sum(axis=0), records.mailed.sum(axis=0)
    )
    return pieces.traits(
        relevance.Known(
            bought=records.bought[listed],
            clicked=records.clicked[listed],
            mailed=records.mailed[listed],
            asked=records.asked[listed],
            has_asked=records.has_asked[listed],
        )
    )


def _orders(question: Question) -> pd.DataFrame:
    person, day, piece, amount_minor = zip(*question.records.orders, strict=True)
    start = pd.Timestamp(DAY_0).as_unit("us")
    return pd.DataFrame(
        {
            "customer": np.array(person, dtype=np.int64),
            "at": start + pd.to_timedelta(np.array(day), unit="D").as_unit("us"),
            "amount_minor": np.array(amount_minor, dtype=np.int64),
            "currency": "usd",
            "content": np.array(piece).astype(str),
            "order": np.arange(len(day)),
        }
    )


POLICIES = {
    "nobody": Nobody,
    "everyone": Everyone,
    "top 20 % by propensity": LikeliestBuyers,
    "who does not own it": WhoDoesNotOwnIt,
    "value rule": ValueRule,
}
