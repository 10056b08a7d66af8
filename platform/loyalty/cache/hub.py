"""Hints between processes: one listening connection each, however many sockets listen.

Delivery is at most once. A hint says "look again"; what is lost while Redis is away is found again
by whoever looks.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from functools import partial
from typing import Protocol
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from loyalty.cache.connection import Unanswered, Way
from loyalty.cache.listening import Listening
from loyalty.cache.names import (
    CONFIG,
    EVERY_TENANT,
    channel_name,
    holder_channel,
    member_channel,
)
from loyalty.cache.rooms import HubCounts, Rooms
from loyalty.cache.script import Script
from loyalty.cache.subscription import BUFFER_MAX, Closing, SlowConsumer, Subscription

__all__ = [
    "CONFIG",
    "Closing",
    "Hints",
    "Hub",
    "SlowConsumer",
    "Subscription",
    "holder_channel",
    "member_channel",
]

READY_SECONDS = 1.0
BACKOFF_FIRST_SECONDS = 0.05
BACKOFF_MAX_SECONDS = 2.0
HINTS_PER_CALL = 250
_PUBLISH = Script("for i = 1, #ARGV, 2 do redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end")
log = logging.getLogger(__name__)


class Hints(Protocol):
    """Publish and subscribe, through Redis (`Hub`) or within one process (`LocalHub`)."""

    counts: HubCounts

    async def publish(self, tenant: UUID, channel: str, payload: bytes) -> bool: ...
    async def publish_many(self, tenant: UUID, hints: Sequence[tuple[str, bytes]]) -> bool: ...
    def subscribe(self, tenant: UUID, channel: str) -> Subscription: ...
    async def publish_config(self, tenant: UUID) -> bool: ...
    def subscribe_config(self) -> Subscription: ...
    async def close(self) -> None: ...


class Hub:
    """This process's ear and mouth in Redis. It connects when somebody first subscribes."""

    def __init__(self, link: Way, *, buffer_max: int = BUFFER_MAX) -> None:
        self._link = link
        self._buffer_max = buffer_max
        self._rooms = Rooms()
        self.counts = self._rooms.counts
        self._ready: dict[str, asyncio.Event] = {}
        self._listening: Listening | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def publish(self, tenant: UUID, channel: str, payload: bytes) -> bool:
        """Tell whoever listens. False where Redis is in trouble: then nobody hears it."""
        return await self._publish(channel_name(tenant, channel), payload, tenant)

    async def publish_many(self, tenant: UUID, hints: Sequence[tuple[str, bytes]]) -> bool:
        """As `publish`, for (channel, payload) of a whole batch, in order: few round trips."""
        of_tenant = channel_name(tenant, "")
        for start in range(0, len(hints), HINTS_PER_CALL):
            named: list[str | bytes | int] = []
            for channel, payload in hints[start : start + HINTS_PER_CALL]:
                named += (of_tenant + channel, payload)
            if not await self._ask(partial(_PUBLISH.run, keys=(), values=named), tenant):
                return False
        return True

    def subscribe(self, tenant: UUID, channel: str) -> Subscription:
        """A listener to one channel of a tenant, e.g. `member_channel(member_id)`.

        Entering it waits until Redis listens too, for a second at most: a Redis that comes later
        is joined later.
        """
        return self._subscription(channel_name(tenant, channel))

    async def publish_config(self, tenant: UUID) -> bool:
        """Tell all processes that a tenant's setup changed."""
        return await self._publish(EVERY_TENANT, str(tenant).encode(), None)

    def subscribe_config(self) -> Subscription:
        """A listener to changed setups; each payload is a tenant's id as text."""
        return self._subscription(EVERY_TENANT)

    async def close(self) -> None:
        """End all subscriptions and the connection. The link belongs to whoever made it."""
        self._closed = True
        self._rooms.close()
        for ready in self._ready.values():
            ready.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _publish(self, name: str, payload: bytes, tenant: UUID | None) -> bool:
        return await self._ask(lambda redis: redis.publish(name, payload), tenant)

    async def _ask(
        self, question: Callable[[Redis], Awaitable[object]], tenant: UUID | None
    ) -> bool:
        # Whichever node of a cluster is told, the listeners of all nodes hear it.
        try:
            await self._link.ask(question, tenant)
        except Unanswered:
            self.counts.unpublished += 1
            return False
        return True

    def _subscription(self, name: str) -> Subscription:
        return Subscription(name, enter=self._enter, leave=self._leave, buffer_max=self._buffer_max)

    async def _enter(self, subscription: Subscription) -> None:
        if self._closed:
            subscription.close(Closing.HUB_CLOSED)
            return
        name = subscription.name
        if self._rooms.join(subscription):
            self._ready[name] = asyncio.Event()
            if self._listening is not None:
                self._listening.touch([name])
                if name in self._listening.live:
                    self._ready[name].set()
        if self._task is None:
            # A context of its own: the first listener's must not outlive it in here.
            self._task = asyncio.create_task(self._listen(), context=Context())
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._ready[name].wait()
        except TimeoutError:
            log.warning("a subscription begins before redis is there")

    def _leave(self, subscription: Subscription) -> None:
        if self._rooms.leave(subscription):
            del self._ready[subscription.name]
            if self._listening is not None:
                self._listening.touch([subscription.name])

    async def _listen(self) -> None:
        backoff = BACKOFF_FIRST_SECONDS
        while True:
            # A client of its own each time: in a cluster the next one listens to another node.
            async with self._link.listener() as client, client.pubsub() as pubsub:
                listening = await self._listen_once(pubsub)
            backoff = BACKOFF_FIRST_SECONDS if listening.answered else backoff
            await asyncio.sleep(backoff * (0.5 + random.random()))
            backoff = min(2 * backoff, BACKOFF_MAX_SECONDS)

    async def _listen_once(self, pubsub: PubSub) -> Listening:
        self.counts.connects += 1
        listening = Listening(
            pubsub,
            is_wanted=self._rooms.__contains__,
            on_live=self._on_live,
            on_message=self._on_message,
        )
        self._listening = listening
        listening.touch(self._rooms.names)
        try:
            await listening.run()
        except* (RedisError, OSError) as trouble:
            log.info("listening to redis ended: %s", trouble.exceptions[0])
        except* Exception:
            log.exception("listening to redis failed; it is begun anew")
        finally:
            self._listening = None
            for ready in self._ready.values():
                ready.clear()
        return listening

    def _on_live(self, name: str) -> None:
        if name in self._ready:
            self._ready[name].set()

    def _on_message(self, name: str, payload: bytes) -> None:
        for subscription in self._rooms.deliver(name, payload):
            self._leave(subscription)
