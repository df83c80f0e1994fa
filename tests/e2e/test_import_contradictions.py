"""A file that says two things of one plan or one rate is refused: neither is guessed at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("kind", "header", "row", "other", "name"),
    [
        ("plans", "plan,interval,currency,price_ex_tax", "club,month,usd,8", "club,month,usd,9", "club"),
        ("fx", "month,currency,usd_per_unit", "2026-02,eur,1.1", "2026-02,eur,1.2", "eur"),
    ],
)  # fmt: skip
def test_two_values_for_one_thing_are_refused_and_the_same_twice_is_not(
    kpay: Callable[..., Any], business: Path, kind: str, header: str, row: str, other: str, name: str
) -> None:  # fmt: skip
    file = business / "books.csv"
    file.write_text(f"{header}\n{row}\n{other}\n", encoding="utf-8")
    refused = kpay("import", kind, str(file), home=business)
    assert refused.exit_code == 65
    assert f"'{name}' stands on line 2 with other values" in refused.stderr
    file.write_text(f"{header}\n{row}\n{row}\n", encoding="utf-8")
    assert kpay("import", kind, str(file), home=business).exit_code == 0
