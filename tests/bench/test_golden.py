"""A business worked by hand, of a folder that KPAY_BENCH_GOLDEN names: every cell to the cent.

The folder holds plans, subscription_events, payments, refunds and fx_rates as CSV, and beside them
expected_monthly, expected_cohorts, expected_mrr_by_customer and expected_points_in_time.
"""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.period import add_months
from tests.conftest import run_kpay

# Read before the suite takes kpay's settings out of the environment.
FOLDER = os.environ.get("KPAY_BENCH_GOLDEN")
FILES = (
    ("plans", "plans"),
    ("subscriptions", "subscription_events"),
    ("payments", "payments"),
    ("refunds", "refunds"),
    ("fx", "fx_rates"),
)
IN_MRR = {
    "mrr_start": "mrr_start_minor",
    "mrr_new": "new_minor",
    "mrr_expansion": "expansion_minor",
    "mrr_reactivation": "reactivation_minor",
    "mrr_contraction": "contraction_minor",
    "mrr_churn": "churn_minor",
    "mrr_fx": "fx_minor",
    "mrr_end": "mrr_end_minor",
    "arr_end": "arr_end_minor",
    "subscribers_start": "subscribers_start",
    "subscribers_new": "subscribers_new",
    "subscribers_reactivated": "subscribers_reactivated",
    "subscribers_churned_all": "subscribers_churned",
    "subscribers_churned_opening": "subscribers_churned_opening",
    "subscribers_churned_involuntary": "subscribers_churned_involuntary",
    "subscribers_end": "subscribers_end",
    "arpu_end": "arpu_minor",
    "logo_churn_pct": "logo_churn_share",
    "gross_mrr_churn_pct": "gross_churn_share",
    "net_mrr_churn_pct": "net_churn_share",
    "gross_mrr_churn_pct_chartmogul": "gross_churn_chartmogul_share",
    "net_mrr_churn_pct_chartmogul": "net_churn_chartmogul_share",
    "grr_pct": "grr_share",
    "nrr_pct": "nrr_share",
    "quick_ratio": "quick_ratio",
    "ltv_simple": "ltv_minor",
    "ltv_3m_churn": "ltv_3m_minor",
}
IN_REVENUE = {
    "gross_sales": "gross_sales_minor",
    "refunds": "refunds_minor",
    "fees": "fees_minor",
    "net_revenue": "net_revenue_minor",
    "tax_collected": "tax_collected_minor",
    "one_time_sales": "one_time_sales_minor",
    "subscription_sales": "subscription_sales_minor",
    "failed_payments": "failed_payments",
    "paying_customers": "paying_customers",
}

pytestmark = pytest.mark.skipif(not FOLDER, reason="KPAY_BENCH_GOLDEN names no folder")


def rows(name: str) -> list[dict[str, str]]:
    with (Path(str(FOLDER)) / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def answer(home: Path, *words: str) -> dict[str, Any]:
    result = run_kpay(*words, "--json", home=home)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def options() -> list[str]:
    months = list(rows("expected_monthly")[0])[1:]
    last = add_months(date.fromisoformat(f"{months[-1]}-01"), 1) - timedelta(days=1)
    return ["--since", f"{months[0]}-01", "--as-of", str(last)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("golden") / "business"
    assert run_kpay("init", str(folder)).exit_code == 0
    for kind, name in FILES:
        assert answer(folder, "import", kind, f"{FOLDER}/{name}.csv")["created"] > 0
    return folder


def written(key: str, value: Any) -> str:
    """Write a figure of a report as the expected files have it."""
    if value is None:
        return ""
    if key.endswith("_minor"):
        number = Decimal(value) / 100
    elif key.endswith("_share"):
        number = Decimal(str(value)) * 100
    elif key == "quick_ratio":
        number = Decimal(str(value))
    else:
        return str(value)
    return f"{number.quantize(Decimal('0.01'), ROUND_HALF_UP) + 0}"


def test_every_cell_of_every_month(home: Path) -> None:
    mrr = answer(home, "report", "mrr", *options())["months"]
    revenue = answer(home, "report", "revenue", *options())["in_base"]["months"]
    by_month = {one["month"]: one for one in mrr}
    for month in revenue:
        by_month[month["month"]] = {**by_month[month["month"]], **month}
    keys = {**IN_MRR, **IN_REVENUE}
    for row in rows("expected_monthly"):
        metric = row.pop("metric")
        key = keys[metric]
        found = {month: written(key, by_month[month][key]) for month in row}
        assert found == row, metric


def test_every_cell_of_every_cohort(home: Path) -> None:
    found = {one["cohort"]: one for one in answer(home, "report", "cohorts", *options())["cohorts"]}
    for row in rows("expected_cohorts"):
        one = found[row["cohort"]]
        key = "retained" if row["kind"] == "subscribers" else "revenue_minor"
        cells = [written(key, value) for value in one[key]]
        wanted = [row[name] for name in row if name.startswith("m")]
        assert (str(one["size"]), cells + [""] * (len(wanted) - len(cells))) == (
            row["size"],
            wanted,
        )


def test_the_mrr_of_every_customer(home: Path) -> None:
    for month in list(rows("expected_mrr_by_customer")[0])[1:]:
        opened = answer(home, "report", "mrr", *options(), "--explain", f"mrr_end@{month}")
        held: Counter[str] = Counter()
        for one in opened["rows"]:
            held[one["customer"].split(" ")[-1]] += one["amount_minor"]
        for row in rows("expected_mrr_by_customer"):
            name = row["customer"]
            assert written("mrr_minor", held[name]) == row[month], (name, month)


def test_every_point_in_time_with_and_without_what_is_past_due(home: Path) -> None:
    for row in rows("expected_points_in_time"):
        newest = answer(home, "report", "mrr", "--as-of", row["as_of_utc"])["months"][-1]
        keys = {
            "mrr_usd": "mrr_end_minor",
            "mrr_excluding_past_due_usd": "mrr_excluding_past_due_minor",
        }
        found = {name: written(key, newest[key]) for name, key in keys.items()}
        assert found == {name: row[name] for name in keys}, row["note"]
