"""A local embedding model (the extra "embeddings"): the only place that imports model2vec."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from kpay.errors import SettingsInvalid

FILES: Final = ("model.safetensors", "tokenizer.json", "config.json")
NAME_DIGITS: Final = 16


class LocalEmbedding:
    """Encodes texts by the weights in a folder; nothing is ever fetched.

    Raises SettingsInvalid for a folder that holds no such model, or without the extra.
    """

    def __init__(self, folder: Path) -> None:
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise SettingsInvalid(
                f"embedding_model: {folder} has no {missing[0]}, so it holds no model2vec model",
                "kpay config embedding_model",
            )
        self._encoder = _loaded(folder)
        read = hashlib.sha256()
        for name in FILES:
            read.update((folder / name).read_bytes())
        self._name = read.hexdigest()[:NAME_DIGITS]

    @property
    def model(self) -> str:
        """The beginning of the digest of its files."""
        return self._name

    def encode(self, texts: Sequence[str]) -> Any:
        """Return an array of float32, one row for each text."""
        return self._encoder.encode(list(texts), use_multiprocessing=False)


def _loaded(folder: Path) -> Any:
    try:
        from model2vec import StaticModel  # noqa: PLC0415 - not everyone has it
    except ImportError as error:
        raise SettingsInvalid(
            'A local embedding model needs the extra "embeddings", which is not installed',
            'pip install "kpay[embeddings]"',
        ) from error
    try:
        return StaticModel.from_pretrained(folder, force_download=False)
    except Exception as error:  # whatever the library makes of a damaged file
        raise SettingsInvalid(
            f"embedding_model: the model in {folder} cannot be read ({error})",
            "kpay config embedding_model",
        ) from error
