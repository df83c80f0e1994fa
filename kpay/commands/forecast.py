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
    fmt: Format = None,
    out: Out = None,
) -> None:
    """Forecast revenue, or a series of your own, with ranges and its own backtest."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.forecasting import revenue as service
    from kpay.services.vantage import horizon_days

    asked = service.Asked(
        horizon_days(horizon), freq.value if freq else None, service.levels_of(level)
    )
    if source is not None and as_of is not None:
        raise UsageProblem(
            "--input uses every row: it does not go together with --as-of", EVERY_ROW
        )
    if source is not None:
        show(service.forecast_file(source, asked).to_document(), fmt, out)
        return
    business = open_business()
    made = service.forecast_revenue(
        business.store,
        asked,
        as_of=as_of,
        currency=currency,
        base_currency=business.settings.base_currency,
        now=business.clock.now(),
        timezone=business.settings.timezone,
    )
    show(made.to_document(), fmt, out, fill_page=business.fill_page)
