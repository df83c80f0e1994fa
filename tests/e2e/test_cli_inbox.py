"""Bounces, complaints and wishes through the command line, from a campaign that was really sent."""

from __future__ import annotations

import json
from email import message_from_bytes
from pathlib import Path

import pytest
from sqlalchemy import update

from kpay.models import Delivery
from kpay.store.dialect import table_of
from kpay.store.engine import Store
from tests.fakes.imap_server import ImapServer
from tests.fakes.notices import complaint, dsn, header_of, letter, original_headers
from tests.fakes.resend_server import ResendServer
from tests.fakes.smtp_sink import SmtpSink

CAMPAIGN = """\
---
subject: "Bread"
audience: all
holdout: 0
---
Hello, there is bread.
"""
PEOPLE = ["ana@example.com", "li@example.com", "mo@example.com"]


@pytest.fixture
def sent(kpay, business: Path) -> dict[str, bytes]:
    """Send a campaign with a return path; return each message as its reader got it."""
    for email in PEOPLE:
        assert kpay("subscriber", "add", email, home=business).exit_code == 0
    (business / "campaigns").mkdir(exist_ok=True)
    (business / "campaigns" / "bread.md").write_text(CAMPAIGN)
    sink = SmtpSink()
    with sink.serving() as url:
        settings = {
            "KPAY_MAIL": "smtp",
            "KPAY_SMTP_URL": url,
            "KPAY_MAIL_FROM": "Ana <ana@bakery.example>",
            "KPAY_POSTAL_ADDRESS": "Hauptstraße 1",
            "KPAY_BOUNCE_ADDRESS": "bounces@bakery.example",
        }
        done = kpay("campaign", "send", "bread", "--yes", home=business, env=settings)
    assert done.exit_code == 0, done.stderr
    return dict(sink.taken)


def mbox(path: Path, *mails: bytes) -> Path:
    path.write_bytes(b"".join(b"From x@y Thu\n" + mail + b"\n\n" for mail in mails))
    return path


def test_an_mbox_is_acted_on_once(kpay, business: Path, sent: dict[str, bytes]) -> None:
    ana, li = (original_headers(sent[email]) for email in PEOPLE[:2])
    wish = header_of(sent[PEOPLE[2]], "List-Unsubscribe").partition("subject=")[2].strip(">")
    file = mbox(
        business / "box",
        dsn(ana, recipient=PEOPLE[0], said="550 5.1.1 nobody"),
        complaint(li),
        letter(Subject=wish.replace("%20", " "), From="mo@else.example"),
        dsn("To: li@example.com\n", recipient="li@example.com", identity="forged@x"),
    )
    rehearsed = kpay("inbox", str(file), "--dry-run", "--json", home=business)
    result = kpay("inbox", str(file), "--json", home=business)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["schema"] == "kpay.inbox/1"
    assert {one["email"]: one["done"] for one in found["done"]} == {
        PEOPLE[0]: "never mailed again",
        PEOPLE[1]: "never mailed again",
        PEOPLE[2]: "taken off the list",
    }
    assert [one["what"] for one in found["needs_eyes"]] == ["unproven"]
    assert json.loads(rehearsed.stdout) == found | {"dry_run": True}
    again = json.loads(kpay("inbox", str(file), "--json", home=business).stdout)
    assert not again["done"]
    listed = kpay("subscriber", "list", "--status", "unsubscribed", home=business).stdout
    assert all(email in listed for email in PEOPLE)


def test_every_message_names_itself_to_bounces(sent: dict[str, bytes]) -> None:
    for email, content in sent.items():
        headers = message_from_bytes(content)
        assert headers["X-Kpay-Token"]
        for name, value in headers.items():
            assert name in ("To",) or email not in value


def test_a_folder_on_a_server_is_read_with_a_password_that_is_never_shown(
    kpay, business: Path, sent: dict[str, bytes]
) -> None:
    server = ImapServer({4: dsn(original_headers(sent[PEOPLE[0]]), recipient=PEOPLE[0])})
    with server.serving() as url:
        settings = {"KPAY_IMAP_URL": url, "KPAY_IMAP_PASSWORD": server.password}
        result = kpay("inbox", "--imap", "-v", home=business, env=settings)
        again = kpay("inbox", "--imap", home=business, env=settings)
    assert result.exit_code == 0, result.stderr
    assert "never mailed again" in result.stdout
    assert server.password not in result.stdout + result.stderr
    assert "Nothing new" in again.stdout
    assert server.seen == {4}


def test_what_came_back_settles_the_uncertain_of_a_campaign(
    kpay, business: Path, sent: dict[str, bytes]
) -> None:
    delivery = table_of(Delivery)
    store = Store(business / "kpay.db")
    with store.writing() as connection:
        connection.execute(update(delivery).values(state="uncertain", sent_at=None))
    store.close()
    identity = header_of(sent[PEOPLE[0]], "Message-ID")
    file = mbox(business / "box", letter(In_Reply_To=identity))
    result = kpay("campaign", "reconcile", "bread", "--mbox", str(file), "--json", home=business)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["sent"] == 1
    assert [one["email"] for one in found["uncertain"]] == PEOPLE[1:]


@pytest.mark.parametrize(
    ("words", "code", "next_step"),
    [
        ((), 2, "kpay inbox --help"),
        (("box", "--imap"), 2, "kpay inbox --help"),
        (("nowhere.mbox",), 4, "ls -l"),
        (("--imap",), 78, "kpay config imap_url"),
    ],
)
def test_a_wrong_wish_says_what_to_do(
    kpay, business: Path, words: tuple[str, ...], code: int, next_step: str
) -> None:
    result = kpay("inbox", *words, home=business)
    assert result.exit_code == code
    assert f"next: {next_step}" in result.stderr


def test_under_cron_only_what_needs_eyes_is_said(
    kpay, business: Path, sent: dict[str, bytes]
) -> None:
    bounce = dsn(original_headers(sent[PEOPLE[0]]), recipient=PEOPLE[0])
    fine = kpay("inbox", str(mbox(business / "box", bounce)), "--quiet", home=business)
    assert (fine.exit_code, fine.stdout) == (0, "")
    odd = mbox(business / "odd", dsn("To: li@example.com\n"))
    assert "1 for you to look at" in kpay("inbox", str(odd), "--quiet", home=business).stdout


def test_a_yes_by_mail_puts_its_writer_on_the_list(kpay, business: Path) -> None:
    settings = {"KPAY_MAIL_FROM": "Ana <ana@bakery.example>"}
    asked = kpay(
        "subscriber", "add", "li@example.com", "--confirm", "--yes", home=business, env=settings
    )
    assert asked.exit_code == 0, asked.stderr
    (question,) = (business / "outbox").glob("*.eml")
    words = message_from_bytes(question.read_bytes()).get_payload()[0].get_payload(decode=True)
    token = words.decode().partition("subject=confirm%20")[2].split()[0].strip('<>)"')
    file = mbox(
        business / "box", letter(Subject=f"confirm {token}"), letter(Subject="confirm wrong.token")
    )
    found = json.loads(kpay("inbox", str(file), "--json", home=business).stdout)
    assert [(one["email"], one["done"]) for one in found["done"]] == [
        ("li@example.com", "on the list")
    ]
    assert [one["what"] for one in found["needs_eyes"]] == ["unproven"]
    assert "subscribed" in kpay("subscriber", "list", home=business).stdout


def test_by_http_a_lost_answer_costs_nobody_a_second_message(kpay, business: Path) -> None:
    for email in PEOPLE:
        kpay("subscriber", "add", email, home=business)
    (business / "campaigns").mkdir(exist_ok=True)
    (business / "campaigns" / "bread.md").write_text(CAMPAIGN)
    server = ResendServer(cuts=2)
    with server.serving() as base:
        settings = {
            "KPAY_MAIL": "resend",
            "KPAY_RESEND_API_BASE": base,
            "KPAY_RESEND_KEY": server.key,
            "KPAY_MAIL_FROM": "Ana <ana@bakery.example>",
            "KPAY_POSTAL_ADDRESS": "Hauptstraße 1",
        }
        first = kpay("campaign", "send", "bread", "--yes", "--json", home=business, env=settings)
        again = kpay("campaign", "send", "bread", "--yes", "--json", home=business, env=settings)
    assert server.key not in first.stdout + first.stderr
    assert json.loads(again.stdout)["sent"] == len(PEOPLE)
    assert sorted(body["to"][0] for body in server.sent) == PEOPLE
    assert all(body["headers"]["X-Kpay-Token"] for body in server.sent)
