"""A model of texts that the creator has: its vectors take the place of n-grams, and models remember it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kpay.adapters.embedding import LocalEmbedding
from kpay.domain.enums import Device
from kpay.domain.importing import Circumstances
from kpay.errors import ModelOutdated, SettingsInvalid
from kpay.ml.families.text import TEXT
from kpay.services import histories, training
from kpay.services.importing import ImportKind, import_csv
from kpay.services.scoring import score
from kpay.store.engine import Store
from tests.fakes.stores import new_store

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SLUGS = ("bread", "brot", "knots", "rope")
MEANINGS = {"bread": (1.0, 0.0), "brot": (1.0, 0.1), "knots": (0.0, 1.0), "rope": (0.1, 1.0)}


@dataclass(frozen=True)
class Dictionary:
    """An encoder that knows a few words, whatever their letters."""

    model: str = "dictionary 1"

    def encode(self, texts: Sequence[str]) -> Any:
        return np.array([self._meaning(text) for text in texts], dtype=np.float32)

    @staticmethod
    def _meaning(text: str) -> tuple[float, float]:
        known = [vector for slug, vector in MEANINGS.items() if slug in text.casefold()]
        return known[0] if known else (0.0, 0.0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = new_store(tmp_path, *SLUGS)
    with store.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE content SET amount_minor = 900, published_at = '2025-01-01T00:00:00Z'"
        )
    rows = ["order_id,email,ordered_at,amount,currency,product"]
    for buyer in range(60):
        slug = ("bread", "knots")[buyer % 2]
        for times in range(1 + buyer % 3):
            day = (NOW - timedelta(days=20 + 3 * buyer + 40 * times)).date()
            rows.append(f"{buyer}-{times},b{buyer}@example.com,{day},9,usd,{slug}")
    circumstances = Circumstances(NOW, "UTC")
    import_csv(
        store, ImportKind.ORDERS, "\n".join(rows).encode(), name="x", circumstances=circumstances
    )
    return store


def train(store: Store, home: Path, encoder: Dictionary | None) -> training.Trained:
    asked = training.Asked(30, None, Device.CPU, 1)
    return training.train(
        store, home, asked, now=NOW, timezone="UTC", cache=home / "cache", encoder=encoder
    )


def test_meanings_take_the_place_of_letters(store: Store) -> None:
    found = {}
    for name, encoder in (("letters", None), ("meanings", Dictionary())):
        with store.reading() as connection:
            known = histories.read(connection, NOW, encoder)
        customer = np.unique(known.purchases.customer)
        best = TEXT.read(known, customer, 0)["text_best"]
        found[name] = float(best[: len(customer)].mean())
    assert found["meanings"] > 0.9  # bread and Brot, knots and rope are the same thing
    assert found["letters"] < 0.5


def test_a_model_scores_only_with_the_encoder_it_learned_with(store: Store, tmp_path: Path) -> None:
    first = train(store, tmp_path, Dictionary())
    assert first.card["texts"] == "dictionary 1"
    assert not train(store, tmp_path, Dictionary()).is_new
    times: dict[str, Any] = {"as_of": None, "now": NOW, "timezone": "UTC"}
    score(store, tmp_path, **times, encoder=Dictionary())
    for other in (Dictionary("dictionary 2"), None):
        with pytest.raises(ModelOutdated, match="another embedding model"):
            score(store, tmp_path, **times, encoder=other)
    assert train(store, tmp_path, None).is_new


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"has no model\.safetensors"):
        LocalEmbedding(tmp_path)


@pytest.mark.skipif(find_spec("model2vec") is not None, reason="the extra is installed")
def test_without_the_extra_it_is_named(tmp_path: Path) -> None:
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(SettingsInvalid, match='needs the extra "embeddings"'):
        LocalEmbedding(tmp_path)


@pytest.mark.skipif(find_spec("model2vec") is None, reason="needs the extra embeddings")
def test_a_local_model_is_read_from_its_folder(tmp_path: Path) -> None:
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({"[UNK]": 0, "bread": 1, "brot": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    vectors = np.array([[0, 0], [1, 0], [1, 0]], dtype=np.float32)
    StaticModel(vectors, words).save_pretrained(tmp_path)
    encoder = LocalEmbedding(tmp_path)
    rows = encoder.encode(["bread", "brot", ""])
    assert rows[0] @ rows[1] > 0.9
    assert not rows[2].any()
    assert len(encoder.model) == 16
