"""Alembic's entry: it gets an open connection from kpay.store.upgrade and runs on it."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import TypeDecorator
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import kpay.models  # noqa: F401 - registers the tables


def render_plain(kind: str, item: Any, autogen_context: AutogenContext) -> str | Literal[False]:
    """Write SQLAlchemy's own types into migrations, so that they never depend on kpay's code."""
    if kind != "type":
        return False
    if isinstance(item, AutoString):
        return "sa.Text()"
    if isinstance(item, TypeDecorator):
        return f"sa.{type(item.impl).__name__}()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    render_item=render_plain,
    compare_type=False,
)
context.run_migrations()
