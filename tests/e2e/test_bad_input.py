"""What a person does wrong, or the world does to them: one sentence, what to type next, the right
exit code, and nothing lost. Every case runs the installed script as a process of its own."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

GOOD = "---\ntitle: Salt\nkind: article\nprice: free\n---\nText.\n"
ORDERS = "order_id,email,ordered_at,amount,currency\n"


def closed_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class Case:
    """A mistake, how it is made, and what must be said about it."""

    words: tuple[str, ...]
    exit_code: int
    said: tuple[str, ...]
    prepare: Callable[[Path], None] = lambda home: None
    environment: dict[str, str] = field(default_factory=dict)
    file_limit: int | None = None
    store_unchanged: bool = True


def written(**files: str) -> Callable[[Path], None]:
    """Return what writes files into a business: `content__salt="..."` is content/salt.md."""

    def write(home: Path) -> None:
        for name, text in files.items():
            (home / f"{name.replace('__', '/')}.md").write_text(text, encoding="utf-8")

    return write


def misspelt_setting(home: Path) -> None:
    (home / "kpay.toml").write_text('timezon = "UTC"\n', encoding="utf-8")


def three_bad_lines(home: Path) -> None:
    rows = [
        "1,ana@example.com,2026-01-01,19.99,usd",
        "2,ana@example.com,yesterday,19.99,usd",
        "3,not-an-address,2026-01-01,19.99,usd",
        "4,ben@example.com,2026-01-01,19.999,usd",
    ]
    (home / "orders.csv").write_text(ORDERS + "\n".join(rows) + "\n", encoding="utf-8")


def many_orders(home: Path) -> None:
    rows = (f"{n},c{n}@example.com,2026-01-01,19.99,usd\n" for n in range(30_000))
    (home / "orders.csv").write_text(ORDERS + "".join(rows), encoding="utf-8")


def corrupt(home: Path) -> None:
    (home / "kpay.db").write_bytes(b"no database at all\n" * 500)


MISSPELT = GOOD.replace("kind:", "knd:")
HELLO = "---\nsubject: Hi\naudience: all\nholdout: 0\nnameless: you\n---\nHello {{ name }}\n"

CASES = {
    "a wrong front matter key": Case(
        ("publish",), 65, ("content/salt.md:3", "knd", "did you mean", "kind"),
        written(content__salt=MISSPELT),
    ),
    "a price that is none": Case(
        ("publish",), 65, ("content/salt.md:4", "29 dolars", "29 usd"),
        written(content__salt=GOOD.replace("price: free", 'price: "29 dolars"')),
    ),
    "two wrong files at once": Case(
        ("publish",), 65, ("2 problems",),
        written(content__salt=MISSPELT, content__two=GOOD.replace("free", "cheap")),
    ),
    "a CSV with three bad lines": Case(
        ("import", "orders", "orders.csv"), 65,
        ("3 problems", "orders.csv:3", "orders.csv:4", "orders.csv:5", "yesterday", "not-an-address", "19.999"),
        three_bad_lines,
    ),
    "a file that is not there": Case(("import", "orders", "nowhere.csv"), 65, ("nowhere.csv",)),
    "a corrupt store": Case(("report",), 74, ("kpay.db", "not a healthy database", "kpay doctor"), corrupt, store_unchanged=False),
    "a missing key": Case(("sync",), 78, ("stripe key", "KPAY_STRIPE_KEY")),
    "a full disk": Case(
        ("import", "orders", "orders.csv"), 74, ("nothing was half written",), many_orders, file_limit=900_000
    ),
    "no server": Case(
        ("sync",), 69, ("127.0.0.1",),
        environment={"KPAY_STRIPE_KEY": "sk_test_x", "KPAY_STRIPE_API_BASE": "http://127.0.0.1:{port}"},
    ),
    "an unknown campaign": Case(("campaign", "plan", "nothing"), 4, ("nothing",)),
    "a wrong month": Case(("report", "revenue", "--month", "2026-13"), 2, ("2026-13",)),
    "a setting that is none": Case(
        ("report",), 78, ("timezon", "did you mean 'timezone'"),
        misspelt_setting,
    ),
    "sending with nobody to ask": Case(
        ("campaign", "send", "hello"), 2, ("--yes",),
        written(campaigns__hello=HELLO),
        environment={"KPAY_MAIL_FROM": "Ana <ana@example.com>", "KPAY_POSTAL_ADDRESS": "1 Street, Town"},
        store_unchanged=False,  # the plan that was shown is kept
    ),
}  # fmt: skip


def limited(size: int | None) -> Callable[[], None] | None:
    """Make the child's disk "full": no file of it may grow beyond `size` bytes."""
    if size is None:
        return None
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("name", CASES)
def test_one_sentence_a_next_step_and_nothing_lost(
    name: str, business: Path, kpay, table_digest
) -> None:
    case = CASES[name]
    people = "email,consent_source\nana@example.com,form\n"
    assert kpay("import", "subscribers", "-", home=business, input=people).exit_code == 0
    case.prepare(business)
    before = table_digest(business / "kpay.db") if case.store_unchanged else ""
    port = str(closed_port())
    extra = {key: value.replace("{port}", port) for key, value in case.environment.items()}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("kpay")), *case.words],
        cwd=business, env={**os.environ, **extra}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120, check=False, preexec_fn=limited(case.file_limit),
    )  # fmt: skip
    assert done.returncode == case.exit_code, done.stdout + done.stderr
    for text in case.said:
        assert text in done.stderr, done.stderr
    assert sum(line.startswith("error: ") for line in done.stderr.splitlines()) == 1
    assert any(line.startswith("next: ") for line in done.stderr.splitlines())
    assert "Traceback" not in done.stderr
    if case.store_unchanged:
        assert table_digest(business / "kpay.db") == before


def test_the_same_mistake_is_json_for_a_program(business: Path, kpay) -> None:
    three_bad_lines(business)
    result = kpay("import", "orders", str(business / "orders.csv"), "--json", home=business)
    assert result.exit_code == 65
    assert '"line": 3' in result.stderr + result.stdout
