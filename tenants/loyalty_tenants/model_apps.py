"""Makes Tortoise's models usable, once per process, without giving Tortoise a way to connect."""

from collections.abc import Mapping

from tortoise.context import TortoiseContext

TENANTS = {"loyalty_tenants": "loyalty_tenants.models"}

# Tortoise itself allows one such context in a process, so this is kept where all find it.
_ready: dict[str, str] = {}
_context = TortoiseContext()


async def prepare_models(modules: Mapping[str, str] = TENANTS) -> None:
    """Read the models of all floors and plugins: label -> module; those that are known stay.

    May be called again, by another application in the same process or with more modules. Queries
    must name their connection (`using_db=bound(connection)`): the default one leads nowhere on
    purpose, so a query outside a tenant's transaction fails loudly.
    """
    global _context
    if modules.items() <= _ready.items():
        return
    await _context.close_connections()
    _ready.update(modules)
    _context = TortoiseContext()
    with _context:  # it looks itself up while it reads the models
        await _context.init(
            config=_config(), use_tz=True, timezone="UTC", _enable_global_fallback=True
        )


def _config() -> dict[str, object]:
    nowhere = {"host": "127.0.0.1", "port": 1, "user": "nobody", "password": "", "database": "none"}
    return {
        "connections": {"default": {"engine": "tortoise.backends.asyncpg", "credentials": nowhere}},
        "apps": {
            label: {"models": [module], "default_connection": "default"}
            for label, module in _ready.items()
        },
    }
