"""Endpoints for the worlds of the kernel's tests, and a worker's post office to send to them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from loyalty.clock import SystemClock
from loyalty.database import Database
from loyalty.jobs.outbox import Outbox
from loyalty.plugin_set import PluginSet
from loyalty_app.logins import Addresses
from loyalty_tenants.egress import Reach
from loyalty_tenants.egress_client import EgressClient
from loyalty_tenants.principal import Actor
from loyalty_tenants.webhooks import endpoints
from loyalty_tenants.webhooks.endpoints import NewSecret, Rules
from loyalty_tenants.webhooks.fan_out import FanOut
from loyalty_tenants.webhooks.pauses import Pauses
from loyalty_tenants.webhooks.post import Post
from loyalty_tenants.webhooks.queue import LEASE, Queue
from loyalty_tenants.webhooks.sender import Sender
from loyalty_tenants.webhooks.topics import Topics
from tests.faults.receiver import Receiver
from tests.kernel.jobs.conftest import Hands

BOSS = Actor(role="ADMIN", subject="boss", request_id="r-1")
HERE = Reach(trusted=("127.0.0.1",))


@pytest.fixture(scope="module")
async def dsn(new_dsn: Callable[[], Awaitable[Addresses]]) -> Addresses:
    """A database of the module's own: a post office serves all tenants."""
    return await new_dsn()


@pytest.fixture(scope="module")
async def database(dsn: Addresses) -> AsyncIterator[Database]:
    opened = await Database.open(dsn.app, acquire_timeout=30)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def worker_database(dsn: Addresses) -> AsyncIterator[Database]:
    opened = await Database.open(dsn.worker, size=8, acquire_timeout=30)
    yield opened
    await opened.close()


@pytest.fixture
def hands(worker_database: Database) -> Hands:
    return Hands(worker_database)


@dataclass(slots=True)
class Office:
    """What a worker does for webhooks, a step at a time, and what an admin does before."""

    database: Database
    admin_dsn: str
    client: EgressClient

    def topics(self, world: Any) -> Topics:
        return Topics(PluginSet(world.plugins.plugins))

    async def endpoint(self, world: Any, url: str, topics: Sequence[str] = ("*",)) -> NewSecret:
        rules = Rules(topics=self.topics(world), reach=HERE)
        async with world.database.tenant(world.tenant_id) as connection:
            return await endpoints.create(
                connection, BOSS, rules, url=url, topics=topics, description="",
                now=datetime.now(UTC),
            )  # fmt: skip

    async def change(self, world: Any, change: Any, *given: Any, **named: Any) -> Any:
        """A change of an endpoint, or of deliveries, as the API makes it."""
        async with world.database.tenant(world.tenant_id) as connection:
            return await change(connection, BOSS, *given, now=datetime.now(UTC), **named)

    def outbox(self, world: Any) -> Outbox:
        return Outbox(self.database, FanOut(self.topics(world), SystemClock()))

    async def tell(self, world: Any) -> None:
        """Fan out all that the outbox holds."""
        outbox = self.outbox(world)
        while await outbox.round():
            pass

    def queue(self, pace: float = 1.0, **options: Any) -> Queue:
        return Queue(self.database, Pauses(pace=pace, chance=lambda: 0.5), **options)

    def post(self, *, pace: float = 1.0, sender: Any = None, lease: Any = LEASE) -> Post:
        queue = self.queue(pace, lease=lease)
        return Post(queue, sender or Sender(self.client, seconds=5), SystemClock())

    async def deliver(self, **options: Any) -> None:
        """Send all that can be sent now."""
        post = self.post(**options)
        while await post.round():
            await post.settled()

    async def deliver_until(self, done: Callable[[], bool], **options: Any) -> None:
        """Go on sending, through pauses, until it is done."""
        post = self.post(**options)
        async with asyncio.timeout(30):
            while not done():
                await post.round()
                await post.settled()
                await asyncio.sleep(0.005)

    async def rows(self, query: str, *given: Any) -> list[Any]:
        """Past row security."""
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            return list(await connection.fetch(query, *given))
        finally:
            await connection.close()

    async def deliveries(self, world: Any) -> list[Any]:
        return await self.rows(
            "select * from loyalty.webhook_delivery where tenant_id = $1 order by seq",
            world.tenant_id,
        )

    async def health(self, endpoint_id: UUID) -> Any:
        (row,) = await self.rows(
            "select * from loyalty.webhook_endpoint where id = $1", endpoint_id
        )
        return row


@pytest.fixture
async def office(worker_database: Database, dsn: Addresses) -> AsyncIterator[Office]:
    client = EgressClient(HERE)
    opened = Office(worker_database, dsn.admin, client)
    # What other tests left is not sent by this one.
    await opened.rows("update loyalty.webhook_endpoint set status = 'DELETED', reason = null")
    yield opened
    await client.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    started = await Receiver().start()
    yield started
    await started.stop()
