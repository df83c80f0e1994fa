"""The simple ways to weigh one piece by another, from how many people have both (pieces, pieces)."""

from __future__ import annotations

from typing import Final

import numpy as np

from kpay.ml.frames import Floats
from kpay.ml.recommend_parts import LEAST_RIDGE, RIDGE, RIDGE_SHARE, shallow

SHRINK: Final = 10.0


def item_neighbours(common: Floats) -> Floats:
    """Return item-to-item weights: the cosine of who has what, shrunk where few have both."""
    length = np.sqrt(np.diag(common))
    near = common / (length[:, None] * length + SHRINK)
    np.fill_diagonal(near, 0.0)
    return np.asarray(near)


def ease_alone(common: Floats) -> Floats:
    """Return item-to-item weights of plain EASE, every purchase counting alike."""
    ridge = float(np.clip(RIDGE_SHARE * np.trace(common), LEAST_RIDGE, RIDGE))
    return shallow(common, ridge)
