"""What comes first, what waits, what is said: the rules on top of the scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kpay.ml import recommend
from kpay.ml.recommend import POPULARITY_ONLY, Mix, Reader, Recommender
from kpay.ml.recommend_shelf import Catalogue, Owned

TITLES = ("Bread one", "Bread two", "Bread three", "Sailing", "Knots")
SERIES = Catalogue(
    content=("one", "two", "three", "sailing", "knots"),
    title=TITLES,
    kind=("ebook",) * 5,
    tags=(("bread",), ("bread",), ("bread",), ("sea",), ("sea",)),
    is_sellable=np.ones(5, dtype=bool),
    text=TITLES,
    after=((), (0,), (1,), (), ()),
)
SOLD = ((0, 3), (1, 3), (2, 3), (3, 4), (4, 4), (5, 3))


def learned(catalogue: Catalogue = SERIES, mix: Mix | None = None) -> Recommender:
    who, what = zip(*SOLD, strict=True)
    ages = np.full(len(SOLD), 5.0)
    owned = Owned(np.array(who, dtype=np.int64), np.array(what, dtype=np.int64), ages)
    return recommend.fit(catalogue, owned, 6, mix)


def having(*items: int, **more: object) -> Reader:
    return Reader(np.array(items, dtype=np.int64), np.full(len(items), 9.0), **more)  # type: ignore[arg-type]


def names(model: Recommender, reader: Reader, count: int = 5) -> list[str]:
    return [one.content for one in model.suggest([reader], count)[0]]


def test_the_next_piece_of_a_series_comes_first_and_says_after_what() -> None:
    (found,) = learned().suggest([having(0)], 5)
    assert (found[0].content, found[0].because) == ("two", 'next after "Bread one"')


def test_a_piece_whose_beginning_one_has_not_got_is_not_offered() -> None:
    model = learned()
    assert not {"two", "three"} & set(names(model, having()))
    assert "three" not in names(model, having(0))
    assert names(model, having(0, 1))[0] == "three"


def test_what_can_no_longer_be_bought_is_not_asked_for_first() -> None:
    gone = SERIES.is_sellable.copy()
    gone[0] = False
    assert "two" in names(learned(replace(SERIES, is_sellable=gone)), having())


def test_what_is_put_last_is_offered_only_after_everything_else() -> None:
    model = learned()
    assert names(model, having(), 1) == ["sailing"]
    assert names(model, having(last=np.array([3])))[-1] == "sailing"
    assert "sailing" not in names(model, having(barred=np.array([3])))


def test_a_newcomer_is_offered_what_they_asked_for_on_the_list() -> None:
    (found,) = learned().suggest([having(topics=frozenset({"bread"}))], 1)
    assert (found[0].content, found[0].because) == ("one", "about bread, which you chose")


def test_without_proof_what_sells_lately_comes_first_and_nothing_personal_is_said() -> None:
    (found,) = learned(mix=POPULARITY_ONLY).suggest([having(4)], 3)
    assert (found[0].content, found[0].because) == ("sailing", "popular this month")


def test_counts_are_told_only_of_three_common_buyers_or_more() -> None:
    pairs = [(who, item) for who in range(2) for item in (0, 3)] + [(9, 4)]
    who, what = zip(*pairs, strict=True)
    owned = Owned(np.array(who), np.array(what), np.full(len(pairs), 300.0))
    plain = replace(SERIES, tags=((),) * 5, text=(), after=())
    (found,) = recommend.fit(plain, owned, 10).suggest([having(0)], 1)
    assert (found[0].content, found[0].because) == ("sailing", "2 people have it")


def test_a_list_is_varied_where_scores_are_nearly_equal() -> None:
    model = learned()
    alike = np.zeros((5, 5))
    alike[0, 1] = alike[1, 0] = 1.0
    varied = replace(model, alike=alike)
    total = np.array([[1.00, 0.98, 0.95, -np.inf, -np.inf]])
    assert varied.varied(total, 3) == [[0, 2, 1]]
    assert varied.varied(np.array([[1.0, 0.98, 0.5, 0.0, 0.0]]), 2) == [[0, 1]]


def test_an_old_purchase_says_less_than_a_new_one() -> None:
    pairs = [(who, item) for who in range(30) for item in ((0, 1) if who < 15 else (3, 4))]
    who, what = zip(*pairs, strict=True)
    owned = Owned(np.array(who), np.array(what), np.full(len(pairs), 30.0))
    plain = replace(SERIES, tags=((),) * 5, text=(), after=())
    model = recommend.fit(plain, owned, 30)
    old_bread = Reader(np.array([0, 3]), np.array([900.0, 10.0]))
    old_sea = Reader(np.array([0, 3]), np.array([10.0, 900.0]))
    assert (names(model, old_bread)[0], names(model, old_sea)[0]) == ("knots", "two")
