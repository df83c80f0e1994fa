"""The MRR report by every policy: figures that open, and what leads from one tool's to another's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.document import HeatMap, Metric, Waterfall
from kpay.domain.mrr_policies import POLICIES
from kpay.domain.period import month
from kpay.domain.reports.behind import Behind
from kpay.domain.reports.scope import Scope
from kpay.services.reporting import cohorts, mrr
from tests.fakes.books import Books, at, open_books

OPENED = """mrr mrr_start mrr_end new expansion contraction churn churn_voluntary churn_involuntary
reactivation fx past_due mrr_excluding_past_due cancelling cancelling_subscribers committed_mrr
subscribers_start subscribers_new subscribers_reactivated subscribers_churned subscribers_end
subscribers_churned_opening subscribers_churned_involuntary""".split()


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """Seven readers from January to June: upgrades, a coupon, a quitter who returns, late bills."""
    with open_books(tmp_path_factory.mktemp("shop")) as opened:
        fill(opened)
        yield opened


def fill(books: Books) -> None:
    who = {
        name: books.customer(f"{name}@example.com")
        for name in ("mia", "noor", "otto", "pia", "quin", "ravi", "sol")
    }
    books.subscription(
        who["mia"], "2026-01-04", 4000, phases=(("2026-01-04", 2000), ("2026-04-04", 4000))
    )
    books.subscription(who["noor"], "2026-01-20", 24000, interval="year", canceled="2026-05-11")
    coupon = (("2026-02-02", 600, 600), ("2026-05-02", 1200))
    books.subscription(who["otto"], "2026-02-02", 1200, phases=coupon)
    gone = {"status": "canceled", "canceled": "2026-03-05", "ended": "2026-03-10"}
    books.subscription(who["pia"], "2026-02-10", 900, **gone)  # type: ignore[arg-type]
    books.subscription(who["pia"], "2026-05-20", 900)
    books.subscription(who["quin"], "2026-02-15", 1000, currency="eur")
    for day, rate in (("2026-02-16", "1.1"), ("2026-04-16", "1.25")):
        books.order(day, 1000, currency="eur", source="stripe", customer=who["quin"])
        books.booked(day, "charge", 1100, source=f"ch_{books.count - 1}", rate=rate)
    late = books.subscription(who["ravi"], "2026-03-01", 700, status="past_due")
    books.bill(late, "2026-03-01", paid="2026-03-01", status="paid")
    books.bill(late, "2026-04-20", paid=None, status="open")
    short = {"status": "canceled", "canceled": "2026-03-12", "ended": "2026-03-12"}
    books.subscription(who["sol"], "2026-03-07", 500, **short)  # type: ignore[arg-type]


def scope(policy: str = "kpay", asked: str | None = None, as_of: str = "2026-07-01") -> Scope:
    period = month(asked, "UTC") if asked else None
    return Scope(period, at(as_of), "UTC", "usd", policy=policy)


def metrics(books: Books, policy: str, asked: str) -> dict[str, Metric]:
    with books.store.reading() as connection:
        return dict(mrr.document(connection, scope(policy, asked)).metrics)


def opened(books: Books, metric: str, policy: str, asked: str) -> Behind | None:
    with books.store.reading() as connection:
        return mrr.explain(connection, scope(policy, asked), metric)


def payload(books: Books, policy: str, **asked: Any) -> dict[str, Any]:
    with books.store.reading() as connection:
        return dict(mrr.document(connection, scope(policy, **asked)).payload)


@pytest.mark.parametrize("policy", sorted(POLICIES))
@pytest.mark.parametrize("asked", ["2026-03", "2026-05"])
def test_the_rows_behind_a_figure_add_up_to_it(books: Books, policy: str, asked: str) -> None:
    figures = metrics(books, policy, asked)
    differing = [name for name in figures if name.startswith("difference_")]
    for name in [*OPENED, *differing]:
        found = opened(books, name, policy, asked)
        assert found is not None, name
        assert sum(row.amount for row in found.rows) == found.value == figures[name].value, name
        assert all(row.provider.startswith("sub_") for row in found.rows)
    assert bool(differing) is (policy != "kpay")


def test_names_are_shown_masked_unless_addresses_are_asked_for(books: Books) -> None:
    found = opened(books, "new", "kpay", "2026-03")
    assert found
    assert [row.customer for row in found.rows] == ["#6 r***@e***.com", "#7 s***@e***.com"]


def test_what_is_worked_out_has_no_rows_of_its_own(books: Books) -> None:
    assert opened(books, "arpu", "kpay", "2026-05") is None
    assert opened(books, "no_such_thing", "kpay", "2026-05") is None


@pytest.mark.parametrize("policy", sorted(set(POLICIES) - {"kpay"}))
def test_differences_lead_to_the_others_figure_to_the_cent(books: Books, policy: str) -> None:
    for asked in ("2026-02", "2026-03", "2026-04", "2026-05", "2026-06"):
        own = payload(books, "kpay", asked=asked)["months"][0]
        told = payload(books, policy, asked=asked)
        (theirs,) = told["months"]
        for row in told["reconciliation"]["figures"]:
            name = f"{row['metric']}_minor"
            assert row["kpay_minor"] == own[name]
            assert row["policy_minor"] == theirs[name]
            changes = sum(row["differences_minor"].values())
            assert row["kpay_minor"] + changes == row["policy_minor"]
        for row in told["reconciliation"]["shares"]:
            assert (row["kpay"], row["policy"]) == (own[row["metric"]], theirs[row["metric"]])


def by_month(books: Books, policy: str, name: str) -> list[Any]:
    return [line[name] for line in payload(books, policy)["months"]]


def test_each_tool_differs_where_its_documents_say(books: Books) -> None:
    assert by_month(books, "kpay", "mrr_end_minor") == [4000, 6600, 6400, 8550, 9350, 9350]
    assert by_month(books, "stripe", "mrr_end_minor") == [4000, 7200, 7000, 9150, 10050, 10050]
    assert by_month(books, "chartmogul", "mrr_end_minor")[-2:] == [10050, 10050]
    assert by_month(books, "baremetrics", "churn_minor") == [0, 0, 1400, 0, 2700, 0]
    assert by_month(books, "profitwell", "churn_minor") == [0, 0, 900, 0, 700, 0]
    assert by_month(books, "kpay", "churn_minor") == [0, 0, 1400, 0, 700, 0]


def test_thirty_days_are_counted_back_from_the_end_of_the_month(books: Books) -> None:
    march = payload(books, "stripe", asked="2026-03")["months"][0]
    # six paid when 2 March began, sol is new since, pia and sol left
    assert march["logo_churn_share"] == round(2 / 7, 6)
    theirs = payload(books, "baremetrics", asked="2026-03")["months"][0]
    assert theirs["logo_churn_share"] == round(2 / 6, 6)
    own = payload(books, "kpay", asked="2026-03")["months"][0]
    assert own["logo_churn_share"] == 0.2


def test_the_fall_leads_from_the_first_start_to_the_last_end(books: Books) -> None:
    with books.store.reading() as connection:
        document = mrr.document(connection, scope())
    (fall,) = [block for block in document.blocks if isinstance(block, Waterfall)]
    assert fall.steps[-1].value == 93.5
    assert sum(step.value for step in fall.steps[:-1]) == pytest.approx(93.5)


def test_the_same_day_says_the_same_whatever_came_later(books: Books) -> None:
    before = payload(books, "kpay", as_of="2026-04-01")["months"]
    assert payload(books, "kpay")["months"][:3] == before


def told_cohorts(books: Books, as_of: str = "2026-07-01") -> dict[str, Any]:
    with books.store.reading() as connection:
        return dict(cohorts.document(connection, scope(as_of=as_of)).payload)


def test_subscribers_are_followed_by_the_month_of_their_first_mrr(books: Books) -> None:
    january, february, march = told_cohorts(books)["cohorts"]
    assert (january["size"], january["retained"]) == (2, [2, 2, 2, 2, 2, 2])
    assert january["revenue_minor"] == [4000, 4000, 4000, 6000, 6000, 6000]
    assert (february["cohort"], february["retained"]) == ("2026-02", [3, 2, 2, 3, 3, None])
    assert february["retained_share"][1] == round(2 / 3, 6)
    assert (march["size"], march["retained"][:3]) == (2, [1, 1, 0])


def test_a_cell_whose_month_is_not_over_is_none(books: Books) -> None:
    listed = told_cohorts(books, as_of="2026-03-20")["cohorts"]
    assert [one["retained"] for one in listed] == [[2, 2], [3, None], [None, None]]


def test_cohorts_are_pictures_that_open(books: Books) -> None:
    with books.store.reading() as connection:
        document = cohorts.document(connection, scope())
        found = cohorts.explain(connection, scope(asked="2026-03"), "subscriber_cohort")
        assert cohorts.explain(connection, scope(), "retained_1m_share") is None
    assert len([block for block in document.blocks if isinstance(block, HeatMap)]) == 3
    assert document.metrics["retained_1m_share"].value == round(5 / 7, 6)
    assert found is not None
    assert (found.value, len(found.rows)) == (2, 2)


def test_buyers_are_followed_by_the_month_of_their_first_order(tmp_path: Path) -> None:
    with open_books(tmp_path) as shop:
        mia, ned = shop.customer("mia@example.com"), shop.customer("ned@example.com")
        first = shop.order("2026-01-05", 1190, customer=mia, tax=190)
        shop.order("2026-01-31T23:59", 2000, customer=ned)
        shop.order("2026-03-02", 500, customer=mia)
        shop.order("2026-03-03", 500, customer=mia)
        shop.order("2026-02-03", 900)  # nobody knows who
        shop.refund("2026-02-01", 595, order=first)
        payload = told_cohorts(shop, as_of="2026-04-01")
        (january,) = payload["purchase_cohorts"]
        with shop.store.reading() as connection:
            asked = scope(asked="2026-01", as_of="2026-04-01")
            found = cohorts.explain(connection, asked, "buyer_cohort")
    assert (january["size"], january["repeated"]) == (2, [0, 0, 1])
    assert january["revenue_minor"] == [3000, 2500, 3500]
    assert january["revenue_per_customer_minor"] == [1500, 1250, 1750]
    assert payload["cohorts"] == []
    assert found is not None
    assert [row.what for row in found.rows] == ["first order", "first order"]
