"""Double opt-in: one question by mail, a yes with its proof, and nothing without it."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from kpay.adapters.signing import Signer
from kpay.domain.enums import ImportKind
from kpay.domain.importing import Circumstances, ImportResult
from kpay.domain.letterhead import Letterhead
from kpay.errors import Refused, SettingsInvalid
from kpay.models import Delivery, Subscriber
from kpay.services import asking_consent, campaign_planning
from kpay.services.confirming import ConfirmDesk
from kpay.services.importing import import_csv
from kpay.services.mailing_list import Newcomer, add_subscriber, show_subscriber
from kpay.store import audience, subscribers
from kpay.store.dialect import table_of
from tests.fakes.mail_rooms import NOW, PassingQuickly, mail_desk, subscribe, write_campaign
from tests.fakes.stores import digest

DAY = timedelta(days=1)
SUBSCRIBER, DELIVERY = table_of(Subscriber), table_of(Delivery)


@pytest.fixture
def room(tmp_path: Path) -> ConfirmDesk:
    return ConfirmDesk(mail_desk(tmp_path), Signer(tmp_path, "confirm"), "https://b.example/yes")


def add(room: ConfirmDesk, address: str = "li@r.example", days: float = 0) -> str:
    newcomer = Newcomer(address, name="Li")
    return asking_consent.add_and_ask(room, newcomer, PassingQuickly(NOW + days * DAY)).title


def questions(room: ConfirmDesk) -> list[email.message.EmailMessage]:
    found = []
    for path in sorted(room.desk.home.glob("outbox/**/*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(message, email.message.EmailMessage)
        if message["X-Kpay-Kind"] == "confirmation":
            found.append(message)
    return found


def token(message: email.message.EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    found = re.search(r"(?:\?t=|confirm%20)([\w.-]+)", part.get_content())
    assert found is not None
    return found[1]


def row(room: ConfirmDesk, address: str = "li@r.example") -> dict[str, object]:
    with room.desk.store.reading() as connection:
        found = subscribers.find(connection, address)
    assert found is not None
    return found


def recipients(room: ConfirmDesk) -> tuple[int, int]:
    write_campaign(room.desk, "---\nsubject: Hi\naudience: all\nholdout: 0\n---\nHello\n")
    plan = campaign_planning.plan(room.desk, "bread", NOW)
    return plan.recipients, plan.left_out["no_consent"]


def bring(room: ConfirmDesk, text: str, **circumstances: bool) -> ImportResult:
    return import_csv(
        room.desk.store,
        ImportKind.SUBSCRIBERS,
        text.encode(),
        name="people.csv",
        circumstances=Circumstances(NOW, "UTC", asks_consent=True, **circumstances),
        ask_consent=room.asking_at(NOW),
    )


def test_whoever_is_asked_is_mailed_one_question_and_no_campaign(room: ConfirmDesk) -> None:
    assert "was asked to confirm" in add(room)
    [question] = questions(room)
    assert question["To"] == "li@r.example"
    assert question["List-Unsubscribe"] is None
    page = question.get_body(("html",))
    assert page is not None
    assert 'href="https://b.example/yes?t=' in page.get_content()
    assert "I want to get mail from Ana's Bakery" in page.get_content().replace("&#39;", "'")
    assert row(room)["status"] == "unconfirmed"
    assert (row(room)["consented_at"], row(room)["consent_source"]) == (None, "")
    assert recipients(room) == (0, 1)


def test_a_yes_is_kept_with_its_proof_and_counts_once(room: ConfirmDesk) -> None:
    add(room)
    said = token(questions(room)[0])
    asking_consent.note_yes(room, said, PassingQuickly(NOW + DAY))
    known = row(room)
    assert (known["status"], known["consent_source"]) == ("subscribed", "double opt-in")
    assert known["consented_at"] == known["confirmed_at"] == NOW + DAY
    assert known["consent_wording"] == (
        "Yes, I want to get mail from Ana's Bakery. I can leave the list at any time."
        " (answered by link)"
    )
    before = digest(room.desk.store)
    asking_consent.note_yes(room, said, PassingQuickly(NOW + 2 * DAY))
    assert digest(room.desk.store) == before
    assert recipients(room) == (1, 0)
    shown = show_subscriber(room.desk.store, "LI@r.example").payload
    assert shown["may_be_mailed"]
    assert shown["confirm_sent_at"] == "2026-10-01T09:00:00Z"


def test_a_token_that_is_not_ours_is_refused(room: ConfirmDesk, tmp_path: Path) -> None:
    add(room)
    said = token(questions(room)[0])
    other_purpose = Signer(tmp_path, "unsubscribe").sign("1 abc")
    for wrong in ("", "x", said[:-1], f"{said}x", other_purpose, room.signer.sign("text")):
        with pytest.raises(Refused):
            asking_consent.note_yes(room, wrong, PassingQuickly(NOW))
    assert row(room)["status"] == "unconfirmed"


def test_a_token_is_good_for_its_own_person_only(room: ConfirmDesk) -> None:
    """SQLite gives the number of an erased row to the next."""
    add(room)
    said = token(questions(room)[0])
    with room.desk.store.writing() as connection:
        connection.execute(delete(SUBSCRIBER))
    add(room, "mo@r.example")
    assert row(room, "mo@r.example")["id"] == 1
    with pytest.raises(Refused, match="nobody waits"):
        asking_consent.note_yes(room, said, PassingQuickly(NOW))


def test_an_old_link_does_not_bring_back_who_has_left(room: ConfirmDesk) -> None:
    add(room)
    with room.desk.store.writing() as connection:
        audience.opt_out(connection, ["li@r.example"], "complaint", NOW)
    with pytest.raises(Refused, match="has left the list since"):
        asking_consent.note_yes(room, token(questions(room)[0]), PassingQuickly(NOW))
    assert row(room)["status"] == "unsubscribed"


def test_nobody_is_asked_more_than_twice_nor_twice_in_a_day(room: ConfirmDesk) -> None:
    add(room)
    assert "less than a day ago" in add(room, days=0.9)
    assert "was asked to confirm" in add(room, days=1)
    assert "2 times and is not asked again" in add(room, days=30)
    with room.desk.store.writing() as connection:
        connection.execute(delete(SUBSCRIBER))
    assert "2 times and is not asked again" in add(room, days=60)
    assert len(questions(room)) == 2
    assert len({message["Message-ID"] for message in questions(room)}) == 2


def test_whoever_must_not_be_mailed_is_not_even_asked(room: ConfirmDesk) -> None:
    with room.desk.store.writing() as connection:
        audience.opt_out(connection, ["li@r.example"], "unsubscribe", NOW)
    with pytest.raises(Refused, match="must not be mailed"):
        add(room, "Li@R.example")
    assert "was asked" in add(room, "mo@r.example")
    assert [message["To"] for message in questions(room)] == ["mo@r.example"]


def test_a_question_that_waits_is_dropped_when_its_reader_leaves(room: ConfirmDesk) -> None:
    subscribe(room.desk, ["li@r.example", "mo@r.example", "na@r.example"], status="unconfirmed")
    with room.desk.store.writing() as connection:
        assert room.queue(connection, None, NOW, again=False) == 3
        audience.opt_out(connection, ["li@r.example"], "unsubscribe", NOW)
        connection.execute(
            update(SUBSCRIBER)
            .where(SUBSCRIBER.c.email == "mo@r.example")
            .values(status="subscribed")
        )
    report = room.send_waiting(PassingQuickly())
    assert (report.sent_now, report.waiting) == (1, 0)
    assert [message["To"] for message in questions(room)] == ["na@r.example"]


def test_an_import_asks_those_who_come_without_a_source(room: ConfirmDesk) -> None:
    subscribe(room.desk, ["old@r.example"], consent_source="fair")
    with room.desk.store.writing() as connection:
        audience.opt_out(connection, ["gone@r.example"], "unsubscribe", NOW)
    text = (
        "email,consent_source,consent_wording,status\n"
        "new@r.example,,,\n"
        "claimed@r.example,,,subscribed\n"
        "proven@r.example,web form,Send me news,\n"
        "old@r.example,,,\n"
        "GONE@r.example,,,subscribed\n"
        "left@r.example,,,unsubscribed\n"
    )
    result = bring(room, text)
    assert result.totals == {"confirmations_queued": 2}
    with room.desk.store.reading() as connection:
        states = {
            one.email: (one.status, one.consent_source, one.consent_wording)
            for one in connection.execute(select(SUBSCRIBER))
        }
    assert states == {
        "new@r.example": ("unconfirmed", "", None),
        "claimed@r.example": ("unconfirmed", "", None),
        "proven@r.example": ("subscribed", "web form", "Send me news"),
        "old@r.example": ("subscribed", "fair", None),
        "left@r.example": ("unsubscribed", "import", None),
    }
    before = digest(room.desk.store)
    again = bring(room, text)
    assert (again.counts.created, again.counts.updated) == (0, 0)
    assert again.totals == {"confirmations_queued": 0}
    assert digest(room.desk.store) == before
    assert room.send_waiting(PassingQuickly()).sent_now == 2
    assert recipients(room) == (2, 2)


def test_a_rehearsed_import_asks_nobody(room: ConfirmDesk) -> None:
    assert bring(room, "email\nnew@r.example\n", is_rehearsal=True).totals == {}
    assert room.count_waiting() == 0


def test_the_silent_are_reminded_once(room: ConfirmDesk) -> None:
    add(room)
    subscribe(room.desk, ["never-asked@r.example"], status="unconfirmed")
    soon, later = PassingQuickly(NOW + DAY / 2), PassingQuickly(NOW + DAY)
    assert asking_consent.count_silent(room, soon) == 1
    assert asking_consent.count_silent(room, later) == 2
    reminded = asking_consent.remind(room, later, lambda count: None)
    assert reminded.payload["confirmations_sent"] == 2
    much_later = PassingQuickly(NOW + 9 * DAY)
    assert asking_consent.count_silent(room, much_later) == 1
    asking_consent.remind(room, much_later, lambda count: None)
    assert asking_consent.count_silent(room, PassingQuickly(NOW + 90 * DAY)) == 0
    assert len(questions(room)) == 4


def test_without_an_address_of_the_web_a_mail_says_yes(tmp_path: Path) -> None:
    desk = mail_desk(tmp_path)
    room = ConfirmDesk(desk, Signer(tmp_path, "confirm"))
    add(room)
    part = questions(room)[0].get_body(("plain",))
    assert part is not None
    assert "mailto:ana@bakery.example?subject=confirm%20" in part.get_content()
    said = token(questions(room)[0])
    with desk.store.writing() as connection:
        assert room.confirm_by_mail(connection, said, NOW) == "li@r.example"
    assert str(row(room)["consent_wording"]).endswith("(answered by mail)")


def test_settings_that_let_nobody_be_asked_are_refused_first(tmp_path: Path) -> None:
    desk = mail_desk(tmp_path, letterhead=Letterhead("Bakery", "", ""))
    with pytest.raises(SettingsInvalid, match="mail_from"):
        add(ConfirmDesk(desk, Signer(tmp_path, "confirm")))
    with desk.store.reading() as connection:
        assert not subscribers.listed(connection, None)


def test_a_name_from_a_form_cannot_speak_in_the_question(room: ConfirmDesk) -> None:
    newcomer = Newcomer("li@r.example", name="Win now https://evil.example <b>")
    asking_consent.add_and_ask(room, newcomer, PassingQuickly())
    assert b"evil.example" not in questions(room)[0].as_bytes()


def test_someone_on_the_list_is_not_asked(room: ConfirmDesk) -> None:
    add_subscriber(room.desk.store, Newcomer("li@r.example"), NOW)
    assert "on the list already" in add(room)
    assert not questions(room)
