"""What a listener is told of a commit: worked out before it, said after it, no harm to it."""

from collections.abc import Coroutine
from typing import Any

import asyncpg
import pytest

from loyalty.recorder.recorder import Recorder
from loyalty.settlement.request import Committed, Recorded


class Listening:
    """Notes what it works out and what it says."""

    def __init__(self) -> None:
        self.worked_out: list[Committed] = []
        self.said: list[Committed] = []

    def __call__(self, *committed: Committed) -> Coroutine[Any, Any, None]:
        self.worked_out += committed
        return self._say(committed)

    async def _say(self, committed: tuple[Committed, ...]) -> None:
        self.said += committed


class Unlucky(Recorder):
    """The first time, another process was faster."""

    tries = 0

    async def append(self, connection: Any, batch: Any) -> None:
        await super().append(connection, batch)
        self.tries += 1
        if self.tries == 1:
            raise asyncpg.SerializationError


def recorder(world: Any, listener: Any, kind: type[Recorder] = Recorder) -> Recorder:
    return kind(
        world.database, world.plugins, world.recorder.setups, world.clock, committed=listener
    )


@pytest.mark.parametrize("size", [1, 3])
async def test_only_what_was_committed_is_told(world: Any, size: int) -> None:
    listening, member = Listening(), await world.member()
    requests = [world.request(world.purchase(member, 100)) for _ in range(size)]

    await recorder(world, listening, Unlucky).record_many(world.tenant_id, requests)

    assert len(listening.worked_out) == 2
    (committed,) = listening.said
    (change,) = committed.changes
    assert change.version == size
    assert committed.tenant_id == world.tenant_id


async def test_a_listener_that_fails_undoes_nothing(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Committed) -> Any:
        raise ValueError("no")

    async def fail_later(*_: Committed) -> None:
        raise ValueError("no")

    member = await world.member()
    for listener in (fail, fail_later):
        requests = [world.request(world.purchase(member, 100)) for _ in range(2)]
        outcomes = await recorder(world, listener).record_many(world.tenant_id, requests)
        assert all(isinstance(outcome, Recorded) for outcome in outcomes)

    assert (await world.balance(member)).available == 4
    assert len(caplog.records) == 2
