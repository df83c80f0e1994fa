"""Reading everything that the models may know at a moment."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from kpay.ml.gathering import Frames, gather
from kpay.ml.history import History
from kpay.store import frames


def read(connection: Connection, moment: datetime) -> History:
    """Return what was known of everybody who had bought before a moment."""
    return gather(
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
