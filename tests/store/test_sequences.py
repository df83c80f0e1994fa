"""Sequences: who comes in, who leaves, and that nobody gets a letter twice or too soon."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from kpay.adapters.smtp_mailer import SmtpMailer
from kpay.domain.enums import DeliveryState
from kpay.domain.hours import parse_hours
from kpay.domain.mail_customs import MailCustoms
from kpay.domain.sequence_report import SequenceRun
from kpay.errors import Refused, RemoteProblem, SettingsInvalid
from kpay.models import Customer, Delivery, Enrolment, Order, Subscriber
from kpay.services import sequence_lists, sequences
from kpay.services.mail_desk import MailDesk
from kpay.store import audience
from kpay.store.dialect import table_of
from tests.fakes.letters_out import letters_out, outbox, words, write_sequence
from tests.fakes.mail_rooms import (
    LETTERHEAD,
    NOW,
    PassingQuickly,
    add_content,
    add_customer,
    add_order,
    grant,
    mail_desk,
    subscribe,
)
from tests.fakes.smtp_sink import Faults, SmtpSink
from tests.fakes.stores import digest

WELCOME = "trigger: new subscriber"


@pytest.fixture
def desk(tmp_path: Path) -> MailDesk:
    return mail_desk(tmp_path)


def at(days: float) -> datetime:
    return NOW + timedelta(days=days)


def run(desk: MailDesk, days: float) -> SequenceRun:
    return sequences.run(desk, passing=PassingQuickly(at(days)))


def join(desk: MailDesk, *names: str, days: float = 0.5, **values: Any) -> None:
    emails = [f"{name}@r.example" for name in names]
    subscribe(desk, emails, **({"consented_at": at(days)} | values))


def enrolments(desk: MailDesk) -> dict[str, str | None]:
    table = table_of(Enrolment)
    with desk.store.reading() as connection:
        query = select(table.c.email, table.c.end_reason).order_by(table.c.id)
        return {row.email.partition("@")[0]: row.end_reason for row in connection.execute(query)}


def states(desk: MailDesk) -> dict[str, str]:
    table = table_of(Delivery)
    with desk.store.reading() as connection:
        rows = connection.execute(select(table.c.occasion, table.c.state))
        return {row.occasion: row.state for row in rows}


def test_letters_come_one_after_the_other_each_once(desk: MailDesk) -> None:
    write_sequence(desk.home, "welcome", WELCOME, hello="1h", more="2d", last="1w")
    run(desk, 0)
    join(desk, "ana")
    assert run(desk, 0.5).sent == 0
    for days in (0.6, 0.7, 2, 2.7, 2.8, 9, 9.8, 9.9, 30):
        run(desk, days)
    assert letters_out(desk.home) == [
        ("ana@r.example", "hello for Ana"),
        ("ana@r.example", "more for Ana"),
        ("ana@r.example", "last for Ana"),
    ]
    assert enrolments(desk) == {"ana": "finished"}


def test_running_twice_writes_nothing_the_second_time(desk: MailDesk) -> None:
    write_sequence(desk.home, "welcome", WELCOME, hello="0", more="2d")
    run(desk, 0)
    join(desk, "ana")
    assert run(desk, 1).sent == 1
    kept = digest(desk.store)
    report = run(desk, 1)
    assert report.is_still
    assert digest(desk.store) == kept
    sequences.look(desk, at(5))
    assert digest(desk.store) == kept


def test_what_happened_before_a_sequence_was_there_begins_nothing(desk: MailDesk) -> None:
    write_sequence(desk.home, "welcome", WELCOME, hello="0")
    join(desk, *(f"old{number}" for number in range(20)), days=-1)
    assert run(desk, 0).moves[0].entering == 0
    join(desk, "new")
    assert sequences.look(desk, at(1)).to_send == 1
    run(desk, 1)
    assert letters_out(desk.home) == [("new@r.example", "hello for New")]


def test_nobody_without_consent_is_ever_mailed(desk: MailDesk) -> None:
    write_sequence(desk.home, "welcome", WELCOME, hello="0")
    write_sequence(desk.home, "thanks", "trigger: purchase", thanks="0")
    run(desk, 0)
    join(desk, "asked", status="unconfirmed", confirm_sent_at=at(0.5))
    join(desk, "gone", "left")
    for name in ("stranger", "gone"):
        add_order(desk, f"{name}@r.example", at(0.6), 900)
    with desk.store.writing() as connection:
        audience.opt_out(connection, ["gone@r.example", "left@r.example"], "unsubscribe", at(0.7))
    moves = {one.sequence: one for one in run(desk, 1).moves}
    assert letters_out(desk.home) == []
    assert moves["thanks"].left_out == {"no consent": 1, "suppressed": 1}
    with desk.store.writing() as connection:
        table = table_of(Subscriber)
        connection.execute(
            update(table)
            .where(table.c.email == "asked@r.example")
            .values(status="subscribed", confirmed_at=at(1.2))
        )
    run(desk, 1.5)
    assert letters_out(desk.home) == [("asked@r.example", "hello for Asked")]


def test_whoever_leaves_the_list_gets_no_further_letter(desk: MailDesk) -> None:
    write_sequence(desk.home, "welcome", WELCOME, hello="0", more="2d")
    run(desk, 0)
    join(desk, "ana", "ben")
    run(desk, 1)
    with desk.store.writing() as connection:
        audience.opt_out(connection, ["ana@r.example"], "unsubscribe", at(2))
    run(desk, 4)
    assert [to for to, subject in letters_out(desk.home) if "more" in subject] == ["ben@r.example"]
    assert enrolments(desk)["ana"] == "left the list"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("exit: purchase", "bought"),
        ("exit: purchase of rye", "bought"),
        ("exit: purchase of salt", None),
        ("about: rye", "owns it"),
        ("nameless: you", None),
    ],
)
def test_a_purchase_ends_what_it_is_meant_to_end(
    desk: MailDesk, settings: str, reason: str | None
) -> None:
    rye = add_content(desk, "rye")
    add_content(desk, "salt")
    write_sequence(desk.home, "welcome", f"{WELCOME}\n{settings}", hello="0", more="2d")
    run(desk, 0)
    join(desk, "ana")
    customer = add_customer(desk, "ana@r.example")
    run(desk, 1)
    add_order(desk, "ana@r.example", at(1.5), 900)
    grant(desk, customer, rye, at(1.5))
    run(desk, 2)
    assert enrolments(desk) == {"ana": reason}
    run(desk, 4)
    assert len(letters_out(desk.home)) == (1 if reason else 2)


def test_whoever_bought_before_the_first_look_does_not_come_in(desk: MailDesk) -> None:
    write_sequence(desk.home, "welcome", f"{WELCOME}\nexit: purchase", hello="0")
    run(desk, 0)
    join(desk, "ana")
    add_order(desk, "ana@r.example", at(0.6), 900)
    assert run(desk, 1).moves[0].left_out == {"bought since": 1}
    assert letters_out(desk.home) == []


def test_a_long_pause_of_kpay_brings_one_letter_and_not_three(desk: MailDesk) -> None:
    write_sequence(desk.home, "welcome", WELCOME, hello="0", more="2d", last="3d")
    run(desk, 0)
    join(desk, "ana")
    run(desk, 20)
    assert len(letters_out(desk.home)) == 1
    run(desk, 20.1)
    assert len(letters_out(desk.home)) == 1
    run(desk, 22.1)
    run(desk, 25.2)
    assert len(letters_out(desk.home)) == 3


def test_one_person_gets_one_letter_a_run_from_all_sequences(desk: MailDesk) -> None:
    for name in ("first", "second", "third"):
        write_sequence(desk.home, name, WELCOME, **{name: "0"})
    run(desk, 0)
    join(desk, "ana", "ben")
    for days, count in ((1, 2), (1.1, 4), (1.2, 6), (1.3, 6)):
        run(desk, days)
        assert len(letters_out(desk.home)) == count


def test_a_condition_that_does_not_hold_passes_the_letter_over(desk: MailDesk) -> None:
    conditions = {"sale": "after: 1d\nif: \"not owns('rye')\"", "end": "after: 1d"}
    write_sequence(desk.home, "welcome", WELCOME, hello="0", **conditions)
    rye = add_content(desk, "rye")
    run(desk, 0)
    join(desk, "ana", "ben")
    grant(desk, add_customer(desk, "ana@r.example"), rye, at(0.6))
    for days in (1, 2, 3, 4):
        run(desk, days)
    got = [subject for to, subject in letters_out(desk.home) if to.startswith("ana")]
    assert got == ["hello for Ana", "end for Ana"]
    assert sum(to.startswith("ben") for to, _ in letters_out(desk.home)) == 3


def test_the_audience_decides_who_comes_in(desk: MailDesk) -> None:
    write_sequence(desk.home, "welcome", f"{WELCOME}\naudience: tag:bakers", hello="0")
    run(desk, 0)
    join(desk, "ana", tags=["bakers"])
    join(desk, "ben")
    assert run(desk, 1).moves[0].left_out == {"not in the audience": 1}
    assert letters_out(desk.home) == [("ana@r.example", "hello for Ana")]


def test_letters_wait_for_the_hours_of_the_reader_and_for_rest(tmp_path: Path) -> None:
    customs = MailCustoms(open_hours=parse_hours("08:00-20:00"), rest_days=3)
    desk = replace(mail_desk(tmp_path), customs=customs)
    write_sequence(desk.home, "welcome", WELCOME, hello="0", more="1d")
    run(desk, 0)
    join(desk, "berlin", days=0.1, timezone="Europe/Berlin")
    join(desk, "tokyo", days=0.1, timezone="Asia/Tokyo")
    run(desk, 0.2)  # 13:48 UTC: evening in Berlin, night in Tokyo
    assert letters_out(desk.home) == [("berlin@r.example", "hello for Berlin")]
    run(desk, 0.9)  # 06:36 UTC: 08:36 in Berlin, the afternoon in Tokyo
    assert len(letters_out(desk.home)) == 2
    run(desk, 1.9)
    assert len(letters_out(desk.home)) == 2
    run(desk, 3.95)
    assert len(letters_out(desk.home)) == 4


def test_a_letter_that_the_server_puts_off_keeps_the_next_one_back(tmp_path: Path) -> None:
    sink = SmtpSink(Faults(rcpt={"ana@r.example": "450 4.2.1 later"}))
    with sink.serving() as url:
        desk = mail_desk(tmp_path, open_mailer=lambda: SmtpMailer(url, lambda: ""))
        write_sequence(desk.home, "welcome", WELCOME, hello="0", more="1h")
        run(desk, 0)
        join(desk, "ana")
        report = run(desk, 1)
        assert (report.sent, report.waiting, report.is_partial) == (0, 1, True)
        assert run(desk, 1.01).waiting == 1
        sink.faults.rcpt = {}
        assert run(desk, 2).sent == 1
        assert run(desk, 2.01).sent == 0
        assert run(desk, 2.1).sent == 1
    assert len(sink.taken) == len(states(desk)) == 2


def test_a_purchase_takes_a_waiting_letter_out_of_the_queue(tmp_path: Path) -> None:
    sink = SmtpSink(Faults(rcpt={"ana@r.example": "450 4.2.1 later"}))
    with sink.serving() as url:
        desk = mail_desk(tmp_path, open_mailer=lambda: SmtpMailer(url, lambda: ""))
        write_sequence(desk.home, "welcome", f"{WELCOME}\nexit: purchase", hello="0")
        run(desk, 0)
        join(desk, "ana")
        run(desk, 1)
        add_order(desk, "ana@r.example", at(1.2), 900)
        sink.faults.rcpt = {}
        assert run(desk, 2).sent == 0
    assert not sink.taken
    assert list(states(desk).values()) == [DeliveryState.SKIPPED]


def test_what_a_killed_run_left_on_its_way_is_not_sent_again(tmp_path: Path) -> None:
    sink = SmtpSink()
    with sink.serving() as url:
        desk = mail_desk(tmp_path, open_mailer=lambda: SmtpMailer(url, lambda: ""))
        write_sequence(desk.home, "welcome", WELCOME, hello="0", more="2d")
        run(desk, 0)
        join(desk, "ana", "ben")
        run(desk, 1)
        with desk.store.writing() as connection:  # as if it had died before the answers came
            table = table_of(Delivery)
            connection.execute(update(table).values(state="sending", sent_at=None))
        run(desk, 1.1)
        assert set(states(desk).values()) == {DeliveryState.UNCERTAIN}
        run(desk, 4)
    taken = [str(states(desk)[name]) for name in sorted(states(desk))]
    assert sorted(taken) == ["sent", "sent", "uncertain", "uncertain"]
    assert len(sink.taken) == 4


def test_nobody_answers_and_everything_waits(tmp_path: Path) -> None:
    sink = SmtpSink()
    with sink.serving() as url:
        desk = mail_desk(tmp_path, open_mailer=lambda: SmtpMailer(url, lambda: ""))
        write_sequence(desk.home, "welcome", WELCOME, hello="0")
        run(desk, 0)
        join(desk, "ana")
    with pytest.raises(RemoteProblem):
        run(desk, 1)
    assert list(states(desk).values()) == [DeliveryState.QUEUED]
    assert enrolments(desk) == {"ana": None}


def test_a_removed_sequence_ends_and_begins_anew_when_it_comes_back(desk: MailDesk) -> None:
    write_sequence(desk.home, "welcome", WELCOME, hello="0", more="2d")
    run(desk, 0)
    join(desk, "ana")
    run(desk, 1)
    (desk.home / "sequences").rename(desk.home / "drawer")
    assert run(desk, 2).moves[0].leaving == {"sequence removed": 1}
    join(desk, "ben", days=2.5)
    (desk.home / "drawer").rename(desk.home / "sequences")
    run(desk, 5)
    join(desk, "cleo", days=5.5)
    run(desk, 6)
    assert [to for to, _ in letters_out(desk.home)] == ["ana@r.example", "cleo@r.example"]


def test_a_slip_of_the_pen_stops_one_sequence_and_loses_nobody(desk: MailDesk) -> None:
    write_sequence(desk.home, "welcome", WELCOME, hello="0", more="1d")
    write_sequence(desk.home, "other", WELCOME, other="1d")
    run(desk, 0)
    join(desk, "ana")
    run(desk, 1)
    file = desk.home / "sequences" / "welcome" / "2-more.md"
    good = file.read_text()
    file.write_text(good.replace("{{ name }}.", "{{ nmae }}."))
    report = run(desk, 2.5)
    assert [str(one.problem) for one in report.problems] == [
        "sequences/welcome/2-more.md:5: 'nmae' is unknown (did you mean 'name'?)"
    ]
    assert report.is_partial
    assert report.sent == 1
    file.write_text(good)
    assert run(desk, 3).sent == 1
    assert enrolments(desk) == {"ana": "finished"}


def test_a_letter_put_in_between_goes_to_those_who_are_not_past_it(desk: MailDesk) -> None:
    write_sequence(desk.home, "welcome", WELCOME, hello="0", last="3d")
    run(desk, 0)
    join(desk, "ana")
    run(desk, 1)
    folder = desk.home / "sequences" / "welcome"
    (folder / "2-last.md").rename(folder / "3-last.md")
    (folder / "2-news.md").write_text("---\nsubject: News\nafter: 1d\n---\nNews.\n")
    (folder / "0-early.md").write_text("---\nsubject: Early\n---\nEarly.\n")
    first = (folder / "1-hello.md").read_text()
    (folder / "1-hello.md").write_text(first.replace("after: 0", "after: 1d"))
    for days in (5, 9, 13):
        run(desk, days)
    subjects = [subject for _, subject in letters_out(desk.home)]
    assert subjects == ["hello for Ana", "News", "last for Ana"]


def test_two_purchases_at_once_are_answered_once(desk: MailDesk) -> None:
    write_sequence(desk.home, "thanks", "trigger: purchase", thanks="1d", more="1d")
    run(desk, 0)
    join(desk, "ana", days=-9)
    for days in (0.1, 0.2):
        add_order(desk, "ana@r.example", at(days), 900)
    for days in (0.5, 2, 4, 6, 8):
        run(desk, days)
    assert len(letters_out(desk.home)) == 2
    add_order(desk, "ana@r.example", at(9), 900)
    run(desk, 9.5)
    run(desk, 10.5)
    assert len(letters_out(desk.home)) == 3


def test_quiet_customers_are_asked_once_a_spell(desk: MailDesk) -> None:
    write_sequence(desk.home, "quiet", "trigger: quiet for 60 days", back="0", again="5d")
    join(desk, "ana", "old", "new", days=-200)
    ordered = {"ana": -30, "old": -300, "new": -1}
    for name, days in ordered.items():
        customer = add_customer(desk, f"{name}@r.example")
        add_order(desk, f"{name}@r.example", at(days), 900)
        _tie(desk, f"{name}@r.example", customer)
    run(desk, 0)
    run(desk, 31)
    assert letters_out(desk.home) == [("ana@r.example", "back for Ana")]
    add_order(desk, "ana@r.example", at(32), 900)
    _tie(desk, "ana@r.example", None)
    run(desk, 40)
    assert enrolments(desk)["ana"] == "no longer so"
    assert len(letters_out(desk.home)) == 1
    run(desk, 70)
    assert [to for to, _ in letters_out(desk.home)] == ["ana@r.example", "new@r.example"]
    run(desk, 93)
    assert [to for to, _ in letters_out(desk.home)].count("ana@r.example") == 2


def _tie(desk: MailDesk, email: str, customer: int | None) -> None:
    """Say whose an order is, as a sync does."""
    orders, customers = table_of(Order), table_of(Customer)
    with desk.store.writing() as connection:
        found = (
            customer
            or connection.execute(
                select(customers.c.id).where(customers.c.email == email)
            ).scalar_one()
        )
        connection.execute(update(orders).where(orders.c.email == email).values(customer_id=found))


def test_held_out_people_are_never_mailed_and_make_it_measurable(desk: MailDesk) -> None:
    write_sequence(desk.home, "welcome", f"{WELCOME}\nholdout: 0.3", hello="1h", more="1d")
    run(desk, 0)
    with pytest.raises(Refused, match="nobody was held out"):
        sequence_lists.results(desk, "welcome", at(1), days=30)
    names = [f"reader{number}" for number in range(100)]
    join(desk, *names)
    run(desk, 1)
    run(desk, 3)
    kept = [name for name, reason in enrolments(desk).items() if reason == "held out"]
    assert 15 < len(kept) < 45
    mailed = {to.partition("@")[0] for to, _ in letters_out(desk.home)}
    assert mailed == set(names) - set(kept)
    assert list(states(desk).values()).count(DeliveryState.HELD_OUT) == len(kept)
    for name in sorted(mailed)[:20]:
        add_order(desk, f"{name}@r.example", at(4), 900)
    add_order(desk, f"{kept[0]}@r.example", at(4), 900)
    add_order(desk, f"{kept[1]}@r.example", at(0.4), 900)
    found = sequence_lists.results(desk, "welcome", at(31), days=30)
    assert found.buyers.held_out.people == len(kept)
    assert found.buyers.treated.buyers == 20
    assert found.buyers.held_out.buyers == 1
    assert found.money.treated.total_minor == 20 * 900
    assert sequence_lists.results(desk, "welcome", at(20), days=30).too_young == 100


def test_a_letter_carries_what_bulk_mail_must_and_its_links_lead_back(desk: MailDesk) -> None:
    add_content(desk, "rye")
    write_sequence(desk.home, "welcome", f"{WELCOME}\nabout: rye", hello="0")
    file = desk.home / "sequences" / "welcome" / "1-hello.md"
    file.write_text('---\nsubject: "{{ content.title }}"\n---\n[{{ name }}]({{ content.url }})\n')
    run(desk, 0)
    join(desk, "ana", name="<b>Ana</b>")
    run(desk, 1)
    (message,) = outbox(desk.home)
    assert message["Subject"] == "Rye"
    assert message["List-Unsubscribe"]
    assert message["X-Kpay-Campaign"] == "welcome"
    assert "Hauptstraße 1" in words(message)
    assert "c/rye.html?from=kp" in words(message)
    assert "<b>" not in words(message, "html").partition("</head>")[2].partition("Hauptstr")[0]


def test_without_a_postal_address_nothing_begins(tmp_path: Path) -> None:
    desk = mail_desk(tmp_path, letterhead=replace(LETTERHEAD, postal_address=""))
    write_sequence(desk.home, "welcome", WELCOME, hello="0")
    with pytest.raises(SettingsInvalid, match="postal_address"):
        run(desk, 0)
