"""Tenants as commands name them."""

from uuid import UUID

from loyalty.database import Database
from loyalty_app.problem import Problem
from loyalty_app.settings import Settings
from loyalty_tenants.principal import Actor
from loyalty_tenants.tenants import tenant_of_slug

BY = Actor(role="OPERATOR", subject="command line", request_id="cli")


async def tenant_named(settings: Settings, slug: str) -> UUID:
    """:raises Problem: there is no such tenant"""
    dsn = settings.need("app_database_url")
    database = await Database.open(dsn, size=1)
    try:
        found = await tenant_of_slug(database, slug)
    finally:
        await database.close()
    if found is None:
        raise Problem(f"There is no tenant {slug!r}", "`loyalty tenant create` makes one")
    return found
