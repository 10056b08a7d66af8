"""Members looked up for many callers in one transaction: while one is under way, those gather for
the next who come meanwhile.

A look-up by itself is four messages to and from the database for one row. Who asks is answered from
a transaction that began after they asked, so nobody misses what was committed before.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextvars import Context
from uuid import UUID

from loyalty import members
from loyalty.database import Database
from loyalty.facts import MemberRef
from loyalty.view import MemberView

AT_ONCE = 200  # of a tenant in one transaction

Found = Mapping[MemberRef, MemberView]
Waiting = tuple[Sequence[MemberRef], asyncio.Future[Found]]


class Lookups:
    """One transaction under way for each tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: defaultdict[UUID, list[Waiting]] = defaultdict(list)
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    async def members(self, tenant_id: UUID, refs: Sequence[MemberRef]) -> list[MemberView | None]:
        """The tenant's member behind each reference; None where there is none.

        :raises Refused: OVERLOADED or UNAVAILABLE, as any transaction
        """
        answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._waiting[tenant_id].append((refs, answer))
        if tenant_id not in self._tasks:
            # In a context of its own: it is nobody's transaction in particular.
            task = asyncio.create_task(self._drain(tenant_id), context=Context())
            self._tasks[tenant_id] = task
        found = await answer
        return [found.get(ref) for ref in refs]

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for waiting in self._waiting.values():  # for whom no task had begun
            for _, answer in waiting:
                answer.cancel()

    async def _drain(self, tenant_id: UUID) -> None:
        asking: list[Waiting] = []
        try:
            while asking := self._next(tenant_id):
                await self._answer(tenant_id, asking)
        finally:
            del self._tasks[tenant_id]
            for _, answer in (*asking, *self._waiting.pop(tenant_id, ())):
                answer.cancel()  # does nothing to one that is answered

    def _next(self, tenant_id: UUID) -> list[Waiting]:
        """Who is to be answered now; in one go all of a caller's."""
        waiting, taken, count = self._waiting.pop(tenant_id, []), list[Waiting](), 0
        for each in waiting:
            if taken and count + len(each[0]) > AT_ONCE:
                break
            count += len(each[0])
            taken.append(each)
        if rest := waiting[len(taken) :]:
            self._waiting[tenant_id] = rest
        return taken

    async def _answer(self, tenant_id: UUID, asking: Sequence[Waiting]) -> None:
        refs = list(dict.fromkeys(ref for each, _ in asking for ref in each))
        try:
            async with self._database.tenant(tenant_id, read_only=True) as connection:
                found = await members.found(connection, refs)
        except Exception as error:
            for _, answer in asking:
                if not answer.done():
                    answer.set_exception(error)
            return
        for _, answer in asking:
            if not answer.done():
                answer.set_result(found)
