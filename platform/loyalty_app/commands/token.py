"""`loyalty token`"""

import asyncio
from datetime import timedelta
from typing import Annotated

import typer

from loyalty_app.settings import Settings


def token(
    subject: Annotated[str, typer.Argument(help="Who it is for.")] = "operator",
    tenant: Annotated[
        str | None, typer.Option(help="Slug of a tenant to act on; default: none.")
    ] = None,
    hours: Annotated[int, typer.Option(min=1, max=24, help="How long it is good for.")] = 1,
) -> None:
    """Print an operator's token, signed with LOYALTY_OPERATOR_SECRET."""
    from loyalty.clock import SystemClock
    from loyalty_app.commands.naming import tenant_named
    from loyalty_tenants.principal import Role
    from loyalty_tenants.tokens import issue_token

    settings = Settings.load()
    secret = settings.need("operator_secret")
    if tenant is not None and settings.app_database_url is not None:
        asyncio.run(tenant_named(settings, tenant))  # or it would be refused where it is used
    typer.echo(
        issue_token(
            secret=secret,
            issuer="loyalty",
            tenant=tenant,
            role=Role.OPERATOR,
            subject=subject,
            now=SystemClock().now(),
            lifetime=timedelta(hours=hours),
        )
    )
