"""Programs meet a business on its first day: one JSON object, or one refusal that says what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kpay.registry import ENTRIES

# Commands that only look; the rest write, ask, or need a name that an empty business has not got.
LOOKING: dict[str, tuple[tuple[str, ...], ...]] = {
    "config": ((), ("timezone",), ("--show-origin",)),
    "doctor": ((),),
    "completion": (("bash",),),
    "publish": (("--dry-run",),),
    "content": (("list",), ("show", "nothing")),
    "order": (("list",), ("show", "nothing")),
    "deliver": (("--pending",),),
    "audit": (("list",), ("verify",)),
    "customer": (("list",), ("show", "ana@example.com")),
    "export": (("customers",), ("orders",), ("subscribers",)),
    "model": (("list",), ("show",), ("explain", "ana@example.com")),
    "recommend": ((), ("--all",), ("ana@example.com",), ("--evaluate",)),
    "subscriber": (("list",), ("show", "ana@example.com")),
    "segment": (("list",), ("show", "warm")),
    "campaign": (("list",), ("show", "nothing"), ("results", "nothing")),
    "sequence": (
        ("list",),
        ("show", "nothing"),
        ("run", "--dry-run"),
        ("run", "--yes"),
        ("results", "nothing"),
    ),
    "report": ((), ("summary",), ("revenue",), ("mrr",)),
    "forecast": ((),),
    "schedule": (("list",), ("tick",)),
}
WRITING = {"init", "demo", "sync", "import", "inbox", "train", "score"}
REFUSALS = (4, 65, 78)


def no_constant(name: str) -> Any:
    raise AssertionError(f"{name} is not JSON")


def one_object(text: str) -> dict[str, Any]:
    found = json.loads(text, parse_constant=no_constant)
    assert isinstance(found, dict)
    return found


def test_every_command_is_either_looked_at_here_or_known_to_write() -> None:
    assert {entry.name for entry in ENTRIES} == LOOKING.keys() | WRITING
    assert not LOOKING.keys() & WRITING


@pytest.mark.parametrize(
    "words",
    [(name, *more) for name, lines in LOOKING.items() for more in lines],
    ids=" ".join,
)
def test_json_is_one_object_or_one_refusal(words: tuple[str, ...], kpay, business: Path) -> None:
    result = kpay(*words, "--json", home=business)
    if result.exit_code == 0:
        assert one_object(result.stdout)["schema"].startswith("kpay.")
        assert result.stderr == ""
        return
    assert result.exit_code in REFUSALS
    assert result.stdout == ""
    error = one_object(result.stderr)["error"]
    assert set(error) == {"code", "message", "hint", "details"}
    assert error["message"]
    assert error["hint"]


@pytest.mark.parametrize("name", ["train", "score", "sync"])
def test_what_cannot_be_done_yet_is_refused_as_json_too(name: str, kpay, business: Path) -> None:
    result = kpay(name, "--json", home=business)
    assert result.exit_code in REFUSALS
    assert one_object(result.stderr)["error"]["hint"]
