"""What the page of a model's card is filled with, and how its drawings are laid out."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest

from kpay.adapters.renderer import JinjaRenderer
from kpay.presentation.model_page import model_page_values
from kpay.presentation.model_pictures import at, windows
from kpay.presentation.plots import Axis, Dot, Line, axis_round, bars, drawing, share_axis
from kpay.shipped import shipped

MEASURED = {
    "auc": 0.82, "auc_low95": 0.8, "auc_high95": 0.84, "log_loss": 0.5, "log_loss_low95": 0.48,
    "log_loss_high95": 0.52, "brier": 0.16, "ece": 0.02, "average_precision": 0.7,
    "lift_top_decile": 2.1,
}  # fmt: skip
CURVES = {
    "roc": [[0.0, 0.0], [0.2, 0.7], [1.0, 1.0]],
    "precision_recall": [[0.1, 0.9], [1.0, 0.4]],
    "gain": [[0.0, 0.0], [0.4, 0.8], [1.0, 1.0]],
    "tenths": [{"customers": 10, "buyers": 8, "promised": 7.5, "lift": 2.0}],
}
PAYLOAD: dict[str, Any] = {
    "run": "3f2a91c0ffee",
    "target": "purchase",
    "as_of": "2026-08-31",
    "horizon_days": 90,
    "rung": "blend",
    "customers": 1234,
    "buyers": 40,
    "is_champion": True,
    "promoted_at": None,
    "metrics": MEASURED,
    "checksum": "c0ffee",
    "limits": ["It is young."],
    "card": {
        "why": "1234 customers were known",
        "metrics": MEASURED,
        "baselines": {"bgnbd": MEASURED, "recency": {**MEASURED, "auc": 0.75}},
        "calibration": [{"customers": 50, "expected": 10.0, "actual": 12}] * 2,
        "windows": [{"cutoff_day": -90, "customers": 100, "buyers": 40, "base_rate": 0.4}],
        "curves": {"blend": CURVES, "recency": CURVES},
        "confusion": {
            "share_mailed": 0.2, "probability": 0.61, "tp": 12, "fp": 8, "fn": 28, "tn": 52,
            "precision": 0.6, "recall": 0.3, "f1": 0.4, "accuracy": 0.64,
        },
        "importance": [{"column": "recency_days", "mean_adds": 0.8, "gain": 0.4}],
        "dependence": [
            {
                "column": "recency_days",
                "curve": [[0.0, 0.6], [100.0, 0.2]],
                "parts": [{"value": 50.0, "customers": 9, "promised": 0.4, "came": 0.45}],
                "undefined": 0,
            }
        ],
        "families": [{"name": "mail", "kept": False, "gain": 0.0, "se": 0.1, "why": "no gain"}],
        "rolling": [{"cutoff_day": -90, "log_loss": {"blend": 0.512345, "recency": 0.6}}],
        "recipe": {"rung": "blend", "families": ["mail"], "settings": {"num_leaves": 7}},
        "device": {"asked": "auto", "used": "cpu", "why": "few rows"},
        "threads": 1,
        "rounds": 80,
        "seeds": {"trees": 0},
        "versions": {"kpay": "1"},
        "rows_sha256": "beef",
        "first_day": "2025-01-01",
        "orders": 5000,
    },
    "drift": {
        "as_of": "2026-09-30", "age_days": 30, "score_psi": 0.3, "psi": {"recency_days": 0.12},
        "notable_psi": 0.1, "alarming_psi": 0.25, "chance_psi": 0.02, "is_calm": False,
        "verdict": "Time to train anew: the scores have moved.", "advice": ["the scores have moved"],
        "why_not": "",
        "kept": [{"run": "a", "as_of": "2026-05-01", "customers": 90, "promised": 30.5,
                  "came": 28, "error": 4.0, "is_off": False}],
    },
}  # fmt: skip


class NoMarkdown:
    def to_html(self, text: str) -> str:
        return text


def page(payload: dict[str, Any]) -> str:
    renderer = JinjaRenderer([shipped("templates")], NoMarkdown())
    return renderer.render("report/model.html", model_page_values(payload))


def test_the_page_is_one_file_without_scripts_or_anything_from_outside() -> None:
    text = page(PAYLOAD)
    assert text.startswith("<!doctype html>")
    for outside in ("<script", "http://", "https://", "<link", "@import", "url(", "<img"):
        assert outside not in text
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text
    assert text.count("<svg") == 7


def test_the_page_says_how_good_it_is_in_words() -> None:
    text = page(PAYLOAD)
    for said in (
        "Who buys within 90 days",
        "scores now",
        "right in 82 of 100 pairs; days since the last purchase alone: 75",
        "60.0% of those mailed bought",
        "30.0% of all buyers were mailed",
        "deciles 1 and 2, 20 of 100 customers, from a probability of 61.0% up",
        "The likeliest fifth of the customers holds 40% of all buyers",
        "It is young.",
        "not used",
        "Mails and clicks",
        "no gain: +0.0000 of log loss saved, standard error 0.1000",
        "Time to train anew: the scores have moved.",
        "kpay never trains anew by itself",
        "30.5 ± 8.0",
        "2026-06-03",
        "0.512",
        "num_leaves 7",
        "beef",
    ):
        assert said in text, said


def test_a_baseline_that_is_the_model_itself_is_not_beside_itself() -> None:
    rivals = model_page_values({**PAYLOAD, "rung": "bgnbd"})["rivals"]
    assert [rival["is_ours"] for rival in rivals] == [True, False]
    assert rivals[0]["name"] == "Buying rhythm (BG/NBD) (this model)"


def test_a_card_of_an_earlier_version_still_has_a_page() -> None:
    old = copy.deepcopy(PAYLOAD)
    for key in ("curves", "confusion", "importance", "dependence", "families", "seeds"):
        del old["card"][key]
    text = page({**old, "drift": None})
    assert "Beside simple rules" in text
    assert "If you had mailed" not in text
    assert "Is it still true?" not in text


def test_a_model_that_could_not_be_tested_says_so_and_shows_no_zero() -> None:
    untested = copy.deepcopy(PAYLOAD)
    nothing: dict[str, Any] = dict.fromkeys(MEASURED)
    untested["card"] |= {
        "metrics": nothing, "baselines": {"recency": nothing}, "calibration": [], "curves": {},
        "confusion": {}, "dependence": [], "windows": [], "families": [],
    }  # fmt: skip
    text = page(untested)
    assert "not tested yet" in text
    assert "0.000" not in text


def test_names_from_outside_are_escaped() -> None:
    hostile = copy.deepcopy(PAYLOAD)
    hostile["target"] = "content:<script>alert(1)</script>"
    hostile["card"]["why"] = "<b>bold</b>"
    hostile["card"]["importance"][0]["column"] = '"><script>'
    hostile["card"]["families"][0]["why"] = "<img src=x>"
    text = page(hostile)
    assert "<script" not in text
    assert "<b>bold" not in text
    assert "<img" not in text


def test_axes_end_in_round_shares_and_tick_at_round_values() -> None:
    assert (share_axis("", 0.43).high, share_axis("", 0.01).high) == (0.5, 0.01)
    assert share_axis("", 1.0).ticks() == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert axis_round([3.0, 187.0], "").ticks() == [50.0, 100.0, 150.0]
    assert axis_round([5.0, 5.0], "").share(5.0) == 0.5


def test_points_stand_where_their_values_are() -> None:
    made = drawing(
        "T", Axis(0, 10, "x"), Axis(0, 1, "y"),
        lines=[Line([(0, 0), (10, 1)], "ours", "line")], dots=[Dot(5, 2.0, "far above")],
    )  # fmt: skip
    left, right, top, bottom = (made[key] for key in ("left", "right", "top", "bottom"))
    assert made["lines"][0]["points"] == f"{left},{bottom} {right},{top}"
    assert made["dots"][0]["x"] == (left + right) / 2
    assert made["dots"][0]["y"] == top
    assert made["legend"] == [{"name": "line", "tone": "ours"}]


def test_bars_stand_on_the_axis_side_by_side() -> None:
    made = bars("T", Axis(0, 2, ""), [(1.0, "one", "1"), (2.0, "two", "")], label="x")
    one, two = made["bars"]
    assert one["y"] + one["height"] == pytest.approx(made["bottom"])
    assert two["height"] == pytest.approx(2 * one["height"])
    assert one["x"] + one["width"] < two["x"]
    assert [label["text"] for label in made["across"]] == ["1"]


def test_a_height_between_two_points_lies_on_the_line() -> None:
    curve = [[0.0, 0.0], [0.4, 0.8], [1.0, 1.0]]
    assert at(curve, 0.2) == pytest.approx(0.4)
    assert at(curve, 1.0) == 1.0


def test_of_many_windows_three_are_named() -> None:
    days = [date(2026, 1, day) for day in range(1, 10)]
    made = windows([(day, 0.5) for day in days])
    assert [label["text"] for label in made["across"]] == [
        "2026-01-01", "2026-01-05", "2026-01-09",
    ]  # fmt: skip
