"""The demo's judge: it fails kpay exactly when kpay is wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

import pytest

from kpay.domain.verdicts import Demonstration
from kpay.services.judging import (
    Answers,
    campaign_verdict,
    forecast_verdict,
    ledger_verdicts,
    ranking_verdict,
)


@dataclass
class Sums:
    gross_minor: int = 1000
    refunds_minor: int = 100
    disputes_minor: int = 0
    fees_minor: int = 59
    net_minor: int = 841


@dataclass
class Effect:
    incremental_revenue_minor: dict[str, int]


class World:
    def __init__(self, earned: int = 500) -> None:
        self.earned = earned

    def buyers(self, since: date, horizon_days: int) -> dict[str, bool]:
        return {"a@x.org": True, "b@x.org": False, "c@x.org": True, "d@x.org": False}

    def oracle_scores(self, since: date, horizon_days: int) -> dict[str, float]:
        return {"a@x.org": 0.9, "b@x.org": 0.2, "c@x.org": 0.8, "d@x.org": 0.1}

    def campaign(self, campaign_day: date, treated_emails: object, days: int = 14) -> Effect:
        return Effect({"usd": self.earned})

    def revenue_by_day(self, since: date, until: date, currency: str) -> dict[date, int]:
        return {since: 700, until: 300}


KEPT = {
    "gross_minor": 1000,
    "refunds_minor": 100,
    "disputes_minor": 0,
    "fees_minor": 59,
    "net_minor": 841,
}


def answers(scores: dict[str, float], low: int = -100, high: int = 900) -> Answers:
    lines = ["email,customer,propensity,as_of"]
    lines += [f"{email},1,{score},2026-06-30" for email, score in scores.items()]
    orders = ["email,ordered_at"]
    orders += [
        f"{email}@x.org,2026-0{month}-01T00:00:00Z"
        for email, month in (("a", 1), ("b", 5), ("c", 3), ("d", 2))
    ]
    paid = {"currency": "usd", "incremental_total": 400, "low95": 0, "high95": 800}
    results = {"outcomes": {"revenue_minor": paid | {"low": low, "high": high}}}
    return Answers(
        date(2026, 7, 15), date(2026, 7, 1), ["a@x.org"], "\n".join(lines), "\n".join(orders), "",
        json.dumps(results), "",
    )  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_a_ledger_off_by_a_cent_fails(name: str) -> None:
    (right,) = ledger_verdicts({"usd": KEPT}, {"usd": Sums()})
    (wrong,) = ledger_verdicts({"usd": KEPT | {name: KEPT[name] + 1}}, {"usd": Sums()})
    assert right.holds is True
    assert wrong.holds is False


def test_a_currency_that_one_side_lacks_fails() -> None:
    verdicts = ledger_verdicts({"usd": KEPT}, {"usd": Sums(), "eur": Sums()})
    assert [verdict.holds for verdict in verdicts] == [False, True]


def test_a_model_no_better_than_recency_fails() -> None:
    good = ranking_verdict(
        answers({"a@x.org": 0.9, "b@x.org": 0.1, "c@x.org": 0.8, "d@x.org": 0.2}), World()
    )
    bad = ranking_verdict(
        answers({"a@x.org": 0.1, "b@x.org": 0.9, "c@x.org": 0.2, "d@x.org": 0.8}), World()
    )
    assert good.holds is True
    assert good.figures["auc"] == 1
    assert bad.holds is False


@pytest.mark.parametrize(
    ("earned", "holds"), [(900, True), (901, False), (-100, True), (-101, False)]
)
def test_a_true_effect_outside_the_wide_interval_fails(earned: int, holds: bool) -> None:
    assert campaign_verdict(answers({"a@x.org": 0.5}), World(earned)).holds is holds


def test_a_forecast_is_shown_beside_what_came() -> None:
    total = {
        "mean_minor": 950,
        "low80_minor": 900,
        "high80_minor": 1000,
        "low95_minor": 800,
        "high95_minor": 1100,
    }
    parts = [{"name": "one_time", "total_minor": 1100}, {"name": "refunds", "total_minor": -150}]
    forecast = {"currency": "usd", "points": [{}] * 30, "total": total, "parts": parts}
    verdict = forecast_verdict(forecast, date(2026, 7, 15), World())
    assert verdict.figures["total"]["mean_minor"] == 1100
    assert verdict.holds is None
    assert verdict.figures["truth_minor"] == 1000
    assert verdict.figures["inside95"] is True


def test_one_failed_verdict_fails_the_demonstration() -> None:
    (wrong,) = ledger_verdicts({}, {"usd": Sums()})
    told = Demonstration("/somewhere", 1, 12.0, (wrong,), ())
    assert told.failed == (wrong,)
    assert told.to_document().payload["holds"] is False
