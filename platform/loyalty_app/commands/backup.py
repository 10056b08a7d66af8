"""`loyalty backup`"""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated

import typer

from loyalty_app.settings import Settings

if TYPE_CHECKING:
    from loyalty_app.backups.drill import Report

app = typer.Typer(help="Backups: try one, and mend what was restored.", no_args_is_help=True)


@app.callback()
def backup() -> None:
    """Backups: try one, and mend what was restored."""


@app.command()
def drill(
    into: Annotated[
        str | None,
        typer.Option(
            envvar="LOYALTY_DRILL_DATABASE_URL",
            help="An empty database of another server, as a superuser; default: a PostgreSQL "
            "that is started for it and thrown away.",
        ),
    ] = None,
    keep: Annotated[Path | None, typer.Option(help="Keep the dump in this file.")] = None,
) -> None:
    """Dump LOYALTY_DATABASE_URL, restore it elsewhere, and say whether it is all there.

    It reads one snapshot and holds nobody up. With anything missing, or an audit that finds
    something in the copy, the exit code is 1.
    """
    from loyalty_app.backups.drill import drill as carry_out
    from loyalty_app.external import straight

    source = Settings.load().need("database_url")
    with ExitStack() as stack:
        stack.enter_context(straight("LOYALTY_DATABASE_URL"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loyalty-drill-")))
        target = into or stack.enter_context(_thrown_away(folder))
        report = asyncio.run(carry_out(source, target, keep or folder / "loyalty.dump"))
        _print(report)
    if report.faults:
        raise typer.Exit(1)


@app.command()
def restored() -> None:
    """After LOYALTY_DATABASE_URL was restored, and before it is served from: draw a new epoch."""
    from loyalty_app.backups.restored import new_epoch
    from loyalty_app.external import straight

    async def draw(url: str) -> str:
        import asyncpg

        connection = await asyncpg.connect(url)
        try:
            epoch = await new_epoch(connection)
            newest = await connection.fetchval("select max(recorded_at) from loyalty.fact")
            return f"The epoch is {epoch} now. The newest fact was recorded at {newest}."
        finally:
            await connection.close()

    with straight("LOYALTY_DATABASE_URL"):
        typer.echo(asyncio.run(draw(Settings.load().need("database_url"))))
    typer.echo("Next: `loyalty audit`; then start the processes; then erase again who was since.")


@contextmanager
def _thrown_away(folder: Path) -> Iterator[str]:
    from loyalty_app.embedded.postgres import Postgres, postgres
    from loyalty_app.embedded.unprivileged import home

    folder.chmod(0o711)  # root's servers run as another user and must pass through
    with postgres(Postgres(home(folder), password=token_hex())) as url:
        yield url


def _print(report: "Report") -> None:
    source = report.source
    assert source is not None
    typer.echo(f"database  {source.size / 1e6:,.1f} MB, {sum(source.rows.values()):,} rows")
    typer.echo(f"newest    {source.newest}")
    for table, rows in sorted(source.rows.items(), key=lambda one: -one[1])[:5]:
        typer.echo(f"          {rows:>12,}  {table}")
    typer.echo(f"file      {report.file.stat().st_size / 1e6:,.1f} MB")
    for step, seconds in report.seconds.items():
        typer.echo(f"{step:<9} {seconds:,.1f} s")
    for fault in report.faults:
        typer.secho(f"wrong     {fault}", fg="red")
    if not report.faults:
        typer.echo("The copy is whole: every row, outbox and balance; its audit finds nothing.")
