"""The post office of a worker: claims, sends many at a time, notes what came of each."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from loyalty.clock import Clock
from loyalty.jobs.rounds import go_round
from loyalty_tenants.webhooks.queue import Answer, Letter, Queue
from loyalty_tenants.webhooks.sender import Sends

AT_ONCE = 64
POLL_SECONDS = 0.25
GATHER_SECONDS = 0.01  # what is done with in the same moment makes room together
DATABASE_AT_ONCE = 3  # of the pool's connections, so that no note waits in vain for one
NOTED_IN_TRIES = 3
log = logging.getLogger(__name__)


class Post:
    """Any number of them at once, in any number of processes."""

    def __init__(
        self,
        queue: Queue,
        sender: Sends,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._queue = queue
        self._sender = sender
        self._clock = clock
        self._sleep = sleep
        self._under_way: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(DATABASE_AT_ONCE)
        self._one_done = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        """Send until stopped; what is under way then is finished."""
        await go_round(self.round, stopping, poll=POLL_SECONDS, name="the post", sleep=self._moment)
        await self.settled()

    async def round(self) -> int:
        """Claim as much as there is room for and begin to send it; how much was claimed."""
        self._one_done.clear()
        free = AT_ONCE - len(self._under_way)
        if free <= 0:
            return 0
        async with self._room:
            letters = await self._queue.claim(free, self._clock.now())
        for letter in letters:
            task = asyncio.create_task(self._deliver(letter))
            self._under_way.add(task)
            task.add_done_callback(self._done)
        return len(letters)

    async def settled(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._under_way)

    async def _deliver(self, letter: Letter) -> None:
        try:
            answer = await self._sender.send(letter, self._clock.now())
        except Exception as error:
            log.exception("delivery %s could not be tried", letter.delivery_id)
            answer = Answer(problem=f"a mistake of ours: {type(error).__name__}")
        await self._note(letter, answer)

    async def _note(self, letter: Letter, answer: Answer) -> None:
        """Try hard: what is not noted is sent again when the lease ends, under the same id."""
        for again in range(1, NOTED_IN_TRIES + 1):
            try:
                async with self._room:
                    noted = await self._queue.note(letter, answer, self._clock.now())
            except Exception:
                log.warning("delivery %s: not noted, try %s", letter.delivery_id, again,
                            exc_info=True)  # fmt: skip
                await self._sleep(again)
            else:
                if not noted:
                    log.warning("delivery %s took longer than its lease", letter.delivery_id)
                return

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._one_done.set()

    async def _moment(self, seconds: float) -> None:
        """Until something is done with, which makes room and may free the next of its line."""
        waiting = [
            asyncio.ensure_future(self._sleep(seconds)),
            asyncio.ensure_future(self._one_done.wait()),
        ]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        await self._sleep(GATHER_SECONDS)
