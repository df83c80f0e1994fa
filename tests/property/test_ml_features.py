from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from kpay.ml.features import snapshot
from kpay.ml.frames import purchases
from kpay.ml.history import History
from tests.fakes.ml_worlds import START, orders

ROWS = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.floats(0, 200, allow_nan=False),
        st.integers(0, 10**9),
        st.sampled_from(["usd", "eur", "jpy"]),
        st.sampled_from(["", "a", "b", "c"]),
    ),
    min_size=1,
    max_size=40,
)
AS_OF = START + timedelta(days=201)
CUTOFF = -100  # day 101 after the start


def features(frame: pd.DataFrame) -> pd.DataFrame:
    known = purchases(frame, AS_OF)
    found = snapshot(History(known), CUTOFF, 30)
    table = pd.DataFrame(found.columns, index=known.customer_ids[found.customer])
    return table.assign(alpha=found.bg.alpha)


@settings(max_examples=40, deadline=None)
@given(ROWS, st.floats(0.0, 50.0), st.integers(0, 10**6))
def test_features_do_not_change_when_the_future_does(
    rows: list[tuple[int, float, int, str, str]], shift: float, extra: int
) -> None:
    past = [row for row in rows if row[1] < 101]
    future = [row for row in rows if row[1] >= 101]
    moved = [
        (who, min(200.5, day + shift), money + extra, code, what)
        for who, day, money, code, what in future
    ]
    before = features(orders(past + future))
    assert before.equals(features(orders(past + moved)))
    assert before.equals(features(orders([*past, (9, 150.0, 5, "usd", "new")])))


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_features_are_finite_or_undefined_and_known_customers_only(
    rows: list[tuple[int, float, int, str, str]],
) -> None:
    found = features(orders(rows))
    assert set(found.index) == {row[0] for row in rows if row[1] < 101}
    assert not np.isinf(found.to_numpy(float)).any()
    always = ["log_recency", "log_repeats", "log_mean_value", "log_tenure", "bg_logit"]
    assert found[always].notna().all().all()
