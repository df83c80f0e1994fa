"""What came back is acted on once, and only when it proves to be about a message that was sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select

from kpay.domain.enums import DeliveryState, MailKind, NoticeKind
from kpay.domain.inbox_report import InboxEntry, InboxReport, Meaning
from kpay.domain.mail_reading import ArrivedMail
from kpay.domain.return_path import reference_of, return_path
from kpay.errors import Refused
from kpay.models import Delivery, MailNotice, Subscriber, Suppression
from kpay.services.inbox import InboxReader
from kpay.services.mail_desk import MailDesk
from kpay.store.dialect import table_of
from tests.fakes.mail_rooms import NOW, mail_desk, subscribe
from tests.fakes.notices import complaint, dsn, exim, letter, qmail

LI = "li@readers.example"
BOUNCES = "bounces@bakery.example"
DELIVERY, NOTICE = table_of(Delivery), table_of(MailNotice)


@pytest.fixture
def desk(tmp_path: Path) -> MailDesk:
    desk = mail_desk(tmp_path)
    subscribe(desk, [LI, "mo@readers.example"])
    return desk


def sent(desk: MailDesk, occasion: str = "1", email: str = LI, **values: Any) -> str:
    """Put a message into the store as one that left; return its headers as the reader got them."""
    identity = desk.identity(occasion, email)
    row = {
        "kind": MailKind.SEQUENCE.value,
        "occasion": occasion,
        "email": email,
        "state": DeliveryState.SENT.value,
        "message_id": identity,
        "due_at": NOW,
        "began_at": NOW,
        "sent_at": NOW + timedelta(minutes=len(occasion)),
        "context": {},
    } | values
    with desk.store.writing() as connection:
        connection.execute(insert(DELIVERY), row)
    token = desk.signer.sign(reference_of(identity))
    return f"From: ana@bakery.example\nTo: {email}\nMessage-ID: {identity}\nX-Kpay-Token: {token}\n"


def nobody_waits(connection: Connection, token: str, now: datetime) -> str:
    raise Refused("nobody waits to be confirmed")


def read(desk: MailDesk, *contents: bytes, **values: Any) -> list[InboxEntry]:
    confirm = values.pop("confirm", nobody_waits)
    reader = InboxReader(desk.store, desk.signer, confirm, NOW, **values)
    mails = [ArrivedMail(f"box #{number}", one) for number, one in enumerate(contents, 1)]
    return list(reader.read(mails))


def suppressed(desk: MailDesk) -> dict[str, str]:
    """Return the reasons, by whether the person is on the list."""
    with desk.store.reading() as connection:
        rows = connection.execute(select(table_of(Suppression).c.reason)).scalars().all()
        left = connection.execute(
            select(table_of(Subscriber).c.email).where(
                table_of(Subscriber).c.status == "unsubscribed"
            )
        ).scalars()
        return dict(zip(left, rows, strict=True))


def count(desk: MailDesk, table: Any = NOTICE) -> int:
    with desk.store.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def state(desk: MailDesk) -> str:
    with desk.store.reading() as connection:
        return str(connection.execute(select(DELIVERY.c.state)).scalar_one())


def test_a_hard_bounce_suppresses_once(desk: MailDesk) -> None:
    bounce = dsn(sent(desk), said="550 5.1.1 nobody")
    (entry,) = read(desk, bounce)
    assert (entry.meaning, entry.email, entry.deed) == (
        Meaning.HARD_BOUNCE, LI, "never mailed again",
    )  # fmt: skip
    assert suppressed(desk) == {LI: "bounce"}
    with desk.store.reading() as connection:
        notice = connection.execute(select(NOTICE)).mappings().one()
    assert (notice["kind"], notice["email"], notice["status"]) == ("hard_bounce", LI, "5.1.1")
    before = count(desk)
    (again,) = read(desk, bounce.replace(b"\n", b"\r\n"))
    assert again.deed == ""
    assert count(desk) == before == 1


@pytest.mark.parametrize("proof", ["envelope", "token", "identity"])
def test_each_proof_is_enough(desk: MailDesk, proof: str) -> None:
    lines = sent(desk).splitlines(keepends=True)
    identity = desk.identity("1", LI)
    to = return_path(BOUNCES, identity) if proof == "envelope" else BOUNCES
    kept = {"envelope": (), "token": ("X-Kpay",), "identity": ("Message-ID",)}[proof]
    headers = "".join(line for line in lines if line.startswith(kept or ("From",)))
    (entry,) = read(desk, dsn(headers, to=to))
    assert entry.meaning is Meaning.HARD_BOUNCE
    assert suppressed(desk) == {LI: "bounce"}


FORGED = "abcdefghijklmnopqrstuvwxyz234567"


@pytest.mark.parametrize(
    "headers",
    [
        "To: li@readers.example\n",
        f"Message-ID: <{FORGED}@bakery.example>\n",
        f"X-Kpay-Token: {FORGED}\n",
        "X-Kpay-Token: ImFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MjM0NTY3Ig.forged\n",
    ],
)
def test_a_forged_notice_takes_nobody_off(desk: MailDesk, headers: str) -> None:
    sent(desk)
    forged = [
        dsn(headers),
        dsn(headers, to=f"bounces+{FORGED}@bakery.example", identity="2@mx"),
        complaint(headers),
        qmail(headers),
        exim(headers, words="550 5.1.1 no"),
        letter(Subject=f"unsubscribe {FORGED}"),
    ]
    entries = read(desk, *forged)
    assert {entry.meaning for entry in entries} == {Meaning.UNPROVEN}
    assert all(entry.needs_eyes and not entry.deed for entry in entries)
    assert not suppressed(desk)
    assert count(desk) == 0


def test_whoever_got_a_mail_can_speak_for_themselves_only(desk: MailDesk) -> None:
    """A bounce with one's own token that names somebody else is about one's own address."""
    mine = sent(desk, "mine", "mo@readers.example")
    sent(desk)
    (entry,) = read(desk, dsn(mine, recipient=LI))
    assert (entry.meaning, entry.email) == (Meaning.SOFT_BOUNCE, "mo@readers.example")
    assert not suppressed(desk)


def test_a_notice_about_a_message_that_never_left_is_not_believed(desk: MailDesk) -> None:
    headers = sent(desk, state=DeliveryState.QUEUED.value, sent_at=None)
    (entry,) = read(desk, dsn(headers))
    assert entry.meaning is Meaning.UNPROVEN
    assert not suppressed(desk)


def soft(desk: MailDesk, occasion: str) -> InboxEntry:
    (entry,) = read(desk, dsn(sent(desk, occasion), status="5.2.2", identity=f"{occasion}@mx"))
    return entry


def test_three_soft_bounces_of_the_last_five_messages_suppress(desk: MailDesk) -> None:
    assert soft(desk, "1").deed == "noted (1 of the last 5)"
    sent(desk, "22")
    assert soft(desk, "333").deed == "noted (2 of the last 5)"
    sent(desk, "4444")
    assert not suppressed(desk)
    assert soft(desk, "55555").deed == "never mailed again: 3 of the last 5 bounced"
    assert suppressed(desk) == {LI: "bounce"}


def test_soft_bounces_of_long_ago_and_doubled_ones_do_not_count(desk: MailDesk) -> None:
    soft(desk, "1")
    for number in range(2, 6):
        sent(desk, "x" * number)
    soft(desk, "x" * 6)
    assert soft(desk, "x" * 7).deed == "noted (2 of the last 5)"
    (again,) = read(
        desk,
        dsn(_headers(desk, "x" * 7), status="5.2.2", identity="another@mx"),
    )
    assert again.deed == "noted (2 of the last 5)"
    assert not suppressed(desk)


def _headers(desk: MailDesk, occasion: str) -> str:
    return f"Message-ID: {desk.identity(occasion, LI)}\n"


@pytest.mark.parametrize(
    ("values", "meaning", "needs_eyes"),
    [
        ({"status": "5.7.1", "said": "550 5.7.1 spam"}, Meaning.ABOUT_US, True),
        ({"status": "4.4.7", "action": "delayed"}, Meaning.DELAYED, False),
        ({"status": "2.0.0", "action": "delivered"}, Meaning.ARRIVED, False),
        ({"status": "?"}, Meaning.UNCLEAR, True),
    ],
)
def test_what_is_not_the_address_s_fault_is_not_held_against_it(
    desk: MailDesk, values: dict[str, str], meaning: Meaning, needs_eyes: bool
) -> None:
    (entry,) = read(desk, dsn(sent(desk), **values))
    assert (entry.meaning, entry.needs_eyes, entry.deed) == (meaning, needs_eyes, "")
    assert count(desk) == 0
    assert not suppressed(desk)


def test_a_complaint_suppresses_at_once_and_is_counted(desk: MailDesk) -> None:
    (entry,) = read(desk, complaint(sent(desk)))
    assert entry.deed == "never mailed again"
    assert suppressed(desk) == {LI: "complaint"}
    with desk.store.reading() as connection:
        kinds = connection.execute(select(NOTICE.c.kind)).scalars().all()
    assert kinds == [NoticeKind.COMPLAINT.value]


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.QUEUED])
def test_an_unsubscribe_mail_takes_its_reader_off_whoever_sends_it(
    desk: MailDesk, state: DeliveryState
) -> None:
    sent(desk, state=state.value)
    token = desk.signer.sign(reference_of(desk.identity("1", LI)))
    wish = letter(Subject=f"unsubscribe {token}", From="someone@else.example")
    (entry,) = read(desk, wish)
    assert (entry.email, entry.deed) == (LI, "taken off the list")
    assert suppressed(desk) == {LI: "unsubscribe"}
    (again,) = read(desk, wish)
    assert again.deed == ""


def test_an_unsubscribe_mail_needs_the_token_also_as_an_answer(desk: MailDesk) -> None:
    headers = sent(desk)
    wish = letter(Subject=f"unsubscribe {FORGED}", In_Reply_To=_identity_in(headers))
    (entry,) = read(desk, wish)
    assert entry.meaning is Meaning.UNPROVEN
    assert not suppressed(desk)


@pytest.mark.parametrize(
    "make",
    [
        lambda headers: dsn(headers, status="4.4.7", action="delayed"),
        lambda headers: dsn(headers, status="5.2.2"),
        complaint,
        lambda headers: letter(In_Reply_To=_identity_in(headers)),
        lambda headers: letter(In_Reply_To=_identity_in(headers), Auto_Submitted="auto-replied"),
    ],
    ids=["delayed", "soft", "complaint", "reply", "automatic"],
)
def test_whatever_comes_back_settles_an_uncertain_message(desk: MailDesk, make: Any) -> None:
    headers = sent(desk, state=DeliveryState.UNCERTAIN.value, sent_at=None)
    (entry,) = read(desk, make(headers))
    assert entry.deed
    assert state(desk) == DeliveryState.SENT.value
    with desk.store.reading() as connection:
        assert connection.execute(select(DELIVERY.c.sent_at)).scalar_one() == NOW


def _identity_in(headers: str) -> str:
    return next(line for line in headers.splitlines() if line.startswith("Message-ID"))[12:]


def test_a_confirmation_is_handed_on_and_a_wrong_one_is_shown(desk: MailDesk) -> None:
    def confirm(connection: Connection, token: str, now: datetime) -> str:
        if token != "genuine.token":
            raise Refused("that is no token of ours")
        return LI

    wishes = [letter(Subject="confirm genuine.token"), letter(Subject="confirm forged.token")]
    good, bad = read(desk, *wishes, confirm=confirm)
    assert (good.meaning, good.email, good.deed) == (Meaning.CONFIRM, LI, "on the list")
    assert (bad.meaning, bad.words, bad.needs_eyes) == (
        Meaning.UNPROVEN, "that is no token of ours", True,
    )  # fmt: skip


def test_a_rehearsal_says_the_same_and_changes_nothing(desk: MailDesk) -> None:
    mails = [dsn(sent(desk)), complaint(sent(desk, "22", "mo@readers.example"))]
    rehearsed = read(desk, *mails, dry_run=True)
    assert not suppressed(desk)
    assert count(desk) == 0
    assert read(desk, *mails) == rehearsed
    assert count(desk) == 2


def test_an_unreadable_mail_holds_up_none(desk: MailDesk) -> None:
    entries = read(desk, b"\xff\x00nothing", dsn(sent(desk)), letter())
    assert [entry.meaning for entry in entries] == [
        Meaning.UNREADABLE, Meaning.HARD_BOUNCE, Meaning.OTHER,
    ]  # fmt: skip
    assert entries[0].needs_eyes


def entries_of(number: int) -> Iterable[InboxEntry]:
    for index in range(number):
        yield InboxEntry(f"box #{index}", Meaning.UNCLEAR, words="?", needs_eyes=True)


def test_the_report_counts_all_and_shows_fifty() -> None:
    document = InboxReport("box", tuple(entries_of(60))).to_document()
    assert document.title == "60 mails read in box: 0 acted on, 60 for you to look at."
    assert len(document.tables[1].rows) == 50
    assert "10 more" in document.tables[1].note
    assert len(document.to_json()["needs_eyes"]) == 60
    assert InboxReport("box", ()).to_document().title == "Nothing new in box."
