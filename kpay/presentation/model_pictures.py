"""The drawings of a model's card: curves of its backtest, what moves it, and the windows it saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, Final

from kpay.domain.column_words import plainly
from kpay.domain.family_words import words_of
from kpay.domain.target_words import doers
from kpay.presentation.plots import (
    Axis,
    Dot,
    Line,
    axis_round,
    bars,
    drawing,
    number,
    percent,
    share_axis,
)

Card = Mapping[str, Any]
NAMES: Final = {
    "rate": "Everybody alike",
    "rule": "Rule of thumb",
    "recency": "Days since the last purchase alone",
    "rfm_logistic": "Regression on recency, frequency and money",
    "bgnbd": "Buying rhythm (BG/NBD)",
    "logistic": "Logistic regression",
    "blend": "Blend of regression and trees",
    "boosting": "Trees (LightGBM)",
}
"""What rungs and baselines are called, the simplest first."""
DIAGONAL: Final = ((0.0, 0.0), (1.0, 1.0))
CUTOFF: Final = 0.2


def name_of(model: str) -> str:
    """Return what a rung or a baseline is called."""
    return NAMES.get(model, model)


def curves(rung: str, card: Card, target: str) -> list[dict[str, Any]]:
    """Return ROC, gain, precision-recall and calibration, those of them that could be measured."""
    made: Card = card.get("curves") or {}
    drawn = []
    if made.get(rung):
        drawn += [_roc(rung, made), _gain(rung, made, doers(target)), _precision(rung, made)]
    if card.get("calibration"):
        drawn.append(_calibration(card["calibration"]))
    return drawn


def _lines(rung: str, made: Card, kind: str) -> list[Line]:
    lines = [
        Line(found[kind], "ours" if name == rung else "other", name_of(name))
        for name, found in made.items()
        if found.get(kind)
    ]
    return sorted(lines, key=lambda line: line.tone == "ours")


def _roc(rung: str, made: Card) -> dict[str, Any]:
    chance = Line(DIAGONAL, "chance", "chance")
    return drawing(
        "ROC curve",
        share_axis("share of the others ranked above"),
        share_axis(""),
        lines=[chance, *_lines(rung, made, "roc")],
        note="Share of those for whom it came true, at each share of the others let in with them.",
    )


def _gain(rung: str, made: Card, who: str) -> dict[str, Any]:
    curve = made[rung]["gain"]
    reached = at(curve, CUTOFF)
    everybody = Line(DIAGONAL, "chance", "at random")
    return drawing(
        "Gain",
        share_axis("share of customers, the likeliest first"),
        share_axis(""),
        lines=[everybody, *_lines(rung, made, "gain")],
        dots=[Dot(CUTOFF, reached, f"the likeliest fifth holds {reached:.0%}")],
        note=f"The likeliest fifth of the customers holds {reached:.0%} of all {who}.",
    )


def at(curve: Sequence[Sequence[float]], x: float) -> float:
    """Return the height of a curve over x, straight between its points."""
    for (left, low), (right, high) in pairwise(curve):
        if left <= x <= right:
            return low if right == left else low + (high - low) * (x - left) / (right - left)
    return curve[-1][1]


def _precision(rung: str, made: Card) -> dict[str, Any]:
    lines = _lines(rung, made, "precision_recall")
    base = lines[-1].points[-1][1]
    return drawing(
        "Precision and recall",
        share_axis("recall: share of them found"),
        share_axis(""),
        lines=[Line(((0.0, base), (1.0, base)), "chance", "everybody"), *lines],
        note="Precision: the share of those picked for whom it came true.",
    )


def _calibration(bins: Sequence[Card]) -> dict[str, Any]:
    points = [
        (part["expected"] / part["customers"], part["actual"] / part["customers"], part)
        for part in bins
        if part["customers"]
    ]
    top = max(max(promised, came) for promised, came, _ in points)
    axis = share_axis("promised", top)
    dots = [
        Dot(
            promised,
            came,
            f"{int(part['customers']):,} customers: promised {promised:.1%}, came {came:.1%}",
        )
        for promised, came, part in points
    ]
    exact = Line(((0.0, 0.0), (axis.high, axis.high)), "chance", "exact")
    return drawing(
        "Promised and come",
        axis,
        share_axis("", top),
        lines=[exact],
        dots=dots,
        dots_name="a tenth of the customers",
        note="Share for whom it came true, by what was promised: the nearer the line, the better.",
    )


def lift(rung: str, card: Card) -> dict[str, Any] | None:
    """Return how much oftener it came true in each tenth than for everybody; None where untested."""
    tenths = (card.get("curves") or {}).get(rung, {}).get("tenths")
    if not tenths:
        return None
    top = max(part["lift"] for part in tenths)
    heights = [
        (
            part["lift"],
            f"tenth {index}: {part['buyers']:,} of {part['customers']:,}, lift {part['lift']:.2f}",
            str(index),
        )
        for index, part in enumerate(tenths, 1)
    ]
    up = Axis(0.0, max(1.0, top), "", lambda value: f"{number(value)}×")
    return bars(
        "Lift of each tenth",
        up,
        heights,
        label="tenth of the customers, the likeliest first",
        note="How much oftener it came true than for everybody: 1× is no better than chance.",
    )


def dependence(pictured: Sequence[Card]) -> list[dict[str, Any]]:
    """Return a drawing for each column, all with the same height of the chance."""
    drawn = [each for each in pictured if len(each["curve"]) > 1]
    heights = [
        height
        for each in drawn
        for height in (
            *(chance for _, chance in each["curve"]),
            *(part["came"] for part in each["parts"]),
        )
    ]
    return [_moved(each, max(heights)) for each in drawn]


def _moved(each: Card, top: float) -> dict[str, Any]:
    words = words_of(each["column"])
    curve = [(plainly(words.kind, x), chance) for x, chance in each["curve"]]
    low, high = curve[0][0], curve[-1][0]
    parts = [part for part in each["parts"] if low <= plainly(words.kind, part["value"]) <= high]
    largest = max((part["customers"] for part in parts), default=1)
    across = axis_round([low, high], "")
    if words.kind in ("share", "log_odds"):
        across = Axis(low, high, "", percent)
    return drawing(
        words.title,
        across,
        share_axis("", top),
        lines=[Line(curve, "ours")],
        dots=[
            Dot(
                plainly(words.kind, part["value"]),
                part["came"],
                f"{part['customers']:,} customers: promised {part['promised']:.1%}, "
                f"came {part['came']:.1%}",
                part["customers"] / largest,
            )
            for part in parts
        ],
        note=f"Not known of {each['undefined']:,} customers." if each["undefined"] else "",
    )


def windows(found: Sequence[tuple[date, float]]) -> dict[str, Any]:
    """Return the base rate of each window, the first and the last one named."""
    named = {0, len(found) // 2, len(found) - 1} if len(found) > 2 else set(range(len(found)))
    heights = [
        (share, f"{day}: {share:.1%}", str(day) if index in named else "")
        for index, (day, share) in enumerate(found)
    ]
    return bars(
        "Base rate of each window",
        share_axis("", max(share for _, share in found)),
        heights,
        label="first day of the window",
    )
