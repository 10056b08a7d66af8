"""The way to Redis: a small time budget, no retries, and a breaker that spares a Redis in trouble.

Slow, frozen, full, read-only, empty or gone: a caller loses the budget at most, and nothing at all
while the breaker is open. Nothing here is needed for a right answer, only for a quick one.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar
from uuid import UUID

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.maint_notifications import MaintNotificationsConfig

from loyalty.cache.packing import PACKING

BUDGET_SECONDS = 0.05
CONNECT_SECONDS = 1.0
POOL_SIZE = 16
FAILURES_TO_OPEN = 5
OPEN_SECONDS = 1.0

T = TypeVar("T")
log = logging.getLogger(__name__)


class Unanswered(Exception):
    """Redis did not answer in time, was not asked (the breaker is open) or answered an error."""


def connect(url: str, *, timeout: float = BUDGET_SECONDS, pool_size: int = POOL_SIZE) -> Redis:
    """A client that waits `timeout` seconds for a connection, which it opens when first asked.

    How long an answer may take is its caller's to say, by `asyncio.timeout`.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=pool_size,
        timeout=timeout,
        socket_connect_timeout=timeout,
        # With one, redis-py writes through asyncio.wait_for, which on Python 3.11 can swallow a
        # cancellation. Both our timeouts work by cancelling, and that ends the connection too.
        socket_timeout=None,
        # Saves a round trip in which no open-source server has anything to say.
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        # Stock retries turn a frozen server into a wait of a minute.
        retry=Retry(NoBackoff(), 0),
        legacy_responses=False,
    )
    pool.connection_class = PACKING[pool.connection_class]
    return Redis.from_pool(pool)


class Breaker:
    """Closed until five failures in a row; then open for a second; then one probe decides.

    `now` is a monotonic clock in seconds.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        *,
        failures: int = FAILURES_TO_OPEN,
        open_seconds: float = OPEN_SECONDS,
    ) -> None:
        self._now = now
        self._limit = failures
        self._open_seconds = open_seconds
        self._failures = 0
        self._open_until: float | None = None
        self._probing = False

    @property
    def is_open(self) -> bool:
        return self._open_until is not None

    def admits(self) -> bool:
        """Whether to ask now. Whoever is admitted reports what came of it, by one of the three."""
        if self._open_until is None:
            return True
        if self._probing or self._now() < self._open_until:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        # An answer to a question from before it opened says nothing about now, but does no harm.
        if self._open_until is not None:
            log.warning("redis answers again")
        self._failures = 0
        self._open_until = None
        self._probing = False

    def failed(self) -> None:
        self._failures += 1
        if self._probing or self._failures >= self._limit:
            if self._open_until is None:
                log.warning("redis does not answer: doing without for %s s", self._open_seconds)
            self._open_until = self._now() + self._open_seconds
            self._probing = False

    def abandoned(self) -> None:
        """The asker was cancelled: that says nothing about Redis, and the next one may probe."""
        self._probing = False


class Way(Protocol):
    """To one server (`Link`) or to the nodes of a cluster (`Cluster`)."""

    one_server: bool
    """Whether all tenants are in one place: one call may be about several."""

    async def ask(
        self, question: Callable[[Redis], Awaitable[T]], tenant: UUID | None = None
    ) -> T: ...

    def listener(self) -> Redis: ...

    async def close(self) -> None: ...


class Link:
    """One process's way to one Redis: client, budget and breaker in one."""

    one_server = True

    def __init__(
        self,
        url: str,
        *,
        breaker: Breaker | None = None,
        budget: float = BUDGET_SECONDS,
        pool_size: int = POOL_SIZE,
    ) -> None:
        self.url = url
        self.budget = budget
        self.breaker = breaker or Breaker()
        self.asked = 0
        self._client = connect(url, timeout=budget, pool_size=pool_size)

    @property
    def is_open(self) -> bool:
        """Whether Redis is not asked at the moment."""
        return self.breaker.is_open

    async def ask(
        self,
        question: Callable[[Redis], Awaitable[T]],
        tenant: UUID | None = None,
        *,
        budget: float | None = None,
    ) -> T:
        """What Redis says to `question`, within the budget. One server holds every `tenant`.

        :raises Unanswered: there is no answer; go on without. Its cause is what Redis said
        """
        if not self.breaker.admits():
            raise Unanswered("the breaker is open")
        self.asked += 1
        try:
            async with asyncio.timeout(self.budget if budget is None else budget):
                answer = await question(self._client)
        except (RedisConnectionError, RedisTimeoutError, OSError) as error:
            self.breaker.failed()
            raise Unanswered(str(error)) from error
        except RedisError as error:
            # Full or read-only, but quick to say so: reading goes on.
            self.breaker.succeeded()
            raise Unanswered(str(error)) from error
        except BaseException:
            self.breaker.abandoned()
            raise
        self.breaker.succeeded()
        return answer

    def listener(self) -> Redis:
        """A client for one connection that listens; whoever asks for it closes it."""
        return connect(self.url, timeout=CONNECT_SECONDS, pool_size=1)

    async def close(self) -> None:
        await self._client.aclose()
        await self._client.connection_pool.disconnect()
