"""Makes Tortoise's models usable, once per process, without giving Tortoise a way to connect."""

from collections.abc import Mapping

from tortoise import Tortoise

TENANTS = {"loyalty_tenants": "loyalty_tenants.models"}


async def prepare_models(modules: Mapping[str, str] = TENANTS) -> None:
    """Read the models of all floors and plugins: label -> module.

    Queries must name their connection (`using_db=bound(connection)`): the default one leads
    nowhere on purpose, so a query outside a tenant's transaction fails loudly.
    """
    await Tortoise.init(
        config={
            "connections": {
                "default": {
                    "engine": "tortoise.backends.asyncpg",
                    "credentials": {
                        "host": "127.0.0.1",
                        "port": 1,
                        "user": "nobody",
                        "password": "",
                        "database": "none",
                    },
                }
            },
            "apps": {
                label: {"models": [module], "default_connection": "default"}
                for label, module in modules.items()
            },
            "use_tz": True,
            "timezone": "UTC",
        },
        _enable_global_fallback=True,
    )
