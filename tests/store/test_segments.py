"""Segments: kept as they are written, read anew, counted, and asked by campaigns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kpay.domain.audience import AudienceUnknown
from kpay.errors import InputInvalid, NotFound, Refused, UsageProblem
from kpay.services import campaign_planning, segments
from kpay.services.mail_desk import MailDesk
from kpay.store import audience
from tests.fakes.mail_rooms import NOW, add_customer, mail_desk, readers, subscribe, write_campaign
from tests.fakes.stores import digest


@pytest.fixture
def desk(tmp_path: Path) -> MailDesk:
    return mail_desk(tmp_path)


def create(desk: MailDesk, name: str, where: str, *, replaces: bool = False) -> dict[str, Any]:
    return dict(segments.create(desk.store, name, where, replaces=replaces, now=NOW).payload)


def shown(desk: MailDesk, name: str) -> dict[str, Any]:
    found = segments.show_segment(desk.store, name, currency="usd", now=NOW)
    return dict(found.payload)


def test_a_segment_counts_its_people_and_why_some_are_not_mailed(desk: MailDesk) -> None:
    subscribe(desk, readers(15), tags=["fair"])
    subscribe(desk, ["jürgen@r.example"], tags=["fair"])
    subscribe(desk, ["new@r.example"], tags=["fair"], status="unconfirmed")
    subscribe(desk, ["else@r.example"])
    with desk.store.writing() as connection:
        audience.opt_out(connection, readers(2), "complaint", NOW)
    create(desk, "fair", "tag:fair")
    found = shown(desk, "fair")
    assert (found["people"], found["mailable"]) == (17, 13)
    assert found["left_out"] == {"suppressed": 2, "no_consent": 1, "unreachable": 1}
    assert found["words"] == "is tagged fair"
    assert [one["email"] for one in found["examples"]] == readers(12)[2:]


def test_all_segments_are_counted_as_of_now(desk: MailDesk) -> None:
    subscribe(desk, readers(3))
    add_customer(desk, readers(1)[0])
    create(desk, "everyone", "all")
    create(desk, "nobody", "customers")
    create(desk, "nameless", "segment('everyone') and name == ''")
    listed = segments.list_segments(desk.store, currency="usd", now=NOW).payload["segments"]
    assert [(one["name"], one["people"], one["mailable"]) for one in listed] == [
        ("everyone", 3, 3),
        ("nameless", 0, 0),
        ("nobody", 0, 0),
    ]


def test_making_a_segment_twice_writes_nothing(desk: MailDesk) -> None:
    assert create(desk, "warm", "orders > 1")["created"]
    before = digest(desk.store)
    assert not create(desk, "warm", "orders > 1")["created"]
    assert digest(desk.store) == before


def test_a_segment_is_changed_only_on_request(desk: MailDesk) -> None:
    create(desk, "warm", "orders > 1")
    with pytest.raises(Refused, match="already: orders > 1") as refusal:
        create(desk, "warm", "orders > 2")
    assert refusal.value.hint == "kpay segment create warm --where 'orders > 2' --replace"
    assert create(desk, "warm", "orders > 2", replaces=True)["replaced"]
    assert shown(desk, "warm")["where"] == "orders > 2"


@pytest.mark.parametrize("name", ["Warm Ones", "orders", "all", "a'b", "", "expected_value", "-"])
def test_a_name_that_could_be_misread_is_refused(desk: MailDesk, name: str) -> None:
    with pytest.raises(UsageProblem) as refusal:
        create(desk, name, "all")
    assert refusal.value.hint
    create(desk, refusal.value.hint.split()[3], "all")


def test_a_predicate_that_cannot_be_read_is_refused_with_what_was_meant(desk: MailDesk) -> None:
    with pytest.raises(UsageProblem, match="did you mean 'propensity'"):
        create(desk, "warm", "propensty > 0.2")
    with pytest.raises(NotFound):
        shown(desk, "warm")


def test_segments_never_ask_for_themselves(desk: MailDesk) -> None:
    create(desk, "a", "all")
    create(desk, "b", "segment:a and orders > 0")
    with pytest.raises(UsageProblem, match="asks for itself"):
        create(desk, "a", "not segment('b')", replaces=True)
    assert shown(desk, "b")["where"] == "segment:a and orders > 0"


def test_a_segment_that_another_asks_for_stays(desk: MailDesk) -> None:
    create(desk, "a", "all")
    create(desk, "b", "segment:a")
    with pytest.raises(Refused, match="'b' asks for 'a'"):
        segments.remove(desk.store, "a")
    segments.remove(desk.store, "b")
    segments.remove(desk.store, "a")
    with pytest.raises(NotFound):
        segments.remove(desk.store, "a")


def test_an_audience_is_a_name_or_an_expression(desk: MailDesk) -> None:
    create(desk, "warm-ones", "tag:warm")
    with desk.store.reading() as connection:
        named = segments.predicate_of(connection, " warm-ones ")
        assert named.names_asked == {"segment", "tag"}
        within = segments.predicate_of(connection, "customers and not segment:warm-ones")
        assert within.names_asked == {"customers", "segment", "tag"}
        with pytest.raises(AudienceUnknown, match="the segment 'warm-ones' meant"):
            segments.predicate_of(connection, "warm-one")


def test_a_campaign_is_planned_for_a_segment(desk: MailDesk) -> None:
    subscribe(desk, readers(20))
    subscribe(desk, ["li@r.example"], tags=["warm"])
    create(desk, "warm", "tag:warm and subscribed()")
    text = "---\nsubject: Hello\naudience: {}\nholdout: 0\n---\nHello\n"
    write_campaign(desk, text.format("warm"))
    assert campaign_planning.plan(desk, "bread", NOW).recipients == 1
    write_campaign(desk, text.format("all and not segment('warm')"))
    assert campaign_planning.plan(desk, "bread", NOW).recipients == 20
    write_campaign(desk, text.format("warmer"))
    with pytest.raises(InputInvalid) as refusal:
        campaign_planning.plan(desk, "bread", NOW)
    assert "'warm' meant" in str(refusal.value.problems[0])
