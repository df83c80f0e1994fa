"""Equal histories have equal fingerprints, and any change to what is known shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kpay.ml.fingerprint import fingerprint
from kpay.ml.frames import purchases
from kpay.ml.history import History, Marks, Pieces, Words
from tests.fakes.ml_worlds import END, membership_orders


def history() -> History:
    one = np.zeros(1, dtype=np.int64)
    return History(
        purchases(membership_orders(20, seed=1), END),
        marks={"visit": Marks(one, one - 3, one, np.ones(1))},
        words=Words(one, one - 2, one, np.ones(1), ("ab",)),
        pieces=Pieces(slug=("a", "bc")),
    )


def test_equal_histories_have_equal_fingerprints() -> None:
    assert fingerprint(history()) == fingerprint(history())


@pytest.mark.parametrize("what", ["amount", "mark", "kind", "text", "slugs"])
def test_any_change_shows(what: str) -> None:
    known = history()
    amounts = known.purchases.amount_minor.copy()
    amounts[-1] += 1
    changed = {
        "amount": replace(known, purchases=replace(known.purchases, amount_minor=amounts)),
        "mark": replace(known, marks={"visit": known.of("visit").before(-3)}),
        "kind": replace(known, marks={"click": known.of("visit")}),
        "text": replace(known, words=replace(known.words, text=("ac",))),
        "slugs": replace(known, pieces=Pieces(slug=("ab", "c"))),
    }
    assert fingerprint(changed[what]) != fingerprint(known)
