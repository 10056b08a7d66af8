"""Everything a serving process is made of, built once and closed in reverse: the only place that
constructs things."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import orjson

from loyalty.cache.balances import BalanceCache, Balances
from loyalty.cache.cached_balance import CachedBalance
from loyalty.cache.connection import Link
from loyalty.cache.hub import Hints, Hub, member_channel
from loyalty.cache.local_hub import LocalHub
from loyalty.cache.no_cache import NoCache
from loyalty.clock import Clock, SystemClock
from loyalty.database import Database
from loyalty.plugin import Plugin
from loyalty.plugin_set import PluginSet
from loyalty.recorder.lane import Lanes
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.setups import Setups
from loyalty.settlement.request import Change, Committed
from loyalty_app.installed import installed
from loyalty_app.settings import Settings
from loyalty_graphql.compose import ComposedSchema, compose
from loyalty_graphql.context import Api
from loyalty_graphql.core import CORE
from loyalty_graphql.cursors import Cursors
from loyalty_graphql.paging import Paging
from loyalty_tenants.access import Authenticator
from loyalty_tenants.configs import Configs
from loyalty_tenants.credentials import CredentialStore
from loyalty_tenants.jwks import KeySets
from loyalty_tenants.jwks_fetch import JwksFetcher
from loyalty_tenants.model_apps import TENANTS, prepare_models
from loyalty_tenants.setups import TenantSetups
from loyalty_tenants.tokens import Tokens

FLUSH_SECONDS = 60
POOL = 10
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the routes of a process need."""

    settings: Settings
    api: Api
    schema: ComposedSchema
    authenticator: Authenticator


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
) -> AsyncIterator[Ledger]:
    """The write path on one database login; `ready` of the pool's connections are opened at once.

    :raises UnsafeLogin: the login could get past row-level security
    """
    plugin_set = PluginSet(installed() if plugins is None else plugins)
    models = {f"loyalty_{p.name}": p.models for p in plugin_set.plugins if p.models is not None}
    await prepare_models({**TENANTS, **models})
    configs = Configs(plugin_set.by_name)
    async with AsyncExitStack() as stack:
        database = await Database.open(dsn, size=pool, ready=ready)
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
                committed=_Telling(cache, hints),
            ),
            cache=cache,
            hints=hints,
        )


@asynccontextmanager
async def open_services(
    settings: Settings, *, plugins: Sequence[Plugin] | None = None, clock: Clock | None = None
) -> AsyncIterator[Services]:
    """Everything an API process needs."""
    dsn = settings.need("app_database_url")
    secret = settings.need("operator_secret")
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(
            # The first requests wait for a connection a second at most: no time to open one in.
            open_ledger(settings, dsn, plugins=plugins, clock=clock, pool=POOL, ready=POOL)
        )
        lanes = Lanes(ledger.recorder)
        stack.push_async_callback(lanes.close)
        authenticator = await _authenticator(stack, ledger.database, secret, clock)

        def forget(tenant_id: UUID) -> None:
            ledger.setups.forget(tenant_id)
            authenticator.forget(tenant_id)

        listening = asyncio.create_task(_listen(ledger.hints, forget))
        stack.push_async_callback(_cancel, listening)
        yield Services(
            settings=settings,
            schema=compose(CORE, ledger.plugins.plugins),
            authenticator=authenticator,
            api=Api(
                database=ledger.database,
                recorder=ledger.recorder,
                lanes=lanes,
                setups=ledger.setups,
                plugins=ledger.plugins,
                configs=ledger.configs,
                cache=ledger.cache,
                hints=ledger.hints,
                paging=Paging(Cursors(secret.encode())),
                clock=clock,
                forget=forget,
            ),
        )


async def _redis(
    stack: AsyncExitStack, settings: Settings, database: Database
) -> tuple[Balances, Hints]:
    if not settings.redis_url:
        log.warning("LOYALTY_REDIS_URL is not set: no cache, and subscriptions within one process")
        local = LocalHub()
        stack.push_async_callback(local.close)
        return NoCache(), local
    link = Link(settings.redis_url)
    stack.push_async_callback(link.close)
    epoch = await database.unscoped("select epoch from loyalty.installation")
    cache = BalanceCache(link, epoch=str(epoch))
    stack.push_async_callback(cache.close)
    hub = Hub(link)
    stack.push_async_callback(hub.close)
    return cache, hub


async def _authenticator(
    stack: AsyncExitStack, database: Database, secret: str, clock: Clock
) -> Authenticator:
    fetcher = JwksFetcher()
    stack.push_async_callback(fetcher.close)
    key_sets = KeySets(fetcher)
    stack.push_async_callback(key_sets.close)
    store = CredentialStore(database)
    tokens = Tokens(store, key_sets, operator_secret=secret)
    authenticator = Authenticator(database, store, tokens, clock)
    flushing = asyncio.create_task(_flush(authenticator, database))
    stack.push_async_callback(_cancel, flushing)
    return authenticator


class _Telling:
    """After a commit: no cached balance older than it is believed, and listeners look again."""

    def __init__(self, cache: Balances, hints: Hints) -> None:
        self._cache = cache
        self._hints = hints

    async def __call__(self, committed: Committed) -> None:
        await self._cache.put_many(
            committed.tenant_id,
            {
                (change.member_id, change.unit): CachedBalance(
                    version=change.version, overflow=True
                )
                for change in committed.changes
            },
        )
        hints = [(member_channel(c.member_id), _hint(c)) for c in committed.changes]
        await self._hints.publish_many(committed.tenant_id, hints)


def _hint(change: Change) -> bytes:
    return orjson.dumps(
        {"unit": change.unit, "version": change.version, "fact": str(change.fact_id)}
    )


async def _listen(hints: Hints, forget: Callable[[UUID], None]) -> None:
    """Forget a tenant's setup as soon as some process changed it; the epoch proves it anyway."""
    while True:
        with suppress(Exception):
            async with hints.subscribe_config() as changed:
                async for payload in changed:
                    forget(UUID(payload.decode()))
        await asyncio.sleep(1)


async def _flush(authenticator: Authenticator, database: Database) -> None:
    """Note when keys were last used: once a minute, off the path of requests."""
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        with suppress(Exception):
            await authenticator.last_used.flush(database)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
