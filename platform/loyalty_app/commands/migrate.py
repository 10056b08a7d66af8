"""`loyalty migrate`"""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer

from loyalty_app.problem import Problem
from loyalty_app.settings import Settings


def migrate(
    check: Annotated[bool, typer.Option("--check", help="Only say what would be applied.")] = False,
    roles: Annotated[
        bool, typer.Option(help="Create roles and schema first; needs the right to do so.")
    ] = True,
    passwords: Annotated[
        bool,
        typer.Option(
            "--passwords",
            help="Then give the serving logins the passwords that their settings hold.",
        ),
    ] = False,
    wait: Annotated[
        float, typer.Option(min=0, help="So many seconds may the database take to answer.")
    ] = 0,
) -> None:
    """Bring the database of LOYALTY_DATABASE_URL up to this release.

    Safe to run many times and from many places at once. With --check the exit code is 1 where
    something is pending. The login role loyalty_migrator migrates with --no-roles.
    """
    from loyalty_app.external import straight
    from loyalty_app.logins import given_passwords

    settings = Settings.load()
    url = settings.database_url
    if url is None:
        raise Problem("There is no database to migrate", "Set LOYALTY_DATABASE_URL")
    logins = given_passwords(settings) if passwords else {}
    with straight("LOYALTY_DATABASE_URL"):
        applied = asyncio.run(_migrate(url, check=check, roles=roles, wait=wait, logins=logins))
    for name in applied:
        typer.echo(f"{'pending' if check else 'applied'} {name}")
    if not applied:
        typer.echo("Nothing to do: every migration is applied.")
    elif check:
        raise typer.Exit(1)


async def _migrate(
    url: str, *, check: bool, roles: bool, wait: float, logins: Mapping[str, str]
) -> list[str]:
    from loyalty.migrate import bootstrap, pending
    from loyalty.migrate import migrate as apply
    from loyalty_app.external import postgres_awaited
    from loyalty_app.installed import migration_packages
    from loyalty_app.logins import set_passwords

    await postgres_awaited(url, setting="LOYALTY_DATABASE_URL", seconds=wait)
    if check:
        return await pending(url, migration_packages())
    if roles:
        await bootstrap(url)
    applied = await apply(url, migration_packages())
    # Last of all: whoever gets in with one of them finds the whole schema.
    await set_passwords(url, logins)
    return applied
