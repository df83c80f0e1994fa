"""Train, score, model, recommend and forecast as a creator types them, on a small imported shop."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Result, run_kpay
from tests.fakes.ml_worlds import START, membership_orders

Kpay = Callable[..., Result]
AS_OF = "2025-10-31"


def orders_csv(customers: int) -> str:
    frame = membership_orders(customers, seed=9)
    rows = [
        f"o{row.order}-{at},c{row.customer:04d}@example.com,{row.at:%Y-%m-%dT%H:%M:%SZ},"
        f"{row.amount_minor / 100:.2f},usd,{row.content}"
        for at, row in enumerate(frame.itertuples())
    ]
    return "\n".join(["order_id,email,ordered_at,amount,currency,product", *rows]) + "\n"


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A business with a year of sales of 400 customers, made once."""
    home = tmp_path_factory.mktemp("sold") / "shop"
    assert run_kpay("init", str(home)).exit_code == 0
    file = home / "orders.csv"
    file.write_text(orders_csv(400), encoding="utf-8")
    imported = run_kpay("import", "orders", str(file), home=home)
    assert imported.exit_code == 0, imported.stderr
    return home


@pytest.fixture
def shop(sold: Path, tmp_path: Path) -> Path:
    home = tmp_path / "shop"
    shutil.copytree(sold, home)
    return home


def answer(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def digest(home: Path) -> str:
    """A digest of every row of every table."""
    with sqlite3.connect(home / "kpay.db") as connection:
        return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


def test_training_prints_the_shape_that_scripts_rely_on(shop: Path, kpay: Kpay) -> None:
    found = answer(kpay("train", "--as-of", AS_OF, "--horizon", "60d", "--json", home=shop))
    assert found["schema"] == "kpay.train/1"
    assert (found["as_of"], found["horizon_days"]) == (AS_OF, 60)
    assert found["rung"] in ("rule", "bgnbd", "logistic", "blend", "boosting")
    measures = {"auc", "log_loss", "brier", "ece", "average_precision", "lift_top_decile"}
    for measured in (found["metrics"], *found["baselines"].values()):
        assert measures <= set(measured)
    assert set(found["baselines"]) == {"recency", "rfm_logistic", "bgnbd"}
    assert found["metrics"]["auc"] >= found["baselines"]["rfm_logistic"]["auc"] - 0.03
    assert set(found["device"]) == {"asked", "used", "why"}
    assert found["threads"] == 1
    assert 0 < found["buyers"] < found["customers"] <= 400


def test_training_twice_is_training_once(shop: Path, kpay: Kpay) -> None:
    first = kpay("train", "--as-of", AS_OF, home=shop)
    before, files = digest(shop), sorted((shop / "models").iterdir())
    times = [file.stat().st_mtime_ns for file in files]
    again = kpay("train", "--as-of", AS_OF, home=shop)
    assert "Trained" in first.stdout
    assert "Nothing to do" in again.stdout
    assert digest(shop) == before
    assert [file.stat().st_mtime_ns for file in sorted((shop / "models").iterdir())] == times
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600]


def test_a_new_order_another_day_and_another_horizon_make_another_model(
    shop: Path, kpay: Kpay
) -> None:
    runs = {answer(kpay("train", "--as-of", AS_OF, "--json", home=shop))["run"]}
    runs.add(answer(kpay("train", "--as-of", "2025-10-30", "--json", home=shop))["run"])
    runs.add(
        answer(kpay("train", "--as-of", AS_OF, "--horizon", "30d", "--json", home=shop))["run"]
    )
    extra = "order_id,email,ordered_at,amount,currency\nx1,new@example.com,2025-05-05,3.00,usd\n"
    assert kpay("import", "orders", "-", home=shop, input=extra).exit_code == 0
    newest = answer(kpay("train", "--as-of", AS_OF, "--json", home=shop))["run"]
    runs.add(newest)
    assert len(runs) == 4
    listed = answer(kpay("model", "list", "--json", home=shop))["models"]
    assert {model["run"] for model in listed} == runs
    champions = {model["run"]: model["horizon_days"] for model in listed if model["is_champion"]}
    assert sorted(champions.values()) == [30, 90]
    assert newest in champions


def test_without_a_day_the_last_one_of_an_old_history_is_taken(shop: Path, kpay: Kpay) -> None:
    found = answer(kpay("train", "--json", home=shop))
    assert found["as_of"] == "2025-12-31"
    recent = answer(kpay("train", "--json", home=shop, env={"KPAY_NOW": "2026-01-20T12:00:00Z"}))
    assert recent["as_of"] == "2026-01-19"


def test_scores_come_as_csv_with_the_contract_columns(shop: Path, kpay: Kpay) -> None:
    run = answer(kpay("train", "--as-of", AS_OF, "--horizon", "60d", "--json", home=shop))["run"]
    written = kpay("score", "--as-of", AS_OF, "--csv", home=shop)
    rows = list(csv.DictReader(io.StringIO(written.stdout)))
    assert list(rows[0]) == [
        "email", "customer", "propensity", "expected_value_minor", "currency", "decile", "as_of", "run",
    ]  # fmt: skip
    assert all(0 <= float(row["propensity"]) <= 1 for row in rows)
    assert all(int(row["expected_value_minor"]) >= 0 for row in rows)
    assert {(row["as_of"], row["run"], row["currency"]) for row in rows} == {(AS_OF, run, "usd")}
    assert len({row["email"] for row in rows}) == len(rows) > 300


def test_scores_are_better_than_recency_on_what_came_after(shop: Path, kpay: Kpay) -> None:
    answer(kpay("train", "--as-of", AS_OF, "--horizon", "60d", "--json", home=shop))
    rows = answer(kpay("score", "--as-of", AS_OF, "--json", home=shop))["rows"]
    frame = membership_orders(400, seed=9)
    border = START + timedelta(days=304)  # the end of AS_OF
    came = {f"c{who:04d}@example.com" for who in frame[frame["at"] >= border]["customer"]}
    last = frame[frame["at"] < border].groupby("customer")["at"].max()
    pairs = [
        (row["propensity"], last[int(row["email"][1:5])].timestamp(), row["email"] in came)
        for row in rows
    ]

    def auc(scores: list[float]) -> float:
        yes = [score for score, pair in zip(scores, pairs, strict=True) if pair[2]]
        no = [score for score, pair in zip(scores, pairs, strict=True) if not pair[2]]
        return sum((a > b) + 0.5 * (a == b) for a in yes for b in no) / (len(yes) * len(no))

    assert auc([pair[0] for pair in pairs]) > auc([pair[1] for pair in pairs])


def test_scoring_twice_writes_nothing_the_second_time(shop: Path, kpay: Kpay) -> None:
    answer(kpay("train", "--as-of", AS_OF, "--json", home=shop))
    first = kpay("score", "--as-of", AS_OF, home=shop)
    before = digest(shop)
    again = kpay("score", "--as-of", AS_OF, home=shop)
    assert "Scored" in first.stdout
    assert "Nothing to do" in again.stdout
    assert digest(shop) == before


def test_a_model_that_knows_more_than_the_day_is_refused(shop: Path, kpay: Kpay) -> None:
    untrained = kpay("score", "--as-of", AS_OF, home=shop)
    assert (untrained.exit_code, "kpay train" in untrained.stderr) == (4, True)
    answer(kpay("train", "--as-of", AS_OF, "--json", home=shop))
    refused = kpay("score", "--as-of", "2025-10-30", home=shop)
    assert refused.exit_code == 4
    assert "next: kpay train --as-of 2025-10-30" in refused.stderr
    assert kpay("score", "--as-of", "2025-11-15", home=shop).exit_code == 0


def test_a_changed_model_file_is_not_loaded_and_training_mends_it(shop: Path, kpay: Kpay) -> None:
    answer(kpay("train", "--as-of", AS_OF, "--json", home=shop))
    (file,) = (shop / "models").iterdir()
    sound = file.read_text(encoding="utf-8")
    file.write_text(sound.replace("0", "1", 1), encoding="utf-8")
    refused = kpay("score", "--as-of", AS_OF, home=shop)
    assert refused.exit_code == 4
    assert "checksum" in refused.stderr
    assert "Trained" in kpay("train", "--as-of", AS_OF, home=shop).stdout
    assert file.read_text(encoding="utf-8") == sound
    file.unlink()
    gone = kpay("score", "--as-of", AS_OF, home=shop)
    assert (gone.exit_code, "is gone" in gone.stderr) == (4, True)


def test_a_model_can_be_shown_and_a_customer_explained(shop: Path, kpay: Kpay) -> None:
    run = answer(kpay("train", "--as-of", AS_OF, "--json", home=shop))["run"]
    shown = answer(kpay("model", "show", run[:6], "--json", home=shop))
    assert shown["run"] == run
    assert shown["card"]["windows"]
    assert kpay("model", "show", "nothing", home=shop).exit_code == 4
    why = answer(kpay("model", "explain", "C0001@Example.com", "--json", home=shop))
    assert why["email"] == "c0001@example.com"
    assert 0 < why["propensity"] < 1
    assert kpay("model", "explain", "stranger@example.com", home=shop).exit_code == 4


def test_an_unknown_device_is_a_usage_problem_and_a_missing_one_is_explained(
    shop: Path, kpay: Kpay
) -> None:
    assert kpay("train", "--device", "tpu", home=shop).exit_code == 2
    refused = kpay("train", "--as-of", AS_OF, "--device", "cuda", home=shop)
    assert refused.exit_code == 2
    assert "--device cuda does not work here" in refused.stderr
    assert kpay("train", "--horizon", "soon", home=shop).exit_code == 2
    assert kpay("train", "--as-of", "someday", home=shop).exit_code == 2


@pytest.mark.parametrize("command", ["train", "score", "recommend", "forecast"])
def test_an_empty_business_is_told_what_to_do(business: Path, kpay: Kpay, command: str) -> None:
    refused = kpay(command, home=business)
    assert refused.exit_code == 4
    assert "next: kpay sync" in refused.stderr


def test_products_of_an_import_are_recommended_with_a_reason(shop: Path, kpay: Kpay) -> None:
    found = answer(kpay("recommend", "c0001@example.com", "-n", "3", "--json", home=shop))
    (row,) = found["rows"]
    assert row["email"] == "c0001@example.com"
    assert 1 <= len(row["items"]) <= 3
    assert {"content", "score", "because"} <= set(row["items"][0])
    everybody = answer(kpay("recommend", "--all", "-n", "2", "--json", home=shop))
    assert 350 < len(everybody["rows"]) < 400
    assert kpay("recommend", "stranger@example.com", home=shop).exit_code == 4
    assert kpay("recommend", "c0001@example.com", "--all", home=shop).exit_code == 2


def test_recommendations_are_tried_on_the_past_beside_their_rivals(shop: Path, kpay: Kpay) -> None:
    found = answer(kpay("recommend", "--evaluate", "--json", home=shop))
    names = [row["name"] for row in found["rows"]]
    assert names == [
        "popularity", "popularity of the last month", "item-kNN", "EASE alone", "kpay",
    ]  # fmt: skip
    assert found["people"] >= 20
    assert 1 <= len(found["cutoffs"]) <= 4
    basis = answer(kpay("recommend", "--json", home=shop))["basis"]
    assert basis == ("personal" if found["is_proven"] else "popularity")
    told = kpay("recommend", "--evaluate", home=shop)
    assert "NDCG@10" in told.stdout
    assert kpay("recommend", "--evaluate", "--all", home=shop).exit_code == 2


def test_published_content_is_what_gets_recommended_once_there_is_any(
    shop: Path, kpay: Kpay
) -> None:
    with sqlite3.connect(shop / "kpay.db") as connection:
        connection.executemany(
            "INSERT INTO content (slug, kind, title, summary, language, tags, includes, pricing,"
            " amount_minor, currency, trial_days, status, version, digest, file, attachments,"
            " created_at) VALUES (?, 'ebook', ?, '', 'en', '[\"x\"]', '[]', ?, 900, 'usd', 0, ?, 1,"
            " 'd', 'f', '[]', '2025-01-01T00:00:00Z')",
            [
                ("piece-1", "One", "fixed", "published"),
                ("club", "Club", "fixed", "archived"),
                ("gift", "Gift", "free", "published"),
                ("fresh", "新しい本", "fixed", "published"),
            ],
        )
    rows = answer(kpay("recommend", "--all", "--json", home=shop))["rows"]
    offered = {item["content"] for row in rows for item in row["items"]}
    assert offered <= {"piece-1", "fresh"}
    assert "fresh" in offered


def test_a_forecast_prints_the_shape_that_scripts_rely_on(shop: Path, kpay: Kpay) -> None:
    found = answer(kpay("forecast", "--as-of", AS_OF, "--horizon", "90d", "--json", home=shop))
    assert found["schema"] == "kpay.forecast/1"
    assert (found["currency"], found["freq"], len(found["points"])) == ("usd", "day", 90)
    assert found["points"][0]["start"] == "2025-11-01"
    keys = {"mean_minor", "low80_minor", "high80_minor", "low95_minor", "high95_minor"}
    assert set(found["points"][0]) == {"start", *keys}
    assert set(found["total"]) == keys
    assert {"folds", "mase", "baseline_mase", "coverage80", "coverage95"} <= set(found["backtest"])
    assert sum(point["mean_minor"] for point in found["points"]) == found["total"]["mean_minor"]
    came = membership_orders(400, seed=9)
    after = came[came["at"] >= START + timedelta(days=304)]["amount_minor"].sum() * 90 / 61
    assert found["total"]["low95_minor"] < after < found["total"]["high95_minor"]


def test_months_weeks_and_days_have_the_same_total(shop: Path, kpay: Kpay) -> None:
    totals = [
        answer(kpay("forecast", "--as-of", AS_OF, "--freq", freq, "--json", home=shop))
        for freq in ("day", "week", "month")
    ]
    assert len({json.dumps(found["total"]) for found in totals}) == 1
    for found in totals:
        assert sum(point["mean_minor"] for point in found["points"]) == found["total"]["mean_minor"]
    assert [point["start"] for point in totals[2]["points"]] == [
        "2025-11-01",
        "2025-12-01",
        "2026-01-01",
    ]


def test_a_campaign_that_is_over_does_not_lift_the_forecast(shop: Path, kpay: Kpay) -> None:
    extra = "".join(
        f"x{day}-{n},c{n:04d}@example.com,2025-10-{day}T10:00:00Z,40.00,usd\n"
        for day in range(21, 31)
        for n in range(40)
    )
    head = "order_id,email,ordered_at,amount,currency\n"
    before = answer(kpay("forecast", "--as-of", AS_OF, "--json", home=shop))
    assert kpay("import", "orders", "-", home=shop, input=head + extra).exit_code == 0
    lifted = answer(kpay("forecast", "--as-of", AS_OF, "--json", home=shop))
    with sqlite3.connect(shop / "kpay.db") as connection:
        connection.execute(
            "INSERT INTO campaign (name, state, created_at, first_sent_at)"
            " VALUES ('autumn', 'sent', '2025-10-20T00:00:00Z', '2025-10-20T09:00:00Z')"
        )
    told = answer(kpay("forecast", "--as-of", AS_OF, "--json", home=shop))
    assert lifted["total"]["mean_minor"] > 1.5 * before["total"]["mean_minor"]
    assert told["total"]["mean_minor"] == pytest.approx(before["total"]["mean_minor"], rel=0.15)
    assert (before["as_usual"], told["as_usual"]) == ([], ["campaign autumn"])


def test_a_forecast_is_kept_once(shop: Path, kpay: Kpay) -> None:
    for _ in range(2):
        answer(kpay("forecast", "--as-of", AS_OF, "--json", home=shop))
    with sqlite3.connect(shop / "kpay.db") as connection:
        assert connection.execute("SELECT count(*) FROM forecast_run").fetchone() == (1,)


@pytest.mark.parametrize("day", ["9999-12-31", "2026-10-02", "0001-01-01"])
@pytest.mark.parametrize("command", ["train", "score", "forecast"])
def test_a_day_that_has_not_come_is_refused(shop: Path, kpay: Kpay, command: str, day: str) -> None:
    refused = kpay(command, "--as-of", day, home=shop)
    assert refused.exit_code == 2
    assert "--as-of" in refused.stderr


def test_asking_for_a_currency_without_sales_is_refused(shop: Path, kpay: Kpay) -> None:
    refused = kpay("forecast", "--as-of", AS_OF, "--currency", "eur", home=shop)
    assert refused.exit_code == 4
    assert "EUR" in refused.stderr


def test_a_series_of_ones_own_needs_no_business(kpay: Kpay) -> None:
    rows = "\n".join(
        f"2026-{1 + day // 28:02d}-{1 + day % 28:02d},{10 + day % 7}" for day in range(28 * 4)
    )
    found = answer(
        kpay(
            "forecast", "--input", "-", "--horizon", "14d", "--json", input=f"date,value\n{rows}\n"
        )
    )
    assert found["currency"] is None
    assert set(found["points"][0]) == {"start", "mean", "low80", "high80", "low95", "high95"}
    assert found["points"][0]["start"] == "2026-04-29"
    assert len(found["points"]) == 14


def test_months_and_bare_columns_are_understood(kpay: Kpay, tmp_path: Path) -> None:
    file = tmp_path / "months.csv"
    file.write_text("\n".join(f"{2020 + m // 12}-{1 + m % 12:02d}-01,{100 + m}" for m in range(60)))
    months = answer(kpay("forecast", "--input", str(file), "--horizon", "12m", "--json"))
    assert (months["freq"], len(months["points"])) == ("month", 12)
    assert months["points"][0]["start"] == "2025-01-01"
    assert 155 < months["points"][0]["mean"] < 170
    file.write_text("\n".join(str(100 + m) for m in range(60)))
    bare = answer(
        kpay("forecast", "--input", str(file), "--horizon", "90d", "--freq", "month", "--json")
    )
    assert [point["start"] for point in bare["points"]] == ["61", "62", "63"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "there is no value"),
        ("date,value\n2026-01-01,1\n2026-13-01,2\nx,3\n2026-01-04,many\n", "3 problems"),
        ("5\n-3\n", "is not a number from 0"),
        ("5\nnan\n", "is not a number from 0"),
        ("1,2,3\n", "has 3 columns"),
    ],
)
def test_wrong_lines_of_a_series_are_listed_together(kpay: Kpay, text: str, problem: str) -> None:
    refused = kpay("forecast", "--input", "-", input=text)
    assert refused.exit_code == 65
    assert problem in refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--level", "eighty"),
        ("--level", "100"),
        ("--horizon", "never"),
        ("--freq", "hour"),
        ("--as-of", "2026-01-01"),
    ],
)
def test_wrong_options_of_a_forecast_are_usage_problems(
    kpay: Kpay, arguments: tuple[str, ...]
) -> None:
    assert kpay("forecast", "--input", "-", *arguments, input="1\n2\n").exit_code == 2


def test_one_value_still_gets_a_range(kpay: Kpay) -> None:
    found = answer(kpay("forecast", "--input", "-", "--json", "--horizon", "7d", input="0.5\n"))
    assert found["model"] == "mean"
    assert found["total"]["mean"] == pytest.approx(3.5)
    assert found["total"]["low95"] < 3.5 < found["total"]["high95"]
    assert found["backtest"]["mase"] is None
