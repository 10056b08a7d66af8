"""From a bare PostgreSQL to one that the platform can serve from."""

import asyncpg

from loyalty.migrate import bootstrap, migrate
from loyalty_app.external import postgres_version, redis_version, straight
from loyalty_app.installed import migration_packages
from loyalty_app.logins import address, set_passwords
from loyalty_app.problem import Problem
from loyalty_app.secrets_kept import secrets_in
from loyalty_app.settings import Settings

LOGINS = {
    "app_database_url": "loyalty_app",
    "worker_database_url": "loyalty_worker",
    "audit_database_url": "loyalty_audit",
}


async def prepare(settings: Settings) -> tuple[Settings, list[str]]:
    """Check both servers, migrate, and give the serving roles their logins.

    Returns the settings with every address, and the migrations that were applied. A login whose
    address is set already is left alone; the password of any other is set to the one that is kept
    in the data folder.

    :raises Problem: a server is missing or too old, or the login may not create roles
    """
    assert settings.database_url is not None
    assert settings.redis_url is not None
    await postgres_version(settings.database_url, setting="LOYALTY_DATABASE_URL")
    await redis_version(settings.redis_url, setting="LOYALTY_REDIS_URL")
    try:
        with straight("LOYALTY_DATABASE_URL"):
            await bootstrap(settings.database_url)
            applied = await migrate(settings.database_url, migration_packages())
        return await _with_logins(settings, settings.database_url), applied
    except asyncpg.InsufficientPrivilegeError as error:
        raise Problem(
            f"The login of LOYALTY_DATABASE_URL may not set up the database: {error}",
            "Use a login with CREATEROLE that owns the database (the serving processes never use "
            "it)",
        ) from None


async def _with_logins(settings: Settings, admin_url: str) -> Settings:
    secrets = secrets_in(settings.data_dir)
    missing = {name: role for name, role in LOGINS.items() if getattr(settings, name) is None}
    await set_passwords(admin_url, {role: secrets[role] for role in missing.values()})
    addresses = {name: address(admin_url, role, secrets[role]) for name, role in missing.items()}
    return settings.model_copy(update=addresses)
