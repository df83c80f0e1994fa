"""`kpay forecast`: what is to come, with an honest range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from kpay.commands.options import AsOf, Format, Out, examples
from kpay.commands.options import app as new_app
from kpay.domain.enums import ForecastEngine, Frequency
from kpay.errors import UsageProblem

if TYPE_CHECKING:
    from kpay.bootstrap import Business
    from kpay.domain.document import Document
    from kpay.services.forecasting.result import Forecast
    from kpay.services.forecasting.revenue import Wish
    from kpay.services.forecasting.series import Asked

app = new_app()

EXAMPLES = examples(
    "kpay forecast",
    "kpay forecast --horizon 12m --freq month",
    "kpay forecast --as-of 2026-06-30 --level 50,90 --json",
    "kpay forecast --plan launches.csv",
    "kpay forecast --explain --freq month",
    "kpay forecast --scenario price=+10% --scenario launch=async-python@2026-12-10",
    "kpay forecast --goal 5000usd/month",
    "kpay forecast --scorecard",
    "kpay forecast --input visits.csv --horizon 30d",
)


EVERY_ROW = "leave out the rows after the day, then kpay forecast --input FILE"

Horizon = Annotated[str, typer.Option("--horizon", metavar="90d", help="How far ahead.")]
Freq = Annotated[Frequency | None, typer.Option("--freq", help="Days, weeks or months; else days.")]
Levels = Annotated[
    str, typer.Option("--level", metavar="80,95", help="Ranges to print, in percent.")
]
Source = Annotated[
    str | None,
    typer.Option("--input", metavar="FILE", help="A series of your own: date,value; - is stdin."),
]
Plan = Annotated[
    str | None,
    typer.Option(
        "--plan",
        metavar="FILE",
        help="Launches to come: date,name,reach,click,purchase,value; or scheduled.",
    ),
]
Explain = Annotated[bool, typer.Option("--explain", help="What each point is made of.")]
Scorecard = Annotated[
    bool,
    typer.Option("--scorecard", help="How earlier forecasts did, now that their days are over."),
]
Scenarios = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario",
        metavar="LEVER=CHANGE",
        help="What if: reach, click, purchase, price or churn =+10%, or launch=NAME@DAY; repeatable.",
    ),
]
Goal = Annotated[
    str | None,
    typer.Option("--goal", metavar="5000usd/month", help="How likely, and what must be true."),
]
Engine = Annotated[
    ForecastEngine, typer.Option("--engine", help="What forecasts single sales, or the series.")
]
Currency = Annotated[
    str | None, typer.Option("--currency", metavar="CODE", help="Else the base currency.")
]


@app.command(epilog=EXAMPLES)
def forecast(
    horizon: Horizon = "90d",
    as_of: AsOf = None,
    freq: Freq = None,
    level: Levels = "80,95",
    source: Source = None,
    currency: Currency = None,
    plan: Plan = None,
    explain: Explain = False,
    scorecard: Scorecard = False,
    scenario: Scenarios = None,
    goal: Goal = None,
    engine: Engine = ForecastEngine.OWN,
    fmt: Format = None,
    out: Out = None,
) -> None:
    """Forecast revenue, or a series of your own, with ranges and its own backtest."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show

    asked = _asked(horizon, freq, level)
    questions = {"scenario": scenario, "goal": goal}
    of_a_business = {"plan": plan, "explain": explain, "currency": currency, **questions}
    if source is not None:
        others = {**of_a_business, "as-of": as_of, "scorecard": scorecard}
        _refuse_beside("input", others, EVERY_ROW)
        show(_series(source, asked, engine), fmt, out)
        return
    business = open_business()
    if scorecard:
        _refuse_beside("scorecard", {**of_a_business, "freq": freq}, "kpay forecast --scorecard")
        show(_scorecard(business, as_of), fmt, out, fill_page=business.fill_page)
        return
    _refuse_beside("explain", questions if explain else {}, "kpay forecast --explain")
    wish = _wish(business, as_of, currency, plan, engine)
    made = _answered(business, asked, wish, scenario or (), goal)
    told = made.explained if explain else made.to_document
    show(told(), fmt, out, fill_page=business.fill_page)


def _answered(
    business: Business, asked: Asked, wish: Wish, scenarios: Sequence[str], goal: str | None
) -> Forecast:
    from kpay.services.forecasting.answering import Questions, forecast_and_answer

    return forecast_and_answer(business.store, asked, wish, Questions(scenarios, goal))


def _series(source: str, asked: Asked, engine: ForecastEngine) -> Document:
    from kpay.bootstrap.forecasts import forecast_engine
    from kpay.services.forecasting.series import forecast_file

    return forecast_file(source, asked, forecast_engine(engine)).to_document()


def _asked(horizon: str, freq: Frequency | None, level: str) -> Asked:
    from kpay.services.forecasting.series import Asked, levels_of
    from kpay.services.vantage import horizon_days

    return Asked(horizon_days(horizon), freq.value if freq else None, levels_of(level))


def _wish(
    business: Business,
    as_of: str | None,
    currency: str | None,
    plan: str | None,
    engine: ForecastEngine,
) -> Wish:
    from kpay.bootstrap.forecasts import forecast_engine
    from kpay.services.forecasting.revenue import Wish

    settings, now = business.settings, business.clock.now()
    known = Wish(as_of, currency, settings.base_currency, now, settings.timezone, plan)
    return replace(known, engine=forecast_engine(engine))


def _scorecard(business: Business, as_of: str | None) -> Document:
    from kpay.services.forecasting.scorecard import scorecard

    now, timezone = business.clock.now(), business.settings.timezone
    return scorecard(business.store, as_of=as_of, now=now, timezone=timezone).to_document()


def _refuse_beside(flag: str, others: Mapping[str, object], hint: str) -> None:
    """Refuse options that mean nothing beside a flag."""
    for name, value in others.items():
        if value:
            raise UsageProblem(f"--{flag} does not go together with --{name}", hint)
