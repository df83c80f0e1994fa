"""What is known of readers before a send: buyers or not, and nothing that came later."""

from __future__ import annotations

import numpy as np

from kpay.ml.frames import Floats, purchases
from kpay.ml.history import History
from kpay.ml.readers import COLUMNS, Moments, Readers, columns
from tests.fakes.ml_worlds import DAYS, END, bg_nbd_orders, orders

BOUGHT = [(0, 265.5, 900, "usd", "a"), (0, 345.5, 900, "usd", "a"), (1, 335.5, 900, "usd", "a")]
HISTORY = History(purchases(orders(BOUGHT), END))
EVERYBODY = np.arange(4)


def some_readers(mails: Moments | None = None) -> Readers:
    """Customers 0 and 1, and two who never bought; the last one's joining is not known."""
    joined = np.array([-200.0, -50.0, -10.0, np.nan])
    sent = mails or Moments.of([0, 0, 1], [-40.2, -21.0, -31.0])
    clicks = Moments.of([1, 1], [-30.0, -400.0])
    return Readers.of(HISTORY, np.array([0, 1, -1, -1]), joined, sent, clicks)


def known(at: float, readers: Readers | None = None) -> dict[str, Floats]:
    found = columns(readers or some_readers(), HISTORY, EVERYBODY, at, 14)
    return dict(zip(COLUMNS, found.T, strict=True))


def test_moments_are_counted_from_up_to_and_found_by_person() -> None:
    moments = Moments.of([2, 0, 2], [-1.0, -5.0, -9.0])
    assert moments.count(np.array([0, 1, 2]), -9.0, -1.0).tolist() == [1, 0, 1]
    assert moments.count(np.array([2]), -9.0, -0.5).tolist() == [2]
    last = moments.last(np.array([0, 1, 2]), -1.0)
    assert last[0] == -5.0
    assert np.isnan(last[1])
    assert last[2] == -9.0


def test_mail_clicks_and_joining_are_those_before_the_moment() -> None:
    then = known(-25.0)
    assert np.allclose(np.expm1(then["log_mails"]), [1, 1, 0, 0])
    assert np.allclose(np.expm1(then["log_rest"]), [15.2, 6.0, 365, 365])
    assert np.allclose(np.expm1(then["log_clicks"]), [0, 1, 0, 0])
    assert np.allclose(np.expm1(then["log_joined"]), [175, 25, 0, 0])


def test_who_never_bought_stands_at_the_buyers_mean() -> None:
    now = known(0.0)
    assert now["has_bought"].tolist() == [1, 1, 0, 0]
    for name in ("log_recency", "log_repeats", "log_tenure"):
        assert now[name][2] == now[name][3] == now[name][:2].mean()
    assert now["log_repeats"][0] > now["log_repeats"][1]


def test_a_purchase_soon_after_a_mail_is_prompted_by_it() -> None:
    """Customer 0 bought 20 days ago, a day after a mail; customer 1 30 days ago, likewise."""
    assert np.allclose(np.expm1(known(0.0)["log_prompted"]), [1, 1, 0, 0])
    assert np.allclose(np.expm1(known(-19.0)["log_prompted"]), [1, 1, 0, 0])
    assert np.allclose(np.expm1(known(-20.0)["log_prompted"]), [0, 1, 0, 0])
    late = some_readers(Moments.of([0, 1], [-19.9 + 1, -45.0]))
    assert np.allclose(known(0.0, late)["log_prompted"], 0)


def test_before_the_first_purchase_nobody_has_bought() -> None:
    assert not known(-300.0)["has_bought"].any()


def test_moving_the_future_changes_nothing() -> None:
    luck = np.random.default_rng(3)
    frame = bg_nbd_orders(200, seed=3)
    cutoff = -100.0
    later = frame["at"] >= END + np.timedelta64(int(cutoff), "D")
    past = History(purchases(frame, END))
    other = History(purchases(frame[~later], END))
    size = len(past.purchases.customer_ids)
    days = luck.uniform(-DAYS, 0, 600)
    who = luck.integers(0, size, 600)

    def told(history: History, keep: Floats) -> Floats:
        known_ids = history.purchases.customer_ids
        place = np.searchsorted(known_ids, past.purchases.customer_ids)
        place = np.minimum(place, len(known_ids) - 1)
        customer = np.where(known_ids[place] == past.purchases.customer_ids, place, -1)
        sent = Moments.of(who[keep].tolist(), days[keep].tolist())
        readers = Readers.of(history, customer, np.full(size, -300.0), sent, sent)
        return columns(readers, history, np.arange(size), cutoff, 14)

    whole = told(past, np.ones(600, dtype=bool))
    assert np.array_equal(whole, told(other, days < cutoff))
    assert whole[:, COLUMNS.index("log_prompted")].any()
