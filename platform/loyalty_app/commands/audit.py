"""`loyalty audit`"""

import asyncio
from typing import Annotated

import typer

from loyalty_app.settings import Settings


def audit(
    tenant: Annotated[
        str | None, typer.Option(help="Slug of the tenant to check; default: all of them.")
    ] = None,
) -> None:
    """Check the ledger's invariants; exit code 1 where anything is found."""
    settings = Settings.load()
    dsn = settings.need("audit_database_url")
    found = asyncio.run(_audit(settings, dsn, tenant))
    for line in found:
        typer.echo(line)
    if found:
        raise typer.Exit(1)
    typer.echo("The ledger is sound: every invariant holds.")


async def _audit(settings: Settings, dsn: str, slug: str | None) -> list[str]:
    from loyalty.audit import audit as check
    from loyalty_app.commands.naming import tenant_named
    from loyalty_app.installed import installed

    tenants = None if slug is None else [await tenant_named(settings, slug)]
    found = await check(dsn, tenants, installed())
    return [f"{one.tenant_id}  {one.invariant}  {one.row}" for one in found]
