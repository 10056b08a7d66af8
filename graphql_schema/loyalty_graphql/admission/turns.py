"""How many operations of one tenant run at once: few beside others, many where it is alone."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from math import inf

from loyalty_graphql.admission.allowances import Allowances

Waiting = deque[asyncio.Future[None]]


class Full(Exception):
    """As many wait already as may, or this one waited as long as it may."""


@dataclass(slots=True)
class Line:
    """Operations of one tenant. Requests go before events of subscriptions, which can wait."""

    seen: float = 0.0
    running: int = 0
    requests: Waiting = field(default_factory=deque)
    events: Waiting = field(default_factory=deque)

    @property
    def idle(self) -> bool:
        return not (self.running or self.requests or self.events)


class Turns:
    def __init__(self, allowances: Allowances, monotonic: Callable[[], float]) -> None:
        self._numbers = allowances
        self._monotonic = monotonic
        self._lines: OrderedDict[Hashable, Line] = OrderedDict()  # the last one served at the end

    def full(self, key: Hashable) -> bool:
        line = self._lines.get(key)
        return line is not None and len(line.requests) >= self._numbers.waiting

    @asynccontextmanager
    async def turn(self, key: Hashable, *, event: bool = False) -> AsyncIterator[None]:
        """Run the block when it is this one's turn. An event waits as long as it takes.

        :raises Full: its turn does not come in time
        """
        line = self._seen(key)
        if line.running < self._allowed(key) and not line.requests:
            line.running += 1
        elif self.full(key) and not event:
            raise Full
        else:
            await self._wait(key, line, event)
        try:
            yield
        finally:
            self._leave(key, line)

    async def _wait(self, key: Hashable, line: Line, event: bool) -> None:
        queue = line.events if event else line.requests
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(called)
        try:
            async with asyncio.timeout(None if event else self._numbers.wait_seconds):
                await called
        except BaseException as error:
            if called.cancelled():
                with suppress(ValueError):  # whoever called the next one passed it over
                    queue.remove(called)
            else:
                self._leave(key, line)  # called in the same moment, and does not come
            if isinstance(error, TimeoutError):
                raise Full from None
            raise

    def _leave(self, key: Hashable, line: Line) -> None:
        line.running -= 1
        self._seen(key)
        while line.running < self._allowed(key) and (called := _next(line)) is not None:
            line.running += 1
            called.set_result(None)

    def _seen(self, key: Hashable) -> Line:
        now = self._monotonic()
        line = self._lines.setdefault(key, Line())
        line.seen = now
        self._lines.move_to_end(key)
        while (old := next(iter(self._lines.values()))).idle and self._is_past(old, now):
            self._lines.popitem(last=False)
        return line

    def _allowed(self, key: Hashable) -> float:
        """How many of this key may run now."""
        if not self._numbers.in_flight:
            return inf
        others = (line for other, line in reversed(self._lines.items()) if other != key)
        latest = next(others, None)
        if latest is None or self._is_past(latest, self._monotonic()):
            return self._numbers.in_flight_alone
        return self._numbers.in_flight

    def _is_past(self, line: Line, now: float) -> bool:
        return now - line.seen > self._numbers.alone_seconds


def _next(line: Line) -> asyncio.Future[None] | None:
    for queue in (line.requests, line.events):
        while queue:
            if not (called := queue.popleft()).done():
                return called
    return None
