"""The sandbox's mail server, met through `smtplib`."""

from __future__ import annotations

import smtplib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest

from kpay.sandbox import Sandbox
from kpay.sandbox.parameters import Parameters
from tests.fakes.sandbox_shop import START, open_shop


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(4, customers=200, days=60, start=START) as world:
        yield world


@pytest.fixture
def mailer(sandbox: Sandbox) -> Iterator[smtplib.SMTP]:
    address = urlsplit(sandbox.smtp_url)
    assert address.hostname == "127.0.0.1"
    with smtplib.SMTP("127.0.0.1", address.port or 0, timeout=10) as server:
        yield server


def letter(to: str, body: str = "Hello", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "me@example.org", to, "News 新闻"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message


def listed(sandbox: Sandbox) -> list[str]:
    rows = sandbox.subscribers_csv().splitlines()[1:]
    return [row.split(",")[0] for row in rows]


def dead_mailbox(sandbox: Sandbox) -> str:
    people = sandbox._people
    return people.email(int(people.has_dead_mailbox.nonzero()[0][0]))


def test_what_is_sent_arrives_unharmed(sandbox: Sandbox, mailer: smtplib.SMTP) -> None:
    body = ".a line that begins with a dot\n..two\n中文 text\n"
    mailer.send_message(letter("someone@example.com", body, X_Kpay_Campaign="spring"))
    (arrived,) = sandbox.mailbox
    assert arrived.recipient == "someone@example.com"
    assert arrived.subject == "News 新闻"
    assert arrived.campaign == "spring"
    assert arrived.message.get_content().replace("\r\n", "\n") == body


def test_a_dead_mailbox_is_refused_for_good_and_the_others_get_their_copy(
    sandbox: Sandbox, mailer: smtplib.SMTP
) -> None:
    dead = dead_mailbox(sandbox)
    refused = mailer.send_message(letter("two"), to_addrs=["alive@example.org", dead.upper()])
    assert refused[dead.upper()][0] == 550
    assert refused[dead.upper()][1].startswith(b"5.1.1")
    assert [received.recipient for received in sandbox.mailbox] == ["alive@example.org"]
    assert sandbox.refused_recipients == [dead.upper()]


def test_the_conversation_follows_the_rules(mailer: smtplib.SMTP) -> None:
    mailer.ehlo()
    assert mailer.has_extn("8bitmime")
    assert int(mailer.esmtp_features["size"]) > 10_000_000
    assert mailer.docmd("RCPT TO:<a@example.org>")[0] == 503
    assert mailer.docmd("DATA")[0] == 503
    assert mailer.docmd("MAIL FROM:<me@example.org>")[0] == 250
    assert mailer.docmd("MAIL FROM:<me@example.org>")[0] == 503
    assert mailer.docmd("RCPT TO:<nobody>")[0] == 501
    assert mailer.rset()[0] == 250
    assert mailer.noop()[0] == 250
    assert mailer.docmd("VRFY me")[0] == 502
    assert mailer.login("me", "secret")[0] == 235


def test_many_letters_go_through_one_connection(sandbox: Sandbox, mailer: smtplib.SMTP) -> None:
    for number in range(50):
        mailer.send_message(letter(f"reader{number}@example.org"))
    assert [received.order for received in sandbox.mailbox] == list(range(50))


def send_to_all(sandbox: Sandbox, headers: dict[str, str]) -> None:
    port = urlsplit(sandbox.smtp_url).port or 0
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as server:
        for email in listed(sandbox):
            try:
                server.send_message(letter(email, **headers))
            except smtplib.SMTPRecipientsRefused:
                continue


def test_a_campaign_is_answered_and_a_delivery_is_not() -> None:
    outcomes = []
    touchy = replace(Parameters(), opt_out_share=0.03)
    campaign = {"List_Unsubscribe": "<mailto:a@example.org>"}
    for headers in ({}, {"X_Kpay_Kind": "delivery", **campaign}, campaign):
        with Sandbox(4, customers=150, days=60, start=START, parameters=touchy) as world:
            open_shop(world)
            world.advance(30)
            send_to_all(world, headers)
            world.advance(14)
            outcomes.append((world.digest(), world.events_csv(), set(listed(world))))
    plain, delivery, marketing = outcomes
    assert plain == delivery
    assert marketing[0] != plain[0]
    kinds = Counter(row.split(",")[2] for row in marketing[1].splitlines())
    assert kinds["click"] > 0
    assert not {"click", "unsubscribe"} & {row.split(",")[2] for row in plain[1].splitlines()}
    left = {row.split(",")[0] for row in marketing[1].splitlines() if ",unsubscribe," in row}
    assert plain[2] - marketing[2] == left != set()
