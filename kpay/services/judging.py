"""Holding what kpay said against the truth of a simulated world."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from kpay.domain.money import format_minor
from kpay.domain.verdicts import Verdict
from kpay.ml.metrics import auc
from kpay.services.simulated import CurrencySums, Truth

HORIZON_DAYS = 90
LEDGER_FIELDS = ("gross_minor", "refunds_minor", "disputes_minor", "fees_minor", "net_minor")
NOT_AT_THE_BANK = ("discounts_minor", "tax_minor")


@dataclass(frozen=True, slots=True)
class Answers:
    """What kpay answered: JSON and CSV as text, and the days they belong to."""

    today: date
    mailed_on: date
    mailed: Sequence[str]
    scores: str
    orders: str
    revenue: str
    results: str
    forecast: str


def judge(answers: Answers, books: Mapping[str, CurrencySums], truth: Truth) -> tuple[Verdict, ...]:
    """Return one verdict for each thing that kpay claims to know."""
    return (
        *ledger_verdicts(json.loads(answers.revenue)["currencies"], books),
        ranking_verdict(answers, truth),
        campaign_verdict(answers, truth),
        forecast_verdict(json.loads(answers.forecast), answers.today, truth),
    )


def ledger_verdicts(
    kept: Mapping[str, Mapping[str, int]], true: Mapping[str, CurrencySums]
) -> list[Verdict]:
    """Compare what was charged, refunded, disputed, taken as fees and left, to the cent."""
    verdicts = []
    for currency in sorted(set(kept) | set(true)):
        ours = as_the_bank_sees(kept.get(currency, {}))
        theirs = {name: getattr(true.get(currency), name, 0) for name in LEDGER_FIELDS}
        off = max(abs(ours[name] - theirs[name]) for name in LEDGER_FIELDS)
        verdicts.append(
            Verdict(
                f"ledger {currency.upper()}, net",
                format_minor(ours["net_minor"], currency),
                format_minor(theirs["net_minor"], currency),
                "every sum equal to the cent",
                off == 0,
                {"currency": currency, "kpay": ours, "truth": theirs, "off_minor": off},
            )
        )
    return verdicts


def as_the_bank_sees(report: Mapping[str, int]) -> dict[str, int]:
    """Turn `report revenue` into the provider's terms.

    kpay's gross is the list price and its net is without tax; the provider knows what was charged,
    after discounts, and what is left with the tax still in it.
    """
    figure = {name: report.get(name, 0) for name in (*LEDGER_FIELDS, *NOT_AT_THE_BANK)}
    return {
        "gross_minor": figure["gross_minor"] - figure["discounts_minor"],
        "refunds_minor": figure["refunds_minor"],
        "disputes_minor": figure["disputes_minor"],
        "fees_minor": figure["fees_minor"],
        "net_minor": figure["net_minor"] + figure["tax_minor"],
    }


def ranking_verdict(answers: Answers, truth: Truth) -> Verdict:
    """Compare the AUC of the scores with recency's and the oracle's, on who really bought after."""
    rows = list(csv.DictReader(io.StringIO(answers.scores)))
    since = date.fromisoformat(rows[0]["as_of"]) + timedelta(days=1)
    bought = truth.buyers(since, HORIZON_DAYS)
    oracle = truth.oracle_scores(since, HORIZON_DAYS)
    last = last_orders(answers.orders, since)
    known = [row for row in rows if row["email"] in bought and row["email"] in last]
    outcome = [bought[row["email"]] for row in known]
    ours = _auc(outcome, [float(row["propensity"]) for row in known])
    recency = _auc(outcome, [last[row["email"]].timestamp() for row in known])
    best = _auc(outcome, [oracle[row["email"]] for row in known])
    return Verdict(
        f"AUC, who buys in {HORIZON_DAYS} days",
        f"{ours:.3f}",
        f"oracle {best:.3f}, recency {recency:.3f}",
        "better than recency alone",
        ours > recency,
        {
            "customers": len(known),
            "buyers": sum(outcome),
            "auc": ours,
            "auc_recency": recency,
            "auc_oracle": best,
        },
    )


def _auc(outcome: Sequence[bool], scores: Sequence[float]) -> float:
    """Return the AUC; one half where everyone or nobody bought, as for a ranking by chance."""
    found = auc(np.array(outcome, dtype=float), np.array(scores))
    return 0.5 if found is None else found


def last_orders(orders: str, before: date) -> dict[str, datetime]:
    """Return when each address last ordered before a day, from `kpay export orders`."""
    last: dict[str, datetime] = {}
    for row in csv.DictReader(io.StringIO(orders)):
        at = datetime.fromisoformat(row["ordered_at"])
        if at.date() < before:
            last[row["email"]] = max(at, last.get(row["email"], at))
    return last


def campaign_verdict(answers: Answers, truth: Truth) -> Verdict:
    """Compare the measured incremental revenue with what the mail really earned."""
    result = json.loads(answers.results)["outcomes"]["revenue_minor"]
    currency = result["currency"]
    real = truth.campaign(answers.mailed_on, answers.mailed).incremental_revenue_minor
    true_minor = real.get(currency, 0)
    said = (
        f"{format_minor(round(result['incremental_total']), currency)} "
        f"({format_minor(round(result['low95']), currency)} to "
        f"{format_minor(round(result['high95']), currency)})"
    )
    return Verdict(
        "campaign, incremental revenue",
        said,
        format_minor(true_minor, currency),
        "truth inside the 99.9 % interval",
        result["low"] <= true_minor <= result["high"],
        {"kpay": result, "truth_minor": true_minor},
    )


def forecast_verdict(forecast: Mapping[str, Any], today: date, truth: Truth) -> Verdict:
    """Show the forecast beside what came; a single month proves nothing, so nothing is demanded.

    The truth tells sales before refunds, so the refunds that the forecast expects are put back.
    """
    currency, parts = forecast["currency"], forecast["parts"]
    back = -sum(part["total_minor"] for part in parts if part["name"] == "refunds")
    total = {name: minor + back for name, minor in forecast["total"].items()}
    days = len(forecast["points"])
    came = sum(truth.revenue_by_day(today, today + timedelta(days=days), currency).values())
    inside = total["low95_minor"] <= came <= total["high95_minor"]
    said = (
        f"{format_minor(total['mean_minor'], currency)} "
        f"({format_minor(total['low95_minor'], currency)} to "
        f"{format_minor(total['high95_minor'], currency)})"
    )
    return Verdict(
        f"forecast, next {days} days, before refunds",
        said,
        f"{format_minor(came, currency)}, {'inside' if inside else 'outside'} the 95 % range",
        "shown, not demanded",
        None,
        {"currency": currency, "total": total, "truth_minor": came, "inside95": inside},
    )
