"""Pitfall 28: the key stands in no file, no log and no traceback, whatever goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Result
from tests.fakes.desk import Desk, sell_daily
from tests.fakes.stripe_server import KEY

WRONG = "sk_test_notTheKeyOfThisAccount"


def assert_nowhere(home: Path, result: Result, *keys: str) -> None:
    for key in keys:
        assert key not in result.stdout + result.stderr
        for file in home.rglob("*"):
            if file.is_file():
                assert key.encode() not in file.read_bytes(), file


@pytest.mark.parametrize("words", [(), ("-v",), ("--debug", "-v"), ("--json",), ("--verify",)])
def test_pitfall_28_the_key_is_in_no_file_and_no_output(desk: Desk, words: tuple[str, ...]) -> None:
    sell_daily(desk, 3)

    result = desk.run("sync", *words)

    assert result.exit_code == 0
    assert_nowhere(desk.home, result, KEY)


@pytest.mark.parametrize("words", [("-v",), ("--debug",), ("--json",)])
def test_pitfall_28_a_refused_key_is_not_repeated_though_the_server_repeats_it(
    desk: Desk, words: tuple[str, ...]
) -> None:
    result = desk.run("sync", *words, key=WRONG)

    assert result.exit_code == 78
    assert_nowhere(desk.home, result, WRONG, KEY)


@pytest.mark.parametrize("fault", [400, 403])
def test_pitfall_28_no_refusal_brings_the_key_to_light(desk: Desk, fault: int) -> None:
    sell_daily(desk, 3)
    desk.server.says = f"Something about {KEY} is wrong (see https://user:{KEY}@example.com)"
    desk.shop.provider.refused |= {"charges": fault, "events": fault}

    result = desk.run("sync", "--debug", "-v")

    assert result.exit_code != 0
    assert_nowhere(desk.home, result, KEY)


def test_pitfall_28_the_traceback_of_a_bug_shows_no_key(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell_daily(desk, 3)

    def stumble(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("kpay.services.walking.complete", stumble)

    result = desk.run("sync", "--debug", "-v")

    assert result.exit_code != 0
    assert "Traceback" in result.stderr
    assert KEY not in result.stderr
