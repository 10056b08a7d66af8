"""Everything that serving the API takes, built once and closed in reverse."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from loyalty.cache.hub import Hints
from loyalty.clock import Clock, SystemClock
from loyalty.database import Database
from loyalty.lookups import Lookups
from loyalty.plugin import Plugin
from loyalty.recorder.lane import Lanes
from loyalty.recorder.pair_lane import PairLanes
from loyalty_app.installed import installed
from loyalty_app.keeping import retention
from loyalty_app.ledger import POOL, open_ledger
from loyalty_app.settings import Settings
from loyalty_app.webhooks import rules, way_out
from loyalty_graphql.compose import ComposedSchema, compose
from loyalty_graphql.context import Api
from loyalty_graphql.core import CORE
from loyalty_graphql.cursors import Cursors
from loyalty_graphql.paging import Paging
from loyalty_tenants.access import Authenticator
from loyalty_tenants.credentials import CredentialStore
from loyalty_tenants.jwks import KeySets
from loyalty_tenants.jwks_fetch import JwksFetcher
from loyalty_tenants.privacy.erasures import Erasures
from loyalty_tenants.privacy.terms import TERMS
from loyalty_tenants.tokens import Tokens

FLUSH_SECONDS = 60
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the routes of a process need."""

    settings: Settings
    api: Api
    schema: ComposedSchema
    authenticator: Authenticator


@asynccontextmanager
async def open_services(
    settings: Settings, *, plugins: Sequence[Plugin] | None = None, clock: Clock | None = None
) -> AsyncIterator[Services]:
    """Everything an API process needs."""
    dsn = settings.need("app_database_url")
    secret = settings.need("operator_secret")
    clock = clock or SystemClock()
    plugins = installed() if plugins is None else plugins
    async with AsyncExitStack() as stack:
        composing = _composing(stack, plugins)
        ledger = await stack.enter_async_context(
            # The first requests wait for a connection a second at most: no time to open one in.
            open_ledger(settings, dsn, plugins=plugins, clock=clock, pool=POOL, ready=POOL)
        )
        lanes, pairs = Lanes(ledger.recorder), PairLanes(ledger.recorder)
        lookups, way = Lookups(ledger.database), way_out(settings)
        for close in (lanes.close, lookups.close, pairs.close, way.close):
            stack.push_async_callback(close)
        authenticator = await _authenticator(stack, ledger.database, secret, clock)

        def forget(tenant_id: UUID) -> None:
            ledger.setups.forget(tenant_id)
            authenticator.forget(tenant_id)

        listening = asyncio.create_task(_listen(ledger.hints, forget))
        stack.push_async_callback(_cancel, listening)
        yield Services(
            settings=settings,
            schema=await composing,
            authenticator=authenticator,
            api=Api(
                database=ledger.database,
                recorder=ledger.recorder,
                lanes=lanes,
                lookups=lookups,
                pairs=pairs,
                setups=ledger.setups,
                plugins=ledger.plugins,
                configs=ledger.configs,
                cache=ledger.cache,
                hints=ledger.hints,
                paging=Paging(Cursors(secret.encode())),
                clock=clock,
                webhooks=rules(settings, ledger.plugins),
                erasures=Erasures(ledger.database, ledger.plugins, clock),
                retention=retention(settings, TERMS),
                way=way,
                forget=forget,
            ),
        )


def _composing(stack: AsyncExitStack, plugins: Sequence[Plugin]) -> asyncio.Task[ComposedSchema]:
    """The schema, made while Postgres lets the connections in."""
    task = asyncio.create_task(asyncio.to_thread(compose, CORE, plugins))
    stack.push_async_callback(_cancel, task)
    return task


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


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
