"""`loyalty key`"""

import asyncio
from typing import Annotated

import typer

from loyalty_app.problem import Problem
from loyalty_app.settings import Settings

app = typer.Typer(help="API keys.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """API keys."""


@app.command()
def create(
    tenant: Annotated[str, typer.Argument(help="Slug of the tenant.")],
    client: Annotated[str, typer.Option(help="The service account it is for, e.g. shop.")],
    role: Annotated[str, typer.Option(help="ADMIN, SERVICE or PARTNER.")] = "SERVICE",
    scope: Annotated[
        list[str] | None, typer.Option(help="Narrow it to a scope; give it again for more.")
    ] = None,
) -> None:
    """Create an API key and print it, this once."""
    typer.echo(asyncio.run(_create(tenant, client, role, scope)))


async def _create(slug: str, client: str, role: str, scopes: list[str] | None) -> str:
    from loyalty.clock import SystemClock
    from loyalty.database import Database
    from loyalty.errors import Refused
    from loyalty_app.commands.naming import BY, tenant_named
    from loyalty_tenants.keys import issue_key
    from loyalty_tenants.principal import Role

    settings = Settings.load()
    if role not in Role.__members__:
        raise Problem(f"There is no role {role!r}", f"One of {', '.join(Role.__members__)}")
    tenant_id = await tenant_named(settings, slug)
    dsn = settings.need("app_database_url")
    database = await Database.open(dsn, size=1)
    try:
        async with database.tenant(tenant_id) as connection:
            issued = await issue_key(
                connection, BY, role=Role[role], client=client, asked=scopes,
                now=SystemClock().now(),
            )  # fmt: skip
    except Refused as refused:
        raise Problem(f"{refused.field}: {refused.message}", "Correct it and try again") from None
    finally:
        await database.close()
    return issued.text
