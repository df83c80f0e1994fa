from __future__ import annotations

import numpy as np
import pytest

from kpay.ml.sentiment import Sentiment, by_lexicon, stretched
from kpay.ml.text import Space, hashed_ngrams
from kpay.ml.topics import topics

DOCUMENTS = (
    "Learn baking bread with flour and water",
    "Bread for beginners: sourdough, flour, an oven",
    "Knots for sailors, ropes and sails",
    "用面包学烘焙，面粉和烤箱",
    "烘焙面包入门，面粉",
    "航海绳结与帆",
)


def cosines() -> np.ndarray:
    vectors = Space.fit(DOCUMENTS).of(DOCUMENTS)
    return vectors @ vectors.T


def test_texts_about_the_same_are_alike_in_any_script() -> None:
    alike = cosines()
    assert alike[0, 1] > 2 * alike[0, 2]
    assert alike[3, 4] > 2 * alike[3, 5]
    assert alike[0, 3] == pytest.approx(0, abs=1e-9)


def test_vectors_have_length_one_or_nothing_in_common() -> None:
    space = Space.fit(DOCUMENTS)
    lengths = np.linalg.norm(space.of(["bread", "", "zzzz 12", "…！"]), axis=1)
    assert lengths[0] == pytest.approx(1)
    assert lengths[1] == lengths[3] == 0


def test_equal_texts_give_equal_bytes() -> None:
    assert Space.fit(DOCUMENTS).turn.tobytes() == Space.fit(DOCUMENTS).turn.tobytes()
    buckets, counts = hashed_ngrams("Brot")
    assert buckets.tolist() == [
        14132,
        18679,
        20138,
        39591,
        47706,
        52722,
        58718,
        74000,
        82287,
        91121,
        98233,
    ]
    assert set(counts) == {1.0}


def test_no_documents_make_a_space_without_directions() -> None:
    assert Space.fit([]).of(["bread"]).shape == (1, 0)


@pytest.mark.parametrize(
    ("said", "mood"),
    [
        ("I loved it, very helpful.", 1), ("Boring and overpriced.", -1), ("It arrived.", 0),
        ("Not helpful at all", -1), ("It isn’t bad", 1), ("Never boring! Loved it.", 1),
        ("讲得很清楚，强烈推荐", 1), ("太贵了，有点失望", -1), ("还不错", 1), ("不是很清楚", -1),
        ("并不推荐", -1), ("昨天收到", 0),
    ],
)  # fmt: skip
def test_the_lexicon_tells_praise_from_complaint(said: str, mood: int) -> None:
    assert np.sign(by_lexicon(said)) == mood


def test_ratings_teach_words_that_the_lexicon_does_not_know() -> None:
    said = ["wobbly pictures", "crisp pictures", "画面摇晃", "画面稳定"] * 30
    stars = np.array([1.0, 5.0, 1.0, 5.0] * 30)
    moods = Sentiment.fit(said, stars).of(["wobbly", "crisp", "摇晃", "稳定", "the weather"])
    assert (moods[[0, 2]] < -0.1).all()
    assert (moods[[1, 3]] > 0.1).all()
    assert abs(moods[4]) < 0.05


def test_a_few_ratings_move_the_lexicon_a_little_only() -> None:
    praise = "Loved it, wonderful"
    few = Sentiment.fit([praise] * 3, np.full(3, 1.0)).of([praise])[0]
    many = Sentiment.fit([praise] * 300, np.full(300, 1.0)).of([praise])[0]
    assert by_lexicon(praise) > few > 0 > many


@pytest.mark.parametrize(
    ("given", "shares"),
    [
        ([1, 3, 5], [0, 0.5, 1]), ([0, 5], [0, 1]), ([2, 10], [0.2, 1]), ([4], [0.75]),
        ([np.nan, 5], [np.nan, 1]),
    ],
)  # fmt: skip
def test_stars_are_stretched_over_the_scale_that_was_used(
    given: list[float], shares: list[float]
) -> None:
    np.testing.assert_allclose(stretched(np.array(given, dtype=float)), shares)


SOUND = ["The audio is quiet in chapter one", "Quiet audio again", "audio far too quiet, sadly"]
PRICE = ["The price is high", "A high price for one course", "price too high for me"]
EXAMPLES = ["希望例子更多", "例子太少了", "更多例子就好了", "多一些例子"]


def test_topics_are_named_by_words_that_people_used() -> None:
    texts = SOUND * 3 + PRICE * 3 + EXAMPLES * 2
    found = topics(texts)
    about = {one.name: [texts[place] for place in one.texts] for one in found}
    (sound,) = (name for name in about if "audio" in name)
    assert set(sound.split(", ")) == {"audio", "quiet", "chapter"}
    assert about[sound] == SOUND * 3
    assert any(name.startswith("例子") for name in about)
    assert any("price" in name for name in about)


def test_a_few_texts_have_no_topics() -> None:
    assert topics(SOUND + PRICE) == []
    assert topics(["", " "] * 20) == []
    assert topics(["same"] * 30) == []
