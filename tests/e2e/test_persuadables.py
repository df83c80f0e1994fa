"""Learning whom a mail moves, and mailing only those, as a creator types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kpay.store.engine import Store
from tests.fakes.uplift_worlds import mailed_list

Kpay = Callable[..., Any]
LETTER = """\
---
subject: "Bread"
audience: all
holdout: 0.25
---
There is [bread](https://bakery.example/c/rye.html).
"""
MAIL = {
    "KPAY_MAIL_FROM": "Ana Müller <ana@bakery.example>",
    "KPAY_POSTAL_ADDRESS": "Hauptstraße 1, Berlin",
    "KPAY_UNSUBSCRIBE_URL": "https://bakery.example/leave",
}


@pytest.fixture
def shop(business: Path) -> Path:
    (business / "campaigns" / "bread.md").write_text(LETTER, encoding="utf-8")
    return business


def test_without_enough_people_it_is_said_how_many_there_are(shop: Path, kpay: Kpay) -> None:
    orders = shop / "orders.csv"
    orders.write_text(
        "order_id,email,ordered_at,amount,currency\no1,a@r.example,2026-05-01,9,usd\n",
        encoding="utf-8",
    )
    assert kpay("import", "orders", str(orders), home=shop).exit_code == 0
    told = kpay("train", "--target", "uplift", home=shop)
    assert told.exit_code == 0, told.stderr
    assert "There is no model of whom mail moves yet" in told.stdout
    assert "0 of about 2,000 people pooled" in told.stdout


def test_whom_a_mail_moves_is_learned_and_mailed(shop: Path, kpay: Kpay) -> None:
    world = mailed_list(5, people=2100, sends=4, held_out_share=0.5, wanting=1.4, lift=1.0)
    world.fill(Store(shop / "kpay.db"))
    env = {**MAIL, "KPAY_NOW": world.now.isoformat()}
    trained = json.loads(kpay("train", "--target", "uplift", "--json", home=shop, env=env).stdout)
    assert (trained["schema"], trained["target"], trained["status"]) == (
        "kpay.train/1",
        "uplift",
        "trained",
    )
    shown = kpay("model", "show", trained["run"], home=shop, env=env)
    assert "Qini coefficient" in shown.stdout, shown.stderr
    planned = kpay("campaign", "plan", "bread", "--target", "persuadables", home=shop, env=env)
    assert planned.exit_code == 0, planned.stderr
    assert "hardly moved by a mail" in planned.stdout
    found = json.loads(kpay("campaign", "plan", "bread", "--json", home=shop, env=env).stdout)
    assert found["aim"] is None
    refused = kpay(
        "campaign", "send", "bread", "--plan", "x", "--target", "all", home=shop, env=env
    )
    assert refused.exit_code == 2
    assert "a plan says whom it is for" in refused.stderr


def test_a_target_that_there_is_not_is_refused(shop: Path, kpay: Kpay) -> None:
    assert kpay("campaign", "plan", "bread", "--target", "persuadable", home=shop).exit_code == 2
    text = LETTER.replace("audience: all", "audience: all\ntarget: everyone")
    (shop / "campaigns" / "bread.md").write_text(text, encoding="utf-8")
    told = kpay("campaign", "plan", "bread", home=shop)
    assert told.exit_code == 65
    assert "'everyone' is not a target (all, persuadables)" in told.stderr
