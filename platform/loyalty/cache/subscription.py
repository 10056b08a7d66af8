"""One reader of one channel, with a bounded buffer."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from enum import StrEnum
from types import TracebackType
from typing import Self

BUFFER_MAX = 100


class Closing(StrEnum):
    """Why a subscription ended by itself."""

    SLOW = "SLOW"
    HUB_CLOSED = "HUB_CLOSED"


class SlowConsumer(Exception):
    """More came than the buffer holds before the reader took it: its socket is to be closed."""


class Subscription:
    """`async with hub.subscribe(...) as payloads:` then `async for payload in payloads:`.

    It listens from the moment the block is entered until it is left. The iteration raises
    `SlowConsumer` where the buffer ran over, and simply ends where the hub was closed; a reader
    stuck elsewhere can be watched from outside by `wait_closed()`.
    """

    def __init__(
        self,
        name: str,
        *,
        enter: Callable[["Subscription"], Awaitable[None]],
        leave: Callable[["Subscription"], None],
        buffer_max: int = BUFFER_MAX,
    ) -> None:
        self.name = name
        self.closing: Closing | None = None
        self._enter = enter
        self._leave = leave
        self._buffer_max = buffer_max
        self._buffer: deque[bytes] = deque()
        self._filled = asyncio.Event()
        self._closed = asyncio.Event()

    async def __aenter__(self) -> Self:
        try:
            await self._enter(self)
        except BaseException:
            self._leave(self)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._buffer:
            if self.closing is Closing.SLOW:
                raise SlowConsumer(self.name)
            if self.closing is not None:
                raise StopAsyncIteration
            self._filled.clear()
            await self._filled.wait()
        return self._buffer.popleft()

    async def wait_closed(self) -> Closing | None:
        """Returns once the subscription was closed from this side, with the reason."""
        await self._closed.wait()
        return self.closing

    def offer(self, payload: bytes) -> bool:
        """Hand over a message. False where the buffer is full: then the subscription is closed."""
        if self.closing is not None:
            return False
        if len(self._buffer) >= self._buffer_max:
            self.close(Closing.SLOW)
            return False
        self._buffer.append(payload)
        self._filled.set()
        return True

    def close(self, closing: Closing) -> None:
        """End it. A slow reader is told at once; what it has not read is thrown away."""
        if self.closing is None:
            self.closing = closing
            if closing is Closing.SLOW:
                self._buffer.clear()
            self._filled.set()
            self._closed.set()
