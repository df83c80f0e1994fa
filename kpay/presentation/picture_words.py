"""What a picture shows, in words: for those who hear a page instead of seeing it."""

from __future__ import annotations

from kpay.domain.document import Calibration, Chart, Fan
from kpay.presentation.cells import fan_text, widest_band


def of_chart(block: Chart) -> str:
    """Tell how many values there are, and the first, the last, the least and the largest."""
    if not block.values:
        return "Nothing to draw."
    pairs = list(zip(block.values, block.labels, strict=True))
    (least, when_least), (largest, when_largest) = min(pairs), max(pairs)
    unit = f" {block.unit}" if block.unit else ""
    kind = "bars" if block.style == "bars" else "points"
    return (
        f"{len(pairs)} {kind}, {block.labels[0]} to {block.labels[-1]}: "
        f"least {_number(least)}{unit} ({when_least}), "
        f"largest {_number(largest)}{unit} ({when_largest}), last {_number(pairs[-1][0])}{unit}."
    )


def of_fan(block: Fan) -> str:
    """Tell what came last, and what is expected at the end with its widest range."""
    unit = f" {block.unit}" if block.unit else ""
    past = (
        f"Past {block.past_labels[0]} to {block.past_labels[-1]}, "
        f"last {fan_text(block, block.past[-1])}{unit}. "
        if block.past
        else ""
    )
    if not block.mean:
        return f"{past}Nothing is expected.".strip()
    widest = widest_band(block)
    band = (
        f", {widest.level} % range {fan_text(block, widest.low[-1])} to "
        f"{fan_text(block, widest.high[-1])}"
        if widest
        else ""
    )
    return (
        f"{past}Expected {block.labels[0]} to {block.labels[-1]}: "
        f"at the end {fan_text(block, block.mean[-1])}{unit}{band}."
    )


def of_calibration(block: Calibration) -> str:
    """Tell each stated share and how often it came true."""
    said = [
        of_promise(stated, came, count)
        for stated, came, count in zip(block.stated, block.came, block.counts, strict=True)
        if came is not None
    ]
    return "; ".join(said) + "." if said else "Nothing has come due yet."


def of_promise(stated: float, came: float, count: int) -> str:
    """Tell one stated share."""
    return f"stated {stated:.1%}, came true {came:.1%} of {count:,}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:,.2f}"
