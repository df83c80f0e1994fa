"""Which sends are pooled, whose purchases count where, and what a window still running may say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from kpay.domain.period import Period
from kpay.errors import UsageProblem
from kpay.services import experiments
from kpay.services.mail_desk import MailDesk
from tests.fakes.mail_rooms import NOW, add_order, mail_desk, readers
from tests.fakes.sends import add_clicks, add_deliveries, add_send

DAY = timedelta(days=1)
PEOPLE = readers(200)


@pytest.fixture
def desk(tmp_path: Path) -> MailDesk:
    return mail_desk(tmp_path)


def send_each(desk: MailDesk, count: int, *, held: int = 40) -> None:
    """Send a mail every twenty days, a fifth held out, others each time."""
    for number in range(count):
        out = set(PEOPLE[number : number + held])
        mailed = [one for one in PEOPLE if one not in out]
        add_send(desk.store, f"mail-{number}", NOW + 20 * number * DAY, mailed=mailed, held_out=out)


def test_people_count_in_the_group_drawn_for_each_send(desk: MailDesk) -> None:
    send_each(desk, 2)
    first = PEOPLE[0]  # held out of the first send only
    add_order(desk, first, NOW + DAY, 900)
    add_order(desk, first.upper(), NOW + 21 * DAY, 1900)
    found = experiments.pooled(desk, NOW + 60 * DAY, level=0.95)
    assert [
        (one.campaign, one.buyers.treated.buyers, one.buyers.held_out.buyers) for one in found.sends
    ] == [
        ("mail-0", 0, 1),
        ("mail-1", 1, 0),
    ]
    assert found.money("usd", 0.95).treated.spent_minor == (1900,)
    assert found.buyers(0.95).treated.people == 320


def test_a_send_still_running_or_without_a_holdout_is_left_out(desk: MailDesk) -> None:
    send_each(desk, 2)
    add_send(desk.store, "to-all", NOW, mailed=PEOPLE)
    found = experiments.pooled(desk, NOW + 25 * DAY, level=0.95)
    assert [one.campaign for one in found.sends] == ["mail-0"]
    assert found.left_out == {"mail-1": "its window is not over", "to-all": "nobody was held out"}


def test_days_choose_by_the_first_message(desk: MailDesk) -> None:
    send_each(desk, 3)
    chosen = experiments.asked_days("2026-10-10", "2026-10-30", now=NOW + 90 * DAY, timezone="UTC")
    assert isinstance(chosen, Period)
    found = experiments.pooled(desk, NOW + 90 * DAY, level=0.95, chosen=chosen)
    assert [one.campaign for one in found.sends] == ["mail-1"]
    assert found.verdict.startswith("No verdict")
    assert experiments.asked_days(None, None, now=NOW, timezone="UTC") is None
    with pytest.raises(UsageProblem):
        experiments.asked_days("soon", None, now=NOW, timezone="UTC")


def test_before_the_window_is_over_there_is_no_verdict_whatever_is_seen(desk: MailDesk) -> None:
    send_each(desk, 1)
    for number, one in enumerate(PEOPLE[40:140]):
        add_order(desk, one, NOW + timedelta(minutes=number), 900)
    early = experiments.results(desk, "mail-0", NOW + DAY, level=0.95)
    assert early.verdict.startswith(
        "Too early: the verdict is given once, after 2026-10-15T09:00:00Z"
    )
    assert early.buyers.level == 0.999
    assert early.to_document().payload["outcomes"]["buyers"]["level"] == 0.999
    late = experiments.results(desk, "mail-0", NOW + 15 * DAY, level=0.8)
    assert late.verdict.startswith("The mail sold")
    assert "(95 %)" in late.verdict
    assert late.buyers.level == 0.8


def test_another_window_than_the_planned_one_gives_no_verdict(desk: MailDesk) -> None:
    send_each(desk, 1)
    found = experiments.results(desk, "mail-0", NOW + 60 * DAY, level=0.95, days=30)
    assert found.verdict.startswith("No verdict: it is given on the 14 days")
    assert found.is_over


def test_the_cost_of_holding_back_is_said(desk: MailDesk) -> None:
    send_each(desk, 1)
    for one in PEOPLE[40:60]:
        add_order(desk, one, NOW + DAY, 1000)
    add_order(desk, PEOPLE[0], NOW + DAY, 1000)
    document = experiments.results(desk, "mail-0", NOW + 15 * DAY, level=0.95).to_document()
    cost = document.payload["holdout_cost"]
    assert cost["buyers"] == pytest.approx(40 * (20 / 160 - 1 / 40))
    assert cost["revenue_minor"] == pytest.approx(4000)
    assert any(
        "holding 40 back cost 4.0 buyers, $40.00" in getattr(block, "text", "")
        for block in document.blocks
    )
    assert "Only one of the 40 held out bought" in document.payload["verdict"]


def test_subjects_are_shown_with_what_choosing_cost(desk: MailDesk) -> None:
    key = add_send(desk.store, "two", NOW, held_out=PEOPLE[:20], subjects=("Bread", "Rye"))
    rows = [
        {"email": one, "variant": "AB"[n % 2], "sent_at": NOW} for n, one in enumerate(PEOPLE[20:])
    ]
    add_deliveries(desk.store, key, rows, NOW)
    add_clicks(desk.store, [row["email"] for row in rows if row["variant"] == "B"][:30], NOW + DAY)
    document = experiments.results(desk, "two", NOW + 15 * DAY, level=0.95).to_document()
    first, second = document.payload["variants"]
    assert (first["variant"], first["subject"], first["sent"], first["clicks"]) == (
        "A",
        "Bread",
        90,
        0,
    )
    assert (second["sent"], second["clicks"]) == (90, 30)
    assert second["p_best"] > 0.99
    assert document.payload["variants_regret"]["best"] == "B"
    assert 25 < document.payload["variants_regret"]["clicks_lost"] < 35
    assert any(table.columns[0].heading == "variant" for table in document.tables)


def test_the_creators_pace_is_counted_over_half_a_year(desk: MailDesk) -> None:
    with desk.store.reading() as connection:
        assert experiments.half_year_sends(connection, NOW) is None
    send_each(desk, 5)
    with desk.store.reading() as connection:
        assert experiments.half_year_sends(connection, NOW + DAY) == pytest.approx(182 / 28 * 5)
        assert experiments.half_year_sends(connection, NOW + 100 * DAY) == pytest.approx(9.1)
        assert experiments.half_year_sends(connection, NOW + 200 * DAY) == pytest.approx(
            4 * 182 / 180
        )
