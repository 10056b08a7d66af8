"""The write path of a process, put together: for whoever records, with or without an API."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from loyalty.cache.balances import BalanceCache, Balances
from loyalty.cache.cached_balance import tombstone
from loyalty.cache.cluster import way_to
from loyalty.cache.hub import Hints, Hub, holder_channel
from loyalty.cache.local_hub import LocalHub
from loyalty.cache.no_cache import NoCache
from loyalty.clock import Clock, SystemClock
from loyalty.database import Database
from loyalty.plugin import Plugin
from loyalty.plugin_set import PluginSet
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.setups import Setups
from loyalty.settlement.request import Change, Committed
from loyalty_app.installed import installed
from loyalty_app.settings import Settings
from loyalty_tenants.configs import Configs
from loyalty_tenants.model_apps import TENANTS, prepare_models
from loyalty_tenants.setups import TenantSetups

POOL = 10
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The write path and what it is built of, for any process that records."""

    database: Database
    plugins: PluginSet
    configs: Configs
    setups: Setups
    recorder: Recorder
    cache: Balances
    hints: Hints


@asynccontextmanager
async def open_ledger(
    settings: Settings,
    dsn: str,
    *,
    plugins: Sequence[Plugin] | None = None,
    clock: Clock | None = None,
    pool: int = POOL,
    ready: int = 1,
    share: int | None = None,
) -> AsyncIterator[Ledger]:
    """The write path on one database login; `pool`, `ready` and `share` as in `Database.open`.

    :raises UnsafeLogin: the login could get past row-level security
    """
    plugin_set = PluginSet(installed() if plugins is None else plugins)
    models = {f"loyalty_{p.name}": p.models for p in plugin_set.plugins if p.models is not None}
    await prepare_models({**TENANTS, **models})
    configs = Configs(plugin_set.by_name)
    async with AsyncExitStack() as stack:
        database = await Database.open(dsn, size=pool, ready=ready, share=share)
        stack.push_async_callback(database.close)
        cache, hints = await _redis(stack, settings, database)
        setups = Setups(database, TenantSetups(configs))
        yield Ledger(
            database=database,
            plugins=plugin_set,
            configs=configs,
            setups=setups,
            recorder=Recorder(
                database,
                plugin_set,
                setups,
                clock or SystemClock(),
                committed=Telling(cache, hints),
            ),
            cache=cache,
            hints=hints,
        )


async def _redis(
    stack: AsyncExitStack, settings: Settings, database: Database
) -> tuple[Balances, Hints]:
    if not settings.redis_url:
        log.warning("LOYALTY_REDIS_URL is not set: no cache, and subscriptions within one process")
        local = LocalHub()
        stack.push_async_callback(local.close)
        return NoCache(), local
    link = way_to(settings.redis_url)
    stack.push_async_callback(link.close)
    epoch = await database.unscoped("select epoch from loyalty.installation")
    cache = BalanceCache(link, epoch=str(epoch))
    stack.push_async_callback(cache.close)
    hub = Hub(link)
    stack.push_async_callback(hub.close)
    return cache, hub


class Telling:
    """After a commit, of one tenant or of two: no cached balance older than it is believed, and
    listeners look again."""

    def __init__(self, cache: Balances, hints: Hints) -> None:
        self._cache = cache
        self._hints = hints

    def __call__(self, *committed: Committed) -> Coroutine[Any, Any, None]:
        news = [
            (one.tenant_id, (c.owner, c.unit), tombstone(c.version), _hint(c))
            for one in committed
            for c in one.changes
        ]
        return self._tell(committed, self._cache.telling(news))

    async def _tell(
        self, committed: Sequence[Committed], send: Callable[[], Awaitable[bool]]
    ) -> None:
        if await send():
            return
        for one in committed:
            hints = [(holder_channel(c.owner), _hint(c)) for c in one.changes]
            await self._hints.publish_many(one.tenant_id, hints)


def _hint(change: Change) -> bytes:
    return orjson.dumps(
        {"unit": change.unit, "version": change.version, "fact": str(change.fact_id)}
    )
