"""`kpay model show` and `kpay model explain`, as a creator types them."""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Result, run_kpay
from tests.fakes.ml_worlds import membership_orders

Kpay = Callable[..., Result]
AS_OF, HORIZON = "2025-08-31", "60d"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A business with a year of sales, a model and scores of four months ago."""
    home = tmp_path_factory.mktemp("trained") / "shop"
    assert run_kpay("init", str(home)).exit_code == 0
    frame = membership_orders(300, seed=9)
    lines = [
        f"o{row.order}-{at},c{row.customer:04d}@example.com,{row.at:%Y-%m-%dT%H:%M:%SZ},"
        f"{row.amount_minor / 100:.2f},usd,{row.content}"
        for at, row in enumerate(frame.itertuples())
    ]
    file = home / "orders.csv"
    file.write_text("\n".join(["order_id,email,ordered_at,amount,currency,product", *lines]))
    for command in (
        ("import", "orders", str(file)),
        ("train", "--as-of", AS_OF, "--horizon", HORIZON),
        ("score", "--as-of", AS_OF),
    ):
        done = run_kpay(*command, home=home)
        assert done.exit_code == 0, done.stderr
    return home


def answer(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_the_card_says_how_good_a_model_is_and_whether_it_is_still_true(
    trained: Path, kpay: Kpay
) -> None:
    shown = kpay("model", "show", home=trained)
    assert shown.exit_code == 0, shown.stderr
    for said in (
        "who buys within 60 days",
        "If the likeliest fifth had been mailed",
        "Promised and kept",
        "Windows it learned from",
        "Days since the last purchase",
        "Scores of the model",
        "Past scores that have come due",
        "rows, SHA-256",
        "less than 13 months",
    ):
        assert said in shown.stdout, said


def test_the_card_is_small_and_its_figures_agree(trained: Path, kpay: Kpay) -> None:
    found = answer(kpay("model", "show", "--json", home=trained))
    card = found["card"]
    assert len(json.dumps(card)) < 200_000
    cut = card["confusion"]
    tested = sum(part["customers"] for part in card["calibration"])
    assert cut["tp"] + cut["fp"] + cut["fn"] + cut["tn"] == tested
    assert cut["tp"] + cut["fn"] == found["buyers"]
    assert set(card["curves"]) == {found["rung"], "recency"}
    assert 1 <= len(card["dependence"]) <= 6
    assert card["importance"][0]["mean_adds"] > 0
    assert len(card["rows_sha256"]) == 64


def test_what_came_of_past_scores_is_counted(trained: Path, kpay: Kpay) -> None:
    found = answer(kpay("model", "show", "--json", home=trained))["drift"]
    (kept,) = found["kept"]
    scored = answer(kpay("score", "--as-of", AS_OF, "--json", home=trained))["rows"]
    with sqlite3.connect(trained / "kpay.db") as connection:
        came = connection.execute(
            "SELECT count(DISTINCT o.customer_id) FROM orders AS o JOIN score AS s"
            " ON s.customer_id = o.customer_id"
            " WHERE s.as_of = '2025-08-31'"
            " AND o.ordered_at >= '2025-09-01' AND o.ordered_at < '2025-10-31'"
        ).fetchone()[0]
    assert kept["as_of"] == AS_OF
    assert kept["customers"] == len(scored)
    assert kept["came"] == came
    assert kept["promised"] == pytest.approx(sum(row["propensity"] for row in scored), abs=0.01)
    assert found["score_psi"] > 0


def test_without_drift_nothing_of_today_is_read(trained: Path, kpay: Kpay) -> None:
    assert answer(kpay("model", "show", "--no-drift", "--json", home=trained))["drift"] is None


def test_a_model_whose_file_is_gone_still_has_its_card(
    trained: Path, tmp_path: Path, kpay: Kpay
) -> None:
    home = tmp_path / "shop"
    shutil.copytree(trained, home)
    for file in (home / "models").iterdir():
        file.unlink()
    found = answer(kpay("model", "show", "--json", home=home))
    assert found["drift"]["score_psi"] is None
    assert "is gone" in found["drift"]["why_not"]
    assert len(found["drift"]["kept"]) == 1


def test_a_card_of_an_earlier_version_is_shown(trained: Path, tmp_path: Path, kpay: Kpay) -> None:
    home = tmp_path / "shop"
    shutil.copytree(trained, home)
    later = ("curves", "confusion", "importance", "dependence", "reference", "families", "seeds")
    with sqlite3.connect(home / "kpay.db") as connection:
        (text,) = connection.execute("SELECT card FROM model_run").fetchone()
        card = {key: value for key, value in json.loads(text).items() if key not in later}
        connection.execute("UPDATE model_run SET card = ?", (json.dumps(card),))
    shown = kpay("model", "show", home=home)
    assert (shown.exit_code, "Windows it learned from" in shown.stdout) == (0, True)
    page = home / "page.html"
    assert kpay("model", "show", "--out", str(page), home=home).exit_code == 0
    assert "Beside simple rules" in page.read_text(encoding="utf-8")


def test_the_page_is_written_whole_and_for_its_owner_only(
    trained: Path, tmp_path: Path, kpay: Kpay
) -> None:
    page = tmp_path / "model.html"
    done = kpay("model", "show", "--out", str(page), home=trained)
    assert done.exit_code == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    assert text.rstrip().endswith("</html>")
    assert "Is it still true?" in text
    assert "<script" not in text
    assert page.stat().st_mode & 0o777 == 0o600
    markdown = kpay("model", "show", "--format", "md", home=trained)
    assert markdown.stdout.startswith("# Model ")


def test_an_explanation_adds_up_to_the_score_and_says_it_in_words(
    trained: Path, kpay: Kpay
) -> None:
    found = answer(kpay("model", "explain", "C0001@Example.com", "--json", home=trained))
    parts = sum(reason["adds"] for reason in found["reasons"])
    assert found["base_log_odds"] + parts == pytest.approx(found["log_odds"], abs=1e-4)
    assert 1 / (1 + math.exp(-found["log_odds"])) == pytest.approx(found["propensity"], abs=1e-5)
    told = sum(sentence["adds"] for sentence in found["sentences"])
    assert told == pytest.approx(parts, abs=1e-4)
    assert found["summary"].startswith("Bought ")
    assert {"column", "title", "value", "adds"} == set(found["reasons"][0])
    scored = answer(kpay("score", "--json", home=trained))["rows"]
    (own,) = [row for row in scored if row["email"] == "c0001@example.com"]
    assert found["propensity"] == pytest.approx(own["propensity"], abs=1e-5)


def test_reasons_are_sentences_on_a_terminal(trained: Path, kpay: Kpay) -> None:
    shown = kpay("model", "explain", "c0001@example.com", home=trained)
    assert "Last purchase " in shown.stdout
    assert "points " in shown.stdout
    assert "recency_days" not in shown.stdout


def test_a_stranger_and_an_untrained_target_are_refused(trained: Path, kpay: Kpay) -> None:
    stranger = kpay("model", "explain", "stranger@example.com", home=trained)
    assert (stranger.exit_code, "next: kpay score" in stranger.stderr) == (4, True)
    refund = kpay("model", "explain", "c0001@example.com", "--target", "refund", home=trained)
    assert refund.exit_code == 4
    assert "next: kpay train --target refund" in refund.stderr
    unknown = kpay("model", "explain", "c0001@example.com", "--target", "luck", home=trained)
    assert (unknown.exit_code, "purchase, content:SLUG" in unknown.stderr) == (2, True)


def test_a_model_of_uplift_shows_its_own_measures(
    trained: Path, tmp_path: Path, kpay: Kpay
) -> None:
    home = tmp_path / "shop"
    shutil.copytree(trained, home)
    figure = {"value": 0.031, "low95": 0.011, "high95": 0.052}
    card = {
        "why": "learned from 6 campaigns",
        "pooled": {
            "campaigns": 6, "people": 2400, "mailed": 1900, "held_out": 500,
            "mailed_buyers": 130, "held_out_buyers": 22,
        },
        "uplift": {
            **dict.fromkeys(("qini", "effect", "top_effect", "last_effect"), figure),
            "qini_of_response": 0.027,
        },
        "metrics": dict.fromkeys(("auc", "auc_low95", "auc_high95", "ece")),
        "baselines": {},
        "device": {"asked": "cpu", "used": "cpu", "why": "two small regressions"},
        "threads": 1,
        "versions": {},
    }  # fmt: skip
    with sqlite3.connect(home / "kpay.db") as connection:
        connection.execute(
            "INSERT INTO model_run (run, target, as_of, horizon_days, rung, customers, buyers,"
            " account, columns_digest, checksum, card, is_champion, trained_at)"
            " VALUES ('feedbeef', 'uplift', '2025-08-31', 14, 't-learner', 2400, 152,"
            " '', '', 'none', ?, 1, '2025-09-01T00:00:00Z')",
            (json.dumps(card),),
        )
    shown = kpay("model", "show", "--target", "uplift", home=home)
    assert (shown.exit_code, "0.031" in shown.stdout) == (0, True), shown.stderr
    assert "nobody knows" not in shown.stdout
    page = home / "uplift.html"
    assert kpay("model", "show", "feed", "--out", str(page), home=home).exit_code == 0
    assert "0.031" in page.read_text(encoding="utf-8")
    assert "who buys within 60 days" in kpay("model", "show", home=home).stdout
