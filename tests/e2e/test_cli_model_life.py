"""Champions, promotions and refusals, as a creator types them."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kpay.store.model_files import Head, write_model
from tests.conftest import Result, run_kpay
from tests.e2e.test_cli_learning import answer, digest, orders_csv

Kpay = Callable[..., Result]
EARLY, LATE = "2025-08-31", "2025-10-31"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A business with two models of a purchase within 60 days, made once."""
    home = tmp_path_factory.mktemp("trained") / "shop"
    assert run_kpay("init", str(home)).exit_code == 0
    (home / "orders.csv").write_text(orders_csv(400), encoding="utf-8")
    assert run_kpay("import", "orders", str(home / "orders.csv"), home=home).exit_code == 0
    for day in (EARLY, LATE):
        done = run_kpay("train", "--as-of", day, "--horizon", "60d", home=home)
        assert done.exit_code == 0, done.stderr
    return home


@pytest.fixture
def shop(trained: Path, tmp_path: Path) -> Path:
    home = tmp_path / "shop"
    shutil.copytree(trained, home)
    return home


def refusal(result: Result) -> dict[str, Any]:
    assert result.exit_code == 4, (result.stdout, result.stderr)
    found: dict[str, Any] = json.loads(result.stderr)["error"]
    assert found["hint"].startswith("kpay ")
    return found


def runs(home: Path, kpay: Kpay) -> dict[str, dict[str, Any]]:
    """The models by the day they were trained as of."""
    listed = answer(kpay("model", "list", "--json", home=home))["models"]
    return {model["as_of"]: model for model in listed}


def change(home: Path, run: str, column: str, value: str) -> None:
    with sqlite3.connect(home / "kpay.db") as connection:
        connection.execute(f"UPDATE model_run SET {column} = ? WHERE run = ?", (value, run))
    connection.close()


def forge(home: Path, run: str, edit: Callable[[dict[str, Any]], None]) -> None:
    """Change a model's file as somebody would who can reckon checksums and write to the store."""
    path = home / "models" / f"{run}.json"
    found = json.loads(path.read_text())
    edit(found)
    body = json.dumps(found["model"], sort_keys=True).encode()
    found["kpay_model"]["sha256"] = hashlib.sha256(body).hexdigest()
    path.write_text(json.dumps(found))
    change(home, run, "checksum", hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_promoted_model_scores_until_it_is_rolled_back(shop: Path, kpay: Kpay) -> None:
    found = runs(shop, kpay)
    first = found[EARLY]["run"]
    answer(kpay("model", "promote", found[LATE]["run"], "--json", home=shop))
    said = answer(kpay("model", "promote", first[:8], "--json", home=shop))
    assert (said["run"], said["status"]) == (first, "promoted")
    assert said["instead_of"] == found[LATE]["run"]
    assert answer(kpay("score", "--json", home=shop))["run"] == first
    back = answer(kpay("model", "rollback", "--json", home=shop))
    assert (back["run"], back["instead_of"]) == (found[LATE]["run"], first)
    assert answer(kpay("score", "--json", home=shop))["run"] == found[LATE]["run"]
    assert runs(shop, kpay)[EARLY]["promoted_at"] is None
    assert refusal(kpay("model", "rollback", "--json", home=shop))["code"] == "refused"


def test_promoting_the_champion_changes_nothing(shop: Path, kpay: Kpay) -> None:
    run = next(model["run"] for model in runs(shop, kpay).values() if model["is_champion"])
    before = digest(shop)
    assert "Nothing to do" in kpay("model", "promote", run, home=shop).stdout
    assert digest(shop) == before
    assert refusal(kpay("model", "promote", "nope", "--json", home=shop))["code"] == "not_found"


def test_models_of_uplift_are_promoted_and_rolled_back_alike(shop: Path, kpay: Kpay) -> None:
    checksums = {
        run: write_model(shop / "models", Head(run, "uplift", "", "theirs"), {"uplift": {}})
        for run in ("aaa", "bbb")
    }
    with sqlite3.connect(shop / "kpay.db") as connection:
        connection.executemany(
            "INSERT INTO model_run (run, target, as_of, horizon_days, rung, customers, buyers, account,"
            " columns_digest, checksum, card, is_champion, trained_at) VALUES (?, 'uplift',"
            " '2026-01-01', 14, 't_learner', 1, 1, '', 'theirs', ?, '{}', 0, '2026-01-02T00:00:00Z')",
            checksums.items(),
        )
    connection.close()
    for run in checksums:
        assert answer(kpay("model", "promote", run, "--json", home=shop))["status"] == "promoted"
    back = answer(kpay("model", "rollback", "--target", "uplift", "--json", home=shop))
    assert (back["run"], back["instead_of"]) == ("aaa", "bbb")
    assert any(model["is_champion"] for model in runs(shop, kpay).values())


def test_a_day_that_is_asked_for_gets_the_newest_model_of_it_whoever_is_champion(
    shop: Path, kpay: Kpay
) -> None:
    found = runs(shop, kpay)
    answer(kpay("model", "promote", found[EARLY]["run"], "--json", home=shop))
    late = answer(kpay("score", "--as-of", LATE, "--json", home=shop))
    assert late["run"] == found[LATE]["run"]
    early = answer(kpay("score", "--as-of", "2025-10-30", "--json", home=shop))
    assert early["run"] == found[EARLY]["run"]


def test_training_says_whom_it_beat_and_the_champion_is_the_one_it_says(
    shop: Path, kpay: Kpay
) -> None:
    said = answer(kpay("train", "--as-of", LATE, "--horizon", "60d", "--json", home=shop))
    found = runs(shop, kpay)
    assert said["status"] == "unchanged"
    assert said["champion"]["against"] == found[EARLY]["run"]
    assert said["champion"]["is_champion"] is found[LATE]["is_champion"]
    assert set(said["champion"]) == {"is_champion", "against", "why", "gain", "se"}
    assert said["has_signal"] is True
    assert said["target"] == "purchase"


def test_a_model_of_another_account_or_other_columns_does_not_score(shop: Path, kpay: Kpay) -> None:
    run = runs(shop, kpay)[LATE]["run"]
    change(shop, run, "account", "acct_other/LIVE")
    found = refusal(kpay("score", "--as-of", LATE, "--json", home=shop))
    assert found["code"] == "model_foreign"
    assert "acct_other/LIVE" in found["message"]
    change(shop, run, "account", "")
    change(shop, run, "columns_digest", "of another version")
    found = refusal(kpay("score", "--as-of", LATE, "--json", home=shop))
    assert found["code"] == "model_outdated"
    assert found["details"]["run"] == run


def test_a_file_that_is_gone_changed_or_another_models_does_not_score(
    shop: Path, kpay: Kpay
) -> None:
    found = runs(shop, kpay)
    path = shop / "models" / f"{found[LATE]['run']}.json"
    whole = path.read_text()

    def code() -> str:
        said = refusal(kpay("score", "--as-of", LATE, "--json", home=shop))
        return str(said["code"])

    path.write_text(whole.replace("0", "1", 1))
    assert code() == "model_damaged"
    path.write_text((shop / "models" / f"{found[EARLY]['run']}.json").read_text())
    assert code() == "model_foreign"
    path.unlink()
    assert code() == "model_gone"
    assert "No file any more" in kpay("model", "list", home=shop).stdout
    checks = json.loads(kpay("doctor", "--json", home=shop).stdout)["checks"]
    assert [item["verdict"] for item in checks if item["check"] == "model files"] == ["warning"]
    kpay("train", "--as-of", LATE, "--horizon", "60d", home=shop)
    assert path.read_text() == whole


def test_trees_that_would_end_the_process_are_refused_even_with_the_right_checksums(
    shop: Path, kpay: Kpay
) -> None:
    run = runs(shop, kpay)[LATE]["run"]
    cut_short = {"text": "tree\nversion=v4\nnum_class=1\n", "names": ["log_recency"]}

    def cut(found: dict[str, Any]) -> None:
        found["model"]["propensity"].update(rung="blend", trees=cut_short)

    forge(shop, run, cut)
    found = refusal(kpay("score", "--as-of", LATE, "--json", home=shop))
    assert found["code"] == "model_damaged"
    assert "LightGBM cannot read its trees" in found["message"]


def test_a_forged_body_of_nonsense_is_refused(shop: Path, kpay: Kpay) -> None:
    run = runs(shop, kpay)[LATE]["run"]
    forge(shop, run, lambda found: found["model"]["propensity"].update(bg={"r": "much"}))
    found = refusal(kpay("score", "--as-of", LATE, "--json", home=shop))
    assert found["code"] == "model_outdated"


def test_each_target_has_its_own_models_and_scores(shop: Path, kpay: Kpay) -> None:
    said = answer(
        kpay("train", "--target", "content:club", "--horizon", "60d", "--json", home=shop)
    )
    assert (said["target"], said["champion"]["is_champion"]) == ("content:club", True)
    one = answer(kpay("score", "--target", "content:club", "--json", home=shop))
    every = answer(kpay("score", "--json", home=shop))
    assert one["target"] == "content:club"
    assert 0 < len(one["rows"]) < len(every["rows"])
    with sqlite3.connect(shop / "kpay.db") as connection:
        owners = {
            row[0]
            for row in connection.execute(
                "SELECT customer_id FROM orders JOIN line_item ON order_id = orders.id"
                " WHERE product = 'club'"
            )
        }
    connection.close()
    assert not owners & {row["customer"] for row in one["rows"]}
    assert refusal(kpay("score", "--target", "refund", "--json", home=shop))["hint"] == (
        "kpay train --target refund"
    )


def test_a_target_that_is_none_or_cannot_be_learned_is_explained(shop: Path, kpay: Kpay) -> None:
    unknown = kpay("train", "--target", "weather", home=shop)
    assert unknown.exit_code == 2
    assert "purchase, content:SLUG, renewal, refund" in unknown.stderr
    missing = kpay("train", "--target", "content:nothing", "--json", home=shop)
    assert refusal(missing)["hint"] == "kpay content list"
    assert refusal(kpay("train", "--target", "renewal", "--json", home=shop))["hint"] == "kpay sync"


def test_tuning_takes_its_time_and_says_what_came_of_it(shop: Path, kpay: Kpay) -> None:
    words = ("train", "--as-of", LATE, "--horizon", "60d", "--tune", "1", "--json")
    said = answer(kpay(*words, home=shop))
    assert said["tuned"]["trials"] >= 1
    assert answer(kpay(*words, home=shop))["status"] == "unchanged"
    assert "Tuning tried" in kpay(*words[:-1], home=shop).stdout


def test_tuning_without_its_extra_is_a_matter_of_settings(
    shop: Path, kpay: Kpay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.delitem(sys.modules, "kpay.ml.tuning", raising=False)
    refused = kpay("train", "--as-of", LATE, "--tune", home=shop)
    assert refused.exit_code == 78
    assert 'pip install "kpay[tune]"' in refused.stderr


@pytest.mark.parametrize("wrong", ["0", "soon", "-5", "2d", "90000"])
def test_a_budget_that_is_none_is_a_usage_problem(shop: Path, kpay: Kpay, wrong: str) -> None:
    assert kpay("train", f"--tune={wrong}", home=shop).exit_code == 2


def test_settings_that_were_tuned_for_the_champion_are_used_on_newer_rows(
    shop: Path, kpay: Kpay
) -> None:
    champion = next(model for model in runs(shop, kpay).values() if model["is_champion"])
    card = answer(kpay("model", "show", champion["run"], "--no-drift", "--json", home=shop))["card"]
    card["recipe"]["settings"] = {"num_leaves": 6}
    change(shop, champion["run"], "card", json.dumps(card))
    later = answer(kpay("train", "--as-of", LATE, "--horizon", "60d", "--json", home=shop))
    assert later["status"] == "trained"  # other settings, another run
    shown = answer(kpay("model", "show", later["run"], "--no-drift", "--json", home=shop))
    file = json.loads((shop / "models" / f"{later['run']}.json").read_text())
    trees = file["model"]["propensity"]["trees"]
    assert shown["card"]["recipe"]["settings"] == ({"num_leaves": 6} if trees else {})
    assert trees is None or "num_leaves=6" in trees["text"]
