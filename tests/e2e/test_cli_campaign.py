"""Campaigns from the command line: what is printed, what is exited with, what is asked."""

from __future__ import annotations

import email
import email.policy
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.smtp_sink import Faults, SmtpSink

PEOPLE = "email,name,consent_source,consented_at\n" + "".join(
    f"reader{number}@r.example,{name},form,2026-01-01\n"
    for number, name in enumerate(["Ana", "李雷", "", "O'Brien", "<b>Bob</b>"] * 8)
)
LETTER = """\
---
subject: "Bread for {{ name }}"
audience: all
holdout: 0.25
nameless: there
---
Hello {{ name }}, there is [bread](https://bakery.example/c/rye.html).
"""
MAIL = {
    "KPAY_MAIL_FROM": "Ana Müller <ana@bakery.example>",
    "KPAY_POSTAL_ADDRESS": "Hauptstraße 1, Berlin",
    "KPAY_UNSUBSCRIBE_URL": "https://bakery.example/leave",
}
Kpay = Callable[..., Any]


@pytest.fixture
def shop(business: Path, kpay: Kpay) -> Path:
    """A business with forty readers and a campaign."""
    (business / "people.csv").write_text(PEOPLE, encoding="utf-8")
    (business / "campaigns" / "bread.md").write_text(LETTER, encoding="utf-8")
    result = kpay("import", "subscribers", str(business / "people.csv"), home=business)
    assert result.exit_code == 0, result.stderr
    return business


def test_a_campaign_from_plan_to_results_over_smtp(shop: Path, kpay: Kpay) -> None:
    sink = SmtpSink()
    with sink.serving() as url:
        env = {**MAIL, "KPAY_MAIL": "smtp", "KPAY_SMTP_URL": url}
        planned = json.loads(kpay("campaign", "plan", "bread", "--json", home=shop, env=env).stdout)
        assert planned["schema"] == "kpay.campaign.plan/1"
        assert (planned["recipients"], planned["held_out"]) == (30, 10)
        assert set(planned["left_out"]) == {
            "suppressed", "already_owns", "no_consent", "mailed_recently", "low_value", "unreachable",
        }  # fmt: skip
        assert planned["problems"] == planned["warnings"] == []
        assert planned["detectable_effect"]["outcome"] == "buyers"
        words = ("campaign", "send", "bread", "--plan", planned["plan"], "--yes", "--json")
        sent = json.loads(kpay(*words, home=shop, env=env).stdout)
        counts = ("sent", "failed", "uncertain", "queued", "suppressed", "held_out")
        assert [sent[name] for name in counts] == [30, 0, 0, 0, 0, 10]
        again = kpay("campaign", "send", "bread", "--yes", home=shop, env=env)
        assert again.exit_code == 0
        assert "nothing to do" in again.stdout
    assert len(sink.taken) == 30
    assert not sink.twice
    shown = json.loads(kpay("campaign", "results", "bread", "--json", home=shop, env=env).stdout)
    assert (shown["treated"], shown["held_out"]) == (30, 10)
    assert shown["outcomes"]["revenue_minor"]["incremental_total"] is None
    assert shown["outcomes"]["buyers"]["effect"] == 0
    assert shown["verdict"].startswith("Too early")


def test_every_message_carries_what_bulk_mail_must(shop: Path, kpay: Kpay) -> None:
    assert kpay("campaign", "send", "bread", "--yes", home=shop, env=MAIL).exit_code == 0
    files = list((shop / "outbox").glob("*.eml"))
    assert len(files) == 30
    for file in files:
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        leave = str(message["List-Unsubscribe"])
        assert leave.startswith("<https://bakery.example/leave?t=")
        assert "<mailto:ana@bakery.example" in leave
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert message["X-Kpay-Campaign"] == "bread"
        assert message["To"] not in leave
        page = message.get_body(("html",)).get_content()  # type: ignore[attr-defined]
        assert "Hauptstraße 1, Berlin" in page
        assert "https://bakery.example/leave?t=" in page
        assert "<b>Bob</b>" not in page


def test_without_a_terminal_and_without_yes_nothing_is_sent(shop: Path, kpay: Kpay) -> None:
    result = kpay("campaign", "send", "bread", home=shop, env=MAIL)
    assert result.exit_code == 2
    assert "TEST" in result.stderr
    assert "30 people" in result.stderr
    assert "--yes" in result.stderr
    assert not list((shop / "outbox").glob("*.eml"))


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"KPAY_MAIL": "smtp", "KPAY_SMTP_URL": "smtp://mail.example.com"}, 4, "live = true"),
        ({"KPAY_MAIL": "smtp", "KPAY_SMTP_URL": "smtp://127.0.0.1:9"}, 69, "127.0.0.1:9"),
        ({"KPAY_MAIL": "smtp", "KPAY_SMTP_URL": "smtp://x.example?tls=none"}, 78, "unencrypted"),
        ({"KPAY_MAIL": "smtp"}, 78, "smtp_url"),
        ({"KPAY_POSTAL_ADDRESS": ""}, 4, "postal_address"),
        ({"KPAY_MAIL_FROM": "nobody"}, 4, "mail_from"),
    ],
)
def test_what_stands_in_the_way_is_named(
    shop: Path, kpay: Kpay, settings: dict[str, str], code: int, words: str
) -> None:
    result = kpay("campaign", "send", "bread", "--yes", home=shop, env={**MAIL, **settings})
    assert result.exit_code == code
    assert words in result.stderr
    assert "next: " in result.stderr


def test_failures_end_with_three_and_bounces_do_not(shop: Path, kpay: Kpay) -> None:
    answers = {f"reader{number}@r.example": "554 5.6.0 no" for number in range(40)}
    for answer, code in (("554 5.6.0 no", 3), ("550 5.1.1 nobody", 0)):
        name = f"bread-{code}"
        (shop / "campaigns" / f"{name}.md").write_text(LETTER, encoding="utf-8")
        sink = SmtpSink(Faults(rcpt=dict.fromkeys(answers, answer)))
        with sink.serving() as url:
            env = {**MAIL, "KPAY_MAIL": "smtp", "KPAY_SMTP_URL": url}
            result = kpay("campaign", "send", name, "--yes", "--json", home=shop, env=env)
        assert json.loads(result.stdout)["failed"] == 30
        assert result.exit_code == code


def test_a_wrong_key_is_refused_with_file_line_and_meaning(shop: Path, kpay: Kpay) -> None:
    wrong = LETTER.replace("audience:", "audiance:")
    (shop / "campaigns" / "bread.md").write_text(wrong, encoding="utf-8")
    result = kpay("campaign", "plan", "bread", home=shop, env=MAIL)
    assert result.exit_code == 65
    assert "campaigns/bread.md:3" in result.stderr
    assert "did you mean 'audience'" in result.stderr


def test_a_mistyped_name_is_told_what_was_meant(shop: Path, kpay: Kpay) -> None:
    result = kpay("campaign", "plan", "bred", home=shop)
    assert result.exit_code == 4
    assert "kpay campaign show bread" in result.stderr


def test_drafts_lists_and_samples(shop: Path, kpay: Kpay) -> None:
    assert kpay("campaign", "new", "salt", home=shop).exit_code == 0
    assert kpay("campaign", "new", "salt", home=shop).exit_code == 4
    assert kpay("campaign", "preview", "bread", home=shop, env=MAIL).exit_code == 4
    assert kpay("campaign", "plan", "bread", home=shop, env=MAIL).exit_code == 0
    preview = json.loads(kpay("campaign", "preview", "bread", "--json", home=shop, env=MAIL).stdout)
    assert all(Path(file).is_file() for file in preview["files"])
    listed = json.loads(kpay("campaign", "list", "--json", home=shop).stdout)["campaigns"]
    assert [(one["campaign"], one["state"]) for one in listed] == [
        ("bread", "planned"),
        ("salt", "draft"),
    ]
    assert "Bread for {{ name }}" in kpay("campaign", "show", "bread", home=shop).stdout


def test_a_campaign_to_nobody_is_refused_and_can_be_sent_later(business: Path, kpay: Kpay) -> None:
    (business / "campaigns" / "bread.md").write_text(LETTER, encoding="utf-8")
    refused = kpay("campaign", "send", "bread", "--yes", home=business, env=MAIL)
    assert refused.exit_code == 4
    assert "its audience is empty" in refused.stderr
    assert kpay("subscriber", "add", "ana@r.example", home=business).exit_code == 0
    sent = kpay("campaign", "send", "bread", "--yes", "--json", home=business, env=MAIL)
    assert json.loads(sent.stdout)["sent"] == 1


def test_one_reader_is_mailed_and_the_plan_says_that_nothing_can_be_measured(
    business: Path, kpay: Kpay
) -> None:
    (business / "campaigns" / "bread.md").write_text(LETTER, encoding="utf-8")
    kpay("subscriber", "add", "ana@r.example", home=business)
    planned = json.loads(
        kpay("campaign", "plan", "bread", "--json", home=business, env=MAIL).stdout
    )
    assert (planned["recipients"], planned["held_out"]) == (1, 0)
    assert "too few people: nobody is held back, so nothing can be measured" in planned["warnings"]


def test_results_before_sending_are_refused(shop: Path, kpay: Kpay) -> None:
    result = kpay("campaign", "results", "bread", home=shop)
    assert result.exit_code == 4
    assert "kpay campaign send bread" in result.stderr


def test_whoever_an_imported_event_says_has_left_is_not_mailed(shop: Path, kpay: Kpay) -> None:
    events = "email,happened_at,kind,content,value\nREADER3@r.example,2026-09-01,unsubscribe,,\n"
    (shop / "events.csv").write_text(events, encoding="utf-8")
    assert kpay("import", "events", str(shop / "events.csv"), home=shop).exit_code == 0
    planned = json.loads(kpay("campaign", "plan", "bread", "--json", home=shop, env=MAIL).stdout)
    assert planned["left_out"]["suppressed"] == 1
    assert planned["recipients"] + planned["held_out"] == 39


def test_nothing_owed_is_said_and_both_ways_of_delivering_do_not_mix(
    business: Path, kpay: Kpay
) -> None:
    for words in (("deliver", "--pending"), ("deliver",)):
        result = kpay(*words, home=business)
        assert result.exit_code == 0
        assert "nothing to do" in result.stdout
    both = kpay("deliver", "--pending", "--resend", "a@b.example", home=business)
    assert both.exit_code == 2
    resend = kpay("deliver", "--resend", "a@b.example", "--yes", home=business)
    assert resend.exit_code == 4


def test_at_a_terminal_the_plan_is_shown_before_the_question(shop: Path) -> None:
    ours, theirs = pty.openpty()
    script = str(Path(sys.executable).with_name("kpay"))
    child = subprocess.Popen(
        [script, "--home", str(shop), "campaign", "send", "bread"],
        env={**os.environ, **MAIL},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, b"n\n")
    said = b""
    with suppress(OSError):  # the terminal is gone with the child
        while part := os.read(ours, 4096):
            said += part
    os.close(ours)
    assert child.wait(30) == 4
    words = said.decode()
    assert words.index("held out") < words.index("TEST mail: send 'bread' to 30 people")
    assert not list((shop / "outbox").glob("*.eml"))
