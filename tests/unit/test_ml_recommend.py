from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kpay.ml import recommend, recommend_parts, text
from kpay.ml.recommend import Reader
from kpay.ml.recommend_shelf import Catalogue, Owned


def shop(*pieces: tuple[str, str, str], archived: tuple[str, ...] = ()) -> Catalogue:
    return Catalogue(
        content=tuple(slug for slug, _, _ in pieces),
        title=tuple(title for _, title, _ in pieces),
        kind=("ebook",) * len(pieces),
        tags=tuple(tuple(tags.split()) for _, _, tags in pieces),
        is_sellable=np.array([slug not in archived for slug, _, _ in pieces], dtype=bool),
    )


def owned(*pairs: tuple[int, int], age_days: float = 10.0) -> Owned:
    who, what = zip(*pairs, strict=True) if pairs else ((), ())
    return Owned(
        np.array(who, dtype=np.int64),
        np.array(what, dtype=np.int64),
        np.full(len(pairs), age_days),
    )


def reader(*items: int, **wishes: Any) -> Reader:
    return Reader(np.array(items, dtype=np.int64), np.full(len(items), 10.0), **wishes)


def readers(pairs: Owned, customers: int) -> list[Reader]:
    return [reader(*pairs.content[pairs.customer == who].tolist()) for who in range(customers)]


SHOP = shop(
    ("bread", "Baking bread", "baking"),
    ("cake", "Baking cake", "baking"),
    ("knots", "Sailing knots", "sailing"),
    ("charts", "Sailing charts", "sailing"),
    ("new", "Baking rolls", "baking"),
)


def test_what_buyers_of_the_same_also_bought_comes_first_and_says_so() -> None:
    pairs = owned(
        *[(who, item) for who in range(20) for item in (0, 1)],
        *[(who, item) for who in range(20, 45) for item in (2, 3)],
        (45, 0),
    )
    model = recommend.fit(SHOP, pairs, 46)
    (suggested,) = model.suggest([reader(0)], 3)
    assert suggested[0].content == "cake"
    assert suggested[0].because == '20 of 21 buyers of "Baking bread" also bought it'


def test_nothing_owned_and_nothing_archived_is_suggested() -> None:
    pairs = owned((0, 0), (0, 1), (1, 2), (1, 3))
    catalogue = shop(*[(slug, slug, "x") for slug in SHOP.content], archived=("new",))
    model = recommend.fit(catalogue, pairs, 2)
    first, second = model.suggest(readers(pairs, 2), 5)
    assert {s.content for s in first} == {"knots", "charts"}
    assert {s.content for s in second} == {"bread", "cake"}


def test_a_newcomer_gets_what_sells_lately() -> None:
    old = owned(*[(who, 0) for who in range(30)], age_days=300)
    recent = owned(*[(who, 2) for who in range(30, 45)], age_days=3)
    pairs = Owned(
        *(
            np.concatenate([getattr(old, name), getattr(recent, name)])
            for name in ("customer", "content", "age_days")
        )
    )
    (suggested,) = recommend.fit(SHOP, pairs, 46).suggest([reader()], 1)
    assert (suggested[0].content, suggested[0].because) == ("knots", "popular this month")


def test_content_that_nobody_has_yet_is_carried_by_likeness() -> None:
    catalogue = shop(
        ("bread", "Baking bread", "baking"),
        ("sails", "Sewing sails", "sailing"),
        ("rolls", "Baking rolls", "baking"),
    )
    model = recommend.fit(catalogue, owned((0, 0), (1, 0)), 2)
    (suggested,) = model.suggest([reader(0)], 2)
    assert [item.content for item in suggested] == ["rolls", "sails"]
    assert suggested[0].because == 'about baking, like "Baking bread"'


@pytest.mark.parametrize("customers", [0, 1, 2])
def test_three_pieces_and_hardly_a_customer_are_enough(customers: int) -> None:
    catalogue = shop(("a", "A", ""), ("b", "B", ""), ("c", "C", ""))
    pairs = owned(*[(who, who) for who in range(customers)])
    for items in recommend.fit(catalogue, pairs, customers).suggest(readers(pairs, customers), 5):
        assert len(items) == 2
        assert all(np.isfinite(item.score) for item in items)


def test_an_empty_shop_suggests_nothing() -> None:
    model = recommend.fit(shop(), owned(), 1)
    assert model.suggest([reader()], 5) == [[]]


def test_taste_is_found_again_in_a_simulated_shop_twice_as_well_as_popularity() -> None:
    generator = np.random.default_rng(8)
    customers, size, groups = 400, 40, 4
    taste = generator.integers(groups, size=customers)
    chance = np.where(np.arange(size) % groups == taste[:, None], 0.35, 0.04)
    has = generator.random((customers, size)) < chance
    hidden = [int(generator.choice(np.flatnonzero(row))) if row.any() else -1 for row in has]
    for who, item in enumerate(hidden):
        has[who, item if item >= 0 else 0] = False
    catalogue = shop(*[(f"p{at}", f"{at}", "") for at in range(size)])
    pairs = owned(*zip(*(side.tolist() for side in np.nonzero(has)), strict=True))
    model = recommend.fit(catalogue, pairs, customers)
    suggested = model.suggest([reader(*np.flatnonzero(row).tolist()) for row in has], 5)
    found = np.mean(
        [
            f"p{item}" in {s.content for s in got}
            for item, got in zip(hidden, suggested, strict=True)
        ]
    )
    popular = np.argsort(-has.sum(axis=0))[:5]
    assert found > 2 * np.mean([item in popular for item in hidden])


def test_likeness_works_in_any_script() -> None:
    same = text.likeness(["用面包学烘焙", "烘焙面包入门", "航海绳结", "Bread baking"])
    assert same[0, 1] > same[0, 2]
    assert same[0, 0] == 0.0
    assert np.isfinite(text.likeness(["", ""])).all()


def test_item_weights_have_a_zero_diagonal_and_limit_the_inverse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recommend_parts, "MOST_WOVEN", 2)
    pairs = owned((0, 0), (0, 1), (1, 0), (1, 1), (2, 2))
    weights = recommend_parts.ease(pairs, 3, 5)
    assert np.diag(weights).tolist() == [0.0] * 5
    assert weights[0, 1] > 0
    assert not weights[2:].any()
