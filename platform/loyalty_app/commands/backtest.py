"""`loyalty programs backtest`"""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from loyalty_app.settings import Settings

DAYS = ["%Y-%m-%d"]

Draft = Annotated[Path, typer.Argument(help="A program file (YAML), or a config alone.")]
Since = Annotated[
    datetime, typer.Option("--from", formats=DAYS, help="The first day, in the tenant's zone.")
]
Before = Annotated[
    datetime, typer.Option("--to", formats=DAYS, help="The day after the last one.")
]  # fmt: skip
Cost = Annotated[
    str | None, typer.Option(help="What a point costs, e.g. 0.01, in the first currency.")
]
Chart = Annotated[Path | None, typer.Option(help="Write the chart to this .svg or .png file.")]
Csv = Annotated[Path | None, typer.Option(help="Write the figures to this .csv file.")]


def backtest(
    draft: Draft,
    since: Since,
    before: Before,
    tenant: Annotated[str, typer.Option(help="Slug of the tenant.")],
    program: Annotated[
        str | None, typer.Option(help="Slug of the program, where the file does not say it.")
    ] = None,
    cost_per_point: Cost = None,
    chart: Chart = None,
    csv: Csv = None,
) -> None:
    """Replay a period under a draft and under what was published. Nothing is written.

    Shows points and what they cost, by rule, month and category, and who gains or loses most.
    """
    from rich.console import Console

    from loyalty_app.backtests import files
    from loyalty_app.backtests.command import Wanted
    from loyalty_app.backtests.command import backtest as run

    files.check_path(chart)
    wanted = Wanted(
        draft=draft, tenant=tenant, program=program, since=since.date(), before=before.date(),
        cost_per_point=cost_per_point,
    )  # fmt: skip
    report, _ = run(Settings.load(), wanted, Console())
    for path in files.write(report, chart=chart, csv=csv):
        typer.echo(f"Wrote {path}")
