"""Planning: freezing an audience and its letters, and writing nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from kpay.adapters.outbox_mailer import OutboxMailer
from kpay.domain.enums import CampaignGoal
from kpay.errors import InputInvalid, NotFound, Refused, UsageProblem
from kpay.models import Content, PromotionCode
from kpay.ports import Mailer
from kpay.services import campaign_sending
from kpay.services.campaign_drafts import DraftWish, new
from kpay.services.campaign_planning import plan
from kpay.services.mail_desk import MailDesk
from kpay.services.preview_page import write_preview
from kpay.store import audience
from kpay.store.dialect import table_of
from tests.fakes.mail_rooms import (
    LETTERHEAD,
    NOW,
    add_content,
    add_customer,
    add_order,
    grant,
    mail_desk,
    readers,
    subscribe,
    write_campaign,
)
from tests.fakes.stores import digest

ABOUT = """\
---
subject: "New: {{ content.title }}"
about: rye-bread
holdout: 0
---
Hello {{ name }}, see [{{ content.title }}]({{ content.url }}), {{ content.price }}.
"""


@pytest.fixture
def desk(tmp_path: Path) -> MailDesk:
    return mail_desk(tmp_path)


def test_planning_twice_writes_once_and_says_so(desk: MailDesk) -> None:
    subscribe(desk, readers(50))
    write_campaign(desk)
    first = plan(desk, "bread", NOW)
    kept = digest(desk.store)
    again = plan(desk, "bread", NOW + timedelta(hours=1))
    assert (first.recipients, first.held_out) == (40, 10)
    assert again.hash == first.hash
    assert digest(desk.store) == kept
    assert "nothing to do" in again.to_document().title


def test_whatever_would_be_sent_otherwise_is_another_plan(desk: MailDesk) -> None:
    subscribe(desk, readers(50))
    write_campaign(desk)
    hashes = [plan(desk, "bread", NOW).hash]
    write_campaign(desk, (desk.home / "campaigns/bread.md").read_text() + "More.\n")
    hashes.append(plan(desk, "bread", NOW).hash)
    moved = replace(desk, letterhead=replace(LETTERHEAD, postal_address="Elsewhere 2"))
    hashes.append(plan(moved, "bread", NOW).hash)
    with desk.store.writing() as connection:
        audience.opt_out(connection, readers(50)[:1], "unsubscribe", NOW)
    hashes.append(plan(moved, "bread", NOW).hash)
    assert len(set(hashes)) == 4


def test_everyone_left_out_is_counted_by_reason(desk: MailDesk) -> None:
    rye = add_content(desk, "rye-bread")
    subscribe(desk, ["new@r.example", "gone@r.example", "owner@r.example", "ended@r.example"])
    subscribe(desk, ["asked@r.example"], status="unconfirmed")
    grant(desk, add_customer(desk, "owner@r.example"), rye, NOW)
    grant(desk, add_customer(desk, "ended@r.example"), rye, NOW, ended_at=NOW)
    with desk.store.writing() as connection:
        audience.opt_out(connection, ["gone@r.example"], "complaint", NOW)
    write_campaign(desk, ABOUT)
    planned = plan(desk, "bread", NOW)
    assert planned.recipients == 2
    assert planned.left_out == {
        "suppressed": 1,
        "already_owns": 1,
        "no_consent": 1,
        "mailed_recently": 0,
        "low_value": 0,
        "unreachable": 0,
    }


def test_customers_who_are_not_on_the_list_are_not_mailed(desk: MailDesk) -> None:
    add_customer(desk, "buyer@r.example")
    add_order(desk, "buyer@r.example", NOW, 900)
    write_campaign(desk)
    assert plan(desk, "bread", NOW).recipients == 0


def test_a_slug_that_does_not_exist_is_refused_with_its_line(desk: MailDesk) -> None:
    add_content(desk, "rye-breads")
    write_campaign(desk, ABOUT)
    with pytest.raises(InputInvalid) as caught:
        plan(desk, "bread", NOW)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == ("campaigns/bread.md", 3, "about")
    assert "did you mean 'rye-breads'" in problem.problem


def test_an_unknown_value_is_refused_with_its_line(desk: MailDesk) -> None:
    write_campaign(desk, "---\nsubject: x\n---\nHello {{ name }}\n\n{{ recomendations }}\n")
    with pytest.raises(InputInvalid) as caught:
        plan(desk, "bread", NOW)
    (problem,) = caught.value.problems
    assert problem.line == 6
    assert "did you mean 'recommendations'" in problem.problem


def test_all_mistakes_of_the_front_matter_come_with_their_lines(desk: MailDesk) -> None:
    write_campaign(desk, "---\nsubjekt: x\naudience: 7\nholdout: 3\n---\nHello\n")
    with pytest.raises(InputInvalid) as caught:
        plan(desk, "bread", NOW)
    assert [problem.line for problem in caught.value.problems] == [2, 3, 4, 1]


def test_an_audience_that_is_not_understood_comes_with_its_line(desk: MailDesk) -> None:
    write_campaign(desk, "---\nsubject: x\naudience: everyones\n---\nHello\n")
    with pytest.raises(InputInvalid) as caught:
        plan(desk, "bread", NOW)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (3, "audience")
    assert "everyones" in problem.problem


def test_a_reader_without_a_name_stops_a_plan_that_has_no_word_for_them(desk: MailDesk) -> None:
    subscribe(desk, ["li@r.example"])
    subscribe(desk, ["mo@r.example"], name=" ")
    write_campaign(desk, "---\nsubject: x\nholdout: 0\n---\nHello {{ name }}\n")
    (problem,) = plan(desk, "bread", NOW).problems
    assert problem.email == "mo@r.example"
    assert "campaigns/bread.md:5: they gave no name: add nameless:" in problem.problem
    for more, body in [("nameless: friend\n", "{{ name }}"), ("", "{{ name or 'friend' }}")]:
        write_campaign(desk, f"---\nsubject: x\nholdout: 0\n{more}---\nHello {body}\n")
        assert plan(desk, "bread", NOW).problems == ()


def test_every_subject_is_filled_for_everyone(desk: MailDesk) -> None:
    subscribe(desk, ["li@r.example"])
    subscribe(desk, ["mo@r.example"], name="")
    head = '---\nsubjects: ["New bread", "Bread, {{ name }}"]\nholdout: 0\n---\nHello\n'
    write_campaign(desk, head)
    planned = plan(desk, "bread", NOW)
    assert planned.subjects == ("New bread", "Bread, {{ name }}")
    assert [problem.email for problem in planned.problems] == ["mo@r.example"]


@pytest.mark.parametrize(
    ("offer", "words"),
    [
        ("{code: SPRING, until: 2026-09-30}", "ended on 2026-09-30"),
        ("{code: SPRNG}", "did you mean SPRING"),
        ("{code: spring, until: 2026-10-01}", None),
    ],
)
def test_an_offer_that_cannot_be_had_stops_the_plan(
    desk: MailDesk, offer: str, words: str | None
) -> None:
    subscribe(desk, ["li@r.example"])
    code = {
        "account": "acct_1",
        "livemode": False,
        "external_id": "promo_1",
        "code": "SPRING",
        "is_active": True,
        "coupon_external_id": "c",
        "times_redeemed": 0,
        "created_at": NOW,
    }
    with desk.store.writing() as connection:
        connection.execute(insert(table_of(PromotionCode)), code)
    body = "Take {{ offer.code }} until {{ offer.until or 'whenever' }}."
    write_campaign(desk, f"---\nsubject: x\nholdout: 0\noffer: {offer}\n---\n{body}\n")
    problems = plan(desk, "bread", NOW).problems
    assert [one.email for one in problems] == ([None] if words else [])
    assert all(words and words in one.problem for one in problems)


@pytest.mark.parametrize(
    "change",
    [
        lambda desk: write_campaign(desk, ABOUT + "\nand more\n"),
        lambda desk: reprice(desk, 1900),
        lambda desk: relayout(desk),
    ],
    ids=["file", "price", "layout"],
)
def test_whatever_changed_since_the_plan_needs_another_plan(
    desk: MailDesk, change: Callable[[MailDesk], None]
) -> None:
    add_content(desk, "rye-bread")
    subscribe(desk, readers(3))
    write_campaign(desk, ABOUT)
    planned = plan(desk, "bread", NOW).hash
    campaign_sending.prepare(desk, "bread", planned, NOW)
    change(desk)
    tomorrow = mail_desk(desk.home)
    with pytest.raises(Refused, match="since 'bread' was planned"):
        campaign_sending.prepare(tomorrow, "bread", planned, NOW)
    assert plan(tomorrow, "bread", NOW).hash != planned


def reprice(desk: MailDesk, amount_minor: int) -> None:
    with desk.store.writing() as connection:
        connection.execute(update(table_of(Content)).values(amount_minor=amount_minor))


def relayout(desk: MailDesk) -> None:
    folder = desk.home / "templates" / "email"
    folder.mkdir(parents=True)
    (folder / "campaign.txt").write_text("{{ body }} {{ unsubscribe_url }}", encoding="utf-8")


def test_a_letter_that_cannot_be_filled_for_someone_names_that_person(desk: MailDesk) -> None:
    subscribe(desk, ["li@r.example", "mo@r.example"])
    found = {"li@r.example": [{"content": "rye-bread", "because": "you like rye"}]}
    desk = replace(desk, recommend=lambda emails: found)
    add_content(desk, "rye-bread")
    body = "Try {{ recommendations[0].title }} because {{ recommendations[0].because }}"
    write_campaign(desk, f"---\nsubject: x\nholdout: 0\n---\n{body}\n")
    planned = plan(desk, "bread", NOW)
    assert [problem.email for problem in planned.problems] == ["mo@r.example"]
    with pytest.raises(Refused, match="1 problem"):
        campaign_sending.prepare(desk, "bread", planned.hash, NOW)


def test_without_sender_or_postal_address_nothing_can_be_sent(desk: MailDesk) -> None:
    subscribe(desk, ["li@r.example"])
    write_campaign(desk)
    bare = replace(desk, letterhead=replace(LETTERHEAD, sender="", postal_address=" "))
    problems = [problem.problem for problem in plan(bare, "bread", NOW).problems]
    assert len(problems) == 2
    assert "mail_from" in problems[0]
    assert "postal_address" in problems[1]
    assert plan(desk, "bread", NOW).problems == ()


def test_without_a_history_a_fifth_is_held_back(desk: MailDesk) -> None:
    subscribe(desk, readers(100))
    write_campaign(desk, "---\nsubject: x\n---\nHello\n")
    planned = plan(desk, "bread", NOW)
    assert planned.held_out == 20
    assert planned.smallest_effect is None


def test_a_list_with_a_history_knows_its_base_rate(desk: MailDesk) -> None:
    emails = readers(100)
    subscribe(desk, emails)
    for number in range(12):
        add_order(desk, emails[number], NOW - timedelta(days=14 * (number % 6) + 1), 900)
    add_order(desk, "stranger@r.example", NOW - timedelta(days=1), 900)
    write_campaign(desk)
    planned = plan(desk, "bread", NOW)
    assert planned.base_share == pytest.approx(0.02)
    assert planned.smallest_effect is not None


def test_a_real_campaign_needs_the_setting_and_one_click(desk: MailDesk) -> None:
    class RealMailer:
        is_live = True
        where = "mail.example.com:587"

        def connect(self) -> Mailer:
            raise AssertionError("nothing may be opened")

    subscribe(desk, readers(200))
    write_campaign(desk)
    real = replace(desk, open_mailer=RealMailer)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="live = true"):
        campaign_sending.prepare(real, "bread", None, NOW)
    with pytest.raises(Refused, match="unsubscribe_url"):
        campaign_sending.prepare(replace(real, allows_live=True), "bread", None, NOW)
    head = replace(LETTERHEAD, unsubscribe_url="https://bakery.example/leave")
    ready = campaign_sending.prepare(
        replace(real, allows_live=True, letterhead=head), "bread", None, NOW
    )
    assert "LIVE" in ready.question
    assert ready.letterhead == head


def test_one_click_is_offered_only_where_it_works(desk: MailDesk) -> None:
    head = replace(LETTERHEAD, unsubscribe_url="https://bakery.example/leave")
    tried: list[str] = []

    def broken(url: str) -> str:
        tried.append(url)
        return "it answers 404"

    real, test = OutboxMailer(desk.home / "outbox"), OutboxMailer(desk.home / "outbox")
    real.is_live = True
    desk = replace(desk, letterhead=head, one_click_problem=broken)
    assert desk.proven_letterhead(test, 5000) == head
    assert tried == []
    assert desk.proven_letterhead(real, 100).unsubscribe_url == ""
    assert tried[0].startswith("https://bakery.example/leave?t=")
    with pytest.raises(Refused, match="it answers 404"):
        desk.proven_letterhead(real, 101)


def test_a_draft_can_be_planned_as_it_is(desk: MailDesk) -> None:
    subscribe(desk, readers(5))
    add_content(desk, "rye-bread")
    new(desk, DraftWish("hello"), NOW)
    new(desk, DraftWish("about-rye", CampaignGoal.UPSELL, "rye-bread"), NOW)
    assert plan(desk, "hello", NOW).problems == ()
    about = plan(desk, "about-rye", NOW)
    assert about.problems == ()
    assert about.audience == "customers"
    with pytest.raises(Refused):
        new(desk, DraftWish("hello"), NOW)
    with pytest.raises(NotFound):
        new(desk, DraftWish("other", None, "no-such-piece"), NOW)


@pytest.mark.parametrize("name", ["../evil", "a/b", "Über Uns", "", "a\0b"])
def test_a_name_never_leads_out_of_the_folder(desk: MailDesk, name: str) -> None:
    with pytest.raises(UsageProblem):
        plan(desk, name, NOW)


def test_samples_are_written_and_nothing_is_sent(desk: MailDesk, tmp_path: Path) -> None:
    subscribe(desk, readers(20))
    write_campaign(desk)
    plan(desk, "bread", NOW)
    made = write_preview(desk, "bread", tmp_path / "samples", NOW)
    assert len(list((tmp_path / "samples").glob("*.eml"))) == made.samples > 0
    write_preview(desk, "bread", tmp_path / "one", NOW, email=readers(20)[3].upper())
    assert readers(20)[3] in next((tmp_path / "one").glob("*.eml")).read_text()
    assert not (tmp_path / "outbox").exists()
