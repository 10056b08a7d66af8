"""What reading a history takes: a worker's login, the plugins and their configs; no cache."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from loyalty.database import Database
from loyalty.plugin import Plugin
from loyalty.plugin_set import PluginSet
from loyalty.recorder.setups import Setups
from loyalty_app.installed import installed
from loyalty_app.settings import Settings
from loyalty_tenants.configs import Configs
from loyalty_tenants.setups import TenantSetups

POOL = 2
PATIENCE = 60.0  # seconds that a statement may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    database: Database
    plugins: PluginSet
    configs: Configs
    setups: Setups


@asynccontextmanager
async def reading(
    settings: Settings, plugins: Sequence[Plugin] | None = None
) -> AsyncIterator[Reading]:
    """:raises UnsafeLogin: the login could get past row-level security"""
    dsn = settings.need("worker_database_url")
    database = await Database.open(dsn, size=POOL, command_timeout=PATIENCE)
    try:
        yield made(database, installed() if plugins is None else plugins)
    finally:
        await database.close()


def made(database: Database, plugins: Sequence[Plugin]) -> Reading:
    plugin_set = PluginSet(plugins)
    configs = Configs(plugin_set.by_name)
    return Reading(
        database=database, plugins=plugin_set, configs=configs,
        setups=Setups(database, TenantSetups(configs)),
    )  # fmt: skip
