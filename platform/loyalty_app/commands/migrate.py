"""`loyalty migrate`"""

import asyncio
from typing import Annotated

import typer

from loyalty_app.external import straight
from loyalty_app.problem import Problem
from loyalty_app.settings import Settings


def migrate(
    check: Annotated[bool, typer.Option("--check", help="Only say what would be applied.")] = False,
    roles: Annotated[
        bool, typer.Option(help="Create roles and schema first; needs the right to do so.")
    ] = True,
) -> None:
    """Bring the database of LOYALTY_DATABASE_URL up to this release.

    Safe to run many times and from many places at once. With --check the exit code is 1 where
    something is pending. The login role loyalty_migrator migrates with --no-roles.
    """
    url = Settings.load().database_url
    if url is None:
        raise Problem("There is no database to migrate", "Set LOYALTY_DATABASE_URL")
    with straight("LOYALTY_DATABASE_URL"):
        applied = asyncio.run(_migrate(url, check=check, roles=roles))
    for name in applied:
        typer.echo(f"{'pending' if check else 'applied'} {name}")
    if not applied:
        typer.echo("Nothing to do: every migration is applied.")
    elif check:
        raise typer.Exit(1)


async def _migrate(url: str, *, check: bool, roles: bool) -> list[str]:
    from loyalty.migrate import bootstrap, pending
    from loyalty.migrate import migrate as apply
    from loyalty_app.external import postgres_version
    from loyalty_app.installed import migration_packages

    await postgres_version(url, setting="LOYALTY_DATABASE_URL")
    if check:
        return await pending(url, migration_packages())
    if roles:
        await bootstrap(url)
    return await apply(url, migration_packages())
