"""Reading everything that the models may know at a moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from kpay.ml.gathering import Frames, gather
from kpay.ml.history import History
from kpay.ml.text import Meanings
from kpay.ports import TextEncoder
from kpay.store import frames


def read(connection: Connection, moment: datetime, encoder: TextEncoder | None = None) -> History:
    """Return what was known of everybody who had bought before a moment.

    With an encoder the texts have their meanings beside them.
    """
    history = gather(
        Frames(
            orders=frames.order_lines(connection, moment),
            marks=frames.marks(connection, moment),
            words=frames.words(connection, moment),
            wishes=frames.wishes(connection, moment),
            subscriptions=frames.subscriptions(connection, moment),
            pieces=frames.pieces(connection, moment),
            edits=frames.edits(connection, moment),
        ),
        moment,
    )
    if encoder is None or not history.texts:
        return history
    vectors = np.asarray(encoder.encode(history.texts), dtype=float)
    return replace(history, meanings=Meanings(encoder.model, history.texts, vectors))
