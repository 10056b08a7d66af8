"""`loyalty tenant`"""

import asyncio
from typing import Annotated

import typer

from loyalty_app.problem import Problem
from loyalty_app.settings import Settings

app = typer.Typer(help="Tenants.", no_args_is_help=True)


@app.callback()
def tenants() -> None:
    """Tenants."""


@app.command()
def create(
    slug: Annotated[str, typer.Argument(help="Short name: a-z, 0-9 and -.")],
    name: Annotated[str, typer.Option(help="What people call it.")],
    zone: Annotated[str, typer.Option(help="IANA time zone, e.g. Europe/Madrid.")] = "UTC",
    currency: Annotated[
        list[str] | None, typer.Option(help="ISO 4217; give it again for more.")
    ] = None,
) -> None:
    """Create a tenant."""
    asyncio.run(_create(slug, name, zone, tuple(currency or ())))
    typer.echo(f"Created {slug}. Next: loyalty key create {slug} --client admin --role ADMIN")


async def _create(slug: str, name: str, zone: str, currencies: tuple[str, ...]) -> None:
    from loyalty.clock import SystemClock
    from loyalty.database import Database
    from loyalty.errors import Refused
    from loyalty_app.commands.naming import BY
    from loyalty_tenants.tenants import TenantSettings, create_tenant

    settings = Settings.load()
    dsn = settings.need("app_database_url")
    database = await Database.open(dsn, size=1)
    try:
        given = TenantSettings(name=name, zone=zone, currencies=currencies)
        await create_tenant(database, BY, slug=slug, settings=given, now=SystemClock().now())
    except Refused as refused:
        raise Problem(f"{refused.field}: {refused.message}", "Correct it and try again") from None
    finally:
        await database.close()
