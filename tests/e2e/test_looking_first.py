"""Looking at a campaign before anybody gets it: samples, the page, and a message to oneself."""

from __future__ import annotations

import email
import email.policy
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.fakes.smtp_sink import SmtpSink

PEOPLE = "email,name,consent_source,consented_at\n" + "".join(
    f"reader{number}@r.example,{name},form,2026-01-01\n"
    for number, name in enumerate(
        ["Ana", "李雷", "Maximiliane von Hohenstein-Oberlangenau", "<b>Bob</b>", ""]
    )
)
LETTER = """\
---
subjects: ["Bread for {{ name }}", "Rye & salt", "Up early"]
audience: all
holdout: 0
nameless: friend
---
Hello {{ name }},

there is **bread** again. {% if owned %}You own some.{% endif %}

[See the bread](https://b.example/c/rye)
"""
MAIL = {
    "KPAY_MAIL_FROM": "Ana Müller <ana@bakery.example>",
    "KPAY_POSTAL_ADDRESS": "Hauptstraße 1, Berlin",
    "KPAY_UNSUBSCRIBE_URL": "https://bakery.example/leave",
}
Kpay = Callable[..., Any]


@pytest.fixture
def shop(business: Path, kpay: Kpay) -> Path:
    """A business with five readers and a campaign with three subjects."""
    (business / "people.csv").write_text(PEOPLE, encoding="utf-8")
    (business / "campaigns" / "bread.md").write_text(LETTER, encoding="utf-8")
    done = kpay("import", "subscribers", str(business / "people.csv"), home=business)
    assert done.exit_code == 0, done.stderr
    return business


class Frames(HTMLParser):
    """Collects what a page shows in frames, and every address in it."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[dict[str, str | None]] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        found = dict(attrs)
        if tag == "iframe":
            self.frames.append(found)
        self.addresses += [str(value) for name, value in attrs if name in ("href", "src")]


def test_a_plan_writes_samples_that_differ_and_a_page_that_needs_no_network(
    shop: Path, kpay: Kpay
) -> None:
    planned = json.loads(kpay("campaign", "plan", "bread", "--json", home=shop, env=MAIL).stdout)
    folder = Path(planned["samples"])
    assert folder == shop / "outbox" / "preview" / "bread"
    subjects = {
        str(email.message_from_bytes(file.read_bytes(), policy=email.policy.default)["Subject"])
        for file in folder.glob("*.eml")
    }
    assert {"Rye & salt", "Up early"} < subjects
    assert any("Hohenstein" in file.read_text() for file in folder.glob("*.txt"))
    page = (folder / "index.html").read_text()
    shown = Frames()
    shown.feed(page)
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert all("sandbox" in frame for frame in shown.frames)
    assert all((folder / unquote(str(frame["src"]))).is_file() for frame in shown.frames)
    assert not any("//" in address for address in shown.addresses)
    assert "李雷" in page
    assert "&lt;b&gt;Bob" not in page
    light, dark = sorted((folder / "shown").glob("1-*"), reverse=True)
    assert "@media all" in dark.read_text(encoding="utf-8")
    assert "@media not all" in light.read_text(encoding="utf-8")
    assert not list((shop / "outbox").glob("*.eml"))


def test_a_new_preview_takes_the_place_of_the_old_and_touches_nothing_else(
    shop: Path, kpay: Kpay, tmp_path: Path
) -> None:
    out = tmp_path / "look"
    kpay("campaign", "plan", "bread", home=shop, env=MAIL)
    words = ("campaign", "preview", "bread", "--out", str(out), "--json")
    first = json.loads(kpay(*words, home=shop, env=MAIL).stdout)
    (out / "notes.html").write_text("mine")
    one = json.loads(kpay(*words, "--email", "reader3@r.example", home=shop, env=MAIL).stdout)
    assert not {*one["files"]} & {*first["files"]}
    left = {path.name for path in out.iterdir() if path.is_file()}
    assert left == {"notes.html", "index.html"} | {Path(file).name for file in one["files"]}
    assert "reader3@r.example" in Path(one["page"]).read_text()


def test_a_test_message_goes_to_oneself_and_counts_nowhere(shop: Path, kpay: Kpay) -> None:
    sink = SmtpSink()
    with sink.serving() as url:
        env = {**MAIL, "KPAY_MAIL": "smtp", "KPAY_SMTP_URL": url}
        words = ("campaign", "test", "bread", "--to", "me@bakery.example", "--variant", "B")
        asked = kpay(*words, home=shop, env=env)
        assert asked.exit_code == 2
        assert "TEST mail" in asked.stderr
        for _ in range(2):
            done = kpay(*words, "--as", "reader1@r.example", "--yes", "--json", home=shop, env=env)
            assert done.exit_code == 0, done.stderr
        assert json.loads(done.stdout)["as"] == "reader1@r.example"
    assert sink.recipients == ["me@bakery.example"] * 2
    letters = [
        email.message_from_bytes(content, policy=email.policy.default) for _, content in sink.taken
    ]
    assert letters[0]["Subject"] == "[Test] Rye & salt"
    assert letters[0]["Message-ID"] != letters[1]["Message-ID"]
    assert letters[0]["List-Unsubscribe"] == letters[1]["List-Unsubscribe"]
    assert "李雷" in letters[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    shown = json.loads(kpay("campaign", "list", "--json", home=shop).stdout)["campaigns"]
    assert [(one["state"], one["sent"]) for one in shown] == [("planned", 0)]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--to", "me"), 2, "--to"),
        (("--to", "a@b.example, c@d.example"), 2, "not one address"),
        (("--to", "me@b.example", "--as", "nobody@x.example"), 4, "recipient of this campaign"),
        (("--to", "me@b.example", "--variant", "Z"), 2, "it has A, B, C"),
    ],
)
def test_a_test_message_that_cannot_be_sent_says_why(
    shop: Path, kpay: Kpay, words: tuple[str, ...], code: int, says: str
) -> None:
    result = kpay("campaign", "test", "bread", *words, "--yes", home=shop, env=MAIL)
    assert result.exit_code == code
    assert says in result.stderr
    assert "next: " in result.stderr


@pytest.mark.parametrize(
    ("words", "is_terminal", "opens"),
    [
        (("plan", "bread"), True, True),
        (("preview", "bread", "--open", "--no-input"), True, False),
        (("preview", "bread"), False, False),
    ],
)
def test_the_page_opens_only_before_somebody(
    shop: Path, kpay: Kpay, words: tuple[str, ...], is_terminal: bool, opens: bool
) -> None:
    kpay("campaign", "plan", "bread", home=shop, env=MAIL)
    seen, browser = shop / "seen", shop / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{seen}"\n')
    browser.chmod(0o700)
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("kpay")), "campaign", *words, "--home", str(shop)],
            stdin=theirs if is_terminal else subprocess.DEVNULL,
            stderr=theirs if is_terminal else subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **MAIL, "BROWSER": f"{browser} %s"},
            timeout=60,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0
    page = shop / "outbox" / "preview" / "bread" / "index.html"
    assert (seen.read_text().strip() if seen.exists() else None) == (
        page.as_uri() if opens else None
    )
