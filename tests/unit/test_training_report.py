"""What `kpay train` says of a model that it has just learned."""

from __future__ import annotations

from datetime import date
from typing import Any

from kpay.domain.document import Table, Text
from kpay.services.training_report import Trained

MEASURES = {
    "auc": 0.8, "log_loss": 0.5, "brier": 0.2, "ece": 0.02, "average_precision": 0.6,
    "lift_top_decile": 2.0, "auc_low95": 0.7, "auc_high95": 0.9,
    "log_loss_low95": 0.4, "log_loss_high95": 0.6,
}  # fmt: skip
UNTESTED = dict.fromkeys(MEASURES)
WON = {
    "is_champion": True,
    "against": "old",
    "why": "better than the champion old",
    "gain": 0.01,
    "se": 0.002,
}


def trained(**card: Any) -> Trained:
    """A model of 900 customers whose card says this."""
    kept = {
        "why": "900 customers were known", "metrics": MEASURES, "baselines": {"recency": MEASURES},
        "device": {}, "threads": 1, "rungs": {}, "windows": [], "calibration": [],
        "families": [], "tuned": None, "vantage": "", "at_limit": False, "first_day": "2024-01-01",
        "champion": WON, **card,
    }  # fmt: skip
    row = {
        "run": "abc", "as_of": date(2026, 3, 1), "horizon_days": 90, "rung": "blend", "customers": 900,
        "buyers": 300, "target": "purchase", "card": kept,
    }  # fmt: skip
    return Trained.of(row, is_new=True, seconds=1.0)


def said(found: Trained) -> str:
    document = found.to_document()
    texts = [block.text for block in document.blocks if isinstance(block, Text)]
    return "\n".join([document.title, *texts])


def test_a_model_that_cannot_be_told_from_chance_says_so_in_its_first_line() -> None:
    chance = {**MEASURES, "auc": 0.52, "auc_low95": 0.47, "auc_high95": 0.57}
    found = trained(metrics=chance)
    assert found.to_document().title.endswith("no signal yet")
    assert found.to_json()["has_signal"] is False
    assert "No signal yet" in said(found)
    assert "No signal" not in said(trained())
    assert trained().to_json()["has_signal"] is True


def test_a_model_that_could_not_be_tested_claims_neither() -> None:
    found = trained(metrics=UNTESTED)
    assert found.to_json()["has_signal"] is None
    assert "nobody knows" in said(found)


def test_less_than_thirteen_months_are_warned_about() -> None:
    assert "less than 13 months" in said(trained(first_day="2025-06-01"))
    assert "13 months" not in said(trained(first_day="2025-01-30"))


def test_every_measure_stands_beside_the_baselines_with_its_interval() -> None:
    table = next(block for block in trained().to_document().blocks if isinstance(block, Table))
    assert [row[0] for row in table.rows] == ["blend (this model)", "recency"]
    assert {row[2] for row in table.rows} == {"0.700 to 0.900"}
    assert {row[4] for row in table.rows} == {"0.400 to 0.600"}


def test_families_of_features_are_listed_with_what_they_saved() -> None:
    kept = {"name": "site", "kept": True, "gain": 0.004, "se": 0.001, "why": "log loss .004 less"}
    dropped = {"name": "text", "kept": False, "gain": 0.0, "se": 0.002, "why": "no gain"}
    tables = [
        block
        for block in trained(families=[kept, dropped]).to_document().blocks
        if isinstance(block, Table)
    ]
    assert [row[:2] for row in tables[1].rows] == [("site", "yes"), ("text", "no")]


def test_who_won_is_said_and_what_comes_next_depends_on_it() -> None:
    assert "Champion: better than the champion old." in said(trained())
    assert trained().to_document().next_steps[0] == "kpay score"
    lost = trained(champion={**WON, "is_champion": False, "why": "the champion old stays"})
    assert "Not the champion: the champion old stays." in said(lost)
    assert lost.to_document().next_steps == ("kpay model list", "kpay model promote abc")


def test_a_run_that_was_demoted_since_is_no_champion_any_more() -> None:
    row = {
        "run": "abc", "as_of": date(2026, 3, 1), "horizon_days": 90, "rung": "rule",
        "customers": 1, "buyers": 0, "target": "purchase", "is_champion": False,
        "card": {"champion": WON},
    }  # fmt: skip
    assert Trained.of(row, is_new=False, seconds=0.0).champion["is_champion"] is False


def test_tuning_says_how_much_it_tried_and_whether_it_won() -> None:
    tuned = {"trials": 40, "settings": {}, "is_kept": False, "gain": 0.0, "se": 0.001}
    assert "40 settings" in said(trained(tuned=tuned))
    assert "none is better" in said(trained(tuned=tuned))
    assert "the best are kept" in said(trained(tuned={**tuned, "is_kept": True}))
