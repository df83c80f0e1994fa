from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Kpay = Callable[..., Any]
PIECES = {
    "rain": "---\ntitle: Rain\nprice: free\n---\nAll of it.\n",
    "salt": "---\ntitle: Salt\nprice: free\n---\nAll of it.\n",
}
ROWS = (
    ("rain", 1, "Too thin, boring", "ana"),
    ("rain", 2, "太贵了，有点失望", "li"),
    ("rain", "", "Where is chapter two?", "bo"),
    ("salt", 5, "Loved it, very helpful", "ana"),
    ("salt", 4, "", "li"),
)


@pytest.fixture
def business_with_feedback(business: Path, kpay: Kpay) -> Path:
    for slug, text in PIECES.items():
        (business / "content" / f"{slug}.md").write_text(text, encoding="utf-8")
    assert kpay("publish", home=business).exit_code == 0
    lines = [
        f"{who}@example.com,2026-09-0{at + 1},review,{slug},{stars},{text}"
        for at, (slug, stars, text, who) in enumerate(ROWS)
    ]
    lines = [line.replace("Too thin, boring", '"Too thin, boring"') for line in lines]
    lines = [line.replace("Loved it, very helpful", '"Loved it, very helpful"') for line in lines]
    sheet = "\n".join(["email,at,kind,content,rating,text", *lines])
    assert kpay("import", "feedback", "-", home=business, input=sheet).exit_code == 0
    return business


def answer(result: Any) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    read = json.loads(result.stdout)
    assert isinstance(read, dict)
    return read


def test_feedback_tells_mood_and_examples(business_with_feedback: Path, kpay: Kpay) -> None:
    found = answer(kpay("content", "feedback", "--json", home=business_with_feedback))
    assert found["schema"] == "kpay.content.feedback/1"
    assert (found["count"], found["rated"], found["rating_mean"], found["rating_top"]) == (
        5,
        4,
        3,
        5,
    )
    assert [one["email"] for one in found["best"]] == ["ana@example.com"]
    assert {one["text"] for one in found["worst"]} == {"Too thin, boring", "太贵了，有点失望"}
    counts = {one["content"]: one["count"] for one in found["pieces"]}
    assert counts == {"rain": 3, "salt": 2}
    assert found["sentiment_ratings"] == 3


def test_feedback_on_one_piece_leaves_the_others_out(
    business_with_feedback: Path, kpay: Kpay
) -> None:
    found = answer(kpay("content", "feedback", "salt", "--json", home=business_with_feedback))
    assert (found["content"], found["count"], found["rating_mean"]) == ("salt", 2, 4.5)
    assert found["sentiment"] > 0
    people = kpay("content", "feedback", "rain", home=business_with_feedback)
    assert "The least happy" in people.stdout
    assert "Loved it" not in people.stdout


def test_no_feedback_says_how_to_begin(business: Path, kpay: Kpay) -> None:
    said = kpay("content", "feedback", home=business)
    assert (said.exit_code, "kpay import feedback" in said.stdout + said.stderr) == (0, True)
    assert answer(kpay("content", "feedback", "--json", home=business))["sentiment"] is None


def test_an_unknown_piece_is_not_found(business_with_feedback: Path, kpay: Kpay) -> None:
    said = kpay("content", "feedback", "rian", home=business_with_feedback)
    assert said.exit_code == 4
    assert "next: kpay content feedback rain" in said.stderr
