"""Parquet files (the extra "parquet"): the only place that imports pyarrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kpay.errors import SettingsInvalid
from kpay.files import replacing


def write_parquet(columns: Mapping[str, Sequence[Any]], path: Path) -> None:
    """Write columns to a file that appears whole or not at all.

    Raises SettingsInvalid where the extra is not installed, DiskProblem when it cannot be written.
    """
    try:
        import pyarrow  # noqa: PLC0415 - 150 MB that not everyone has
        import pyarrow.parquet  # noqa: PLC0415 - the same
    except ImportError as error:
        raise SettingsInvalid(
            'Parquet needs the extra "parquet", which is not installed',
            'pip install "kpay[parquet]"',
        ) from error
    with replacing(path) as part:
        pyarrow.parquet.write_table(pyarrow.table(dict(columns)), part)
