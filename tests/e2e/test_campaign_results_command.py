"""`kpay campaign results` without a name, and what may not be asked together."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.period import parse_instant
from kpay.store.engine import Store
from tests.fakes.mail_rooms import readers
from tests.fakes.sends import add_send

NOW = "2026-10-01T09:00:00Z"  # of every command in these tests

Kpay = Callable[..., Any]


def test_without_a_send_it_says_that_nothing_is_known(business: Path, kpay: Kpay) -> None:
    result = kpay("campaign", "results", "--json", home=business)
    assert result.exit_code == 0, result.stderr
    shown = json.loads(result.stdout)
    assert shown["schema"] == "kpay.campaign.results/1"
    assert shown["campaigns"] == []
    assert shown["outcomes"]["buyers"]["effect"] is None
    assert shown["verdict"].startswith("No finished send has a held-out group")


def test_finished_sends_are_shown_together(business: Path, kpay: Kpay) -> None:
    people, then = readers(50), parse_instant(NOW) - timedelta(days=60)
    for number in range(2):
        at = then + timedelta(days=number)
        add_send(
            Store(business / "kpay.db"),
            f"mail-{number}",
            at,
            mailed=people[10:],
            held_out=people[:10],
        )
    shown = json.loads(kpay("campaign", "results", "--json", home=business).stdout)
    assert (shown["treated"], shown["held_out"]) == (80, 20)
    assert [one["campaign"] for one in shown["campaigns"]] == ["mail-0", "mail-1"]
    assert shown["looks"] == {"sends": 2, "next": 5, "made": []}
    text = kpay("campaign", "results", home=business).stdout
    assert "Too early: the first verdict is given on 5 finished sends." in " ".join(text.split())
    since = str(then.date())
    days = ("campaign", "results", "--since", since, "--until", since, "--json")
    some = json.loads(kpay(*days, home=business).stdout)
    assert [one["campaign"] for one in some["campaigns"]] in (["mail-0"], [])


@pytest.mark.parametrize(
    "words",
    [("hello", "--since", "2026-01-01"), ("--days", "30"), ("--level", "100"), ("--since", "x")],
)
def test_what_does_not_go_together_is_refused(
    business: Path, kpay: Kpay, words: tuple[str, ...]
) -> None:
    result = kpay("campaign", "results", *words, home=business)
    assert result.exit_code == 2
    assert "next: kpay campaign results" in result.stderr
