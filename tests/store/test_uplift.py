"""Whom mail moves, learned from a store's own holdouts, and campaigns that mail only those."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert, update

from kpay.domain.campaign_plan import Plan
from kpay.domain.holdout import draw
from kpay.domain.person import Person
from kpay.models import Event, Order
from kpay.models.learning import ModelRun, Score
from kpay.services import campaign_planning, campaign_sending, uplift
from kpay.services.mail_desk import MailDesk
from kpay.services.uplift_past import Past, pool
from kpay.store import campaigns
from kpay.store.dialect import table_of
from kpay.store.engine import Store
from tests.fakes.mail_rooms import LETTER, mail_desk, write_campaign
from tests.fakes.sends import add_send
from tests.fakes.stores import digest, new_store
from tests.fakes.uplift_worlds import MailedList, mailed_list, shares_of_gain

PLAIN = LETTER.replace("{{ name }}", "you")
TARGETED = PLAIN.replace("holdout: 0.2", "holdout: 0.2\ntarget: persuadables")


@pytest.fixture(scope="module")
def world() -> MailedList:
    """A list of 2,300 with five finished sends, half of it held out each time; it buys a lot."""
    return mailed_list(3, people=2300, sends=5, held_out_share=0.5, wanting=1.2, lift=1.0)


@pytest.fixture(scope="module")
def filled(world: MailedList, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("mailed")
    (home / "models").mkdir()
    world.fill(new_store(home))
    return home


@pytest.fixture
def home(filled: Path, tmp_path: Path) -> Path:
    return Path(copytree(filled, tmp_path / "shop"))


@pytest.fixture
def shop(home: Path) -> Store:
    return Store(home / "kpay.db")


def trained(store: Store, home: Path, world: MailedList) -> dict[str, Any]:
    yesterday = (world.now - timedelta(days=1)).date().isoformat()
    found = uplift.train(store, home / "models", as_of=yesterday, now=world.now, timezone="UTC")
    return dict(found.to_document().payload)


def test_too_few_people_make_no_model_and_the_answer_counts_them(tmp_path: Path) -> None:
    few = mailed_list(1, people=300, sends=3)
    store = new_store(tmp_path)
    few.fill(store)
    before = digest(store)
    found = trained(store, tmp_path, few)
    assert (found["status"], found["run"]) == ("none", None)
    assert found["why"].startswith("too little to learn from: ")
    assert found["why"].endswith("of about 2,000 people pooled")
    assert found["pooled"]["campaigns"] == 3
    assert digest(store) == before


def test_a_model_is_learned_judged_and_kept_as_champion(
    shop: Store, home: Path, world: MailedList
) -> None:
    found = trained(shop, home, world)
    assert (found["status"], found["rung"], found["horizon_days"]) == ("trained", "t-learner", 14)
    assert found["is_champion"]
    assert found["pooled"]["people"] >= 2000
    assert min(found["pooled"]["mailed_buyers"], found["pooled"]["held_out_buyers"]) >= 100
    judged = found["uplift"]
    assert judged["qini"]["low95"] < judged["qini"]["value"] < judged["qini"]["high95"]
    assert judged["effect"]["low95"] > 0
    assert -0.2 < judged["qini_of_response"] < 0.2
    assert judged["top_effect"]["value"] > judged["last_effect"]["value"]


def test_training_twice_is_training_once(shop: Store, home: Path, world: MailedList) -> None:
    run = trained(shop, home, world)["run"]
    file = home / "models" / f"{run}.json"
    before, content = digest(shop), file.read_bytes()
    assert trained(shop, home, world)["status"] == "unchanged"
    assert digest(shop) == before
    file.unlink()
    assert trained(shop, home, world)["status"] == "trained"
    assert file.read_bytes() == content


def test_the_model_finds_those_whom_the_next_mail_moves(
    shop: Store, home: Path, world: MailedList
) -> None:
    trained(shop, home, world)
    truth = world.moved_by
    everyone = [Person(email) for email in sorted(truth)]
    with shop.reading() as connection:
        chosen = uplift.aim(connection, home / "models", everyone, 0.5, world.now)
    left = [truth[email] for email in chosen.left_out]
    assert chosen.by == "uplift"
    assert 0.15 < len(left) / len(truth) < 0.7
    assert np.mean(left) < 0.6 * np.mean(list(truth.values()))
    assert shares_of_gain({one: -(one in chosen.left_out) for one in truth}, truth, 0.3) > 0.35


def test_rows_are_what_was_known_before_each_send(shop: Store, world: MailedList) -> None:
    with shop.reading() as connection:
        before = pool(connection, Past.read(connection, world.now))
    sends = sorted(at for _, at, _, _ in world.sends)
    mailed = world.sends[0][2]
    clicks = [
        {"email": one, "happened_at": sends[-2], "kind": "click", "content": "", "value": ""}
        for one in mailed
    ]
    with shop.writing() as connection:
        connection.execute(insert(table_of(Event)), clicks)
        order = table_of(Order)
        connection.execute(
            update(order)
            .where(order.c.ordered_at >= sends[-1])
            .values(total_minor=1, gross_minor=1)
        )
        after = pool(connection, Past.read(connection, world.now))
    is_older = before.day <= (sends[-2] - world.now) / timedelta(days=1)
    assert 0.7 < is_older.mean() < 1.0
    assert np.array_equal(before.matrix[is_older], after.matrix[is_older])


def test_only_finished_campaigns_that_held_somebody_out_teach(
    shop: Store, world: MailedList
) -> None:
    everyone = [email for email, _ in world.people]
    add_send(shop, "to all", world.now - timedelta(days=30), mailed=everyone)
    add_send(shop, "late", world.now - timedelta(days=3), mailed=everyone, held_out=["x@y.example"])
    with shop.reading() as connection:
        pooled = pool(connection, Past.read(connection, world.now))
    assert set(pooled.campaigns) == {name for name, _, _, _ in world.sends}


@pytest.fixture
def desk(tmp_path: Path, home: Path) -> MailDesk:
    return at_home(tmp_path, home)


def at_home(tmp_path: Path, home: Path) -> MailDesk:
    made = mail_desk(tmp_path)
    return replace(
        made,
        store=Store(home / "kpay.db"),
        home=home,
        persuade=lambda connection, people, price, now: uplift.aim(
            connection, home / "models", people, max(price, 0.5), now
        ),
    )


def planned(desk: MailDesk, world: MailedList, **options: Any) -> Plan:
    return campaign_planning.plan(desk, "bread", world.now, **options)


def held_out(desk: MailDesk, world: MailedList) -> tuple[set[str], set[str]]:
    """Return who is mailed and who is held out by the kept plan."""
    with desk.store.reading() as connection:
        campaign = campaigns.find(connection, "bread")
        assert campaign is not None
        plan = campaigns.plan_of(connection, campaign["id"], campaign["plan_hash"])
        assert plan is not None
        rows = campaigns.recipients(connection, plan["id"], limit=10**6)
    out = {row["email"] for row in rows if row["is_held_out"]}
    return {row["email"] for row in rows} - out, out


def test_a_campaign_mails_those_whom_a_mail_moves_and_draws_the_holdout_among_them(
    desk: MailDesk, shop: Store, home: Path, world: MailedList
) -> None:
    run = trained(shop, home, world)["run"]
    write_campaign(desk, TARGETED)
    plan = planned(desk, world)
    assert plan.aim is not None
    assert (plan.aim["by"], plan.aim["run"]) == ("uplift", run)
    count = plan.left_out["not_persuadable"]
    assert 0 < count == plan.aim["left_out"]
    mailed, out = held_out(desk, world)
    assert len(mailed) + len(out) + count == len(world.moved_by)
    assert len(out) == pytest.approx(0.2 * (len(mailed) + len(out)), abs=1)
    assert out == draw(sorted(mailed | out), 0.2, f"bread {_text(world)}")


def _text(world: MailedList) -> str:
    return world.now.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_flag_asks_what_the_file_does_not_and_planning_twice_changes_nothing(
    desk: MailDesk, shop: Store, home: Path, world: MailedList
) -> None:
    trained(shop, home, world)
    write_campaign(desk, PLAIN)
    everybody = planned(desk, world)
    assert everybody.aim is None
    assert "not_persuadable" not in everybody.left_out
    some = planned(desk, world, target="persuadables")
    assert some.recipients < everybody.recipients
    before = digest(desk.store)
    assert not planned(desk, world, target="persuadables").is_new
    assert campaign_sending.prepare(desk, "bread", None, world.now).plan.hash == some.hash
    assert digest(desk.store) == before
    again = campaign_sending.prepare(desk, "bread", None, world.now, target="all")
    assert again.plan.hash == everybody.hash


def test_without_a_model_propensity_stands_in_and_that_is_said(
    desk: MailDesk, shop: Store, world: MailedList
) -> None:
    scored(shop, world)
    write_campaign(desk, TARGETED)
    plan = planned(desk, world)
    assert plan.aim is not None
    assert plan.aim["by"] == "propensity"
    assert "no uplift model is trained" in plan.aim["sentence"]
    assert "stands in for it" in plan.aim["sentence"]
    assert 0 < plan.left_out["not_persuadable"] < len(world.moved_by)
    assert plan.aim["unknown"] > 0
    mailed, out = held_out(desk, world)
    unscored = set(world.moved_by) - {email for email, _, _ in world.orders}
    assert unscored <= mailed | out


def scored(shop: Store, world: MailedList) -> None:
    """Score every customer by a made-up model: every third is unlikely to buy."""
    day = (world.now - timedelta(days=1)).date()
    run = {
        "run": "r",
        "as_of": day,
        "horizon_days": 90,
        "rung": "rule",
        "customers": 1,
        "buyers": 1,
    }
    scores = [
        {
            "run": "r",
            "as_of": day,
            "customer_id": number,
            "propensity": 0.01 if number % 3 == 0 else 0.4,
            "expected_value_minor": 1,
            "currency": "usd",
            "decile": 1,
        }
        for number in range(1, len({email for email, _, _ in world.orders}) + 1)
    ]
    with shop.writing() as connection:
        more = {"checksum": "c", "card": {}, "trained_at": world.now, "is_champion": True}
        connection.execute(insert(table_of(ModelRun)), run | more | {"promoted_at": world.now})
        connection.execute(insert(table_of(Score)), scores)


def test_with_neither_model_nor_scores_nobody_is_left_out_and_that_is_said(
    desk: MailDesk, world: MailedList
) -> None:
    write_campaign(desk, TARGETED)
    plan = planned(desk, world)
    assert plan.aim is not None
    assert plan.left_out["not_persuadable"] == 0
    assert "nobody is scored (kpay score)" in plan.aim["sentence"]


def test_a_damaged_model_is_not_used_and_that_is_said(
    desk: MailDesk, shop: Store, home: Path, world: MailedList
) -> None:
    run = trained(shop, home, world)["run"]
    file = home / "models" / f"{run}.json"
    file.write_text(file.read_text(encoding="utf-8").replace("0.", "1.", 1), encoding="utf-8")
    write_campaign(desk, TARGETED)
    plan = planned(desk, world)
    assert plan.aim is not None
    assert plan.aim["by"] == "nothing"
    assert "damaged" in plan.aim["sentence"]


def test_a_model_that_ranks_no_better_than_chance_is_not_used(
    shop: Store, home: Path, world: MailedList
) -> None:
    trained(shop, home, world)
    run = table_of(ModelRun)
    with shop.writing() as connection:
        card = connection.execute(run.select()).mappings().one()["card"]
        card["uplift"]["qini"]["value"] = -0.01
        connection.execute(update(run).values(card=card))
        everyone = [Person(email) for email in sorted(world.moved_by)]
        found = uplift.aim(connection, home / "models", everyone, 0.5, world.now)
    assert found.by == "nothing"
    assert "no better than chance: Qini -0.010" in found.why
