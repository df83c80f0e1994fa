"""What people said, whoever they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select

from kpay.models.signals import Feedback
from kpay.store.dialect import table_of

FEEDBACK = table_of(Feedback)


def until(connection: Connection, moment: datetime) -> Sequence[RowMapping]:
    """Return every rating and text left before a moment, oldest first."""
    columns = FEEDBACK.c
    query = select(columns.email, columns.at, columns.content, columns.rating, columns.text)
    query = query.where(columns.at < moment).order_by(columns.at, columns.id)
    return connection.execute(query).mappings().all()
