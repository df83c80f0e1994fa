"""Mail by HTTP: each message once, whatever the line does, and refusals read for what they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kpay.adapters.resend_mailer import ResendMailer
from kpay.domain.delivery import Fate, Scope
from kpay.domain.message import Attachment, Draft, message_id, write_message
from kpay.errors import CredentialsMissing, RemoteProblem, SettingsInvalid
from kpay.ports import Envelope
from tests.fakes.resend_server import DAY_S, ResendServer

MOMENT = datetime(2026, 10, 1, 9, tzinfo=UTC)
DRAFT = Draft(
    sender="Ana Müller <ana@bakery.example>",
    recipient="li@readers.example",
    message_id=message_id("campaign bread", "li@readers.example", "bakery.example"),
    subject="Brot für alle",
    text="Hallo.\n",
    html="<p>Hallo.</p>\n",
    sent_at=MOMENT,
    headers=(("List-Unsubscribe", "<mailto:ana@bakery.example>"), ("X-Kpay-Token", "signed")),
)


def envelope(draft: Draft = DRAFT) -> Envelope:
    return Envelope(
        "bounces@bakery.example", draft.recipient, draft.message_id, write_message(draft)
    )


@pytest.fixture
def server() -> ResendServer:
    return ResendServer()


@pytest.fixture
def mailer(server: ResendServer) -> Iterator[ResendMailer]:
    with server.serving() as base:
        yield ResendMailer(lambda: server.key, base, timeout_s=1)


def test_a_message_arrives_with_all_that_it_says(
    server: ResendServer, mailer: ResendMailer
) -> None:
    connection = mailer.connect()
    attached = replace(DRAFT, attachments=(Attachment("Brot.txt", "text/plain", b"\x00Mehl"),))
    reply = connection.deliver(envelope(attached))
    connection.close()
    assert (reply.fate, reply.provider_id) == (Fate.ACCEPTED, "id-1")
    (body,) = server.sent
    assert body == {
        "from": "Ana Müller <ana@bakery.example>",
        "to": ["li@readers.example"],
        "subject": "Brot für alle",
        "text": "Hallo.\n",
        "html": "<p>Hallo.</p>\n",
        "headers": {
            "Message-ID": DRAFT.message_id,
            "List-Unsubscribe": "<mailto:ana@bakery.example>",
            "X-Kpay-Token": "signed",
        },
        "attachments": [
            {"filename": "Brot.txt", "content": "AE1laGw=", "content_type": "text/plain"}
        ],
    }
    assert not mailer.is_live


def test_a_message_whose_answer_was_lost_goes_again_and_arrives_once(
    server: ResendServer, mailer: ResendMailer
) -> None:
    server.cuts = 1
    connection = mailer.connect()
    assert connection.deliver(envelope()).fate is Fate.UNKNOWN
    later = envelope(replace(DRAFT, sent_at=MOMENT + timedelta(hours=3)))
    again = connection.deliver(later)
    connection.close()
    assert (again.fate, again.provider_id) == (Fate.ACCEPTED, "id-1")
    assert len(server.sent) == 1
    assert len(set(server.keys)) == 1
    assert server.keys[0].startswith("kpay/")


def test_it_is_known_again_for_less_time_than_the_provider_promises(
    server: ResendServer, mailer: ResendMailer
) -> None:
    assert mailer.deduplicates_for is not None
    connection = mailer.connect()
    connection.deliver(envelope())
    server.now_s = mailer.deduplicates_for.total_seconds()
    connection.deliver(envelope())
    assert len(server.sent) == 1
    server.now_s = DAY_S
    connection.deliver(envelope())
    connection.close()
    assert len(server.sent) == 2


def test_another_text_under_a_known_key_is_held_not_sent(
    server: ResendServer, mailer: ResendMailer
) -> None:
    connection = mailer.connect()
    connection.deliver(envelope())
    assert connection.deliver(envelope(replace(DRAFT, text="Else.\n"))).fate is Fate.UNKNOWN
    connection.close()
    assert len(server.sent) == 1


@pytest.mark.parametrize(
    ("status", "name", "message", "fate"),
    [
        (422, "validation_error", "Invalid `to` field", Fate.REFUSED),
        (400, "validation_error", "bad field", Fate.REFUSED),
        (413, "", "too large", Fate.REFUSED),
        (400, "validation_error", "API key is invalid", Fate.STOPPED),
        (401, "missing_api_key", "no key", Fate.STOPPED),
        (403, "validation_error", "the domain is not verified", Fate.STOPPED),
        (429, "daily_quota_exceeded", "enough for today", Fate.STOPPED),
        (409, "concurrent_idempotent_requests", "in progress", Fate.DEFERRED),
        (500, "internal_server_error", "oh", Fate.DEFERRED),
        (503, "", "", Fate.DEFERRED),
        (404, "not_found", "no such endpoint", Fate.STOPPED),
        (302, "", "", Fate.STOPPED),
    ],
)
def test_a_refusal_is_the_message_s_or_ours_or_for_later(
    server: ResendServer, mailer: ResendMailer, status: int, name: str, message: str, fate: Fate
) -> None:
    server.answers = [(status, name, message, {})]
    connection = mailer.connect()
    reply = connection.deliver(envelope())
    assert reply.fate is fate
    assert message in reply.words
    assert connection.deliver(envelope()).fate is Fate.ACCEPTED
    connection.close()


@pytest.mark.parametrize(("asked", "wait_s"), [("7", 7.0), ("x", 0.0), ("-3", 0.0), ("1e9", 3600)])
def test_too_many_requests_slow_everything_down_as_long_as_asked(
    server: ResendServer, mailer: ResendMailer, asked: str, wait_s: float
) -> None:
    server.answers = [(429, "rate_limit_exceeded", "slow down", {"Retry-After": asked})]
    connection = mailer.connect()
    reply = connection.deliver(envelope())
    connection.close()
    assert (reply.fate, reply.too_fast, reply.wait_s) == (Fate.DEFERRED, Scope.SERVER, wait_s)
    assert not server.sent


def test_a_wrong_key_is_found_before_any_message(server: ResendServer) -> None:
    with server.serving() as base, pytest.raises(CredentialsMissing, match="refuses the key") as no:
        ResendMailer(lambda: "re_wrong", base).connect()
    assert "re_wrong" not in no.value.message


def test_nobody_answering_is_told_and_costs_no_message(server: ResendServer) -> None:
    with pytest.raises(RemoteProblem, match="does not answer"):
        ResendMailer(lambda: "k", "http://127.0.0.1:9").connect()
    with server.serving() as base:
        connection = ResendMailer(lambda: server.key, base, timeout_s=1).connect()
        connection.close()
    assert connection.deliver(envelope()).fate is Fate.UNREACHABLE
    connection.close()


@pytest.mark.parametrize("base", ["http://api.resend.com", "api.resend.com", "ftp://x.example"])
def test_real_mail_is_encrypted(base: str) -> None:
    with pytest.raises(SettingsInvalid):
        ResendMailer(lambda: "", base)
    assert ResendMailer(lambda: "").is_live
