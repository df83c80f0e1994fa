"""What every table shares: constraint names, STRICT, and the CHECKs that are written often."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import SQLModel

STRICT: dict[str, Any] = {"sqlite_strict": True}
# For tables known by the provider's ids alone: the rows stand in the key itself, not beside it.
KEYED: dict[str, Any] = {**STRICT, "sqlite_with_rowid": False}

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def one_of(column: str, values: Iterable[StrEnum]) -> CheckConstraint:
    """A CHECK that a column holds one of an enum's values (or NULL, where it may)."""
    listed = ", ".join(f"'{value.value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def flag(*columns: str) -> tuple[CheckConstraint, ...]:
    """CHECKs that columns hold 0 or 1."""
    return tuple(
        CheckConstraint(f"{column} IN (0, 1)", name=f"{column}_flag") for column in columns
    )


def currency(column: str = "currency") -> CheckConstraint:
    """A CHECK that a currency is three lower-case letters."""
    return CheckConstraint(
        f"length({column}) = 3 AND {column} = lower({column})", name=f"{column}_code"
    )


def not_negative(*columns: str) -> tuple[CheckConstraint, ...]:
    """CHECKs that amounts or counts are not below zero."""
    return tuple(
        CheckConstraint(f"{column} >= 0", name=f"{column}_not_negative") for column in columns
    )
