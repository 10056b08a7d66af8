"""A clock that two processes share: the replay sets it, the API reads it."""

from datetime import UTC, datetime, timedelta
from multiprocessing.context import BaseContext
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


class SharedClock:
    """Give it to a child process among its arguments. It stands until it is set."""

    def __init__(self, context: BaseContext, at: datetime) -> None:
        # Eight aligned bytes are read and written whole: no lock.
        self._ticks: Any = context.Value("q", (at - EPOCH) // TICK, lock=False)

    def now(self) -> datetime:
        return EPOCH + int(self._ticks.value) * TICK

    def set(self, at: datetime) -> None:
        self._ticks.value = (at - EPOCH) // TICK
