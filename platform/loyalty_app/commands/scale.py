"""`loyalty scale`"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from loyalty_app.problem import Problem
from loyalty_app.settings import Settings

if TYPE_CHECKING:
    from loyalty.citus import Step

app = typer.Typer(help="From one machine to many.", no_args_is_help=True)


@app.callback()
def scale() -> None:
    """From one machine to many."""


@app.command()
def citus(
    check: Annotated[
        bool, typer.Option("--check", help="Only say which tables are not spread yet.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--print", help="Only print the statements, with the reason for each.")
    ] = False,
) -> None:
    """Spread the tables of LOYALTY_DATABASE_URL over the nodes of its Citus cluster.

    Run it once the nodes are added, and after each release that brings tables. --print needs no
    Citus. With --check the exit code is 1 where a table is not spread.
    """
    url = Settings.load().need("database_url")
    lines = asyncio.run(_citus(url, check=check, show=show))
    typer.echo("\n".join(lines) or "Nothing to do: every table is spread.")
    if check and lines:
        raise typer.Exit(1)


async def _citus(url: str, *, check: bool, show: bool) -> list[str]:
    from loyalty.citus import carry_out, plan, waiting
    from loyalty.pooler import session
    from loyalty_app.external import straight

    with straight("LOYALTY_DATABASE_URL"):
        async with session(url) as connection:
            try:
                steps = await plan(connection)
            except ValueError as error:
                raise Problem(
                    f"The schema cannot be spread: {error}",
                    "Bring the table's keys and references into the form that docs/scaling.md asks",
                ) from None
            if show:
                return _shown(steps)
            await _need_citus(connection)
            if check:
                return [f"not spread {name}" for name in await waiting(connection, steps)]
            return [f"{text};" for text in await carry_out(connection, steps)]


async def _need_citus(connection: object) -> None:
    there = await connection.fetchval(  # type: ignore[attr-defined]
        "select exists (select from pg_extension where extname = 'citus')"
    )
    if not there:
        raise Problem(
            "The database of LOYALTY_DATABASE_URL has no Citus",
            "Add Citus to shared_preload_libraries of every node, `create extension citus` in this "
            "database, and the nodes with citus_add_node(); --print needs none of that",
        )


def _shown(steps: "Sequence[Step]") -> list[str]:
    lines: list[str] = []
    for step in steps:
        lines += [f"-- {line}" for line in step.why.splitlines()]
        lines += [f"{statement.text};" for statement in step.statements]
        lines.append("")
    return lines[:-1]
