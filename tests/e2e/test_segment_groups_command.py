"""`kpay segment groups` as a creator types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Result

Kpay = Callable[..., Result]


@pytest.fixture
def shop(tmp_path: Path, kpay: Kpay) -> Path:
    home = tmp_path / "shop"
    assert kpay("init", str(home)).exit_code == 0
    rows = ["order_id,email,ordered_at,amount,currency,product"]
    for one in range(30):
        for month in range(1, 2 + one % 4):
            rows.append(
                f"o{one}-{month},c{one}@r.example,2026-0{month}-{one % 28 + 1:02},9,usd,bread"
            )
    file = home / "orders.csv"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    imported = kpay("import", "orders", str(file), home=home)
    assert imported.exit_code == 0, imported.stderr
    return home


def test_groups_are_shown_with_their_meaning_and_can_be_mailed(shop: Path, kpay: Kpay) -> None:
    told = kpay("segment", "groups", "--as-of", "2026-04-30", home=shop)
    assert told.exit_code == 0, told.stderr
    for words in ("needs attention", "bought once, lately", "Who moved between", "too few to tell"):
        assert words in told.stdout
    created = kpay("segment", "create", "back", "--where", "rfm == 'loyal'", home=shop)
    assert created.exit_code == 0, created.stderr
    shown = json.loads(kpay("segment", "show", "back", "--json", home=shop).stdout)
    groups = json.loads(
        kpay("segment", "groups", "--as-of", "2026-04-30", "--json", home=shop).stdout
    )
    assert groups["schema"] == "kpay.segment.groups/1"
    loyal = next(one["customers"] for one in groups["rfm"] if one["name"] == "loyal")
    assert shown["people"] == loyal > 0
    assert len(groups["movements"]) == 3


def test_months_of_movement_are_chosen(shop: Path, kpay: Kpay) -> None:
    told = kpay("segment", "groups", "--as-of", "2026-04-15", "--months", "1", "--json", home=shop)
    [movement] = json.loads(told.stdout)["movements"]
    assert (movement["from"], movement["to"]) == ("2026-02-28", "2026-03-31")
    assert kpay("segment", "groups", "--months", "0", home=shop).exit_code == 2
