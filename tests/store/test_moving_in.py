"""Moving in: a business of other books, imported and worked by hand, and the files that are refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.enums import ImportKind
from kpay.domain.importing import Circumstances, ImportResult
from kpay.domain.reports.scope import Scope
from kpay.errors import InputInvalid, NotFound
from kpay.services.exporting import export
from kpay.services.importing import import_csv
from kpay.services.people import show_customer
from kpay.services.reporting import mrr, revenue
from kpay.store.engine import Store
from tests.fakes import hand_worked
from tests.fakes.stores import digest, new_store, rows

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PLANS, EVENTS = hand_worked.PLANS, hand_worked.EVENTS
PAYMENTS, REFUNDS = hand_worked.PAYMENTS, hand_worked.REFUNDS
PAYMENT = PAYMENTS.splitlines()[0] + "\n"
EVENT = EVENTS.splitlines()[0] + "\n"
REFUND = REFUNDS.splitlines()[0] + "\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = new_store(tmp_path, "atlas", "reader", "studio", "studio_year")
    yield opened
    opened.close()


def bring(store: Store, kind: ImportKind, text: str, **options: Any) -> ImportResult:
    rehearsal = bool(options.pop("dry_run", False))
    at = options.pop("at", NOW)
    circumstances = Circumstances(at, options.pop("timezone", "UTC"), rehearsal)
    return import_csv(
        store, kind, text.encode(), name="f.csv", circumstances=circumstances, **options
    )


def move_in(store: Store, **changed: str) -> None:
    for kind, text in hand_worked.FILES.items():
        bring(store, kind, changed.get(kind.value, text))


def refused(store: Store, kind: ImportKind, text: str) -> tuple[list[str], str]:
    before = digest(store)
    with pytest.raises(InputInvalid) as caught:
        bring(store, kind, text)
    assert digest(store) == before
    return [str(problem) for problem in caught.value.problems], caught.value.hint or ""


def scope(as_of: datetime = NOW) -> Scope:
    return Scope(None, as_of, "UTC", "eur")


def months_of_mrr(store: Store) -> list[dict[str, Any]]:
    with store.reading() as connection:
        payload = mrr.document(connection, scope()).payload
    listed: list[dict[str, Any]] = payload["months"]
    return [month for month in listed if month["month"] in hand_worked.MONTHS]


def test_the_hand_worked_business_has_its_mrr_to_the_cent(store: Store) -> None:
    move_in(store)
    months = months_of_mrr(store)
    found = {name: tuple(month[f"{name}_minor"] for month in months) for name in hand_worked.MRR}
    assert found == hand_worked.MRR
    assert tuple(month["subscribers_end"] for month in months) == hand_worked.SUBSCRIBERS


def test_the_hand_worked_business_has_its_takings_to_the_cent(store: Store) -> None:
    move_in(store)
    with store.reading() as connection:
        in_base = revenue.document(connection, scope()).payload["in_base"]
    names = {"sales": "gross_sales", "net": "net_revenue", "tax": "tax_collected"}
    found = {
        name: tuple(month[f"{names.get(name, name)}_minor"] for month in in_base["months"])[:4]
        for name in hand_worked.SALES
    }
    assert found == hand_worked.SALES
    assert [month["failed_payments"] for month in in_base["months"]][:4] == [0, 0, 2, 0]


def test_the_order_of_the_files_does_not_matter_where_none_needs_another(store: Store) -> None:
    move_in(store)
    usual = derived(store)
    others = [
        order
        for order in permutations(hand_worked.FILES)
        if order.index(ImportKind.PLANS) < order.index(ImportKind.SUBSCRIPTIONS)
        and order.index(ImportKind.PAYMENTS) < order.index(ImportKind.REFUNDS)
    ]
    for number, order in enumerate(others[::7]):
        folder = Path(store.path).parent / str(number)
        folder.mkdir()
        other = new_store(folder, "atlas", "reader", "studio", "studio_year")
        for kind in order:
            bring(other, kind, hand_worked.FILES[kind])
        assert derived(other) == usual
        other.close()


def derived(store: Store) -> list[list[tuple[Any, ...]]]:
    of_customer = "(SELECT coalesce(c.email, c.name) FROM customer c WHERE c.id = customer_id)"
    return [
        rows(store, f"SELECT external_id, {of_customer}, status, started_at, trial_end_at, current_period_end_at, is_ending, canceled_at, ended_at, cancel_reason FROM subscription ORDER BY 1"),
        rows(store, "SELECT subscription_external_id, starts_at, amount_minor, ending_discount_minor FROM subscription_phase ORDER BY 1, 2"),
        rows(store, "SELECT external_id, status, total_minor, created_at, paid_at, attempts FROM invoice ORDER BY 1"),
        rows(store, f"SELECT external_id, {of_customer}, kind, status, total_minor, tax_minor FROM orders ORDER BY 1"),
        rows(store, f"SELECT {of_customer}, source_id, granted_at, ended_at, end_reason FROM entitlement ORDER BY 1, 2, content_id"),
        rows(store, "SELECT coalesce(email, name), created_at FROM customer ORDER BY 1"),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", list(hand_worked.FILES))
def test_every_file_twice_changes_nothing(store: Store, kind: ImportKind) -> None:
    move_in(store)
    before = digest(store)
    text = hand_worked.FILES[kind]
    result = bring(store, kind, text, at=datetime(2027, 6, 1, tzinfo=UTC))
    assert (result.counts.created, result.counts.updated) == (0, 0)
    assert result.counts.unchanged == result.rows
    assert digest(store) == before


@pytest.mark.parametrize("kind", [*hand_worked.FILES, ImportKind.INCOME])
def test_what_moved_in_can_move_out(store: Store, kind: ImportKind, tmp_path: Path) -> None:
    move_in(store)
    bring(store, ImportKind.INCOME, INCOME)
    text = export(store, kind).to_csv()
    assert bring(store, kind, text).counts.unchanged == len(export(store, kind).rows) > 0
    (tmp_path / "other").mkdir()
    other = new_store(tmp_path / "other", "atlas", "reader", "studio", "studio_year")
    for each in (*hand_worked.FILES, ImportKind.INCOME):
        bring(other, each, export(store, each).to_csv())
    assert export(other, kind).to_csv() == text
    assert derived(other) == derived(store)
    other.close()


INCOME = (
    "day,kind,amount,currency\n2026-03-01,consulting,500,eur\n2026-03-01,consulting,20.50,eur\n"
)


def test_other_income_of_a_day_is_added_up(store: Store) -> None:
    result = bring(store, ImportKind.INCOME, INCOME)
    assert (result.rows, result.counts.created) == (2, 2)
    assert rows(store, "SELECT day, kind, amount_minor, currency FROM income") == [
        ("2026-03-01", "consulting", 52050, "eur")
    ]


def test_a_rehearsal_writes_nothing(store: Store) -> None:
    bring(store, ImportKind.PLANS, PLANS)
    before = digest(store)
    result = bring(store, ImportKind.SUBSCRIPTIONS, EVENTS, dry_run=True)
    assert result.counts.created == 10
    assert bring(store, ImportKind.PAYMENTS, PAYMENTS, dry_run=True).counts.created == 13
    assert digest(store) == before


def test_people_without_an_address_are_customers_too(store: Store) -> None:
    move_in(store)
    assert rows(store, "SELECT email, name FROM customer ORDER BY coalesce(email, name)") == [
        (None, "ines"), ("joost@example.org", ""), (None, "kofi"), (None, "lena"), (None, "mara"),
    ]  # fmt: skip


def test_somebody_without_an_address_is_found_by_the_files_name(store: Store) -> None:
    move_in(store)
    card = show_customer(store, "kofi", "UTC").to_document()
    assert card.title == "kofi"
    assert [order["order"] for order in card.payload["order_list"]] == ["a6"]
    assert card.payload["mailing_list"] == "no address"
    with pytest.raises(NotFound):
        show_customer(store, "nobody", "UTC")


def test_a_membership_grants_what_its_plan_is_called(store: Store) -> None:
    move_in(store)
    found = rows(
        store,
        "SELECT c.slug, e.granted_at, e.ended_at FROM entitlement e JOIN content c ON c.id = content_id"
        " WHERE source_id = 'sub-3'",
    )
    assert found == [("studio", "2026-03-03T09:00:00Z", None)]
    ended = rows(store, "SELECT DISTINCT ended_at FROM entitlement WHERE source_id = 'sub-1'")
    assert ("2026-05-18T09:00:00Z",) in ended


def test_a_wrong_price_corrected_changes_what_was_reckoned_with_it(store: Store) -> None:
    move_in(store, plans=PLANS.replace("24.00", "30.00"))
    assert months_of_mrr(store)[-1]["mrr_end_minor"] == 5000
    bring(store, ImportKind.PLANS, PLANS)
    assert months_of_mrr(store)[-1]["mrr_end_minor"] == 4400


def test_a_payment_seen_again_with_other_values_is_replaced(store: Store) -> None:
    move_in(store)
    again = PAYMENT + (
        "a3,2026-02-28T23:30:00-05:00,mara,one_time,,atlas,EUR,50.00,0.00,,failed\n"
        "a1,2026-02-03T09:00:00Z,ines,subscription,sub-1,reader,EUR,9.60,1.60,0.55,succeeded\n"
    )
    result = bring(store, ImportKind.PAYMENTS, again)
    assert (result.counts.updated, result.counts.unchanged) == (2, 0)
    assert rows(store, "SELECT status FROM orders WHERE external_id = 'a3'") == [("failed",)]
    fees = "SELECT source_external_id, fee_minor FROM balance_transaction WHERE source_external_id IN ('a1', 'a3')"
    assert rows(store, fees) == [("a1", 55)]


def test_the_first_payment_that_came_is_the_start_and_the_others_renew(store: Store) -> None:
    bring(store, ImportKind.PAYMENTS, PAYMENTS)
    kinds = "SELECT external_id, kind FROM orders WHERE subscription_id = 'sub-1' ORDER BY 1"
    assert [kind for _, kind in rows(store, kinds)] == ["subscription_start"] + ["renewal"] * 3
    late = PAYMENT + "a0,2026-01-03,ines,,sub-1,reader,EUR,9.60,,,\n"
    bring(store, ImportKind.PAYMENTS, late)
    assert [kind for _, kind in rows(store, kinds)] == ["subscription_start"] + ["renewal"] * 4


def test_a_plan_that_is_not_there_says_what_comes_first(store: Store) -> None:
    said, hint = refused(store, ImportKind.SUBSCRIPTIONS, EVENTS)
    assert ":2: plan: 'reader' is no plan that was imported" in said[0]
    assert any("left out: line 2 of the same subscription is wrong" in one for one in said)
    assert hint.startswith("kpay import plans")


def test_a_refund_of_no_payment_says_what_comes_first(store: Store) -> None:
    said, hint = refused(store, ImportKind.REFUNDS, REFUNDS)
    assert said == ["f.csv:2: payment_id: 'b3' is no payment that was imported"]
    assert hint.startswith("kpay import payments")


def test_an_unknown_event_is_told_with_the_nearest_one(store: Store) -> None:
    bring(store, ImportKind.PLANS, PLANS)
    text = EVENT + "2026-02-03,ines,s,start,reader,0,,\n2026-03-03,ines,s,cancell now,reader,0,,\n"
    said, _ = refused(store, ImportKind.SUBSCRIPTIONS, text)
    assert ":3: event" in said[1]
    assert "did you mean 'cancel_now'?" in said[1]
    result = bring(store, ImportKind.SUBSCRIPTIONS, text, skips_bad=True)
    assert (result.counts.created, {bad.line for bad in result.bad}) == (0, {2, 3})


def test_a_row_that_stands_twice_is_one_event(store: Store) -> None:
    bring(store, ImportKind.PLANS, PLANS)
    start = "2026-02-03,ines,s,start,reader,0,,\n"
    result = bring(store, ImportKind.SUBSCRIPTIONS, EVENT + start + start.replace(",0,", ",50,"))
    assert (result.rows, result.counts.created) == (2, 2)
    assert rows(store, "SELECT amount_minor FROM subscription_phase") == [(400,)]


def test_only_whole_subscriptions_are_imported(store: Store) -> None:
    bring(store, ImportKind.PLANS, PLANS)
    text = EVENTS.replace("2026-04-03T09:00:00Z,ines", "2026-01-03T09:00:00Z,ines")
    result = bring(store, ImportKind.SUBSCRIPTIONS, text, skips_bad=True)
    assert result.counts.created == 7
    assert rows(store, "SELECT DISTINCT subscription FROM subscription_event ORDER BY 1") == [
        ("sub-2",), ("sub-3",), ("sub-4",),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("x1,2026-02-03,ines,subscription,,reader,EUR,9.60,1.60,0.40,succeeded", "sub_id: is empty"),
        ("x1,2026-02-03,ines,one_time,sub-1,reader,EUR,9.60,1.60,0.40,succeeded", "sub_id"),
        ("x1,2026-02-03,ines,one_time,,reader,EUR,9.60,9.70,0.40,succeeded", "tax: is more than the gross"),
        ("x1,2026-02-03,ines,gift,,reader,EUR,9.60,1.60,0.40,succeeded", "kind: 'gift' is not one of"),
        ("x1,2026-02-03,ines,one_time,,reader,EUR,9.60,1.60,0.40,suceeded", "did you mean 'succeeded'?"),
        ("x1,2026-02-03,ines,one_time,,reader,EUR,9.605,1.60,0.40,succeeded", "gross"),
    ],
)  # fmt: skip
def test_a_payment_that_contradicts_itself(store: Store, line: str, problem: str) -> None:
    said, _ = refused(store, ImportKind.PAYMENTS, PAYMENT + line + "\n")
    assert problem in said[0]


def test_one_payment_told_twice_otherwise(store: Store) -> None:
    line = "x1,2026-02-03,ines,,,reader,EUR,9.60,1.60,0.40,\n"
    said, _ = refused(store, ImportKind.PAYMENTS, PAYMENT + line + line.replace("9.60", "9.70"))
    assert "payment_id: 'x1' stands on line 2 with other values" in said[0]
    assert bring(store, ImportKind.PAYMENTS, PAYMENT + line * 2).counts.created == 1


def test_a_payment_is_not_an_order_that_was_imported(store: Store) -> None:
    order = "order_id,email,ordered_at,amount,currency\n7,a@example.com,2026-01-05,5,eur\n"
    bring(store, ImportKind.ORDERS, order)
    said, _ = refused(store, ImportKind.PAYMENTS, PAYMENT + "7,2026-01-05,a,,,x,EUR,5,0,0,\n")
    assert "'7' is an order that kpay import orders brought" in said[0]


def test_an_order_file_takes_nothing_from_a_payment(store: Store) -> None:
    move_in(store)
    what = "SELECT tax_minor, total_minor, email FROM orders WHERE external_id = 'b3'"
    order = "order_id,email,ordered_at,amount,currency\nb3,a@example.com,2026-01-05,5,eur\n"
    assert bring(store, ImportKind.ORDERS, order).counts.unchanged == 1
    assert rows(store, what) == [(480, 2880, None)]
    assert rows(store, "SELECT external_id FROM refund") == [("r1",)]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("r9,b1,2026-05-20,USD,1.00,0,", "'b1' failed: there is nothing to give back"),
        ("r9,b3,2026-05-20,USD,1.00,0,", "currency: is USD, but EUR was paid"),
        ("r9,b3,2026-05-20,EUR,16.81,0,", "more than the payment 'b3' brought has gone back"),
        ("r9,b3,2026-05-20,EUR,1.00,1.01,", "tax: is more than the gross"),
    ],
)
def test_a_refund_that_cannot_be(store: Store, line: str, problem: str) -> None:
    move_in(store)
    said, _ = refused(store, ImportKind.REFUNDS, REFUND + line + "\n")
    assert problem in said[0]


def test_the_tax_inside_a_refund_is_the_files_else_the_payments_share(store: Store) -> None:
    move_in(store, refunds=REFUND + "r1,b3,2026-05-18,EUR,12.00,,\n")
    with store.reading() as connection:
        payload = revenue.document(connection, scope()).payload
    (may,) = [month for month in payload["in_base"]["months"] if month["month"] == "2026-05"]
    assert (may["refunds_minor"], may["tax_collected_minor"]) == (1000, 760)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("month,currency,eur_per_unit\n2026-02,EUR,1.1\n", "rate: one EUR is 1 EUR"),
        ("month,currency,eur_per_unit\n2026-02,USD,0\n", "rate: '0' is not a rate"),
        ("month,currency,eur_per_unit\n2026-02-07,USD,1\n", "month"),
        ("month,currency,rate\n2026-02,USD,1\n", "base: is empty"),
        ("month,currency\n2026-02,USD\n", "rate: no such column"),
    ],
)
def test_a_rate_that_is_none(store: Store, text: str, problem: str) -> None:
    assert problem in refused(store, ImportKind.FX, text)[0][0]


def test_a_time_without_a_zone_is_utc_where_the_column_says_so(store: Store) -> None:
    bring(store, ImportKind.PLANS, PLANS)
    told = EVENT + "2026-02-03 00:30:00,ines,s,start,reader,,,\n"
    bring(store, ImportKind.SUBSCRIPTIONS, told, timezone="America/New_York")
    paid = PAYMENT + "x1,2026-02-03 00:30:00,ines,,s,reader,EUR,9.60,,,\n"
    bring(store, ImportKind.PAYMENTS, paid, timezone="America/New_York")
    assert rows(store, "SELECT started_at FROM subscription") == [("2026-02-03T00:30:00Z",)]
    assert rows(store, "SELECT ordered_at FROM orders") == [("2026-02-03T05:30:00Z",)]


def test_a_cancellation_takes_effect_where_the_books_go_on(store: Store) -> None:
    move_in(store)
    kofi = "SELECT status, ended_at, current_period_end_at FROM subscription WHERE external_id = 'sub-4'"
    assert rows(store, kofi) == [("active", None, "2027-03-12T09:00:00Z")]
    later = PAYMENT + "z1,2027-04-10,joost@example.org,,sub-3,studio,EUR,28.80,4.80,,\n"
    bring(store, ImportKind.PAYMENTS, later)
    assert rows(store, kofi)[0][:2] == ("canceled", "2027-03-12T09:00:00Z")
