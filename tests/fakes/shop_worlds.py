"""A shop whose customers buy in three ways that are known: the groups that ought to be found."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from kpay.ml.frames import purchases
from kpay.ml.history import History, Marks, Pieces
from tests.fakes.ml_worlds import END, orders

KINDS = ("course", "ebook", "article")
WAYS = ("weekend courses", "one ebook", "many articles")


def weekend_course_one_ebook_many_articles(each: int, seed: int = 0) -> History:
    """Return what 3 x `each` customers bought by END; customer c buys in the way c // `each`."""
    luck = np.random.default_rng(seed)
    rows: list[tuple[int, float, int, str, str]] = []
    for customer in range(3 * each):
        way = customer // each
        for _ in range((int(luck.integers(3, 5)), 1, int(luck.integers(4, 9)))[way]):
            day = int(luck.integers(20, 364))
            if way == 0:
                day += (5 - (END + timedelta(days=day - 365)).weekday()) % 7 - 7
            amount = (4900, 900, 300)[way] + int(luck.integers(0, 100))
            rows.append((customer, day + 0.5, amount, "usd", KINDS[way]))
    frame = orders(sorted(rows, key=lambda row: row[1]))
    known = purchases(frame, END)
    sold = frame.assign(day=(frame["at"] - END).dt.days).sort_values(["customer", "day"])
    content = np.array([KINDS.index(kind) for kind in sold["content"]])
    day = sold["day"].to_numpy(np.int64)
    first = np.full(3, -400)
    bought = Marks(sold["customer"].to_numpy(np.int64), day, content, np.ones(len(sold)))
    shelf = Pieces(KINDS, KINDS, KINDS, ((),) * 3, first_day=first, last_day=first + 10**6)
    return History(known, bought, pieces=shelf)
