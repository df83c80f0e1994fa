"""Purchases: every new right makes exactly one mail to its buyer."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import update

from kpay.adapters.outbox_mailer import OutboxMailer
from kpay.adapters.smtp_mailer import SmtpMailer
from kpay.domain.period import instant_text
from kpay.errors import NotFound, SettingsInvalid
from kpay.models import Entitlement
from kpay.services import delivering
from kpay.services.mail_desk import MailDesk
from kpay.services.purchase_letters import LARGEST_ATTACHMENTS
from kpay.services.selling import SELLING_SINCE
from kpay.store import audience, facts
from kpay.store.dialect import table_of
from tests.fakes.mail_rooms import (
    LETTERHEAD,
    NOW,
    PassingQuickly,
    add_content,
    add_customer,
    grant,
    mail_desk,
)
from tests.fakes.smtp_sink import Faults, SmtpSink
from tests.fakes.stores import digest

LATER = NOW + timedelta(days=3)


@pytest.fixture
def desk(tmp_path: Path) -> MailDesk:
    return mail_desk(tmp_path)


def deliver(desk: MailDesk, *, days: int = 3) -> list[EmailMessage]:
    """Deliver what is owed and return all messages that ever left."""
    passing = PassingQuickly(NOW + timedelta(days=days))
    delivering.plan_pending(desk, now=passing.now())
    delivering.send_pending(desk, passing=passing)
    files = sorted((desk.home / "outbox").glob("*.eml"))
    return [_read(path.read_bytes()) for path in files]


def _read(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def words(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def open_shop(desk: MailDesk) -> None:
    """The first sync found nothing."""
    delivering.plan_pending(desk, now=NOW)


def test_a_buyer_gets_the_text_once_however_often_it_is_run(desk: MailDesk) -> None:
    open_shop(desk)
    rye = add_content(desk, "rye-bread", body="Mix **flour** and [water](https://w.example).")
    grant(desk, add_customer(desk, "li@r.example", "李雷"), rye, NOW + timedelta(days=1))
    (message,) = deliver(desk)
    kept = digest(desk.store)
    assert len(deliver(desk)) == 1
    assert digest(desk.store) == kept
    assert message["To"] == "li@r.example"
    assert message["X-Kpay-Kind"] == "delivery"
    assert message["List-Unsubscribe"] is None
    assert "Mix flour and water <https://w.example>." in words(message)
    assert "<strong>flour</strong>" in words(message, "html").replace(' style=""', "")
    assert "李雷" in words(message)


def test_who_bought_long_before_the_first_sync_is_not_mailed(desk: MailDesk) -> None:
    rye = add_content(desk, "rye-bread")
    old, fresh = add_customer(desk, "old@r.example"), add_customer(desk, "fresh@r.example")
    grant(desk, old, rye, NOW - timedelta(days=2))
    grant(desk, fresh, rye, NOW - timedelta(hours=2))
    assert delivering.plan_pending(desk, now=NOW) == 1
    assert [message["To"] for message in deliver(desk)] == ["fresh@r.example"]


@pytest.mark.parametrize(
    ("days_on_sale", "mailed"), [(4, ["tuesday@r.example"]), (90, ["tuesday@r.example", "last@r.example"])]
)  # fmt: skip
def test_a_shop_opened_before_its_first_sync_owes_everybody_since_then_for_a_month(
    desk: MailDesk, days_on_sale: int, mailed: list[str]
) -> None:
    rye = add_content(desk, "rye-bread")
    opened = NOW - timedelta(days=days_on_sale)
    with desk.store.writing() as connection:
        facts.keep(connection, SELLING_SINCE, instant_text(opened))
    bought = {"tuesday": 3, "last": 29, "older": 31}
    for name, days in bought.items():
        grant(desk, add_customer(desk, f"{name}@r.example"), rye, NOW - timedelta(days=days))
    assert delivering.plan_pending(desk, now=NOW) == len(mailed)
    assert sorted(message["To"] for message in deliver(desk)) == sorted(mailed)


def test_files_travel_with_the_mail_and_large_ones_are_named(desk: MailDesk) -> None:
    open_shop(desk)
    folder = desk.home / "content" / "files"
    folder.mkdir(parents=True)
    (folder / "book.epub").write_bytes(b"epub" * 100)
    (folder / "film.mp4").write_bytes(b"0" * (LARGEST_ATTACHMENTS + 1))
    (desk.home.parent / "private.txt").write_text("private")
    attachments = ["content/files/book.epub", "content/files/film.mp4", "../private.txt"]
    book = add_content(desk, "book", kind="ebook", attachments=attachments)
    grant(desk, add_customer(desk, "li@r.example"), book, NOW)
    (message,) = deliver(desk)
    (part,) = message.iter_attachments()
    assert part.get_filename() == "book.epub"
    assert part.get_payload(decode=True) == b"epub" * 100
    assert "film.mp4, private.txt" in words(message)


@pytest.mark.parametrize(("kind", "sign"), [("membership", "Welcome"), ("bundle", "Rye Bread")])
def test_what_has_no_text_of_its_own_says_what_it_is(desk: MailDesk, kind: str, sign: str) -> None:
    open_shop(desk)
    add_content(desk, "rye-bread")
    piece = add_content(desk, "all-of-it", kind=kind, includes=["rye-bread"], body="")
    grant(desk, add_customer(desk, "li@r.example"), piece, NOW)
    (message,) = deliver(desk)
    assert sign in words(message)
    assert sign in words(message, "html")


def test_leaving_the_list_does_not_lose_a_purchase_but_a_dead_mailbox_does(desk: MailDesk) -> None:
    open_shop(desk)
    rye = add_content(desk, "rye-bread")
    for name in ("left", "dead"):
        grant(desk, add_customer(desk, f"{name}@r.example"), rye, NOW)
    with desk.store.writing() as connection:
        audience.opt_out(connection, ["left@r.example"], "unsubscribe", NOW)
        audience.opt_out(connection, ["dead@r.example"], "bounce", NOW)
    assert [message["To"] for message in deliver(desk)] == ["left@r.example"]


def test_a_purchase_taken_back_before_the_mail_is_not_delivered(desk: MailDesk) -> None:
    open_shop(desk)
    rye = add_content(desk, "rye-bread")
    grant(desk, add_customer(desk, "li@r.example"), rye, NOW)
    delivering.plan_pending(desk, now=NOW)
    with desk.store.writing() as connection:
        connection.execute(update(table_of(Entitlement)).values(ended_at=NOW))
    assert deliver(desk) == []
    assert not delivering.pending(desk, now=LATER).owed


def test_what_is_owed_is_shown_without_writing(desk: MailDesk) -> None:
    open_shop(desk)
    rye = add_content(desk, "rye-bread")
    grant(desk, add_customer(desk, "li@r.example"), rye, NOW)
    kept = digest(desk.store)
    (owed,) = delivering.pending(desk, now=LATER).owed
    assert (owed.email, owed.content, owed.state) == ("li@r.example", "rye-bread", "new")
    assert digest(desk.store) == kept


def test_sending_once_more_is_a_new_message(desk: MailDesk) -> None:
    open_shop(desk)
    rye = add_content(desk, "rye-bread")
    grant(desk, add_customer(desk, "li@r.example"), rye, NOW)
    deliver(desk)
    assert delivering.queue_again(desk, "LI@r.example", now=LATER) == 1
    messages = deliver(desk)
    assert len({message["Message-ID"] for message in messages}) == 2
    with pytest.raises(NotFound):
        delivering.queue_again(desk, "nobody@r.example", now=LATER)


def test_a_sync_tells_of_trouble_with_the_mail_and_loses_nothing(tmp_path: Path) -> None:
    sink = SmtpSink(Faults())
    with sink.serving() as url:
        gone = url
    desk = mail_desk(tmp_path, open_mailer=lambda: SmtpMailer(gone, lambda: ""))
    open_shop(desk)
    rye = add_content(desk, "rye-bread")
    grant(desk, add_customer(desk, "li@r.example"), rye, NOW)
    handover = delivering.after_sync(desk, passing=PassingQuickly(LATER))
    assert handover is not None
    assert handover.is_trouble
    assert "1 purchases wait" in handover.sentence
    mended = replace(desk, open_mailer=lambda: OutboxMailer(tmp_path / "outbox"))
    assert len(deliver(mended)) == 1
    assert delivering.after_sync(mended, passing=PassingQuickly(LATER)) is None


def test_without_a_sender_purchases_wait(desk: MailDesk) -> None:
    open_shop(desk)
    rye = add_content(desk, "rye-bread")
    grant(desk, add_customer(desk, "li@r.example"), rye, NOW)
    nameless = replace(desk, letterhead=replace(LETTERHEAD, sender=""))
    delivering.plan_pending(nameless, now=LATER)
    with pytest.raises(SettingsInvalid, match="mail_from"):
        delivering.send_pending(nameless, passing=PassingQuickly(LATER))
    assert len(deliver(desk)) == 1
