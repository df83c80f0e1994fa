"""The known limits of a model, said from its card."""

from __future__ import annotations

from typing import Any, Final

from kpay.domain.by_chance import calibration_error as by_chance_of

FEW_CUSTOMERS: Final = 200
FEW_BUYERS: Final = 30
YEAR_AND_MONTH_DAYS: Final = 395
LARGE_ECE: Final = 0.08


def limits(card: dict[str, Any], row: dict[str, Any]) -> list[str]:
    """Return what a reader of the card should know before trusting it, the gravest first."""
    found = _untested(card) or [*_no_signal(card), *_small(row)]
    found += [*_season(card, row), *_miscalibrated(card, row)]
    if card.get("vantage"):
        found.append(f"Trained as of the last day known: {card['vantage']}.")
    if card.get("at_limit"):
        found.append("A parameter of the purchase model sits at its limit; read it with care.")
    return found


def _untested(card: dict[str, Any]) -> list[str]:
    if card.get("uplift") or (card.get("metrics") or {}).get("auc") is not None:
        return []
    return ["No past window could be tested yet: how good this is, nobody knows."]


def _no_signal(card: dict[str, Any]) -> list[str]:
    low = (card.get("metrics") or {}).get("auc_low95")
    if low is None or low > 0.5:
        return []
    return ["No signal yet: on the backtest it cannot be told from chance (AUC interval holds .5)."]


def _miscalibrated(card: dict[str, Any], row: dict[str, Any]) -> list[str]:
    ece = (card.get("metrics") or {}).get("ece")
    tested = sum(part["customers"] for part in card.get("calibration") or [])
    if ece is None or not tested:
        return []
    by_chance = by_chance_of(row["buyers"] / tested, int(tested))
    if ece < LARGE_ECE or ece < 2 * by_chance:
        return []
    return [
        f"Its probabilities were off by {100 * ece:.0f} points on average, where chance alone gives "
        f"{100 * by_chance:.0f}: the base rate moved between the windows it learned from and the one "
        "it was tested on."
    ]


def _small(row: dict[str, Any]) -> list[str]:
    if row["customers"] >= FEW_CUSTOMERS and row["buyers"] >= FEW_BUYERS:
        return []
    return [
        f"It was tested on few people: {row['customers']} customers, "
        f"{row['buyers']} for whom it came true. The intervals are wide for that reason."
    ]


def _season(card: dict[str, Any], row: dict[str, Any]) -> list[str]:
    first = card.get("first_day")
    if not first:
        return []
    days = (row["as_of"] - type(row["as_of"]).fromisoformat(first)).days
    if days >= YEAR_AND_MONTH_DAYS:
        return []
    return [
        f"The history is {days} days long: less than 13 months, so no season has been seen twice."
    ]
