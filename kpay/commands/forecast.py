"""`kpay forecast`: what is to come, with an honest range."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import AsOf, Format, Out, examples
from kpay.commands.options import app as new_app
from kpay.domain.enums import Frequency
from kpay.errors import UsageProblem

app = new_app()

EXAMPLES = examples(
    "kpay forecast",
    "kpay forecast --horizon 12m --freq month",
    "kpay forecast --as-of 2026-06-30 --level 50,90 --json",
    "kpay forecast --plan launches.csv",
    "kpay forecast --explain --freq month",
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
    fmt: Format = None,
    out: Out = None,
) -> None:
    """Forecast revenue, or a series of your own, with ranges and its own backtest."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.forecasting import series
    from kpay.services.vantage import horizon_days

    asked = series.Asked(
        horizon_days(horizon), freq.value if freq else None, series.levels_of(level)
    )
    if source is not None:
        _refuse_beside_input(as_of=as_of, plan=plan, explain=explain, currency=currency)
        show(series.forecast_file(source, asked).to_document(), fmt, out)
        return
    from kpay.services.forecasting import revenue

    business = open_business()
    settings = business.settings
    wish = revenue.Wish(
        as_of, currency, settings.base_currency, business.clock.now(), settings.timezone, plan
    )
    made = revenue.forecast_revenue(business.store, asked, wish)
    show(
        made.explained() if explain else made.to_document(), fmt, out, fill_page=business.fill_page
    )


def _refuse_beside_input(**options: object) -> None:
    """Refuse the options that are about a business; a series has nothing to open or to plan."""
    for name, value in options.items():
        if value:
            raise UsageProblem(
                f"--input uses every row of a series: it does not go together with "
                f"--{name.replace('_', '-')}",
                EVERY_ROW,
            )
