"""Redis Cluster: a tenant's questions go to its slot's node, each node behind a link of its own.

Budget and breaker are the node's: one that is frozen or gone costs its own tenants the cache, and
the others nothing. Nobody waits for the cluster's layout. A question that goes astray is told where
to go (MOVED, ASK) and goes there within the same budget; the layout is read again in the
background, once a second at most.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextvars import Context
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import AskError, MovedError, RedisError

from loyalty.cache.connection import (
    BUDGET_SECONDS,
    CONNECT_SECONDS,
    POOL_SIZE,
    Breaker,
    Link,
    Unanswered,
    Way,
    connect,
)
from loyalty.cache.nodes import (
    Address,
    is_cluster,
    named_nodes,
    nobody,
    owners_of,
    slot_of,
    url_of,
)

LOOK_SECONDS = 1.0
T = TypeVar("T")
log = logging.getLogger(__name__)


def way_to(url: str) -> Way:
    """`redis+cluster://host:port,host:port` (or `rediss+cluster`) is a cluster, others one server.

    :raises ValueError: the URL is malformed
    """
    return Cluster(url) if is_cluster(url) else Link(url)


class Cluster:
    """One process's way to the nodes of a cluster. The URL names some, and it finds the rest."""

    one_server = False

    def __init__(
        self,
        url: str,
        *,
        breaker: Callable[[], Breaker] = Breaker,
        budget: float = BUDGET_SECONDS,
        pool_size: int = POOL_SIZE,
    ) -> None:
        self.url = url
        self.budget = budget
        self.looks = 0
        self._breaker = breaker
        self._pool_size = pool_size
        self._named = named_nodes(url)
        self._links = {node: self._new_link(node) for node in self._named}
        self._owners = nobody()
        self._looking: asyncio.Task[None] | None = None
        self._next_look = 0.0

    @property
    def is_open(self) -> bool:
        """Whether some node is not asked at the moment."""
        return any(link.is_open for link in self._links.values())

    @property
    def asked(self) -> int:
        return sum(link.asked for link in self._links.values())

    async def ask(self, question: Callable[[Redis], Awaitable[T]], tenant: UUID | None = None) -> T:
        """What the tenant's node (None: any node) says to `question`, within the budget.

        :raises Unanswered: there is no answer; go on without
        """
        clock = asyncio.get_running_loop().time
        ends = clock() + self.budget
        node = self._node_of(tenant)
        try:
            return await self._link(node).ask(question)
        except Unanswered as error:
            self._look_again()
            redirect, left = error.__cause__, ends - clock()
            if not isinstance(redirect, AskError) or left <= 0:
                raise
        other = (redirect.host or node[0], redirect.port)
        if not isinstance(redirect, MovedError):
            return await self._link(other).ask(partial(_asking, question=question), budget=left)
        self._owners[redirect.slot_id] = other
        return await self._link(other).ask(question, budget=left)

    def listener(self) -> Redis:
        """A client for one connection that listens: what any node publishes, all nodes pass on."""
        url = url_of(self.url, self._any_node())
        return connect(url, timeout=CONNECT_SECONDS, pool_size=1)

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        for link in self._links.values():
            await link.close()

    def _node_of(self, tenant: UUID | None) -> Address:
        if tenant is None:
            return self._any_node()
        owner = self._owners[slot_of(tenant)]
        if owner is None:
            self._look_again()
            return self._any_node()  # which says where to go
        return owner

    def _any_node(self) -> Address:
        nodes = list(self._links)
        return random.choice([n for n in nodes if not self._links[n].is_open] or nodes)

    def _link(self, node: Address) -> Link:
        if node not in self._links:
            self._links[node] = self._new_link(node)
        return self._links[node]

    def _new_link(self, node: Address) -> Link:
        return Link(
            url_of(self.url, node),
            breaker=self._breaker(),
            budget=self.budget,
            pool_size=self._pool_size,
        )

    def _look_again(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._next_look or not (self._looking is None or self._looking.done()):
            return
        self._next_look = now + LOOK_SECONDS
        self._looking = asyncio.create_task(self._look(), context=Context())

    async def _look(self) -> None:
        """Read the layout from the first node that tells it, those in trouble last."""
        self.looks += 1
        nodes = random.sample(list(self._links), len(self._links))
        for node in sorted(nodes, key=lambda node: self._links[node].is_open):
            try:
                self._owners = owners_of(await self._layout(node), node, self._owners)
            except (RedisError, OSError, TimeoutError) as trouble:
                log.info("a node of redis does not tell the cluster's layout: %s", trouble)
                continue
            await self._forget_strangers()
            return

    async def _layout(self, node: Address) -> Any:
        url = url_of(self.url, node)
        async with (
            asyncio.timeout(CONNECT_SECONDS),
            connect(url, timeout=CONNECT_SECONDS, pool_size=1) as client,
        ):
            return await client.execute_command("CLUSTER SLOTS")  # type: ignore[no-untyped-call]

    async def _forget_strangers(self) -> None:
        """Close the ways to nodes that have left the cluster."""
        known = {*self._named, *self._owners}
        for node in [node for node in self._links if node not in known]:
            await self._links.pop(node).close()


class _Asking(Redis):
    """Says ASKING before each command: for a slot that is on its way to this node."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        await super().execute_command("ASKING")  # type: ignore[no-untyped-call]
        return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]


async def _asking(redis: Redis, question: Callable[[Redis], Awaitable[T]]) -> T:
    pool = redis.connection_pool
    async with _Asking(connection_pool=pool, single_connection_client=True) as client:
        return await question(client)
