"""`loyalty demo`"""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from loyalty_app.commands.backtest import Chart, Cost, Csv
from loyalty_app.problem import Problem
from loyalty_app.settings import Settings

app = typer.Typer(help="Demonstrations on real data.", no_args_is_help=True)


@app.callback()
def demo() -> None:
    """Demonstrations on real data."""


@app.command("complete-journey")
def complete_journey(
    baskets: Annotated[
        int | None, typer.Option(min=1, help="Only the first so many baskets of the year.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare every number with an independent computation.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget an earlier replay first.")] = False,
) -> None:
    """Replay a year of a supermarket: 2,469 households, 155,848 baskets, about four minutes.

    Its data is kept in LOYALTY_DATA_DIR/complete-journey, apart from that of `loyalty up`. Run
    again it goes on where it was stopped, and changes nothing where it was done. Exit code 1 where
    a basket was refused, the audit found something, or a number differs.
    """
    from rich.console import Console

    from loyalty_app.demo.complete_journey import complete_journey as run
    from loyalty_app.reset import reset

    settings = Settings()  # not those of a platform that runs in the data folder: it has real time
    settings = settings.model_copy(update={"data_dir": settings.data_dir / "complete-journey"})
    if fresh and settings.database_url is not None:
        raise Problem(
            "--fresh forgets only what is in the data folder, and LOYALTY_DATABASE_URL is set",
            "Leave out --fresh, or name another database",
        )
    if fresh:
        reset(settings.data_dir)
    console = Console()
    outcome = run(settings, console, first=baskets, check=check)
    console.print(outcome.table())
    for line in outcome.verdicts():
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if not outcome.good:
        raise typer.Exit(1)


@app.command()
def backtest(
    draft: Annotated[
        Path | None, typer.Argument(help="A draft (YAML); default: the demo's own program.")
    ] = None,
    since: Annotated[str, typer.Option("--from", help="The first day.")] = "2017-01-01",
    before: Annotated[str, typer.Option("--to", help="The day after the last one.")] = "2018-01-01",
    check: Annotated[
        bool, typer.Option("--check", help="Compare the published side with what was recorded.")
    ] = False,
    cost_per_point: Cost = None,
    chart: Chart = None,
    csv: Csv = None,
) -> None:
    """Replay the year that `complete-journey` recorded under another program.

    Exit code 1 where --check finds a fact that came to something else than was recorded.
    """
    from rich.console import Console

    from loyalty_app.backtests import files
    from loyalty_app.backtests.command import Wanted
    from loyalty_app.demo.backtest import DRAFT, backtest, verdict

    files.check_path(chart)
    settings = Settings()
    settings = settings.model_copy(update={"data_dir": settings.data_dir / "complete-journey"})
    wanted = Wanted(
        draft=draft or DRAFT, tenant="complete-journey", program="points",
        since=date.fromisoformat(since), before=date.fromisoformat(before),
        cost_per_point=cost_per_point, check=check,
    )  # fmt: skip
    report, both = backtest(settings, wanted, Console())
    for path in files.write(report, chart=chart, csv=csv):
        typer.echo(f"Wrote {path}")
    if check:
        typer.echo("\n".join(verdict(both)))
        if both.differing:
            raise typer.Exit(1)
