"""What the store tells of each person, in the order of their addresses."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from kpay.domain.audience import Person
from kpay.models import (
    BalanceTransaction,
    Campaign,
    Customer,
    Delivery,
    LineItem,
    ModelRun,
    Order,
    Score,
    Subscriber,
)
from kpay.services.mail_desk import MailDesk
from kpay.store import audience, person_facts
from kpay.store.dialect import table_of
from tests.fakes.mail_rooms import NOW, add_content, add_customer, grant, mail_desk, subscribe

DAY = timedelta(days=1)


@pytest.fixture
def desk(tmp_path: Path) -> MailDesk:
    return mail_desk(tmp_path)


def known(desk: MailDesk, **options: Any) -> dict[str, Person]:
    with desk.store.reading() as connection:
        found = list(audience.people(connection, NOW, **options))
    assert [one.email for one in found] == sorted(one.email for one in found)
    return {one.email: one for one in found}


def put(desk: MailDesk, model: Any, *rows: dict[str, Any]) -> None:
    with desk.store.writing() as connection:
        connection.execute(insert(table_of(model)), list(rows))


def order(customer_id: int, days_ago: int, minor: int, **values: Any) -> dict[str, Any]:
    return {
        "source": "stripe",
        "external_id": f"ch_{customer_id}_{days_ago}_{minor}",
        "customer_id": customer_id,
        "ordered_at": NOW - days_ago * DAY,
        "currency": "usd",
        "gross_minor": minor,
        "total_minor": minor,
        "tracking": {},
        "status": "paid",
        "charge_id": None,
    } | values


def score(run: str, as_of: date, customer_id: int, propensity: float) -> dict[str, Any]:
    return {
        "run": run,
        "as_of": as_of,
        "customer_id": customer_id,
        "propensity": propensity,
        "expected_value_minor": 700,
        "currency": "usd",
        "decile": 3,
    }


def model_run(run: str, as_of: date) -> dict[str, Any]:
    return {
        "run": run,
        "as_of": as_of,
        "horizon_days": 90,
        "rung": "logistic",
        "customers": 1,
        "buyers": 1,
        "checksum": "c",
        "card": {},
        "trained_at": NOW,
    }


def mail(email: str, days_ago: int, **values: Any) -> dict[str, Any]:
    return {
        "kind": "campaign",
        "campaign_id": None,
        "occasion": None,
        "email": email,
        "state": "sent",
        "message_id": f"<{email}-{days_ago}-{sorted(values.items())}>",
        "context": {},
        "due_at": NOW,
        "sent_at": NOW - days_ago * DAY,
    } | values


def test_the_list_and_the_customers_are_merged_by_address(desk: MailDesk) -> None:
    subscribe(desk, ["b@r.example", "ü@r.example"], timezone="Asia/Tokyo", tags=["fair"])
    customer = add_customer(desk, "b@r.example", "Bo")
    add_customer(desk, "a@r.example", "Ana")
    with desk.store.writing() as connection:
        connection.execute(
            update(table_of(Customer))
            .where(table_of(Customer).c.id == customer)
            .values(country="JP", tags=["vip"])
        )
        connection.execute(
            update(table_of(Subscriber)).values(
                consent_source="fair", consented_at=NOW - 30 * DAY, name=""
            )
        )
    people = known(desk)
    assert list(people) == ["a@r.example", "b@r.example", "ü@r.example"]
    both = people["b@r.example"]
    assert (both.name, both.customer_id, both.tags) == ("Bo", customer, {"fair", "vip"})
    assert (both.country, both.timezone, both.consent_source) == ("JP", "Asia/Tokyo", "fair")
    assert (both.is_listed, both.has_consent, both.joined_days) == (True, True, 30)
    only_bought = people["a@r.example"]
    assert (only_bought.is_listed, only_bought.has_consent) == (False, False)
    assert (only_bought.joined_days, only_bought.consent_source) == (None, None)


def test_paid_orders_are_counted_and_summed_in_one_currency(desk: MailDesk) -> None:
    customer = add_customer(desk, "a@r.example")
    add_customer(desk, "b@r.example")
    put(
        desk,
        Order,
        order(customer, 40, 900),
        order(customer, 10, 1100),
        order(customer, 5, 5000, status="failed"),
        order(customer, 8, 2000, currency="eur", charge_id="ch_eur"),
        order(customer, 9, 3000, currency="gbp"),
    )
    put(
        desk,
        BalanceTransaction,
        {
            "account": "",
            "livemode": False,
            "external_id": "txn_1",
            "kind": "charge",
            "amount_minor": 2200,
            "fee_minor": 0,
            "net_minor": 2200,
            "currency": "usd",
            "created_at": NOW - 8 * DAY,
            "available_at": NOW,
            "source_external_id": "ch_eur",
            "exchange_rate": "1.1",
            "status": "available",
        },
    )
    people = known(desk, currency="usd")
    ana = people["a@r.example"]
    assert (ana.has_bought, ana.orders, ana.last_order_days) == (True, 4, 8)
    assert (ana.spent_minor, ana.currency) == (900 + 1100 + 2200, "usd")
    bo = people["b@r.example"]
    assert (bo.has_bought, bo.orders, bo.spent_minor, bo.last_order_days) == (False, 0, 0, None)


def test_without_a_currency_that_of_most_orders_is_used(desk: MailDesk) -> None:
    customer = add_customer(desk, "a@r.example")
    put(desk, Order, order(customer, 2, 900, currency="jpy"))
    assert (known(desk)["a@r.example"].currency, known(desk)["a@r.example"].spent_minor) == (
        "jpy",
        900,
    )


def test_a_right_that_ends_later_is_still_owned(desk: MailDesk) -> None:
    customer = add_customer(desk, "a@r.example")
    rye, salt, dill = (add_content(desk, slug) for slug in ("rye", "salt", "dill"))
    grant(desk, customer, rye, NOW - DAY)
    grant(desk, customer, salt, NOW - DAY, ended_at=NOW + DAY)
    grant(desk, customer, dill, NOW - 9 * DAY, ended_at=NOW)
    assert known(desk)["a@r.example"].owned == {"rye", "salt"}


def test_what_was_ever_paid_for_is_bought_even_when_the_right_has_ended(desk: MailDesk) -> None:
    customer = add_customer(desk, "a@r.example")
    rye = add_content(desk, "rye")
    grant(desk, customer, rye, NOW - 9 * DAY, ended_at=NOW - DAY)
    put(desk, Order, order(customer, 9, 900), order(customer, 3, 100, status="failed"))
    put(
        desk,
        LineItem,
        {"order_id": 1, "position": 0, "content_id": rye, "product": "x", "amount_minor": 1},
        {"order_id": 1, "position": 1, "content_id": None, "product": "mug", "amount_minor": 1},
        {"order_id": 2, "position": 0, "content_id": None, "product": "hat", "amount_minor": 1},
    )
    ana = known(desk)["a@r.example"]
    assert (ana.bought, ana.owned) == ({"rye", "mug"}, frozenset())


def test_the_newest_scores_that_are_not_of_the_future_hold(desk: MailDesk) -> None:
    customer = add_customer(desk, "a@r.example")
    unscored = add_customer(desk, "b@r.example")
    today = NOW.date()
    put(desk, ModelRun, model_run("old", today - 9 * DAY), model_run("new", today - 5 * DAY))
    put(
        desk,
        Score,
        score("new", today - 2 * DAY, customer, 0.25),
        score("new", today + 9 * DAY, customer, 0.9),
        score("new", today - 4 * DAY, customer, 0.1),
        score("old", today - 2 * DAY, customer, 0.2),
        score("new", today - 4 * DAY, unscored, 0.1),
    )
    people = known(desk, currency="usd")
    ana = people["a@r.example"]
    assert (ana.propensity, ana.decile, ana.band) == (0.25, 3, "middle")
    assert (ana.expected_value_minor, ana.currency) == (700, "usd")
    assert people["b@r.example"].propensity is None
    assert known(desk, currency="eur")["a@r.example"].expected_value_minor is None


def test_scores_are_those_of_a_purchase_and_of_one_day_the_champions(desk: MailDesk) -> None:
    customer = add_customer(desk, "a@r.example")
    today = NOW.date()
    put(
        desk,
        ModelRun,
        {**model_run("champion", today - 9 * DAY), "is_champion": True, "target": "purchase"},
        {**model_run("newer", today - 5 * DAY), "is_champion": False, "target": "purchase"},
        {**model_run("refunds", today - 5 * DAY), "is_champion": True, "target": "refund"},
    )
    put(
        desk,
        Score,
        score("champion", today - 2 * DAY, customer, 0.25),
        score("newer", today - 2 * DAY, customer, 0.5),
        score("refunds", today - 1 * DAY, customer, 0.9),
    )
    assert known(desk)["a@r.example"].propensity == 0.25
    with desk.store.reading() as connection:
        assert person_facts.scored_horizon_days(connection, NOW) == 90
        assert person_facts.scored_horizon_days(connection, NOW - 99 * DAY) is None


def test_only_marketing_mail_that_left_counts(desk: MailDesk) -> None:
    subscribe(desk, ["a@r.example", "b@r.example"])
    put(desk, Campaign, *({"id": one, "name": f"c{one}", "created_at": NOW} for one in range(1, 5)))
    put(
        desk,
        Delivery,
        mail("a@r.example", 9, campaign_id=1),
        mail("a@r.example", 20, campaign_id=2),
        mail("a@r.example", 3, campaign_id=3, state="held_out", sent_at=None),
        mail("a@r.example", 4, kind="sequence", occasion="sequence 1"),
        mail("a@r.example", 1, kind="confirmation", occasion="confirm 1"),
        mail("b@r.example", 1, kind="receipt", occasion="receipt 1"),
        mail("z@elsewhere.example", 1, campaign_id=4),
    )
    people = known(desk)
    assert (people["a@r.example"].mails, people["a@r.example"].last_mail_days) == (3, 4)
    assert (people["b@r.example"].mails, people["b@r.example"].last_mail_days) == (0, None)
    assert "z@elsewhere.example" not in people


def test_whoever_must_not_be_mailed_is_known_by_the_hash_alone(desk: MailDesk) -> None:
    add_customer(desk, "a@r.example")
    subscribe(desk, ["b@r.example", "c@r.example"])
    with desk.store.writing() as connection:
        audience.opt_out(connection, ["a@r.example", "b@r.example"], "complaint", NOW)
    people = known(desk)
    assert [people[f"{one}@r.example"].is_suppressed for one in "abc"] == [True, True, False]


def test_a_few_people_are_looked_up_alone_with_the_same_answer(desk: MailDesk) -> None:
    subscribe(desk, ["a@r.example", "b@r.example", "c@r.example"])
    customer = add_customer(desk, "b@r.example")
    grant(desk, customer, add_content(desk, "rye"), NOW)
    put(desk, Order, order(customer, 4, 900), order(customer, 9, 100))
    put(desk, Campaign, {"id": 1, "name": "c", "created_at": NOW})
    put(desk, Delivery, mail("b@r.example", 2, campaign_id=1))
    everyone = known(desk)
    few = known(desk, among=["b@r.example", "c@r.example", "x@r.example"])
    assert few == {one: everyone[one] for one in ("b@r.example", "c@r.example")}
    assert few["b@r.example"].spent_minor == 1000


def test_what_is_not_asked_for_is_not_read(desk: MailDesk) -> None:
    customer = add_customer(desk, "a@r.example")
    put(desk, ModelRun, model_run("new", NOW.date() - DAY))
    put(desk, Score, score("new", NOW.date() - DAY, customer, 0.5))
    assert known(desk, asked=frozenset({"owns"}))["a@r.example"].propensity is None
    assert known(desk, asked=frozenset({"decile"}))["a@r.example"].propensity == 0.5
