from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kpay.ml import recommend
from kpay.ml import recommend_taste as taste
from kpay.ml.recommend import Reader
from kpay.ml.recommend_shelf import Catalogue, Owned, nothing_taken

TOPICS, PIECES, PEOPLE = 4, 24, 300
NOBODY = np.zeros(0, dtype=np.int64)


def shelf(prices: tuple[float, ...] = ()) -> Catalogue:
    names = tuple(f"p{place}" for place in range(PIECES))
    tags = tuple((f"topic{place % TOPICS}",) for place in range(PIECES))
    sells = np.ones(PIECES, dtype=bool)
    return Catalogue(names, names, ("ebook",) * PIECES, tags, sells, price=np.array(prices))


def signs(spread: float, each: int = 8, seed: int = 1) -> Owned:
    """Draw what people took whose liking of a topic is exp(normal x spread)."""
    luck = np.random.default_rng(seed)
    liking = np.exp(spread * luck.normal(size=(PEOPLE, TOPICS)))[:, np.arange(PIECES) % TOPICS]
    chance = liking / liking.sum(axis=1, keepdims=True)
    took = [luck.choice(PIECES, each, p=row, replace=False) for row in chance]
    who = np.repeat(np.arange(PEOPLE), each)
    return Owned(who, np.concatenate(took), luck.uniform(0, 300, PEOPLE * each))


@pytest.mark.parametrize(("spread", "low", "high"), [(0.0, 0.0, 0.05), (0.9, 0.35, 1.2)])
def test_how_far_tastes_differ_is_found_again(spread: float, low: float, high: float) -> None:
    """The variance is spread squared, by people who take different pieces of a short shelf."""
    topics = taste.described(shelf())[0]
    assert low <= taste.variance(topics, (signs(spread),)) <= high


def test_without_signs_the_usual_variance_is_taken() -> None:
    topics = taste.described(shelf())[0]
    assert taste.variance(topics, (nothing_taken(), nothing_taken())) == taste.USUAL_VARIANCE


def test_a_launch_that_everybody_bought_says_nothing_of_a_taste() -> None:
    """Piece 0 is all that sold lately; long ago all pieces sold alike."""
    luck = np.random.default_rng(2)
    before = Owned(np.arange(300), luck.integers(PIECES, size=300), luck.uniform(100, 300, 300))
    launch = Owned(np.arange(300), np.zeros(300, dtype=np.int64), luck.uniform(0, 10, 300))
    both = Owned(
        np.concatenate([before.customer, launch.customer]),
        np.concatenate([before.content, launch.content]),
        np.concatenate([before.age_days, launch.age_days]),
    )
    season = taste.Season.learn(taste.described(shelf())[0], both)
    new, old = season.surprise(
        taste.described(shelf())[0], np.zeros(2, dtype=np.int64), np.array([5.0, 200.0])
    )
    assert abs(new[0]) < 0.15
    assert old[0] > 0.6


def test_a_look_tells_what_somebody_likes_who_has_bought_nothing() -> None:
    looks = signs(0.9)
    model = recommend.fit(shelf(), nothing_taken(), 0, looks=looks)
    liked = np.array([1, 5, 9])
    reader = Reader(NOBODY, np.zeros(0), looked=liked, looked_days=np.full(3, 10.0))
    (found,) = model.suggest([reader], 4)
    assert all(int(item.content[1:]) % TOPICS == 1 for item in found)


def test_who_pays_high_prices_is_offered_a_dear_piece_and_who_pays_low_ones_a_cheap_one() -> None:
    prices = tuple(10.0 if place < PIECES // 2 else 90.0 for place in range(PIECES))
    luck = np.random.default_rng(3)
    half = np.arange(PEOPLE) % 2 * (PIECES // 2)
    content = np.concatenate([luck.permutation(PIECES // 2)[:4] + start for start in half])
    owned = Owned(np.repeat(np.arange(PEOPLE), 4), content, luck.uniform(0, 300, PEOPLE * 4))
    learned = taste.learn(replace(shelf(prices), tags=((),) * PIECES), owned, nothing_taken())
    appeal = learned.appeal(2, [(learned.bought, owned.where(owned.customer < 2))])
    assert appeal[0, 0] > appeal[0, -1]
    assert appeal[1, 0] < appeal[1, -1]


def test_words_count_where_there_are_no_tags() -> None:
    words = (
        "bake bread loaf oven",
        "sail rope knot wind",
        "paint brush oil canvas",
        "knit wool yarn",
    )
    said = tuple(words[place % TOPICS] for place in range(PIECES))
    catalogue = replace(shelf(), tags=((),) * PIECES, text=said)
    owned = signs(0.9)
    learned = taste.learn(catalogue, owned, nothing_taken())
    reader = Owned(np.zeros(3, dtype=np.int64), np.array([0, 4, 8]), np.full(3, 10.0))
    (appeal,) = learned.appeal(1, [(learned.bought, reader)])
    assert appeal[12] > max(appeal[13:16])


def test_a_wish_counts_less_the_more_somebody_has_done() -> None:
    model = recommend.fit(shelf(), signs(0.9), PEOPLE)
    wish = frozenset({"topic1"})
    seen = Reader(NOBODY, np.zeros(0), wish, looked=np.arange(10), looked_days=np.full(10, 5.0))
    new, known = model.wishes([Reader(NOBODY, np.zeros(0), wish), seen], np.ones((2, PIECES), bool))
    assert new[1] == pytest.approx(2 * known[1])
